package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.check.HealthChecks;
import io.mooring.server.durable.Durables;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.NodeId;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/** The persistent instances this node checks: each is checked by one of the nodes that are there, the same for all. */
final class PersistentWards implements HealthChecks.Wards {
    private final NodeId self;
    private final Durables durables;
    private final Replication replication;
    private final BooleanSupplier trusted;

    PersistentWards(NodeId self, Durables durables, Replication replication, BooleanSupplier trusted) {
        this.self = self;
        this.durables = durables;
        this.replication = replication;
        this.trusted = trusted;
    }

    @Override
    public void forEach(BiConsumer<InstanceId, ClusterSettings> each) {
        List<NodeId> alive = replication.alive();
        for (ServiceKey service : durables.servicesWithPersistent()) {
            ServiceSettings settings = durables.settings(service).orElse(ServiceSettings.DEFAULTS);
            for (Instance instance : durables.persistent(service)) {
                if (Rendezvous.choose(instance.id(), alive).equals(self)) {
                    each.accept(instance.id(), settings.cluster(instance.cluster()));
                }
            }
        }
    }

    @Override
    public boolean isHealthy(InstanceId instance) {
        return durables.isHealthy(instance);
    }

    @Override
    public boolean isTrusted() {
        return trusted.getAsBoolean();
    }

    @Override
    public void found(InstanceId instance, boolean healthy) {
        durables.health(
                instance,
                healthy,
                () -> durables.isPersistent(instance)
                        ? Optional.empty()
                        : Optional.of(DurableDoor.notPersistent(instance)),
                refusal -> {}); // found anew with the next check
    }
}
