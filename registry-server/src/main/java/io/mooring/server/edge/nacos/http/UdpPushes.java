package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonParser;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.edge.nacos.TolerantJson;
import io.mooring.server.node.RegistryNode;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells clients of v1 of changes by UDP, as long as they go on asking for the list. It is a courtesy: whoever misses a
 * datagram finds the change when it asks again, and is told to ask sooner.
 *
 * <p>Who asked when is known to all threads; what was sent and not acknowledged belongs to the I/O thread.
 */
final class UdpPushes implements NacosSubscribers, AutoCloseable {
    private static final int ACK_BYTES = 2_048;
    private static final Logger log = LoggerFactory.getLogger(UdpPushes.class);

    private final RegistryNode node;
    private final Datagrams datagrams;
    private final Times times;
    private final int most;
    private final UdpMeter meter;
    private final Map<UdpSubscriber.Key, UdpSubscriber> subscribers = new ConcurrentHashMap<>();
    private final Map<Sent, Waiting> unacked = new LinkedHashMap<>(); // oldest first; on the I/O thread
    private volatile @Nullable Channel channel;

    /** An ack names the number, and comes from where the datagram went. */
    private record Sent(InetSocketAddress to, long number) {}

    private record Waiting(UdpSubscriber subscriber, ServiceView view, long sentAt, boolean again) {}

    /**
     * How patient it is.
     *
     * @param listensFor after its last question; a client asks every ten seconds, and it takes a moment
     * @param ackWithin after which a datagram is taken for lost; it is sent once more
     * @param busyFor after a datagram without ack, until the next change goes out all the same
     */
    record Times(Duration listensFor, Duration ackWithin, Duration busyFor) {
        static final Times DEFAULTS = new Times(Duration.ofSeconds(15), Duration.ofSeconds(10), Duration.ofSeconds(1));
    }

    /** @param most subscribers */
    UdpPushes(RegistryNode node, Datagrams datagrams, Times times, int most, UdpMeter meter) {
        this.times = times;
        this.node = node;
        this.datagrams = datagrams;
        this.most = most;
        this.meter = meter;
    }

    /** @throws IOException when there is no port to send from */
    void start(EventLoopGroup group, String bind) throws IOException {
        try {
            Channel opened = new Bootstrap()
                    .group(group)
                    .channel(NioDatagramChannel.class)
                    .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(ACK_BYTES))
                    .handler(new Acks())
                    .bind(bind, 0)
                    .sync()
                    .channel();
            opened.eventLoop()
                    .scheduleWithFixedDelay(
                            this::look,
                            times.busyFor().toMillis(),
                            times.busyFor().toMillis(),
                            TimeUnit.MILLISECONDS);
            channel = opened;
            node.loop().execute(() -> node.onSettings(this::settled));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while opening a port", e);
        } catch (Exception e) { // Netty throws what it is not declared to throw
            throw new IOException("no port to send datagrams from: " + e, e);
        }
    }

    @Override
    public void close() {
        Channel opened = channel;
        channel = null;
        if (opened != null) {
            opened.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        }
        subscribers.values().forEach(this::drop);
    }

    int size() {
        return subscribers.size();
    }

    /**
     * A client has asked for a list and listens at that address. Any thread.
     *
     * @param view it is answered with
     * @return whether it will hear of changes, as far as one can tell
     */
    boolean heard(ServiceView view, String clusters, InetSocketAddress at) {
        if (channel == null) {
            return false;
        }
        UdpSubscriber.Key key = new UdpSubscriber.Key(view.service(), clusters, at);
        UdpSubscriber known = subscribers.get(key);
        if (known != null) {
            known.heard(node.loop().now());
            return known.listens();
        }
        if (subscribers.size() >= most) { // a few more by chance do no harm
            return false;
        }
        UdpSubscriber fresh =
                new UdpSubscriber(key, node, view, this::send, node.loop().now());
        if (subscribers.putIfAbsent(key, fresh) == null) {
            node.loop().execute(() -> {
                if (subscribers.get(key) == fresh) {
                    node.subscribe(fresh, view.service(), OptionalLong.of(view.digest()));
                }
            });
        }
        return true;
    }

    @Override
    public List<Subscriber> of(ServiceKey service) {
        List<Subscriber> all = new ArrayList<>();
        for (UdpSubscriber.Key key : subscribers.keySet()) {
            if (key.service().equals(service)) {
                String ip = key.at().getAddress().getHostAddress();
                all.add(new Subscriber(
                        Clients.id(address(key), false), ip, key.at().getPort(), "", "", key.clusters()));
            }
        }
        return all;
    }

    private static String address(UdpSubscriber.Key key) {
        return key.at().getAddress().getHostAddress() + ":" + key.at().getPort();
    }

    /** Who listens. Any thread. */
    Set<String> addresses() {
        Set<String> addresses = new LinkedHashSet<>();
        subscribers.keySet().forEach(key -> addresses.add(address(key)));
        return addresses;
    }

    /** What an address listens to; once for each selection of clusters. Any thread. */
    List<ServiceKey> at(String address) {
        return subscribers.keySet().stream()
                .filter(key -> address(key).equals(address))
                .map(UdpSubscriber.Key::service)
                .toList();
    }

    /** On the loop. */
    private void settled(ServiceKey service) {
        for (UdpSubscriber subscriber : subscribers.values()) {
            if (subscriber.key().service().equals(service)) {
                subscriber.settled();
            }
        }
    }

    private void drop(UdpSubscriber subscriber) {
        subscribers.remove(subscriber.key(), subscriber);
        node.loop().execute(() -> node.forget(subscriber));
    }

    // ---- the I/O thread

    private void send(UdpSubscriber subscriber, ServiceView view) {
        Channel open = channel;
        if (open != null) {
            open.eventLoop().execute(() -> send(open, subscriber, view, false));
        }
    }

    private void send(Channel open, UdpSubscriber subscriber, ServiceView view, boolean again) {
        Datagrams.Datagram datagram = datagrams.of(view, subscriber.key().clusters());
        if (datagram.bytes().length == 0) {
            subscriber.listens(false); // it should ask more often
            node.loop().execute(() -> node.ready(subscriber));
            meter.pushed(UdpMeter.Result.TOO_LARGE);
            return;
        }
        InetSocketAddress to = subscriber.key().at();
        Sent sent = new Sent(to, datagram.number());
        unacked.remove(new Sent(to, subscriber.sent(datagram.number())));
        unacked.put(sent, new Waiting(subscriber, view, node.loop().now(), again));
        open.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(datagram.bytes()), to), open.voidPromise());
    }

    private void free(UdpSubscriber subscriber) {
        if (subscriber.free()) {
            node.loop().execute(() -> node.ready(subscriber));
        }
    }

    /** Every so often: who waits too long, and who asks no more. */
    private void look() {
        try {
            long now = node.loop().now();
            lookForAcks(now);
            for (UdpSubscriber subscriber : subscribers.values()) {
                if (now - subscriber.heardAt() > times.listensFor().toNanos()) {
                    drop(subscriber);
                }
            }
        } catch (RuntimeException e) {
            log.error("Looking after subscribers by UDP failed. This is a bug, please report it.", e);
        }
    }

    private void lookForAcks(long now) {
        List<Waiting> late = new ArrayList<>();
        Iterator<Map.Entry<Sent, Waiting>> each = unacked.entrySet().iterator();
        while (each.hasNext()) {
            Waiting waiting = each.next().getValue();
            long age = now - waiting.sentAt;
            if (age < times.busyFor().toNanos()) {
                break; // the others are younger
            }
            free(waiting.subscriber);
            if (age >= times.ackWithin().toNanos()) {
                each.remove();
                late.add(waiting);
            }
        }
        for (Waiting waiting : late) {
            Channel open = channel;
            boolean gone = subscribers.get(waiting.subscriber.key()) != waiting.subscriber;
            if (open != null && !waiting.again && !gone) {
                send(open, waiting.subscriber, node.view(waiting.view.service()), true);
            } else if (!gone) {
                waiting.subscriber.listens(false);
                meter.pushed(UdpMeter.Result.UNACKED);
            }
        }
    }

    private final class Acks extends SimpleChannelInboundHandler<DatagramPacket> {
        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
            Ack ack = new Ack();
            try {
                TolerantJson.object(ByteBufUtil.getBytes(packet.content()), ack);
            } catch (IOException | InvalidValueException e) {
                log.debug("A datagram from {} is no ack: {}", packet.sender(), e.toString());
                return;
            }
            Waiting waiting = unacked.remove(new Sent(packet.sender(), ack.number));
            if (waiting == null || !ack.type.equals("push-ack")) {
                return; // late, or somebody's else
            }
            waiting.subscriber.listens(true);
            free(waiting.subscriber);
            meter.pushed(UdpMeter.Result.ACKED);
        }

        /** Of a client that has gone: its host says that nobody is there. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            log.debug("Sending or reading a datagram failed: {}", cause.toString());
        }
    }

    private static final class Ack implements TolerantJson.Field {
        private String type = "";
        private long number = -1;

        @Override
        public void read(String name, JsonParser json) throws IOException {
            if (name.equals("type")) {
                type = TolerantJson.text(name, json);
            } else if (name.equals("lastRefTime")) {
                number = (long) TolerantJson.number(name, json); // text from some; exact, for it is below 2^53
            }
        }
    }
}
