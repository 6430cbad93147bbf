package io.mooring.server.web;

import io.mooring.runtime.EventLoop;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hops onto the core's loop and brings its answer back to the pump, for a limited time and without holding a thread.
 * What has not begun by then never does; so a client that was told to try again does not find that both tries took
 * effect.
 *
 * <p>waiting → begun → over, or waiting → over when the time ends first.
 */
public final class LoopCalls {
    private static final Logger log = LoggerFactory.getLogger(LoopCalls.class);

    private enum State {
        WAITING,
        BEGUN,
        OVER
    }

    /** Why there is no answer. */
    public enum Failure {
        /** So many wait already; nothing was done. */
        FULL("the node has as many writes in work as it takes; try again"),
        /** Nothing was done, and nothing will be. */
        NOT_BEGUN("the node is too busy and did nothing about this request; try again"),
        UNANSWERED("the node is too busy to say whether this request took effect; repeating it is safe"),
        /** Ours, and logged. */
        BUG("a bug, logged on the node");

        private final String sentence;

        Failure(String sentence) {
            this.sentence = sentence;
        }

        /** For people: what happened and what to do. */
        public String sentence() {
            return sentence;
        }
    }

    private final EventLoop loop;
    private final ScheduledExecutorService pump;
    private final Duration patience;
    private final int most;
    private final Semaphore places;

    LoopCalls(EventLoop loop, ScheduledExecutorService pump, Duration patience, int most) {
        this.loop = loop;
        this.pump = pump;
        this.patience = patience;
        this.most = most;
        this.places = new Semaphore(most);
    }

    /**
     * Runs exactly one of {@code answer} and {@code failure}, once, on the pump.
     *
     * @param task runs on the loop and hands its answer to the consumer it is given
     */
    <T> void call(Consumer<Consumer<T>> task, Consumer<T> answer, Consumer<Failure> failure) {
        if (!places.tryAcquire()) {
            pump.execute(() -> failure.accept(Failure.FULL));
            return;
        }
        AtomicReference<State> state = new AtomicReference<>(State.WAITING);
        ScheduledFuture<?> end = pump.schedule(
                () -> {
                    State before = state.getAndSet(State.OVER);
                    if (before != State.OVER) {
                        places.release();
                        failure.accept(before == State.WAITING ? Failure.NOT_BEGUN : Failure.UNANSWERED);
                    }
                },
                patience.toNanos(),
                TimeUnit.NANOSECONDS);
        Consumer<Runnable> finish = last -> pump.execute(() -> {
            if (state.getAndSet(State.OVER) != State.OVER) {
                end.cancel(false);
                places.release();
                last.run();
            }
        });
        loop.execute(() -> {
            if (state.compareAndSet(State.WAITING, State.BEGUN)) {
                try {
                    task.accept(result -> finish.accept(() -> answer.accept(result)));
                } catch (RuntimeException e) {
                    log.error("A request failed in the core. This is a bug, please report it.", e);
                    finish.accept(() -> failure.accept(Failure.BUG));
                }
            }
        });
    }

    /** Calls that wait for their answer now. */
    int waiting() {
        return most - places.availablePermits();
    }
}
