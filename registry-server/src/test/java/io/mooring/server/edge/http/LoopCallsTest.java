package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LoopCallsTest {
    /** Runs its tasks at once, or when the test does. */
    private static final class TestLoop implements EventLoop {
        private final boolean atOnce;
        private final Deque<Runnable> tasks = new ArrayDeque<>();

        TestLoop(boolean atOnce) {
            this.atOnce = atOnce;
        }

        @Override
        public void execute(Runnable task) {
            if (atOnce) {
                task.run();
            } else {
                tasks.add(task);
            }
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            throw new UnsupportedOperationException("no timers here");
        }

        @Override
        public long now() {
            return 0;
        }

        @Override
        public boolean inLoop() {
            return true;
        }
    }

    private final ScheduledExecutorService pump = Executors.newSingleThreadScheduledExecutor();

    @AfterEach
    void stop() {
        pump.shutdownNow();
    }

    @Test
    void aRequestTheLoopDoesNotGetToIsRefusedAndNeverTakesEffect() throws Exception {
        TestLoop loop = new TestLoop(false);
        List<String> effects = new ArrayList<>();
        CompletableFuture<Problem> refusal = new CompletableFuture<>();

        new LoopCalls(loop, pump, Duration.ofMillis(1))
                .<String>call(reply -> effects.add("changed"), answer -> {}, refusal::complete);

        assertThat(refusal.get(20, TimeUnit.SECONDS).status()).isEqualTo(503);
        loop.tasks.forEach(Runnable::run);
        assertThat(effects).isEmpty();
    }

    @Test
    void anAnswerThatNeverComesIsToldApart() throws Exception {
        CompletableFuture<Problem> refusal = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        pump.execute(begun::join); // the time cannot end before the loop has begun

        new LoopCalls(new TestLoop(true), pump, Duration.ofMillis(1))
                .<String>call(reply -> {}, answer -> {}, refusal::complete);
        begun.complete(null);

        assertThat(refusal.get(20, TimeUnit.SECONDS).detail()).contains("repeating it is safe");
    }

    @Test
    void aFailureInTheCoreIsAnswered() throws Exception {
        CompletableFuture<Problem> refusal = new CompletableFuture<>();

        new LoopCalls(new TestLoop(true), pump, Duration.ofHours(1))
                .<String>call(
                        reply -> {
                            throw new IllegalStateException("planted");
                        },
                        answer -> {},
                        refusal::complete);

        assertThat(refusal.get(20, TimeUnit.SECONDS).code()).isEqualTo("internal");
    }

    @Test
    void anAnswerComesBackOnce() throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        List<String> answers = new ArrayList<>();

        new LoopCalls(new TestLoop(true), pump, Duration.ofHours(1))
                .<String>call(
                        reply -> {
                            reply.accept("first");
                            reply.accept("second");
                        },
                        answers::add,
                        refusal -> {});
        pump.execute(() -> answer.complete(String.join(",", answers))); // behind both

        assertThat(answer.get(20, TimeUnit.SECONDS)).isEqualTo("first");
    }
}
