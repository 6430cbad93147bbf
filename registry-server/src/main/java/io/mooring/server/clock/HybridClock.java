package io.mooring.server.clock;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Milliseconds since 1970 for those who compare what several nodes tell them: about the time of day, but never earlier than
 * what this node, or any that it heard from, has said before. So a wall clock that is set back, or behind another node's,
 * makes nothing look old. Nothing in the registry is decided by it.
 *
 * <p>A node adopts what is later, and then goes on at the pace of its own monotonic clock: a hybrid clock after Kulkarni
 * et al., "Logical Physical Clocks" (2014), without the counter, for which there is no need where ties are broken by who
 * compares. Safe for use by several threads.
 */
public final class HybridClock {
    /** The latest moment that has thirteen digits, a year before they run out. */
    private static final long LATEST = 9_999_999_999_999L - 366L * 24 * 3600 * 1000;

    private static final long NANOS = 1_000_000;

    private final LongSupplier nanos;
    private final LongSupplier wall;
    private final AtomicLong ahead = new AtomicLong(Long.MIN_VALUE / 2); // of the monotonic clock; it only grows

    /**
     * @param nanos a clock that never goes back, in nanoseconds since any moment
     * @param wall the time of day, in milliseconds since 1970; it may jump
     */
    public HybridClock(LongSupplier nanos, LongSupplier wall) {
        this.nanos = nanos;
        this.wall = wall;
    }

    /** The time now: 13 digits from 2001 to 2286, not less than any earlier one. */
    public long millis() {
        long steady = nanos.getAsLong() / NANOS;
        long known = ahead.get();
        long now = Math.min(wall.getAsLong(), LATEST) - steady;
        return steady + (now <= known ? known : ahead.accumulateAndGet(now, Math::max));
    }

    /** Somebody has said that it is at least that late. */
    public void heard(long millis) {
        if (millis > 0 && millis <= LATEST) {
            ahead.accumulateAndGet(millis - nanos.getAsLong() / NANOS, Math::max);
        }
    }
}
