package io.mooring.server.edge.peer;

import io.mooring.runtime.EventLoop;
import io.mooring.server.replication.Peers;
import io.mooring.server.websocket.UpgradeGate;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where other nodes connect. The port is taken first, so that the node can say where it is before it exists; connections
 * wait in the kernel until {@link #open}.
 */
public final class PeerServer implements Closeable {
    private static final int HANDSHAKE_BYTES = 8_192;
    static final WriteBufferWaterMark WATER_MARK = new WriteBufferWaterMark(64 << 10, 256 << 10);

    private final PeerHost host;
    private final EventLoopGroup group;
    private final AtomicInteger connections = new AtomicInteger();
    private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private @Nullable Channel listening;

    /**
     * @param loop the core's
     * @param ends where lines end; asked on the loop, after {@link #open}
     * @param group the I/O threads; not closed by this
     */
    public PeerServer(
            PeerSettings settings, EventLoop loop, Supplier<Peers> ends, PeerMeter meter, EventLoopGroup group) {
        this.host = new PeerHost(settings, loop, meter, ends);
        this.group = group;
    }

    /**
     * Takes the port.
     *
     * @return the port
     * @throws IOException when it is taken or the address is not ours
     */
    public int bind() throws IOException {
        PeerSettings settings = host.settings();
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARK)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(new InetSocketAddress(settings.bind(), settings.port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "peers: cannot listen on " + settings.bind() + ":" + settings.port() + ": "
                            + bound.cause().getMessage(),
                    bound.cause());
        }
        Channel channel = bound.channel();
        listening = channel;
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** Lets connections in. */
    public void open() {
        Channel channel = listening;
        if (channel != null) {
            channel.config().setAutoRead(true);
        }
    }

    private void accept(SocketChannel channel) {
        PeerSettings settings = host.settings();
        if (connections.incrementAndGet() > settings.connections()) {
            connections.decrementAndGet();
            host.meter().refused("overloaded");
            channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> connections.decrementAndGet());
        open.add(channel);
        WebSocketServerProtocolConfig config = WebSocketServerProtocolConfig.newBuilder()
                .websocketPath(PeerSettings.PATH)
                .checkStartsWith(false)
                .handleCloseFrames(false)
                .sendCloseFrame(null)
                .handshakeTimeoutMillis(settings.speakWithin().toMillis())
                .decoderConfig(WebSocketDecoderConfig.newBuilder()
                        .maxFramePayloadLength(settings.messageBytes())
                        .allowExtensions(false)
                        .withUTF8Validator(false) // texts are refused anyway
                        .build())
                .build();
        settings.tls().ifPresent(tls -> channel.pipeline().addLast(tls.forServer(channel, settings.speakWithin())));
        String remote = String.valueOf(channel.remoteAddress()).replace("/", "");
        channel.pipeline()
                .addLast(new HttpServerCodec(4_096, HANDSHAKE_BYTES, HANDSHAKE_BYTES))
                .addLast(new HttpObjectAggregator(HANDSHAKE_BYTES))
                .addLast(new NodesOnly())
                .addLast(new WebSocketServerProtocolHandler(config))
                .addLast(new WebSocketFrameAggregator(settings.messageBytes()))
                .addLast(new PeerHandler(
                        host, channel, remote, line -> host.ends().get().opened(line), failure -> {}));
    }

    /** Connections from others, those that have not said anything yet among them. Any thread. */
    public int connections() {
        return connections.get();
    }

    /** Stops listening and cuts what is still connected. */
    @Override
    public void close() {
        Channel channel = listening;
        if (channel != null) {
            channel.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        }
        open.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
    }

    /**
     * Lets the upgrades of nodes through. Browsers always name the page they act for; no page has business between nodes,
     * also not on the loopback.
     */
    private static final class NodesOnly extends UpgradeGate {
        @Override
        protected Optional<Objection> objection(FullHttpRequest request) {
            if (!request.uri().equals(PeerSettings.PATH)) {
                return objection(HttpResponseStatus.NOT_FOUND, "this is the port between nodes; REST has another");
            }
            if (request.headers().contains(HttpHeaderNames.ORIGIN)) {
                return objection(HttpResponseStatus.FORBIDDEN, "not for browsers");
            }
            if (!isUpgrade(request)) {
                return objection(
                        HttpResponseStatus.UPGRADE_REQUIRED, "this port speaks WebSocket (Upgrade: websocket)");
            }
            return Optional.empty();
        }
    }
}
