package io.mooring.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On the real thread; waits for what must come, and asserts no duration but that nothing comes early. */
@Timeout(60)
class ThreadEventLoopTest {
    private final ThreadEventLoop loop = new ThreadEventLoop("loop-under-test");

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void tasksRunInTheOrderTheyWereHandedIn() {
        List<Integer> ran = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            int number = i;
            loop.execute(() -> ran.add(number));
        }
        List<Integer> seen = on(() -> List.copyOf(ran));
        assertEquals(10_000, seen.size());
        for (int i = 0; i < seen.size(); i++) {
            assertEquals(i, seen.get(i));
        }
    }

    @Test
    void tasksOfEachOfManyThreadsStayInOrder() throws InterruptedException {
        int threads = 4;
        int each = 5_000;
        int[] next = new int[threads];
        List<String> wrong = new ArrayList<>();
        List<Thread> senders = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int sender = t;
            senders.add(new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    int number = i;
                    loop.execute(() -> {
                        if (next[sender]++ != number) {
                            wrong.add(sender + ":" + number);
                        }
                    });
                }
            }));
        }
        senders.forEach(Thread::start);
        for (Thread sender : senders) {
            sender.join();
        }
        assertEquals(List.of(), on(() -> List.copyOf(wrong)));
        assertEquals(threads * each, on(() -> Arrays.stream(next).sum()));
    }

    @Test
    void aTaskHandedInOnTheLoopRunsAfterTheRunningOne() {
        List<String> ran = Collections.synchronizedList(new ArrayList<>());
        on(() -> {
            loop.execute(() -> ran.add("inner"));
            ran.add("outer");
            return 0;
        });
        assertEquals(List.of("outer", "inner"), on(() -> List.copyOf(ran)));
    }

    @Test
    void theLoopKnowsItself() {
        assertFalse(loop.inLoop());
        assertThrows(IllegalStateException.class, loop::assertInLoop);
        assertThrows(IllegalStateException.class, () -> loop.schedule(Duration.ZERO, () -> {}));
        assertTrue(on(loop::inLoop));
    }

    @Test
    void timersRunInOrderOfTheirTimeAndNotBefore() {
        List<Integer> ran = new ArrayList<>();
        CompletableFuture<Long> last = new CompletableFuture<>();
        long scheduledAt = on(() -> {
            long before = loop.now();
            loop.schedule(Duration.ofMillis(30), () -> {
                ran.add(30);
                last.complete(loop.now());
            });
            loop.schedule(Duration.ofMillis(10), () -> ran.add(10));
            loop.schedule(Duration.ofMillis(10), () -> ran.add(11)); // same time: in order of scheduling
            loop.schedule(Duration.ofMillis(20), () -> ran.add(20));
            loop.schedule(Duration.ofSeconds(-5), () -> ran.add(0));
            loop.schedule(Duration.ofSeconds(Long.MAX_VALUE), () -> ran.add(-1));
            return before;
        });
        long ranAt = last.join();
        assertTrue(
                ranAt - scheduledAt >= Duration.ofMillis(29).toNanos(), "ran " + (ranAt - scheduledAt) + " ns after");
        assertEquals(0, on(() -> ran.get(0)));
        assertEquals(
                List.of(10, 11, 20, 30),
                on(() -> ran.subList(1, ran.size()).stream().toList()));
    }

    @Test
    void aTimerThatSchedulesItselfAtOnceStarvesNobody() {
        AtomicInteger rounds = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        Runnable[] again = new Runnable[1];
        again[0] = () -> {
            rounds.incrementAndGet();
            if (done.getCount() > 0) {
                loop.schedule(Duration.ZERO, again[0]);
            }
        };
        loop.execute(again[0]);
        while (rounds.get() < 100) {
            Thread.onSpinWait();
        }
        assertEquals("a task", on(() -> "a task"));
        done.countDown();
    }

    @Test
    void aCancelledTimerDoesNotRun() {
        AtomicInteger ran = new AtomicInteger();
        CompletableFuture<Integer> later = new CompletableFuture<>();
        loop.execute(() -> {
            Timer first = loop.schedule(Duration.ofMillis(5), ran::incrementAndGet);
            Timer[] second = new Timer[1];
            loop.schedule(Duration.ofMillis(6), () -> second[0].cancel());
            second[0] = loop.schedule(Duration.ofMillis(6), ran::incrementAndGet);
            first.cancel();
            first.cancel();
            loop.schedule(Duration.ofMillis(7), () -> later.complete(ran.get()));
        });
        assertEquals(0, later.join());
    }

    @Test
    void cancelledTimersDoNotPileUp() {
        int left = on(() -> {
            for (int i = 0; i < 100_000; i++) {
                Timer timer = loop.schedule(Duration.ofHours(1), () -> {});
                if (i % 1_000 != 0) {
                    timer.cancel();
                }
            }
            return loop.timers();
        });
        assertTrue(left >= 100 && left < 500, left + " timers kept");
    }

    @Test
    void aCancelAfterTheRunChangesNothing() {
        AtomicInteger ran = new AtomicInteger();
        CompletableFuture<Integer> later = new CompletableFuture<>();
        loop.execute(() -> {
            Timer[] self = new Timer[1];
            self[0] = loop.schedule(Duration.ZERO, () -> {
                ran.incrementAndGet();
                self[0].cancel();
                loop.schedule(Duration.ZERO, () -> later.complete(ran.get()));
            });
        });
        assertEquals(1, later.join());
    }

    @Test
    void nothingATaskThrowsEndsTheLoop() {
        loop.execute(() -> {
            throw new IllegalStateException("planned by the test");
        });
        loop.execute(() -> {
            throw new StackOverflowError("planned by the test");
        });
        loop.execute(() -> sneakily(new Exception("planned by the test")));
        loop.execute(() -> loop.schedule(Duration.ZERO, () -> {
            throw new AssertionError("planned by the test");
        }));
        assertEquals("alive", on(() -> "alive"));
        assertEquals("alive", on(() -> "alive"));
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneakily(Throwable e) throws E {
        throw (E) e;
    }

    @Test
    void anInterruptEndsNeitherTheLoopNorAWait() {
        Thread thread = on(Thread::currentThread);
        CompletableFuture<String> timer = new CompletableFuture<>();
        loop.execute(() -> loop.schedule(Duration.ofMillis(20), () -> timer.complete("rang")));
        for (int i = 0; i < 100; i++) {
            thread.interrupt();
            assertEquals("alive", on(() -> "alive"));
        }
        loop.execute(() -> Thread.currentThread().interrupt());
        assertEquals("rang", timer.join());
        assertEquals("alive", on(() -> "alive"));
    }

    @Test
    void closeLetsTheRunningTaskFinishAndDropsTheRest() throws InterruptedException {
        Thread thread = on(Thread::currentThread);
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        List<String> ran = Collections.synchronizedList(new ArrayList<>());
        loop.execute(() -> {
            running.countDown();
            await(go);
            loop.schedule(Duration.ZERO, () -> ran.add("timer"));
            ran.add("running");
        });
        for (int i = 0; i < 10; i++) { // some may be in the batch already taken
            loop.execute(() -> ran.add("dropped"));
        }
        await(running);
        loop.execute(() -> ran.add("dropped"));
        loop.close();
        loop.close();
        loop.execute(() -> ran.add("late"));
        go.countDown();
        thread.join();
        assertEquals(List.of("running"), ran);
    }

    @Test
    void theLoopMayCloseItself() throws InterruptedException {
        List<String> ran = Collections.synchronizedList(new ArrayList<>());
        Thread thread = on(Thread::currentThread);
        CountDownLatch closed = new CountDownLatch(1);
        CountDownLatch filled = new CountDownLatch(1);
        loop.execute(() -> await(filled));
        loop.execute(() -> {
            loop.close();
            ran.add("closing");
            closed.countDown();
        });
        loop.execute(() -> ran.add("behind"));
        filled.countDown();
        await(closed);
        thread.join();
        assertEquals(List.of("closing"), ran);
    }

    @Test
    void timeNeverShrinks() {
        long before = loop.now();
        for (int i = 0; i < 1_000; i++) {
            long now = on(loop::now);
            assertTrue(now - before >= 0);
            before = now;
        }
        assertEquals(0, on(loop::backlog));
    }

    private <T> T on(Supplier<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> result.complete(task.get()));
        return result.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts here", e);
        }
    }
}
