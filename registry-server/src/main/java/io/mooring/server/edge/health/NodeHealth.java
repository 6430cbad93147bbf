package io.mooring.server.edge.health;

import io.mooring.server.membership.PeerStatus;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Up when what was on disk is loaded and the peers' shards are, or have been waited for, so that answers mean something;
 * and from then on, until the node leaves.
 *
 * <p>A failing disk, a freeze or a missing peer is told in the details and does not change the status: a registry
 * taken out of rotation for that helps nobody, and all of them would be taken out together.
 */
public final class NodeHealth implements HealthIndicator {
    private final RegistryNode node;

    public NodeHealth(RegistryNode node) {
        this.node = node;
    }

    @Override
    public Health health() {
        NodeStatus status = node.status();
        Health.Builder health = (status.ready() ? Health.up() : Health.outOfService())
                .withDetail("node", status.name())
                .withDetail("ready", status.ready())
                .withDetail("starting", !status.ready() && !status.draining())
                .withDetail("draining", status.draining())
                .withDetail("incomplete", status.incomplete())
                .withDetail("services", status.services())
                .withDetail("instances", status.instances())
                .withDetail("protectedServices", status.protectedServices());
        if (!status.cluster().name().isEmpty()) {
            health.withDetail("cluster", status.cluster().name()).withDetail("peers", peers(status));
            status.cluster().isolated().ifPresent(why -> health.withDetail("isolated", why));
        }
        status.frozen().ifPresent(why -> health.withDetail("frozen", why));
        status.diskAge().ifPresent(age -> health.withDetail("diskAge", age.toMillis() + "ms"));
        status.diskProblem().ifPresent(problem -> health.withDetail("diskProblem", problem));
        node.durableStatus().problem().ifPresent(problem -> health.withDetail("durableProblem", problem));
        return health.build();
    }

    /** How many are in each state, and what is wrong with whom. */
    private static Map<String, Object> peers(NodeStatus status) {
        Map<String, Object> peers = new LinkedHashMap<>();
        for (PeerStatus.State state : PeerStatus.State.values()) {
            long count = status.peers().stream()
                    .filter(peer -> peer.state() == state)
                    .count();
            peers.put(state.name().toLowerCase(Locale.ROOT), count);
        }
        for (PeerStatus peer : status.peers()) {
            String who = peer.name().isEmpty() ? peer.address() : peer.name() + " at " + peer.address();
            peer.problem().ifPresent(problem -> peers.put(who, problem));
        }
        return peers;
    }
}
