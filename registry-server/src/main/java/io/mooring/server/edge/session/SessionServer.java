package io.mooring.server.edge.session;

import io.mooring.protocol.MessageReader;
import io.mooring.server.node.RegistryNode;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.util.concurrent.FastThreadLocal;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The WebSocket endpoint of sessions. I/O threads turn bytes into messages and hand whole frames to the event loop;
 * the loop hands back frames, gathered per turn, so that a push to a thousand sessions is one hop.
 */
public final class SessionServer implements SessionHost, Closeable {
    private static final Logger log = LoggerFactory.getLogger(SessionServer.class);
    private static final int HANDSHAKE_BYTES = 8_192;
    private static final int SOCKET_BUFFER = 64 * 1024;

    private final RegistryNode node;
    private final SessionSettings settings;
    private final SessionMeter meter;
    private final EventLoopGroup group;
    private final PushEncoder encoder = new PushEncoder(); // the event loop's own
    /** The connections and who does their I/O; the event loop's own. */
    private final Map<SessionConnection, SessionHandler> connections = new LinkedHashMap<>();

    private final OpenSessions sessions;
    private final AtomicInteger open = new AtomicInteger();
    private List<SessionConnection> toFlush = new ArrayList<>(); // the event loop's own
    private boolean flushScheduled; // the event loop's own
    private @Nullable Channel listening;

    /** One reader per I/O thread. Nothing of a frame stays behind in it but strings that are the same anyway. */
    private final FastThreadLocal<MessageReader> readers = new FastThreadLocal<>() {
        @Override
        protected MessageReader initialValue() {
            return new MessageReader(settings.limits());
        }
    };

    /** @param group the I/O threads; not closed by this */
    public SessionServer(RegistryNode node, SessionSettings settings, SessionMeter meter, EventLoopGroup group) {
        this.node = node;
        this.settings = settings;
        this.meter = meter;
        this.group = group;
        this.sessions = new OpenSessions(node.loop(), settings.peers());
    }

    /**
     * Begins to listen.
     *
     * @return the port
     * @throws IOException when the port is taken or the address is not ours
     */
    public int start() throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4_096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                // Small, so that a reader who stops costs the kernel little and is noticed soon.
                .childOption(ChannelOption.SO_SNDBUF, SOCKET_BUFFER)
                .childOption(ChannelOption.SO_RCVBUF, SOCKET_BUFFER)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(8 * 1024, SOCKET_BUFFER))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(new InetSocketAddress(settings.bind(), settings.port()));
        bound.awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "sessions: cannot listen on " + settings.bind() + ":" + settings.port() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        Channel channel = bound.channel();
        listening = channel;
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    private void accept(SocketChannel channel) {
        if (open.incrementAndGet() > settings.maxConnections()) {
            open.decrementAndGet();
            meter.refused("overloaded");
            channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> open.decrementAndGet());
        WebSocketServerProtocolConfig config = WebSocketServerProtocolConfig.newBuilder()
                .websocketPath(SessionSettings.PATH)
                .checkStartsWith(false)
                .sendCloseFrame(null) // we say goodbye ourselves; who does not read would keep it from closing
                .handshakeTimeoutMillis(settings.helloWithin().toMillis())
                .decoderConfig(WebSocketDecoderConfig.newBuilder()
                        .maxFramePayloadLength(settings.limits().frameBytes())
                        .allowExtensions(false)
                        .withUTF8Validator(false) // the reader checks, more strictly
                        .build())
                .build();
        channel.pipeline()
                .addLast(new HttpServerCodec(4_096, HANDSHAKE_BYTES, HANDSHAKE_BYTES))
                .addLast(new HttpObjectAggregator(HANDSHAKE_BYTES))
                .addLast(new SessionsOnly())
                .addLast(new WebSocketServerProtocolHandler(config))
                .addLast(new WebSocketFrameAggregator(settings.limits().frameBytes()))
                .addLast(new SessionHandler(this, channel));
    }

    /** Open connections, those that have not said hello yet among them. Any thread. */
    public int connections() {
        return open.get();
    }

    @Override
    public RegistryNode node() {
        return node;
    }

    @Override
    public SessionSettings settings() {
        return settings;
    }

    @Override
    public SessionMeter meter() {
        return meter;
    }

    /** For the calling I/O thread. */
    MessageReader reader() {
        return readers.get();
    }

    @Override
    public PushEncoder encoder() {
        return encoder;
    }

    // ---- what all sessions are told; from any thread

    /** The session addresses of the other nodes are these now: for whoever connects, and for all who are there. */
    public void peers(List<String> addresses) {
        List<String> now = List.copyOf(addresses);
        node.loop().execute(() -> sessions.addresses(now));
    }

    /**
     * This node drains: all sessions are asked to move, and everyone who comes after too.
     *
     * @param within the time over which they spread
     * @param targets session addresses of other nodes, shared out evenly; empty: wherever they like
     */
    public void move(Duration within, List<String> targets) {
        List<String> to = List.copyOf(targets);
        node.loop().execute(() -> sessions.move(within, to));
    }

    /** Asks at most so many sessions, picked at random, to move; otherwise as {@link #move(Duration, List)}. */
    public void move(Duration within, List<String> targets, int most, RandomGenerator random) {
        List<String> to = List.copyOf(targets);
        node.loop().execute(() -> sessions.move(within, to, most, random));
    }

    // ---- on the event loop

    @Override
    public List<String> sessionAddresses() {
        return sessions.addresses();
    }

    @Override
    public void welcomed(SessionConnection connection) {
        sessions.welcomed(connection);
    }

    void opened(SessionConnection connection, SessionHandler handler) {
        connections.put(connection, handler);
    }

    void closed(SessionConnection connection) {
        connections.remove(connection);
        sessions.closed(connection);
        connection.disconnected();
    }

    /** It goes out with everything else of this turn. */
    @Override
    public void flushLater(SessionConnection connection) {
        toFlush.add(connection);
        if (!flushScheduled) {
            flushScheduled = true;
            node.loop().execute(this::flush);
        }
    }

    private void flush() {
        flushScheduled = false;
        List<SessionConnection> ready = toFlush;
        toFlush = new ArrayList<>(ready.size() > 1_024 ? 16 : ready.size());
        Map<EventLoop, List<Writing>> byThread = new HashMap<>(4);
        for (SessionConnection connection : ready) {
            SessionConnection.Outgoing outgoing = connection.take();
            SessionHandler handler = connections.get(connection);
            if (handler != null) {
                byThread.computeIfAbsent(handler.thread(), t -> new ArrayList<>(ready.size()))
                        .add(new Writing(handler, outgoing));
            }
        }
        byThread.forEach((thread, writing) -> thread.execute(() -> write(writing)));
    }

    private record Writing(SessionHandler handler, SessionConnection.Outgoing outgoing) {}

    /** On the I/O thread of these connections. */
    private void write(List<Writing> all) {
        List<SessionConnection> pushedTo = new ArrayList<>();
        for (Writing writing : all) {
            writing.handler.write(writing.outgoing, pushedTo);
        }
        if (!pushedTo.isEmpty()) {
            written(pushedTo);
        }
    }

    /** Frames with pushes are written: their sessions may hear the next ones. From an I/O thread. */
    void written(List<SessionConnection> pushedTo) {
        node.loop().execute(() -> pushedTo.forEach(node::ready));
    }

    /** Stops listening, says why, and closes what is open. Waits a second at most. */
    @Override
    public void close() {
        Channel channel = listening;
        if (channel != null) {
            channel.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        }
        node.loop()
                .execute(() -> List.copyOf(connections.keySet())
                        .forEach(connection -> connection.close("stopping", "this node stops; connect to another")));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        while (open.get() > 0 && System.nanoTime() - deadline < 0) {
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        log.debug("{} connections were still open at the end", open.get());
    }
}
