package io.mooring.server.edge.peer;

import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Peers;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One line, whoever dialled it. The core hands messages in on the event loop; they wait as they are and are wrapped and
 * written by the I/O thread as the network takes them, many at once. What waits, and what was read and waits for the
 * loop, is bounded.
 */
final class PeerConnection implements PeerLine {
    private static final Logger log = LoggerFactory.getLogger(PeerConnection.class);
    private static final int LONGEST_WORDS = 100; // a close frame takes 123 octets
    private static final int FLUSH_EVERY = 128 << 10;

    private final PeerHost host;
    private final Channel channel;
    private final String remote;
    private final Envelope envelope; // the I/O thread's own

    private final Queue<Outgoing> outbox = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean writeScheduled = new AtomicBoolean();
    private final AtomicLong waiting = new AtomicLong();
    private final AtomicLong unread = new AtomicLong();

    private boolean ended; // the event loop's own
    private boolean finishing; // the I/O thread's own
    private boolean closeSent; // the I/O thread's own
    private WebSocketCloseStatus status = WebSocketCloseStatus.NORMAL_CLOSURE; // the I/O thread's own
    private String reason = ""; // the I/O thread's own

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Outgoing(byte[] message, boolean bulk) {}

    PeerConnection(PeerHost host, Channel channel, String remote) {
        this.host = host;
        this.channel = channel;
        this.remote = remote;
        this.envelope =
                new Envelope(host.settings().messageBytes(), host.settings().inflatedBytes());
    }

    Envelope envelope() {
        return envelope;
    }

    // ---- on the event loop

    @Override
    public void send(byte[] message, boolean bulk) {
        if (ended) {
            return;
        }
        int most = host.settings().mostWaiting();
        if (waiting.addAndGet(message.length) > most) {
            ended = true;
            host.meter().refused("too_slow");
            io(() -> abort("it does not read: more than " + most + " bytes wait for it"));
            return;
        }
        outbox.add(new Outgoing(message, bulk));
        writeSoon();
    }

    @Override
    public long waiting() {
        return waiting.get();
    }

    @Override
    public void close() {
        if (!ended) {
            ended = true;
            io(() -> finish(WebSocketCloseStatus.NORMAL_CLOSURE, "this node closed it"));
        }
    }

    @Override
    public String remote() {
        return remote;
    }

    /** What one read brought. */
    private void receive(List<PeerMessage> messages, int bytes) {
        Peers ends = host.ends().get();
        for (PeerMessage message : messages) {
            if (!ended) {
                ends.received(this, message);
            }
        }
        long before = unread.getAndAdd(-bytes);
        long most = host.settings().mostUnread();
        if (before > most && before - bytes <= most) {
            io(() -> channel.config().setAutoRead(true));
        }
    }

    private void io(Runnable task) {
        try {
            channel.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            log.debug("The {} outlived its thread: this node stops", this);
        }
    }

    // ---- on the I/O thread

    /** Hands what was read to the core. */
    void hand(List<PeerMessage> messages, int bytes) {
        if (unread.addAndGet(bytes) > host.settings().mostUnread()) {
            channel.config().setAutoRead(false); // whoever brings it below hands us a task that reads on
        }
        host.loop().execute(() -> receive(messages, bytes));
    }

    private void writeSoon() {
        if (writeScheduled.compareAndSet(false, true)) {
            io(this::write);
        }
    }

    /** As much as the network takes; {@link #writable} goes on. */
    private void write() {
        writeScheduled.set(false); // before looking: what comes from now on schedules anew
        int unflushed = 0;
        while (channel.isWritable()) {
            Outgoing next = outbox.poll();
            if (next == null) {
                break;
            }
            unflushed += write(next);
            if (unflushed > FLUSH_EVERY) { // what waits for encryption does not count as waiting for the network
                channel.flush();
                unflushed = 0;
            }
        }
        channel.flush();
        if (finishing && !closeSent && outbox.isEmpty()) {
            closeSent = true;
            channel.writeAndFlush(new CloseWebSocketFrame(status, shortened(reason)))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }

    private int write(Outgoing next) {
        byte[] wrapped;
        try {
            wrapped = envelope.wrap(next.message, next.bulk);
        } catch (IllegalArgumentException e) {
            log.error("Closing the line to {}: {}. This is a bug, please report it.", remote, e.getMessage());
            abort("this node made a message that is too long");
            return 0;
        }
        host.meter().sent(wrapped.length);
        channel.write(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(wrapped)))
                .addListener(written -> gone(next.message.length));
        return wrapped.length;
    }

    private void gone(int bytes) {
        long before = waiting.getAndAdd(-bytes);
        int free = host.settings().freeBelow();
        if (before >= free && before - bytes < free) {
            host.loop().execute(() -> {
                if (!ended) {
                    host.ends().get().writable(this);
                }
            });
        }
    }

    /** The network takes more. */
    void writable() {
        if (channel.isWritable()) {
            writeSoon();
        }
    }

    /** What waits goes out, then the line ends; after a second it ends anyway. */
    void finish(WebSocketCloseStatus because, String words) {
        if (!finishing) {
            finishing = true;
            status = because;
            because(words);
            write();
            channel.eventLoop().schedule(() -> channel.close(), 1, TimeUnit.SECONDS);
        }
    }

    private void abort(String words) {
        because(words);
        finishing = true;
        closeSent = true;
        channel.close();
    }

    /** Why the line ends; the first word counts. */
    void because(String words) {
        if (reason.isEmpty()) {
            reason = words;
        }
    }

    String reason() {
        return reason.isEmpty() ? "the connection was lost" : reason;
    }

    boolean isFinishing() {
        return finishing;
    }

    /**
     * The socket is closed.
     *
     * @param wasOpen whether the core has heard of this line
     */
    void disconnected(boolean wasOpen) {
        envelope.close();
        outbox.clear();
        if (wasOpen) {
            String why = reason();
            host.loop().execute(() -> {
                ended = true;
                host.ends().get().closed(this, why);
            });
        }
    }

    private static String shortened(String words) {
        String ascii = words.replaceAll("[^ -~]", "?");
        return ascii.length() <= LONGEST_WORDS ? ascii : ascii.substring(0, LONGEST_WORDS);
    }

    @Override
    public String toString() {
        return "line to " + remote;
    }
}
