package io.mooring.client;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.Queue;

/** Virtual time on the test's own thread: nothing happens but in {@link #advance}. */
final class VirtualEventLoop implements EventLoop, InstantSource {
    private static final class Task implements Timer {
        final long due;
        final long sequence;
        final Runnable task;
        boolean cancelled;

        Task(long due, long sequence, Runnable task) {
            this.due = due;
            this.sequence = sequence;
            this.task = task;
        }

        @Override
        public void cancel() {
            cancelled = true;
        }
    }

    private final Queue<Runnable> ready = new ArrayDeque<>();
    private final PriorityQueue<Task> timers = new PriorityQueue<>(
            (a, b) -> a.due != b.due ? Long.signum(a.due - b.due) : Long.compare(a.sequence, b.sequence));
    private long now;
    private long sequence;
    private boolean running;
    long wallClockOffsetMillis = 1_700_000_000_000L;
    int failures;
    java.util.Optional<Throwable> lastFailure = java.util.Optional.empty();

    VirtualEventLoop(long origin) {
        now = origin;
    }

    @Override
    public void execute(Runnable task) {
        ready.add(task);
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        assertInLoop();
        Task timer = new Task(now + Math.max(0, delay.toNanos()), sequence++, task);
        timers.add(timer);
        return timer;
    }

    @Override
    public long now() {
        return now;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(wallClockOffsetMillis + now / 1_000_000);
    }

    @Override
    public boolean inLoop() {
        return running;
    }

    int timers() {
        timers.removeIf(task -> task.cancelled);
        return timers.size();
    }

    /** Runs everything due until then. A task that throws is counted, as a real loop logs it. */
    void advance(Duration by) {
        long end = now + by.toNanos();
        long steps = 0;
        while (true) {
            drain();
            Task next = timers.peek();
            if (next == null || next.due - end > 0) {
                break;
            }
            timers.poll();
            if (++steps > 5_000_000) {
                throw new AssertionError("the loop spins");
            }
            if (next.due - now > 0) {
                now = next.due;
            }
            if (!next.cancelled) {
                run(next.task);
            }
        }
        now = end;
    }

    private void drain() {
        int steps = 0;
        for (Runnable task = ready.poll(); task != null; task = ready.poll()) {
            if (++steps > 5_000_000) {
                throw new AssertionError("the loop spins");
            }
            run(task);
        }
    }

    private void run(Runnable task) {
        running = true;
        try {
            task.run();
        } catch (AssertionError e) {
            throw e;
        } catch (Throwable e) {
            failures++;
            lastFailure = java.util.Optional.of(e);
        } finally {
            running = false;
        }
    }
}
