package io.mooring.server.web;

import io.mooring.runtime.EventLoop;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ways in and out that all interfaces on the one HTTP port share, with the bounds they share, too: bodies that are
 * read, writes that wait for the core, and large answers on their way. Any thread.
 */
public final class WebPort {
    /** A write to a reader; an answer up to this length goes out with it. */
    public static final int CHUNK = LargeAnswer.CHUNK;

    private static final Logger log = LoggerFactory.getLogger(WebPort.class);

    private final WebLimits limits;
    private final ScheduledExecutorService pump;
    private final RequestBodies incoming;
    private final LoopCalls calls;
    private final Semaphore largeAnswers;
    private final HeldBodies outgoing;

    /** Sets everything of an answer but its body. */
    public interface Head {
        void writeTo(HttpServletResponse out);
    }

    /**
     * @param loop the core's
     * @param pump one thread that answers what came from the loop; its tasks never block
     */
    public WebPort(EventLoop loop, ScheduledExecutorService pump, WebLimits limits) {
        this.limits = limits;
        this.pump = pump;
        incoming = new RequestBodies(limits.senders(), loop::now);
        calls = new LoopCalls(loop, pump, limits.loopWait(), limits.writes());
        largeAnswers = new Semaphore(limits.largeAnswers());
        outgoing = new HeldBodies(limits.outgoingBytes());
    }

    public WebLimits limits() {
        return limits;
    }

    /** Where answers are finished that no thread of the container waits for. */
    public Executor pump() {
        return pump;
    }

    /** The whole body, empty if there is none. Blocks until it has come, or its time is over. */
    public byte[] body(HttpServletRequest request) throws BodyRefusedException {
        return incoming.read(request);
    }

    /**
     * Hops onto the core's loop and back to the pump. Runs exactly one of {@code answer} and {@code failure}, once.
     *
     * @param task runs on the loop and hands its answer to the consumer it is given
     */
    public <T> void onLoop(Consumer<Consumer<T>> task, Consumer<T> answer, Consumer<LoopCalls.Failure> failure) {
        calls.call(task, answer, failure);
    }

    /**
     * Answers while the container's thread is here; a long body takes its time without it.
     *
     * @return false if there is no room for a body that long; nothing was written then
     */
    public boolean send(HttpServletRequest in, HttpServletResponse out, Head head, byte[] body) throws IOException {
        if (body.length <= CHUNK || in.getMethod().equals("HEAD")) {
            head.writeTo(out);
            out.getOutputStream().write(body); // fits the response's buffer
            return true;
        }
        if (!place(body)) {
            return false;
        }
        head.writeTo(out);
        AsyncContext async = in.startAsync();
        async.setTimeout(0);
        LargeAnswer.send(async, body, () -> leave(body));
        return true;
    }

    /**
     * Answers what the container's thread did not wait for; on the pump.
     *
     * @return false if there is no room for a body that long; nothing was written then
     */
    public boolean sendLater(AsyncContext async, Head head, byte[] body) {
        boolean large = body.length > CHUNK;
        if (large && !place(body)) {
            return false;
        }
        try {
            HttpServletResponse out = (HttpServletResponse) async.getResponse();
            head.writeTo(out);
            if (large) {
                LargeAnswer.send(async, body, () -> leave(body));
            } else {
                out.getOutputStream().write(body);
                async.complete();
            }
        } catch (IOException | IllegalStateException e) {
            log.debug("A client went away before its answer came: {}", e.toString());
        }
        return true;
    }

    /** A place among the large answers, for {@link #leave}. */
    private boolean place(byte[] body) {
        if (!largeAnswers.tryAcquire()) {
            return false;
        }
        if (!outgoing.hold(body)) {
            largeAnswers.release();
            return false;
        }
        return true;
    }

    private void leave(byte[] body) {
        outgoing.release(body);
        largeAnswers.release();
    }

    /** Whether there is room for a body on its way; if so, {@link #release} it once. One that many are sent counts once. */
    public boolean hold(byte[] body) {
        return outgoing.hold(body);
    }

    public void release(byte[] body) {
        outgoing.release(body);
    }

    /** Writes that wait for the core now. */
    public int writes() {
        return calls.waiting();
    }

    /** Answers of more than one buffer that their readers have not taken yet. */
    public int largeAnswers() {
        return limits.largeAnswers() - largeAnswers.availablePermits();
    }

    /** Bytes of large answers and of events that their readers have not taken yet. */
    public long outgoing() {
        return outgoing.bytes();
    }
}
