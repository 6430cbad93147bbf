package io.mooring.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One session with a registry, as cheap as it gets: it writes bytes and hands on bytes. Renews itself every four
 * seconds while it is open.
 */
final class Session extends SimpleChannelInboundHandler<WebSocketFrame> {
    /** Gets every frame, on the session's I/O thread. */
    interface Receiver {
        /**
         * @param payload valid during the call
         * @param at when it was read, by {@link System#nanoTime}
         */
        void received(Session from, ByteBuf payload, long at);
    }

    static final Receiver NOBODY = (from, payload, at) -> {};

    private static final int LARGEST_FRAME = 64 << 20;
    private static final int OPENING_AT_ONCE = 64;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] RENEW =
            "[{\"type\":\"renew\",\"id\":4503599627370496}]".getBytes(StandardCharsets.UTF_8);

    private final CompletableFuture<Session> open = new CompletableFuture<>();
    private final String namespace;
    private final String name;
    private final int attempt;
    private @Nullable Channel channel;
    private Receiver receiver = NOBODY;
    private long payloadBytes;
    private long refused;
    private boolean closing;

    private Session(String namespace, String name, int attempt) {
        this.namespace = namespace;
        this.name = name;
        this.attempt = attempt;
    }

    private static String newName() {
        byte[] secret = new byte[16];
        RANDOM.nextBytes(secret);
        return HexFormat.of().formatHex(secret);
    }

    /** The same session on its next connection, wherever that is. Returns at once; ends as {@link #open} says. */
    CompletableFuture<Session> again(EventLoopGroup threads, InetSocketAddress server) {
        Session next = new Session(namespace, name, attempt + 1);
        next.connect(threads, server);
        return next.open;
    }

    static Session open(EventLoopGroup threads, InetSocketAddress server, String namespace) {
        return openMany(threads, server, namespace, 1).get(0);
    }

    /** Opens that many and waits until the registry has welcomed all of them. */
    static List<Session> openMany(EventLoopGroup threads, InetSocketAddress server, String namespace, int count) {
        List<Session> out = new ArrayList<>();
        Deque<Session> opening = new ArrayDeque<>();
        for (int i = 0; i < count; i++) {
            Session session = new Session(namespace, newName(), 1);
            session.connect(threads, server);
            out.add(session);
            opening.add(session);
            if (opening.size() == OPENING_AT_ONCE) {
                await(opening.remove());
            }
        }
        opening.forEach(Session::await);
        return out;
    }

    private static void await(Session session) {
        session.open.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private void connect(EventLoopGroup threads, InetSocketAddress server) {
        URI uri = URI.create("ws://" + server.getHostString() + ":" + server.getPort() + "/v1/session");
        WebSocketClientProtocolConfig config = WebSocketClientProtocolConfig.newBuilder()
                .webSocketUri(uri)
                .allowExtensions(false)
                .maxFramePayloadLength(LARGEST_FRAME)
                .withUTF8Validator(false)
                .build();
        new Bootstrap()
                .group(threads)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel ch) {
                        ch.pipeline()
                                .addLast(
                                        new HttpClientCodec(),
                                        new HttpObjectAggregator(8_192),
                                        new WebSocketClientProtocolHandler(config),
                                        new WebSocketFrameAggregator(LARGEST_FRAME),
                                        Session.this);
                    }
                })
                .connect(server)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        open.completeExceptionally(done.cause());
                    }
                });
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
            send("[{\"type\":\"hello\",\"version\":1,\"session\":\""
                    + name + "\",\"attempt\":" + attempt + ",\"client\":\"mooring-bench\",\"namespace\":\""
                    + namespace + "\"}]");
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        long at = System.nanoTime();
        ByteBuf payload = frame.content();
        payloadBytes += payload.readableBytes();
        if (!open.isDone()) {
            if (Scan.count(payload, Scan.WELCOME) == 0) {
                open.completeExceptionally(
                        new IllegalStateException("no welcome: " + payload.toString(StandardCharsets.UTF_8)));
                return;
            }
            context.executor().scheduleAtFixedRate(this::renew, 4, 4, TimeUnit.SECONDS);
            open.complete(this);
        }
        if (Scan.count(payload, Scan.REFUSED) + Scan.count(payload, Scan.CLOSING) > 0) {
            if (refused++ == 0 && !closing) {
                System.err.println("refused: " + payload.toString(StandardCharsets.UTF_8));
            }
        }
        receiver.received(this, payload, at);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (!closing) {
            System.err.println("the registry closed a session");
        }
        open.completeExceptionally(new IllegalStateException("closed before welcome"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!closing) {
            System.err.println("session failed: " + cause);
        }
        context.close();
    }

    private void renew() {
        if (channel().isActive() && !closing) {
            send(channel().alloc().buffer(RENEW.length).writeBytes(RENEW));
        }
    }

    void onReceive(Receiver next) {
        onThread(() -> receiver = next);
    }

    ByteBuf buffer(int size) {
        return channel().alloc().buffer(size);
    }

    void send(String frame) {
        ByteBuf payload = buffer(frame.length());
        payload.writeCharSequence(frame, StandardCharsets.UTF_8);
        send(payload);
    }

    /** Sends one frame; takes the buffer over. From any thread. */
    void send(ByteBuf payload) {
        channel().writeAndFlush(new TextWebSocketFrame(payload), channel().voidPromise());
    }

    /** Bytes of payload received so far; on the session's thread or when it is quiet. */
    long payloadBytes() {
        return payloadBytes;
    }

    long refused() {
        return refused;
    }

    /** Runs it on the session's thread and waits until it has run. */
    void onThread(Runnable task) {
        if (channel().eventLoop().inEventLoop()) {
            task.run();
        } else {
            channel().eventLoop().submit(task).awaitUninterruptibly();
        }
    }

    /** The orderly end: what it registered is gone. */
    void bye() {
        closing = true;
        send("[{\"type\":\"bye\",\"id\":4503599627370497}]");
        if (!channel().closeFuture().awaitUninterruptibly(30, TimeUnit.SECONDS)) {
            channel().close().awaitUninterruptibly();
        }
    }

    static void byeAll(List<Session> sessions) {
        for (Session session : sessions) {
            session.closing = true;
            session.send("[{\"type\":\"bye\",\"id\":4503599627370497}]");
        }
        sessions.forEach(session -> session.channel().closeFuture().awaitUninterruptibly(30, TimeUnit.SECONDS));
    }

    /** Its registry is about to die: its end is nothing to report. */
    void expectEnd() {
        closing = true;
    }

    /** Lets the connections go without a word; for registries that are about to be stopped. */
    static void abandon(List<Session> sessions) {
        for (Session session : sessions) {
            session.onThread(() -> {
                session.closing = true;
                session.channel().close();
            });
        }
    }

    private Channel channel() {
        if (channel == null) {
            throw new IllegalStateException("not connected");
        }
        return channel;
    }
}
