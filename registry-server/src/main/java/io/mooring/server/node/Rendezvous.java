package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.server.shard.NodeId;
import java.util.List;

/**
 * Which of several nodes looks after an instance whose own node is gone: highest random weight (Thaler, Ravishankar
 * 1998). All that know the same nodes come to the same one; when a node comes or goes, only its share moves.
 */
final class Rendezvous {
    private Rendezvous() {}

    /** @param nodes at least one */
    static NodeId choose(InstanceId instance, List<NodeId> nodes) {
        NodeId best = nodes.get(0);
        long highest = weight(instance, best);
        for (int i = 1; i < nodes.size(); i++) {
            NodeId node = nodes.get(i);
            long weight = weight(instance, node);
            if (weight > highest || weight == highest && node.compareTo(best) > 0) {
                best = node;
                highest = weight;
            }
        }
        return best;
    }

    private static long weight(InstanceId instance, NodeId node) {
        long h = (long) instance.hashCode() << 32 | node.name().hashCode() & 0xffff_ffffL;
        h ^= h >>> 33; // the finalizer of MurmurHash3
        h *= 0xff51afd7ed558ccdL;
        h ^= h >>> 33;
        h *= 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }
}
