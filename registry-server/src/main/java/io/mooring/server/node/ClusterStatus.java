package io.mooring.server.node;

import io.mooring.server.lease.LeaseTable;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Replication;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a node knows of its cluster at one moment.
 *
 * @param name of the cluster; empty for a node by itself
 * @param advertised {@code host:port} at which peers reach this node; empty if unknown
 * @param isolated why the node does not trust its view of the cluster; empty in the normal state
 * @param ownSessions attached to this node
 * @param ownInstances in this node's own shard
 * @param sessions at each connected peer, by its name
 * @param shards how far this node's copy of every shard is, its own first
 * @param counts what replication has done since the start
 */
public record ClusterStatus(
        String name,
        String advertised,
        Optional<String> isolated,
        int ownSessions,
        int ownInstances,
        Map<String, Integer> sessions,
        List<PeerMessage.Digest> shards,
        Replication.Counts counts) {
    static ClusterStatus of(ClusterSettings settings, LeaseTable leases, Replication replication) {
        Map<String, Integer> sessions = new TreeMap<>();
        replication.peerSessions().forEach((node, count) -> sessions.put(node.name(), count));
        return new ClusterStatus(
                settings.cluster(),
                settings.advertised(),
                replication.isolated(),
                leases.attachedSessions(),
                leases.own().size(),
                sessions,
                replication.shards(),
                replication.counts());
    }
}
