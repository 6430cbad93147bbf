package io.mooring.server.edge.http;

import io.mooring.protocol.RefusalCode;
import io.mooring.runtime.EventLoop;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
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
final class LoopCalls {
    private static final Logger log = LoggerFactory.getLogger(LoopCalls.class);

    private enum State {
        WAITING,
        BEGUN,
        OVER
    }

    private final EventLoop loop;
    private final ScheduledExecutorService pump;
    private final Duration patience;

    LoopCalls(EventLoop loop, ScheduledExecutorService pump, Duration patience) {
        this.loop = loop;
        this.pump = pump;
        this.patience = patience;
    }

    /**
     * Runs exactly one of {@code answer} and {@code failure}, once, on the pump.
     *
     * @param task runs on the loop and hands its answer to the consumer it is given
     */
    <T> void call(Consumer<Consumer<T>> task, Consumer<T> answer, Consumer<Problem> failure) {
        AtomicReference<State> state = new AtomicReference<>(State.WAITING);
        ScheduledFuture<?> end = pump.schedule(
                () -> {
                    State before = state.getAndSet(State.OVER);
                    if (before != State.OVER) {
                        failure.accept(tooBusy(before));
                    }
                },
                patience.toNanos(),
                TimeUnit.NANOSECONDS);
        Consumer<Runnable> finish = last -> pump.execute(() -> {
            if (state.getAndSet(State.OVER) != State.OVER) {
                end.cancel(false);
                last.run();
            }
        });
        loop.execute(() -> {
            if (state.compareAndSet(State.WAITING, State.BEGUN)) {
                try {
                    task.accept(result -> finish.accept(() -> answer.accept(result)));
                } catch (RuntimeException e) {
                    log.error("A request failed in the core. This is a bug, please report it.", e);
                    finish.accept(() -> failure.accept(Problem.of(RefusalCode.INTERNAL, "a bug, logged on the node")));
                }
            }
        });
    }

    private static Problem tooBusy(State before) {
        return Problem.overloaded(
                before == State.WAITING
                        ? "the node is too busy and did nothing about this request; try again"
                        : "the node is too busy to say whether this request took effect; repeating it is safe");
    }
}
