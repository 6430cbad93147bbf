package io.mooring.server.edge.health;

import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Up when what was on disk is loaded, so that answers mean something, and from then on.
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
                .withDetail("incomplete", status.incomplete())
                .withDetail("services", status.services())
                .withDetail("instances", status.instances())
                .withDetail("protectedServices", status.protectedServices());
        status.frozen().ifPresent(why -> health.withDetail("frozen", why));
        status.diskAge().ifPresent(age -> health.withDetail("diskAge", age.toMillis() + "ms"));
        status.diskProblem().ifPresent(problem -> health.withDetail("diskProblem", problem));
        return health.build();
    }
}
