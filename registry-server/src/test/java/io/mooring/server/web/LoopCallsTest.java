package io.mooring.server.web;

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
        CompletableFuture<LoopCalls.Failure> refusal = new CompletableFuture<>();

        new LoopCalls(loop, pump, Duration.ofMillis(1), 1)
                .<String>call(reply -> effects.add("changed"), answer -> {}, refusal::complete);

        assertThat(refusal.get(20, TimeUnit.SECONDS)).isEqualTo(LoopCalls.Failure.NOT_BEGUN);
        loop.tasks.forEach(Runnable::run);
        assertThat(effects).isEmpty();
    }

    @Test
    void anAnswerThatNeverComesIsToldApart() throws Exception {
        CompletableFuture<LoopCalls.Failure> refusal = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        pump.execute(begun::join); // the time cannot end before the loop has begun

        new LoopCalls(new TestLoop(true), pump, Duration.ofMillis(1), 1)
                .<String>call(reply -> {}, answer -> {}, refusal::complete);
        begun.complete(null);

        assertThat(refusal.get(20, TimeUnit.SECONDS).sentence()).contains("repeating it is safe");
    }

    @Test
    void aFailureInTheCoreIsAnswered() throws Exception {
        CompletableFuture<LoopCalls.Failure> refusal = new CompletableFuture<>();

        new LoopCalls(new TestLoop(true), pump, Duration.ofHours(1), 1)
                .<String>call(
                        reply -> {
                            throw new IllegalStateException("planted");
                        },
                        answer -> {},
                        refusal::complete);

        assertThat(refusal.get(20, TimeUnit.SECONDS)).isEqualTo(LoopCalls.Failure.BUG);
    }

    @Test
    void anAnswerComesBackOnce() throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        List<String> answers = new ArrayList<>();

        new LoopCalls(new TestLoop(true), pump, Duration.ofHours(1), 1)
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

    @Test
    void oneTooManyIsRefusedAtOnceAndAnAnswerMakesRoom() throws Exception {
        TestLoop loop = new TestLoop(false);
        LoopCalls calls = new LoopCalls(loop, pump, Duration.ofHours(1), 1);
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<LoopCalls.Failure> second = new CompletableFuture<>();

        calls.<String>call(reply -> reply.accept("done"), first::complete, refusal -> {});
        calls.<String>call(reply -> reply.accept("never"), answer -> {}, second::complete);

        assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo(LoopCalls.Failure.FULL);
        loop.tasks.forEach(Runnable::run);
        assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("done");
        assertThat(calls.waiting()).isZero();
    }
}
