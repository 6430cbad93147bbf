package io.mooring.server.edge.peer;

import io.mooring.model.InvalidValueException;
import io.mooring.runtime.EventLoop;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.Peers;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketVersion;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.Closeable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Connects to other nodes. Names are looked up anew each time, off the I/O threads, and the last good answer serves while
 * the resolver fails; a name's addresses are tried one after the other, beginning with another one each time.
 */
public final class PeerClient implements PeerDialer, Closeable {
    private static final int HANDSHAKE_BYTES = 8_192;

    private final PeerHost host;
    private final EventLoopGroup group;
    private final HostNames names;
    private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicInteger dialled = new AtomicInteger();

    /**
     * @param loop the core's
     * @param ends where lines end; asked on the loop, not before the first line is open
     * @param group the I/O threads; not closed by this
     */
    public PeerClient(
            PeerSettings settings,
            EventLoop loop,
            Supplier<Peers> ends,
            PeerMeter meter,
            EventLoopGroup group,
            NameLookup lookup) {
        this.host = new PeerHost(settings, loop, meter, ends);
        this.group = group;
        this.names = new HostNames(lookup, group, settings.connectWithin());
    }

    private volatile boolean closed;

    private record Call(PeerAddress target, Consumer<PeerLine> opened, Consumer<String> failed) {}

    @Override
    public void dial(String address, Consumer<PeerLine> opened, Consumer<String> failed) {
        if (closed) {
            host.loop().execute(() -> failed.accept("this node stops"));
            return;
        }
        PeerAddress target;
        try {
            target = PeerAddress.parse(address);
        } catch (InvalidValueException e) {
            host.loop().execute(() -> failed.accept(e.getMessage()));
            return;
        }
        Call call = new Call(target, opened, failed);
        target.literal()
                .ifPresentOrElse(
                        literal -> connect(call, List.of(literal), 0, 1),
                        () -> names.resolve(
                                target.host(),
                                found -> connect(call, found, dialled.getAndIncrement() & 0xffff, found.size()),
                                why -> host.loop().execute(() -> failed.accept(why))));
    }

    /** @param tries how many of the addresses are left */
    private void connect(Call call, List<InetAddress> addresses, int at, int tries) {
        InetSocketAddress where = new InetSocketAddress(
                addresses.get(at % addresses.size()), call.target().port());
        new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, millis())
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, PeerServer.WATER_MARK)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        open.add(channel);
                        prepare(call, channel, where);
                    }
                })
                .connect(where)
                .addListener(connected -> {
                    if (!connected.isSuccess() && tries > 1) {
                        connect(call, addresses, at + 1, tries - 1);
                    } else if (!connected.isSuccess()) {
                        String why = PeerHandler.words(connected.cause());
                        host.loop().execute(() -> call.failed().accept(why));
                    }
                });
    }

    private int millis() {
        return Math.toIntExact(host.settings().connectWithin().toMillis());
    }

    private void prepare(Call call, SocketChannel channel, InetSocketAddress where) {
        PeerSettings settings = host.settings();
        String scheme = settings.tls().isPresent() ? "wss" : "ws";
        String authority = NetUtil.toSocketAddressString(where).replaceFirst("%[^]]*", "");
        WebSocketClientProtocolConfig config = WebSocketClientProtocolConfig.newBuilder()
                .webSocketUri(scheme + "://" + authority + PeerSettings.PATH)
                .version(WebSocketVersion.V13)
                .allowExtensions(false)
                .generateOriginHeader(false)
                .maxFramePayloadLength(settings.messageBytes())
                .handleCloseFrames(false)
                .sendCloseFrame(null)
                .handshakeTimeoutMillis(settings.connectWithin().toMillis())
                .withUTF8Validator(false) // texts are refused anyway
                .build();
        settings.tls().ifPresent(tls -> channel.pipeline().addLast(tls.forClient(channel, settings.connectWithin())));
        channel.pipeline()
                .addLast(new HttpClientCodec(4_096, HANDSHAKE_BYTES, HANDSHAKE_BYTES))
                .addLast(new HttpObjectAggregator(HANDSHAKE_BYTES))
                .addLast(new WebSocketClientProtocolHandler(config))
                .addLast(new WebSocketFrameAggregator(settings.messageBytes()))
                .addLast(new PeerHandler(host, channel, call.target().toString(), call.opened(), call.failed()));
    }

    /** Cuts what it dialled, and dials no more. */
    @Override
    public void close() {
        closed = true;
        names.close();
        open.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
    }
}
