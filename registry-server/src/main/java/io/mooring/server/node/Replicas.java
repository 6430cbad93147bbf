package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Other nodes' shards, as the lease table asks for them, and the removals that an earlier life had heard. */
record Replicas(Replication replication, Map<InstanceId, Burial> heard) implements LeaseTable.Elsewhere {
    @Override
    public long highest(InstanceId instance) {
        Burial before = heard.get(instance);
        return Math.max(before == null ? 0 : before.generation(), replication.highest(instance));
    }

    @Override
    public @Nullable Registration find(InstanceId instance) {
        return replication.find(instance).map(Replication.Copy::registration).orElse(null);
    }

    @Override
    public boolean beats(InstanceId instance, ShardId shard, long generation) {
        return replication
                .find(instance)
                .filter(copy -> copy.originAlive() && copy.beats(shard, generation))
                .isPresent();
    }

    @Override
    public boolean isVouched(InstanceId instance, Predicate<Registration> which) {
        return replication.isVouched(instance, which);
    }

    @Override
    public boolean isOver(Registration registration) {
        return replication.isOver(registration);
    }
}
