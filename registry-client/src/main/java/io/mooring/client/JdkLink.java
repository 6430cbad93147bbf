package io.mooring.client;

import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One WebSocket of the JDK's. What that does not do by itself is done here: a limit on the size of a message, put
 * together from its parts; the end of a handshake that was aborted meanwhile; silence after {@link #abort}; one report of
 * the end. Time limits are the session's, which aborts.
 */
final class JdkLink implements Link, WebSocket.Listener {
    static final int MOST_BYTES = 32 << 20;

    private final HttpClient client;
    private final Duration timeout;
    private final LinkListener listener;
    private final AtomicBoolean over = new AtomicBoolean(); // aborted or reported closed: nothing more is said
    private volatile @Nullable WebSocket socket;
    private volatile Consumer<Boolean> outcome = whether -> {};

    // Between callbacks, which come one at a time.
    private final CharsetEncoder encoder = StandardCharsets.UTF_8
            .newEncoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private ByteBuffer message = ByteBuffer.allocate(8_192);
    private char halfACharacter; // 0: none

    JdkLink(HttpClient client, Duration timeout, LinkListener listener) {
        this.client = client;
        this.timeout = timeout;
        this.listener = listener;
    }

    /** @param whether told whether the handshake worked */
    void connect(URI uri, Consumer<Boolean> whether) {
        if (over.get()) {
            return;
        }
        outcome = whether;
        CompletableFuture<?> unused = client.newWebSocketBuilder()
                .connectTimeout(timeout) // of the whole handshake: the JDK applies it to the answer too
                .buildAsync(uri, this)
                .whenComplete((opened, failure) -> {
                    if (failure != null) {
                        whether.accept(false);
                        fail(uri.getHost() + ": " + reason(failure));
                    }
                });
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return Optional.ofNullable(cause.getMessage()).orElse(cause.getClass().getSimpleName());
    }

    /** It is over, and the listener has not heard so yet. */
    void fail(String reason) {
        if (over.compareAndSet(false, true)) {
            WebSocket open = socket;
            if (open != null) {
                open.abort();
            }
            message = ByteBuffer.allocate(0);
            listener.closed(reason);
        }
    }

    // ---- the session's side

    @Override
    public void send(byte[] frame) {
        WebSocket open = socket;
        if (open == null) {
            throw new IllegalStateException("a frame before the link is open");
        }
        CompletableFuture<?> unused = open.sendText(new String(frame, StandardCharsets.UTF_8), true)
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        fail("could not send: " + reason(failure));
                    } else if (!over.get()) {
                        listener.sent();
                    }
                });
    }

    @Override
    public void next() {
        WebSocket open = socket;
        if (open != null && !over.get()) {
            open.request(1);
        }
    }

    @Override
    public void abort() {
        over.set(true);
        WebSocket open = socket;
        if (open != null) {
            open.abort(); // no callback comes of it
        }
        // A handshake under way is not cancelled: the JDK would finish it and leave the socket open. It ends within its
        // time limit, or in onOpen, which aborts.
    }

    // ---- the JDK's side

    @Override
    public void onOpen(WebSocket opened) {
        socket = opened;
        if (over.get()) {
            opened.abort();
            return;
        }
        outcome.accept(true);
        listener.opened();
        opened.request(1);
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        if (over.get()) {
            return null;
        }
        if (!append(part, last)) {
            return null;
        }
        if (!last) {
            from.request(1);
            return null;
        }
        byte[] frame = Arrays.copyOf(message.array(), message.position());
        if (message.capacity() > 1 << 20) {
            message = ByteBuffer.allocate(8_192); // a large one comes seldom; do not hold on to its room
        } else {
            message.clear();
        }
        listener.received(frame); // the next is asked for when this one was dealt with
        return null;
    }

    private boolean append(CharSequence part, boolean last) {
        CharBuffer characters = whole(part);
        while (true) {
            var result = encoder.encode(characters, message, last);
            if (result.isError()) {
                fail("the registry sent text that is not Unicode");
                return false;
            }
            if (!result.isOverflow()) {
                break;
            }
            if (message.capacity() >= MOST_BYTES) {
                fail("the registry sent a message of more than " + MOST_BYTES + " bytes");
                return false;
            }
            ByteBuffer larger = ByteBuffer.allocate(Math.min(MOST_BYTES, message.capacity() * 2));
            message = larger.put(message.flip());
        }
        halfACharacter = characters.hasRemaining() ? characters.get() : 0;
        if (last) {
            encoder.reset();
        }
        return true;
    }

    /** A character outside the basic plane may be cut between two parts. */
    private CharBuffer whole(CharSequence part) {
        if (halfACharacter == 0) {
            return CharBuffer.wrap(part);
        }
        return CharBuffer.wrap(halfACharacter + part.toString());
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
        fail("the registry sent a binary message");
        return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        fail("closed with " + code + (reason.isEmpty() ? "" : " " + reason));
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        fail("broken: " + reason(error));
    }
}
