package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;

/**
 * Removals this node remembers though a node in reach vouches for what they removed. They are said again, by this node:
 * that node then takes its copy off, or grants it anew, above the removal. Confined to the event loop.
 */
final class UnheardRemovals {
    private final Catalog catalog;
    private final Replication replication;
    private final LeaseTable leases;

    UnheardRemovals(Catalog catalog, Replication replication, LeaseTable leases) {
        this.catalog = catalog;
        this.replication = replication;
        this.leases = leases;
    }

    /** Says those that what was folded just now meets. */
    void sayContradicted() {
        catalog.takeContradicted().forEach(this::contradicted);
    }

    /** What another node stands up for is hidden, or taken for over by some, until that node knows why. */
    private void contradicted(Registration registration, Burial removal) {
        if (!registration.inDoubt() && replication.isVouched(registration.id(), registration::equals)) {
            leases.sayAgain(registration.id(), removal);
        }
    }

    /** Who said a removal may be gone before all had heard it. Now that those who are there have been heard, it shows. */
    void sayAll() {
        catalog.burials().forEach(this::sayIfUnheard);
    }

    private void sayIfUnheard(InstanceId instance, Burial removal) {
        if (replication.isVouched(instance, copy -> !copy.inDoubt() && copy.generation() <= removal.generation())) {
            leases.sayAgain(instance, removal);
        }
    }
}
