package io.mooring.server.edge.session;

import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.RefusalCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection, seen from its I/O thread: reads frames, counts what is unanswered, writes, and notices when the
 * other side does not read or never speaks.
 */
final class SessionHandler extends SimpleChannelInboundHandler<WebSocketFrame> {
    private static final Logger log = LoggerFactory.getLogger(SessionHandler.class);
    private static final int MAX_UNANSWERED = 1_024;
    private static final long LOOK_EVERY_SECONDS = 1;

    private final SessionServer server;
    private final SocketChannel channel;
    private final SessionConnection connection;
    private String namespace = "";
    private boolean doubtful;
    private int unanswered;
    private boolean waiting; // a look at the connection is scheduled
    private int unwritten;
    private @Nullable Object head; // what is being written
    private long progress = -1;
    private long progressAt;
    private boolean known; // to the event loop

    SessionHandler(SessionServer server, SocketChannel channel) {
        this.server = server;
        this.channel = channel;
        this.connection = new SessionConnection(server, String.valueOf(channel.remoteAddress()));
    }

    EventLoop thread() {
        return channel.eventLoop();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
            known = true;
            server.node().loop().execute(() -> server.opened(connection, this));
            ctx.executor()
                    .schedule(this::expectHello, server.settings().helloWithin().toMillis(), TimeUnit.MILLISECONDS);
        }
        super.userEventTriggered(ctx, event);
    }

    private void expectHello() {
        if (namespace.isEmpty() && channel.isActive()) {
            server.meter().refused(RefusalCode.TOO_SLOW);
            channel.close();
        }
    }

    // ---- reading

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
        if (doubtful) {
            return; // what comes behind a frame we could not read means nothing
        }
        if (!(frame instanceof TextWebSocketFrame)) {
            doubt(new MalformedFrameException(
                    RefusalCode.MALFORMED, "frames must be text messages, not binary ones", null));
            return;
        }
        try {
            List<ClientMessage> messages = read(frame.content());
            if (messages.isEmpty()) {
                return;
            }
            if (messages.get(0) instanceof ClientMessage.Hello hello) {
                namespace = hello.namespace();
            }
            unanswered += messages.size();
            if (unanswered >= MAX_UNANSWERED) {
                channel.config().setAutoRead(false);
            }
            server.node().loop().execute(() -> connection.receive(messages));
        } catch (MalformedFrameException e) {
            doubt(e);
        }
    }

    private List<ClientMessage> read(ByteBuf content) throws MalformedFrameException {
        byte[] bytes = new byte[content.readableBytes()];
        content.getBytes(content.readerIndex(), bytes);
        return server.reader().readFromClient(bytes, 0, bytes.length, namespace);
    }

    private void doubt(MalformedFrameException e) {
        doubtful = true;
        server.node().loop().execute(() -> connection.closeMalformed(e));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        if (known) {
            server.node().loop().execute(() -> server.closed(connection));
        }
        super.channelInactive(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        doubtful = true;
        if (cause instanceof TooLongFrameException) {
            server.meter().refused(RefusalCode.MALFORMED);
            ctx.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.MESSAGE_TOO_BIG))
                    .addListener(ChannelFutureListener.CLOSE);
            return;
        }
        if (!(cause instanceof IOException)) {
            log.debug("Closing {}: {}", connection, cause.toString());
        }
        ctx.close();
    }

    // ---- writing

    /** Writes a frame; adds the connection to {@code written} if it carried pushes and is out already. */
    void write(SessionConnection.Outgoing out, List<SessionConnection> written) {
        ChannelFuture done = channel.writeAndFlush(Unpooled.wrappedBuffer(out.frame()));
        if (done.isDone()) {
            wrote(out, done);
            if (out.pushes()) {
                written.add(connection);
            }
        } else {
            unwritten++;
            lookLater();
            done.addListener(later -> {
                unwritten--;
                wrote(out, done);
                if (out.pushes()) {
                    server.written(List.of(connection));
                }
            });
        }
    }

    private void wrote(SessionConnection.Outgoing out, ChannelFuture done) {
        if (out.pushes() && done.isSuccess()) {
            server.meter().pushed(System.nanoTime() - out.pushedAt());
        }
        unanswered -= out.answers();
        if (unanswered < MAX_UNANSWERED / 2 && !channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
        if (out.last()) {
            channel.writeAndFlush(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void lookLater() {
        if (!waiting) {
            waiting = true;
            head = null;
            progress = -1;
            progressAt = System.nanoTime();
            channel.eventLoop().schedule(this::look, LOOK_EVERY_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** A client that takes nothing of what it was sent for too long is not there. */
    private void look() {
        waiting = false;
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        if (unwritten == 0 || buffer == null) {
            head = null;
            return;
        }
        long now = System.nanoTime();
        if (buffer.current() != head || buffer.currentProgress() != progress) {
            head = buffer.current();
            progress = buffer.currentProgress();
            progressAt = now;
        } else if (now - progressAt >= server.settings().stalledAfter().toNanos()) {
            server.meter().refused(RefusalCode.TOO_SLOW);
            log.info(
                    "Closing the {}: it read nothing for {} s.",
                    connection,
                    server.settings().stalledAfter().toSeconds());
            channel.close();
            return;
        }
        waiting = true;
        channel.eventLoop().schedule(this::look, LOOK_EVERY_SECONDS, TimeUnit.SECONDS);
    }
}
