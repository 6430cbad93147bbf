package io.mooring.runtime;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A clock that only tests and simulations wind, and the loops that live by it: hours pass in milliseconds and every
 * run of the same program is the same. Not thread-safe; one thread does everything.
 *
 * <p>A task that throws ends the run with its exception: in virtual time a bug is to be seen, not survived.
 */
public final class VirtualTime {
    private final PriorityQueue<Due> queue = new PriorityQueue<>();
    private long now;
    private long sequence;
    private @Nullable Loop running;

    /** @param origin the first moment, in nanoseconds; any value, also one that is about to overflow */
    public VirtualTime(long origin) {
        now = origin;
    }

    private static final class Due implements Comparable<Due> {
        final Loop loop;
        final long at;
        final long order;

        @Nullable
        Runnable task;

        Due(Loop loop, long at, long order, Runnable task) {
            this.loop = loop;
            this.at = at;
            this.order = order;
            this.task = task;
        }

        @Override
        public int compareTo(Due other) {
            long difference = at - other.at; // not a comparison: the clock may overflow
            return difference != 0 ? Long.signum(difference) : Long.compare(order, other.order);
        }
    }

    /** A new loop that lives by this clock. */
    public Loop loop(String name) {
        return new Loop(name);
    }

    /** Nanoseconds. */
    public long now() {
        return now;
    }

    /** Runs everything that is due within that time and leaves the clock at its end. */
    public void runFor(Duration duration) {
        long end = now + duration.toNanos();
        for (Due next = queue.peek(); next != null && next.at - end <= 0; next = queue.peek()) {
            step();
        }
        now = end;
    }

    /**
     * Runs until the condition holds.
     *
     * @return whether it came to hold within {@code limit}
     */
    public boolean runUntil(BooleanSupplier condition, Duration limit) {
        long end = now + limit.toNanos();
        while (!condition.getAsBoolean()) {
            Due next = queue.peek();
            if (next == null || next.at - end > 0) {
                now = end;
                return condition.getAsBoolean();
            }
            step();
        }
        return true;
    }

    private void step() {
        Due due = queue.poll();
        if (due == null) {
            return;
        }
        if (due.at - now > 0) {
            now = due.at;
        }
        Runnable task = due.task;
        if (task == null || due.loop.stopped) {
            return;
        }
        if (due.loop.paused) {
            due.loop.missed.add(task);
            return;
        }
        running = due.loop;
        due.loop.turns++;
        try {
            task.run();
        } finally {
            running = null;
        }
    }

    /** One loop among those of this clock. */
    public final class Loop implements EventLoop {
        private final String name;
        private final ArrayDeque<Runnable> missed = new ArrayDeque<>();
        private boolean paused;
        private boolean stopped;
        private long turns;

        private Loop(String name) {
            this.name = name;
        }

        @Override
        public void execute(Runnable task) {
            queue.add(new Due(this, now, sequence++, task));
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            Due due = new Due(this, now + Math.max(0, delay.toNanos()), sequence++, task);
            queue.add(due);
            return () -> due.task = null;
        }

        @Override
        public long now() {
            return now;
        }

        @Override
        public boolean inLoop() {
            return running == this;
        }

        /** Runs {@code task} at once, as if on this loop: for tests that call the core directly. */
        public void run(Runnable task) {
            Loop before = running;
            running = this;
            turns++;
            try {
                task.run();
            } finally {
                running = before;
            }
        }

        /** How often anything has run on this loop: whatever is confined to it has not changed while this has not. */
        public long turns() {
            return turns;
        }

        /** Stands still like a stopped process: what is due meanwhile runs after {@link #resume}. */
        public void pause() {
            paused = true;
        }

        public void resume() {
            paused = false;
            missed.forEach(this::execute);
            missed.clear();
        }

        /** Never runs anything again, like a killed process. */
        public void stop() {
            stopped = true;
        }

        @Override
        public String toString() {
            return name;
        }
    }
}
