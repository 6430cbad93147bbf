package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The copy of one other node's shard: what is shown, and how more of it is on its way. */
final class Replica {
    final NodeId origin;
    final ServedShard served;

    /** What is shown. */
    Shard shard;

    /** That wrote it; 0 if unknown. */
    long process;

    /** Whether it was taken from its origin in one piece, and not from a disk. */
    boolean whole;

    /** Whether it is not as its origin left it, or there is reason to think so: it is to be taken anew. */
    boolean doubted;

    /** The highest incarnation of the origin that anybody has told of. */
    long newest;

    /** Since when the origin does not vouch for what is shown; only while {@code missed}. */
    long missedSince;

    boolean missed;

    /** How often in a row it has differed from its source at the same revision, and when it did last. */
    int mismatches;

    long mismatchAt;

    // ---- the stream it is fed from

    /** From whom; null from nobody. */
    @Nullable
    Conversation source;

    int number;

    /** Whether the source has not answered yet. */
    boolean awaiting;

    /** Whether it was asked for everything. */
    boolean askedAll;

    /** When the stream last moved. */
    long progressAt;

    /** How far the source was when it was asked for steps: the way there is shown as one. */
    long goal;

    /** The whole shard on its way; null when none is. */
    @Nullable
    Staging staging;

    /** Deltas of a turn whose end has not come yet, or on the way to the goal. */
    final List<PeerMessage.Delta> parts = new ArrayList<>();

    /** A shard being taken page by page. */
    static final class Staging {
        final Shard shard;
        final long process;
        int nextPage;

        Staging(ShardId id, long process) {
            this.shard = new Shard(id);
            this.process = process;
        }
    }

    Replica(NodeId origin, ServedShard served, Shard shard) {
        this.origin = origin;
        this.served = served;
        this.shard = shard;
    }

    /** Whether others may follow it from here. */
    boolean isServable() {
        return whole && !doubted;
    }

    /** Whether a copy that far has something this one lacks. */
    boolean isBehind(PeerMessage.Digest digest) {
        long mine = shard.id().incarnation();
        long theirs = digest.shard().incarnation();
        return theirs > mine || theirs == mine && digest.revision() > shard.revision();
    }

    /** Whether it is on its way, step by step, to where its source was. */
    boolean isCatchingUp() {
        return shard.revision() < goal;
    }

    /** Whether that copy can lead this one on: not another process's under the same incarnation, and not an older one. */
    boolean fits(PeerMessage.Digest digest) {
        long theirs = digest.shard().incarnation();
        boolean clash = process != 0 && digest.process() != 0 && process != digest.process();
        return digest.whole()
                && theirs >= shard.id().incarnation()
                && !(theirs == shard.id().incarnation() && clash);
    }

    long highest(InstanceId instance) {
        long highest = shard.highest(instance);
        return staging == null ? highest : Math.max(highest, staging.shard.highest(instance));
    }

    /** The object that is here already, if it says the same. */
    Registration shared(Registration registration) {
        Registration here = shard.get(registration.id());
        return here != null && here.equals(registration) ? here : registration;
    }
}
