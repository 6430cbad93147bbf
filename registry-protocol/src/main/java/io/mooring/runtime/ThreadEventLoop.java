package io.mooring.runtime;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An {@link EventLoop} on one daemon thread of its own and the monotonic clock.
 *
 * <p>A task that throws is logged and the loop goes on: nothing a task does ends it, an interrupt neither. Tasks are
 * taken from the shared queue in whole batches, so a busy loop takes the lock once for many tasks.
 */
public final class ThreadEventLoop implements EventLoop, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ThreadEventLoop.class);

    /** Later is as good as never; the sum with the clock must not overflow past what a comparison can tell apart. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private ArrayDeque<Runnable> incoming = new ArrayDeque<>(); // guarded by lock
    private volatile boolean closed; // written under the lock
    private volatile int backlog;

    private static final Comparator<Scheduled> EARLIEST_FIRST = (a, b) -> {
        long order = a.due - b.due; // a difference, so that an overflowing clock does no harm
        return order != 0 ? Long.signum(order) : Long.compare(a.sequence, b.sequence);
    };

    private final PriorityQueue<Scheduled> timers = new PriorityQueue<>(EARLIEST_FIRST); // the thread's own
    private long scheduledSoFar;
    private int cancelledTimers;

    /** Starts the thread. */
    public ThreadEventLoop(String threadName) {
        thread = new Thread(this::run, threadName);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void execute(Runnable task) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            incoming.add(task);
            if (incoming.size() == 1) {
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        assertInLoop();
        Duration wait = delay.isNegative() ? Duration.ZERO : delay.compareTo(LONGEST) > 0 ? LONGEST : delay;
        Scheduled timer = new Scheduled(now() + wait.toNanos(), scheduledSoFar++, task);
        timers.add(timer);
        return timer;
    }

    @Override
    public long now() {
        return System.nanoTime();
    }

    @Override
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    /** Tasks taken but not finished, roughly; from any thread. */
    public int backlog() {
        return backlog;
    }

    /** Timers held, cancelled ones that have not been let go included; for tests, on the loop. */
    int timers() {
        return timers.size();
    }

    /** Lets the running task finish and drops the rest. Safe to call twice, and on the loop. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        ArrayDeque<Runnable> batch = new ArrayDeque<>();
        while (true) {
            batch = swapWhenReady(batch);
            if (batch == null) {
                return;
            }
            for (Runnable task = batch.poll(); task != null && !closed; task = batch.poll()) {
                backlog = batch.size();
                runOne(task);
            }
            runDueTimers();
        }
    }

    /** Waits for a task or a due timer; null once closed. */
    @SuppressWarnings({"NullAway", "WaitNotInLoop"}) // the caller's loop re-checks; null ends it
    private ArrayDeque<Runnable> swapWhenReady(ArrayDeque<Runnable> empty) {
        lock.lock();
        try {
            if (incoming.isEmpty() && !closed) {
                Scheduled next = timers.peek();
                if (next == null) {
                    arrived.await();
                } else if (next.due - now() > 0) {
                    arrived.await(next.due - now(), TimeUnit.NANOSECONDS);
                }
            }
            if (closed) {
                return null;
            }
            ArrayDeque<Runnable> batch = incoming;
            incoming = empty;
            return batch;
        } catch (InterruptedException e) {
            return empty; // nobody may stop this loop but close(); the flag is cleared and we go on
        } finally {
            lock.unlock();
        }
    }

    private void runDueTimers() {
        long now = now();
        for (Scheduled next = timers.peek(); next != null && next.due - now <= 0 && !closed; next = timers.peek()) {
            timers.poll();
            next.waiting = false;
            if (next.cancelled) {
                cancelledTimers--;
            } else {
                runOne(next.task);
            }
        }
    }

    private void runOne(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) { // even an Error must not leave a registry or a client without its loop
            log.error("A task failed; the loop goes on. This is a bug, please report it.", e);
        }
    }

    /** Timeouts are mostly cancelled: once they are the greater part, they go before their time comes. */
    private void noteCancelled() {
        if (++cancelledTimers > 64 && cancelledTimers > timers.size() / 2) {
            timers.removeIf(timer -> timer.cancelled);
            cancelledTimers = 0;
        }
    }

    private final class Scheduled implements Timer {
        private final long due;
        private final long sequence;
        private Runnable task;
        private boolean cancelled;
        private boolean waiting = true;

        Scheduled(long due, long sequence, Runnable task) {
            this.due = due;
            this.sequence = sequence;
            this.task = task;
        }

        @Override
        public void cancel() {
            assertInLoop();
            if (waiting && !cancelled) {
                cancelled = true;
                task = () -> {}; // what it held may go now
                noteCancelled();
            }
        }
    }
}
