package io.mooring.server.web;

import io.mooring.server.web.BodyRefusedException.Reason;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Reads bodies, each within a size and a time, and only so many at once: slow senders leave threads for the others. */
final class RequestBodies {
    static final int MOST_BYTES = 1 << 20;
    private static final Duration MOST_TIME = Duration.ofSeconds(10);

    private final int most;
    private final Semaphore senders;
    private final LongSupplier clock;

    /** @param clock nanoseconds since some moment; from any thread */
    RequestBodies(int most, LongSupplier clock) {
        this.most = most;
        this.clock = clock;
        this.senders = new Semaphore(most);
    }

    byte[] read(HttpServletRequest request) throws BodyRefusedException {
        long announced = request.getContentLengthLong();
        if (announced > MOST_BYTES) {
            throw tooLarge();
        }
        if (announced == 0) {
            return new byte[0];
        }
        if (!mayRead()) {
            throw new BodyRefusedException(
                    Reason.FULL, "the node waits for " + most + " slow senders already; try again");
        }
        try {
            return read(request.getInputStream());
        } catch (SocketTimeoutException e) {
            throw tooSlow();
        } catch (IOException e) {
            throw new BodyRefusedException(Reason.BROKEN, "the body ends early or is not encoded as its headers say");
        } finally {
            senders.release();
        }
    }

    /** Waits a moment: whoever sends its body at once needs a place for microseconds. */
    private boolean mayRead() {
        try {
            return senders.tryAcquire(100, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A sender that drips holds one of the few places, so its time is limited as a whole. */
    private byte[] read(InputStream in) throws IOException, BodyRefusedException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] buffer = new byte[8_192];
        long started = clock.getAsLong();
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            body.write(buffer, 0, read);
            if (body.size() > MOST_BYTES) {
                throw tooLarge();
            }
            if (clock.getAsLong() - started > MOST_TIME.toNanos()) {
                throw tooSlow();
            }
        }
        return body.toByteArray();
    }

    private static BodyRefusedException tooLarge() {
        return new BodyRefusedException(
                Reason.TOO_LARGE, "the body is longer than " + MOST_BYTES + " bytes; send it in several requests");
    }

    private static BodyRefusedException tooSlow() {
        return new BodyRefusedException(
                Reason.TOO_SLOW, "the body did not arrive within " + MOST_TIME.toSeconds() + "s; send it at once");
    }
}
