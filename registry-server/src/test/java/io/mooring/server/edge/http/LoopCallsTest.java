package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
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

    @Test
    void aRequestTheLoopDoesNotGetToIsRefusedAndNeverTakesEffect() {
        TestLoop loop = new TestLoop(false);
        LoopCalls calls = new LoopCalls(loop, Duration.ofMillis(1));
        List<String> effects = new ArrayList<>();

        ProblemException refusal =
                catchThrowableOfType(ProblemException.class, () -> calls.<String>call(reply -> effects.add("changed")));
        loop.tasks.forEach(Runnable::run);

        assertThat(refusal.problem().status()).isEqualTo(503);
        assertThat(effects).isEmpty();
    }

    @Test
    void anAnswerThatNeverComesIsToldApart() {
        LoopCalls calls = new LoopCalls(new TestLoop(true), Duration.ofMillis(1));

        ProblemException refusal = catchThrowableOfType(ProblemException.class, () -> calls.<String>call(reply -> {}));

        assertThat(refusal.problem().detail()).contains("repeating it is safe");
    }
}
