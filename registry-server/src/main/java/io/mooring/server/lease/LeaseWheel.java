package io.mooring.server.lease;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds the leases that may be overdue without looking at all of them: each waits in the bucket of the tick in
 * which it would end. A renewal only moves the deadline; the lease is put where it belongs when its bucket comes up.
 */
final class LeaseWheel {
    /** Nanoseconds of a bucket. */
    static final long TICK = 250_000_000L;

    private final long origin;
    private final TreeMap<Long, List<Lease>> buckets = new TreeMap<>();

    /** @param now counting starts here, so that a clock near its overflow does no harm */
    LeaseWheel(long now) {
        origin = now;
    }

    void watch(Lease lease) {
        long tick = Math.floorDiv(lease.deadline - origin, TICK) + 1;
        if (lease.lookAt != tick) {
            lease.lookAt = tick;
            buckets.computeIfAbsent(tick, t -> new ArrayList<>(4)).add(lease);
        }
    }

    /** Makes the wheel forget the lease; its entry is dropped when its bucket comes up. */
    void forget(Lease lease) {
        lease.lookAt = Long.MIN_VALUE;
    }

    /** Takes out the leases whose bucket has come, in a fixed order. They may have been renewed since. */
    List<Lease> take(long now) {
        List<Lease> out = new ArrayList<>();
        long tick = Math.floorDiv(now - origin, TICK);
        while (!buckets.isEmpty() && buckets.firstKey() <= tick) {
            Map.Entry<Long, List<Lease>> bucket = buckets.pollFirstEntry();
            for (Lease lease : bucket.getValue()) {
                if (lease.lookAt == bucket.getKey()) {
                    lease.lookAt = Long.MIN_VALUE;
                    out.add(lease);
                }
            }
        }
        return out;
    }
}
