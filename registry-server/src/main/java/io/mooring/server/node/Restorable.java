package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.replication.Replication;
import io.mooring.server.restore.RestoreLog;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a restart should find: this node's shard, what is left of the one before, and the copies of others. */
record Restorable(LeaseTable leases, Replication replication, Catalog catalog) {
    /** Where there is something to restore next time. */
    List<RestoreLog.Place> places() {
        List<RestoreLog.Place> places =
                new ArrayList<>(leases.own().size() + leases.restored().size());
        for (Shard shard : List.of(leases.own(), leases.restored())) {
            shard.registrations()
                    .forEach(registration -> places.add(new RestoreLog.Place(shard.id(), registration.id())));
        }
        replication.forEachReplica((shard, registration) -> places.add(new RestoreLog.Place(shard, registration.id())));
        return places;
    }

    /** What stands there; null if nothing does, or a late copy of what is over. */
    @Nullable
    Registration registration(ShardId shard, InstanceId instance) {
        if (shard.equals(leases.own().id())) {
            return leases.own().get(instance);
        }
        if (shard.equals(leases.restored().id())) {
            return leases.restored().get(instance);
        }
        Registration copy = replication.get(shard, instance);
        return copy == null || catalog.isOver(copy) ? null : copy;
    }
}
