package io.mooring.server.replication;

import io.mooring.runtime.EventLoop;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.Membership;
import io.mooring.server.shard.NodeId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * From whom to take a shard: from its origin, if there is a line to it; else from the connected peer whose copy is the
 * furthest, or who hears the origin the soonest. Goes by the last heartbeats; changes nothing.
 */
final class Sources {
    private final ClusterSettings settings;
    private final EventLoop loop;
    private final Membership membership;
    private final Map<NodeId, Conversation> lines;

    Sources(ClusterSettings settings, EventLoop loop, Membership membership, Map<NodeId, Conversation> lines) {
        this.settings = settings;
        this.loop = loop;
        this.membership = membership;
        this.lines = lines;
    }

    /** From whom to take the copy; null from nobody, for now. */
    @Nullable
    Conversation best(Replica replica) {
        Conversation direct = lines.get(replica.origin);
        if (direct != null) {
            PeerMessage.Digest digest = direct.digests.get(replica.origin);
            if (digest != null) {
                return replica.fits(digest) ? direct : null;
            }
            if (!direct.hasBeaten) {
                return replica.source; // it will say in a moment
            }
        }
        Conversation now = replica.source;
        PeerMessage.Digest its = now == null ? null : now.digests.get(replica.origin);
        if (its != null && !(replica.fits(its) && isWanted(replica, its))) {
            its = null;
        }
        Conversation best = null;
        PeerMessage.Digest bestDigest = null;
        for (Conversation line : lines.values()) {
            PeerMessage.Digest digest = line.digests.get(replica.origin);
            if (digest != null
                    && replica.fits(digest)
                    && (its == null ? leadsOn(replica, digest) : leadsBetter(replica, line, digest, its))
                    && (bestDigest == null || isFurther(digest, bestDigest))) {
                best = line;
                bestDigest = digest;
            }
        }
        if (best != null) {
            return best;
        }
        return its == null ? null : now;
    }

    /** What a lost origin left is not taken again because removals have reached it here. */
    private boolean isWanted(Replica replica, PeerMessage.Digest digest) {
        return !replica.doubted || membership.isAlive(replica.origin, replica.process) || replica.isBehind(digest);
    }

    /** Whether something may come from there: it is further, or hears the origin. */
    private boolean leadsOn(Replica replica, PeerMessage.Digest digest) {
        boolean isUpToIt = digest.shard().incarnation() > replica.shard.id().incarnation()
                || digest.revision() >= replica.shard.revision();
        return replica.isBehind(digest) || digest.alive() && (isUpToIt || replica.doubted);
    }

    /**
     * Whether to leave a source for another. While deltas come, others are ahead for a moment; only who was ahead some time
     * ago, or hears of the origin much sooner, tells more.
     */
    private boolean leadsBetter(Replica replica, Conversation line, PeerMessage.Digest digest, PeerMessage.Digest its) {
        if (line == replica.source || replica.staging != null || replica.awaiting) {
            return false;
        }
        boolean isLate = loop.now() - line.beatAt >= settings.heartbeat().toNanos() / 2;
        boolean isNearer = digest.alive()
                && its.age() - digest.age() > 2 * settings.heartbeat().toMillis();
        return isLate && replica.isBehind(digest) || isNearer && leadsOn(replica, digest);
    }

    private static boolean isFurther(PeerMessage.Digest a, PeerMessage.Digest b) {
        long incarnations = a.shard().incarnation() - b.shard().incarnation();
        if (incarnations != 0) {
            return incarnations > 0;
        }
        return a.revision() != b.revision() ? a.revision() > b.revision() : a.age() < b.age();
    }
}
