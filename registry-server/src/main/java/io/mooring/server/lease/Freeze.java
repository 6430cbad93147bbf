package io.mooring.server.lease;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * While it lasts, silence says nothing: renewals may be stuck on their way to this node. It begins when the node starts,
 * when somebody says so, and when the leases were not looked at in time: this process stood still, or is too busy. Leases
 * run anew from the moment it begins. Confined to the event loop.
 */
final class Freeze {
    /** Nanoseconds of a session's lease. */
    private final long ttl;

    private long lastLook;
    private long until;
    private long rearmedAt;
    private @Nullable String reason;

    Freeze(LeaseSettings settings, long now) {
        ttl = settings.ttl().toNanos();
        lastLook = now;
        begin(now, "started less than a lease ago");
    }

    /** Why it lasts; empty when it is over. */
    Optional<String> reason(long now) {
        return now - until < 0 ? Optional.ofNullable(reason) : Optional.empty();
    }

    /** Lasts until a lease after the last call of this. */
    void begin(long now, String why) {
        beginFor(ttl, now, why);
    }

    private void beginFor(long nanos, long now, String why) {
        rearmedAt = now;
        if (reason == null || until - (now + nanos) < 0) {
            until = now + nanos;
            reason = why;
        }
    }

    /** The leases are looked at now. @return whether this process had stood still */
    boolean look(long now) {
        long gap = now - lastLook;
        lastLook = now;
        boolean paused = isPause(gap);
        if (paused) {
            begin(now, "paused for " + gap / 1_000_000 + " ms");
        } else if (gap > ttl / 15) {
            // Too busy to hear in time who is there: they have another third of a lease.
            beginFor(
                    ttl / 3,
                    now,
                    "overloaded: a look at the leases came " + gap / 1_000_000 + " ms after the one before");
        }
        return paused;
    }

    /** Whether this process has stood still and nobody has noticed yet. */
    boolean hasStoodStill(long now) {
        return isPause(now - lastLook);
    }

    private boolean isPause(long gap) {
        return gap > ttl / 3;
    }

    /** Whether leases have run for so long since it began last. */
    boolean isLongAgo(long nanos, long now) {
        return now - rearmedAt >= nanos;
    }

    /** A lease runs anew from the start of a freeze: its renewals may have been stuck on the way to us. */
    long deadline(Lease lease) {
        long rearmed = rearmedAt + lease.patience().toNanos();
        return lease.deadline - rearmed > 0 ? lease.deadline : rearmed;
    }
}
