package io.mooring.server.catalog;

import io.mooring.model.Standing;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import org.jspecify.annotations.Nullable;

/**
 * One shard's word on an instance, and behind it those of other shards, if there are any: mostly there are none.
 *
 * @param confirmed whether its node has it, rather than a disk
 */
record Copy(
        ShardId shard,
        Registration registration,
        boolean confirmed,
        @Nullable Copy next) {

    private boolean beats(Copy other) {
        return registration.beats(shard, other.registration.generation(), other.shard);
    }

    Copy best() {
        Copy best = this;
        for (Copy each = next; each != null; each = each.next) {
            if (each.beats(best)) {
                best = each;
            }
        }
        return best;
    }

    Standing standing() {
        Standing sure = registration.suspect() ? Standing.SUSPECT : Standing.LIVE;
        return confirmed ? sure : Standing.RESTORED;
    }

    /** The same words, but for that shard's, which says this now. */
    static Copy with(@Nullable Copy all, ShardId shard, Registration registration, boolean confirmed) {
        return new Copy(shard, registration, confirmed, without(all, shard, Burial.OWN));
    }

    /** Whether the burial, said in that shard, reaches this one. */
    boolean isEndedBy(ShardId saidIn, Burial burial) {
        return burial.reaches(registration) || burial.generation() == 0 && shard.equals(saidIn);
    }

    /** The same words without those that the burial, said in that shard, reaches; null when none is left. */
    static @Nullable Copy without(@Nullable Copy all, ShardId shard, Burial burial) {
        if (all == null) {
            return null;
        }
        Copy rest = without(all.next, shard, burial);
        if (all.isEndedBy(shard, burial)) {
            return rest;
        }
        return rest == all.next ? all : new Copy(all.shard, all.registration, all.confirmed, rest);
    }
}
