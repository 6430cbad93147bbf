package io.mooring.server.edge.http;

import io.mooring.protocol.RefusalCode;
import io.mooring.runtime.EventLoop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Hops onto the core's loop and waits for the answer, for a limited time. What has not begun by then never does; so a
 * client that was told to try again does not find that both tries took effect.
 */
final class LoopCalls {
    private final EventLoop loop;
    private final Duration patience;

    LoopCalls(EventLoop loop, Duration patience) {
        this.loop = loop;
        this.patience = patience;
    }

    /**
     * @param task runs on the loop and hands its answer to the consumer it is given
     * @throws ProblemException when no answer came in time
     */
    <T> T call(Consumer<Consumer<T>> task) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        AtomicBoolean taken = new AtomicBoolean(); // by the loop, or by our impatience
        loop.execute(() -> {
            if (taken.compareAndSet(false, true)) {
                run(task, answer);
            }
        });
        try {
            return answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            boolean never = taken.compareAndSet(false, true);
            throw new ProblemException(Problem.overloaded(
                    never
                            ? "the node is too busy and did nothing about this request; try again"
                            : "the node is too busy to say whether this request took effect; repeating it is safe"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ProblemException(Problem.of(RefusalCode.STOPPING, "the node stops; try another one"));
        } catch (ExecutionException e) {
            throw new IllegalStateException("the core failed", e.getCause());
        }
    }

    private static <T> void run(Consumer<Consumer<T>> task, CompletableFuture<T> answer) {
        try {
            task.accept(answer::complete);
        } catch (RuntimeException e) {
            answer.completeExceptionally(e); // told and logged by the request's thread
        }
    }
}
