package io.mooring.server.edge.http;

import io.mooring.model.ServiceKey;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import io.mooring.server.web.WebPort;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One reader of server-sent events: the latest view, whenever it changed and the line is free.
 *
 * <p>Never has more than one view in its hands. The core learns that the line is free when the last byte of the
 * previous view was taken by the connection, so a slow reader gets the latest later and costs one view. One that takes
 * nothing is given up by the container after its connection timeout, or by {@link #beat} after {@link #STUCK}.
 *
 * <p>The loop delivers; the pump's thread and the container's write. What they share is guarded by this object.
 */
final class EventStream implements Subscriber, WriteListener, AsyncListener {
    /** Comments in between tell proxies and readers that the connection lives. */
    static final Duration HEARTBEAT = Duration.ofSeconds(15);

    static final Duration STUCK = Duration.ofSeconds(30);

    private static final Logger log = LoggerFactory.getLogger(EventStream.class);
    private static final byte[] END = "\n\n".getBytes(StandardCharsets.UTF_8);
    private static final byte[] COMMENT = ":\n\n".getBytes(StandardCharsets.UTF_8);

    private final RegistryNode node;
    private final ServiceKey service;
    private final Selection selection;
    private final AsyncContext async;
    private final ServletOutputStream out;
    private final WebPort port;
    private final EncodedViews encoded;
    private Runnable whenOver = () -> {};

    private @Nullable Update latest; // guarded by this
    private boolean beatDue; // guarded by this
    private final Deque<byte[]> parts = new ArrayDeque<>(); // guarded by this; of the event that is being written
    private byte @Nullable [] holding; // guarded by this; the body among them
    private int at; // guarded by this
    private boolean flushDue; // guarded by this
    private boolean over; // guarded by this
    private long movedAt; // guarded by this

    EventStream(
            RegistryNode node,
            ServiceKey service,
            Selection selection,
            AsyncContext async,
            WebPort port,
            EncodedViews encoded)
            throws IOException {
        this.node = node;
        this.service = service;
        this.selection = selection;
        this.async = async;
        this.out = async.getResponse().getOutputStream();
        this.port = port;
        this.encoded = encoded;
        this.movedAt = node.loop().now();
    }

    /** Before the start: {@code ended} runs once, when the reader is gone or sent away. */
    void whenOver(Runnable ended) {
        whenOver = ended;
    }

    /** On a thread of the container. */
    void start() {
        async.addListener(this);
        out.setWriteListener(this);
        node.loop().execute(() -> {
            if (!isOver()) {
                node.subscribe(this, service, OptionalLong.empty());
                node.loop().schedule(HEARTBEAT, this::beat);
            }
        });
    }

    @Override
    public synchronized void deliver(List<Update> updates) {
        latest = updates.get(updates.size() - 1);
        port.pump().execute(this::write);
    }

    /** On the loop, every {@link #HEARTBEAT}. */
    private void beat() {
        boolean stuck;
        synchronized (this) {
            if (over) {
                return;
            }
            stuck = !parts.isEmpty() && node.loop().now() - movedAt > STUCK.toNanos();
            beatDue = true;
        }
        if (stuck) {
            end();
            return;
        }
        port.pump().execute(this::write);
        node.loop().schedule(HEARTBEAT, this::beat);
    }

    @Override
    public void onWritePossible() {
        write();
    }

    /** Hands over as much as the connection takes now; the container calls again when it takes more. */
    private void write() {
        try {
            writeWhatFits();
        } catch (IOException | IllegalStateException e) {
            log.debug("A reader of events went away: {}", e.toString());
            end();
        }
    }

    private synchronized void writeWhatFits() throws IOException {
        while (!over && (!parts.isEmpty() || flushDue || takeNext())) {
            for (byte[] part = parts.peek(); part != null; part = parts.peek()) {
                if (!out.isReady()) {
                    return;
                }
                int length = Math.min(WebPort.CHUNK, part.length - at);
                out.write(part, at, length);
                movedAt = node.loop().now();
                at += length;
                if (at == part.length) {
                    parts.remove();
                    at = 0;
                    flushDue = true;
                }
            }
            if (!out.isReady()) {
                return;
            }
            out.flush();
            flushDue = false;
            if (letGo()) {
                node.loop().execute(this::listenOn);
            }
        }
    }

    private synchronized boolean takeNext() throws IOException {
        if (latest != null) {
            takeEvent(latest);
            latest = null;
        } else if (beatDue) {
            parts.add(COMMENT);
        } else {
            return false;
        }
        beatDue = false;
        at = 0;
        movedAt = node.loop().now();
        return true;
    }

    /** In parts, because the body is shared with whoever else is sent that view. */
    private synchronized void takeEvent(Update update) throws IOException {
        byte[] json = encoded.json(update.view(), selection, update.incomplete());
        if (!port.hold(json)) {
            throw new IOException("no room for another body; the reader will come back");
        }
        holding = json;
        String head = "event: view\nid: " + update.view().revision() + "\ndata: ";
        parts.add(head.getBytes(StandardCharsets.UTF_8));
        parts.add(json); // one line: JSON escapes line breaks
        parts.add(END);
    }

    /** Whether a body was being written, and now is not. */
    private synchronized boolean letGo() {
        byte[] body = holding;
        holding = null;
        if (body != null) {
            port.release(body);
        }
        return body != null;
    }

    private void listenOn() {
        if (!isOver()) {
            node.ready(this);
        }
    }

    private synchronized boolean isOver() {
        return over;
    }

    /** From any thread: closes the stream. */
    void end() {
        if (leave()) {
            try {
                async.complete();
            } catch (IllegalStateException e) {
                log.debug("The container was first to end a stream of events: {}", e.toString());
            }
        }
    }

    private boolean leave() {
        synchronized (this) {
            if (over) {
                return false;
            }
            over = true;
            latest = null;
            parts.clear();
            letGo();
        }
        node.loop().execute(() -> node.forget(this));
        whenOver.run();
        return true;
    }

    @Override
    public void onError(Throwable t) {
        leave();
    }

    @Override
    public void onError(AsyncEvent event) {
        leave();
    }

    @Override
    public void onComplete(AsyncEvent event) {
        leave();
    }

    @Override
    public void onTimeout(AsyncEvent event) {
        leave();
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
        // Never started anew.
    }
}
