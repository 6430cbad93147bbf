package io.mooring.server.edge.peer;

import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.PeerReader;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of a line's pipeline, on its I/O thread: frames become messages, and all that one read brought goes to the
 * core together. The core hears of the line when the WebSocket is open, and then exactly once of its end; before that,
 * only of the failure.
 */
final class PeerHandler extends SimpleChannelInboundHandler<WebSocketFrame> {
    private static final Logger log = LoggerFactory.getLogger(PeerHandler.class);

    private final PeerHost host;
    private final Consumer<PeerLine> opened;
    private final Consumer<String> failed;
    private final PeerConnection connection;
    private final PeerReader reader = new PeerReader();

    private List<PeerMessage> read = new ArrayList<>();
    private int readBytes;
    private boolean open;
    private boolean spoke;
    private boolean doubtful;

    /**
     * @param remote the other side, for people
     * @param opened gets the line, on the event loop
     * @param failed gets why there is none, on the event loop
     */
    PeerHandler(PeerHost host, Channel channel, String remote, Consumer<PeerLine> opened, Consumer<String> failed) {
        this.host = host;
        this.opened = opened;
        this.failed = failed;
        this.connection = new PeerConnection(host, channel, remote);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete
                || event == WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
            open = true;
            host.loop().execute(() -> opened.accept(connection));
            long patience = host.settings().speakWithin().toMillis();
            ctx.executor().schedule(this::expectWord, patience, TimeUnit.MILLISECONDS);
        } else if (event == WebSocketClientProtocolHandler.ClientHandshakeStateEvent.HANDSHAKE_TIMEOUT) {
            connection.because("it did not answer within "
                    + host.settings().connectWithin().toSeconds() + " s; is it a node's peer port?");
        }
        super.userEventTriggered(ctx, event);
    }

    private void expectWord() {
        if (!spoke) {
            host.meter().refused("too_slow");
            connection.finish(WebSocketCloseStatus.POLICY_VIOLATION, "it said nothing");
        }
    }

    // ---- reading

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, WebSocketFrame frame) {
        if (doubtful || connection.isFinishing()) {
            return; // what comes behind a frame we could not read means nothing
        }
        if (frame instanceof BinaryWebSocketFrame) {
            read(frame);
        } else if (frame instanceof CloseWebSocketFrame close) {
            String words = close.reasonText();
            connection.because("the other side closed it" + (words.isEmpty() ? "" : ": " + words));
            ctx.close();
        } else {
            doubt(WebSocketCloseStatus.INVALID_MESSAGE_TYPE, "a text frame came (expected: binary ones)");
        }
    }

    private void read(WebSocketFrame frame) {
        spoke = true;
        int bytes = frame.content().readableBytes();
        host.meter().received(bytes);
        try {
            byte[] message = connection.envelope().unwrap(frame.content());
            read.add(reader.read(message));
            readBytes += message.length;
        } catch (MalformedException e) {
            doubt(WebSocketCloseStatus.INVALID_PAYLOAD_DATA, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            log.error("A message of {} could not be read. This is a bug, please report it.", connection, e);
            doubt(WebSocketCloseStatus.INVALID_PAYLOAD_DATA, "the message could not be read");
        }
    }

    private void doubt(WebSocketCloseStatus status, String words) {
        doubtful = true;
        hand(); // what came before it counts
        host.loop().execute(() -> host.ends().get().malformed(connection, words));
        connection.finish(status, words);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        hand();
        super.channelReadComplete(ctx);
    }

    private void hand() {
        if (!read.isEmpty()) {
            List<PeerMessage> messages = read;
            int bytes = readBytes;
            read = new ArrayList<>();
            readBytes = 0;
            connection.hand(messages, bytes);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) throws Exception {
        connection.writable();
        super.channelWritabilityChanged(ctx);
    }

    // ---- the end

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        connection.disconnected(open);
        if (!open) {
            String why = connection.reason();
            host.loop().execute(() -> failed.accept(why));
        }
        super.channelInactive(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        boolean badFrame = cause instanceof CorruptedFrameException || cause instanceof TooLongFrameException;
        String words = words(cause);
        if (open && badFrame) {
            doubt(
                    cause instanceof TooLongFrameException
                            ? WebSocketCloseStatus.MESSAGE_TOO_BIG
                            : WebSocketCloseStatus.PROTOCOL_ERROR,
                    words);
        } else {
            if (!open && cause.getCause() instanceof SSLException) {
                host.meter().refused("tls");
                log.debug("No TLS with the other end of the {}: {}", connection, words);
            }
            connection.because(words);
            ctx.close();
        }
    }

    /** The innermost complaint says most, as in "PKIX path building failed" around "unable to find valid certification path". */
    static String words(Throwable failure) {
        Throwable innermost = failure;
        for (int depth = 0; innermost.getCause() != null && depth < 16; depth++) {
            innermost = innermost.getCause();
        }
        String said = innermost.getMessage();
        return said == null ? innermost.getClass().getSimpleName() : said;
    }
}
