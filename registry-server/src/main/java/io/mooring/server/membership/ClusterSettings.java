package io.mooring.server.membership;

import java.time.Duration;
import java.util.List;

/**
 * How a node finds and trusts its peers.
 *
 * @param cluster the cluster's name; nodes of another one are refused; empty for a node by itself
 * @param addresses {@code host:port} of peers as configured at first; this node's own may be among them
 * @param secret shared by all nodes; empty when peers need not prove anything
 * @param advertised {@code host:port} at which peers reach this node; empty when they only get what they dialled
 * @param sessions {@code host:port} at which sessions reach this node; empty when unknown
 * @param heartbeat how often digests are exchanged
 * @param suspectAfter silence after which a peer is suspect
 * @param goneAfter silence after which it is gone, and its shard is orphaned for good
 * @param startPatience how long a starting node waits for its peers' shards before it says that it is ready
 */
public record ClusterSettings(
        String cluster,
        List<String> addresses,
        String secret,
        String advertised,
        String sessions,
        Duration heartbeat,
        Duration suspectAfter,
        Duration goneAfter,
        Duration startPatience) {
    /** A node by itself. */
    public static final ClusterSettings ALONE = of("", List.of());

    public ClusterSettings {
        addresses = List.copyOf(addresses);
    }

    public static ClusterSettings of(String cluster, List<String> addresses) {
        return new ClusterSettings(
                cluster,
                addresses,
                "",
                "",
                "",
                Duration.ofSeconds(2),
                Duration.ofSeconds(6),
                Duration.ofSeconds(15),
                Duration.ofSeconds(10));
    }

    /** Whether there are no peers and never will be. */
    public boolean isAlone() {
        return cluster.isEmpty();
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "cluster " + cluster + " at " + addresses;
    }
}
