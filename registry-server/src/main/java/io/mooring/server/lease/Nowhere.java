package io.mooring.server.lease;

import io.mooring.model.InstanceId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What other nodes say where there are none. */
final class Nowhere implements LeaseTable.Elsewhere {
    @Override
    public long highest(InstanceId instance) {
        return 0;
    }

    @Override
    public @Nullable Registration find(InstanceId instance) {
        return null;
    }

    @Override
    public boolean beats(InstanceId instance, ShardId shard, long generation) {
        return false;
    }

    @Override
    public boolean isVouched(InstanceId instance, Predicate<Registration> which) {
        return false;
    }

    @Override
    public boolean isOver(Registration registration) {
        return false;
    }
}
