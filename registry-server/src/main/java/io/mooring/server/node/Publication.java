package io.mooring.server.node;

import io.mooring.model.ServiceView;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.push.PushScheduler;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * How a turn becomes visible: first in the catalog, for readers; then to subscribers and listeners; then to peers, which hear
 * of the own shard only. Confined to the event loop.
 */
final class Publication {
    private final ClusterSettings cluster;
    private final Supplier<Shard> own;
    private final Catalog catalog;
    private final DurableDoor durable;
    private final OverrideWatch overrideWatch;
    private final PushScheduler push;
    private final Replication replication;
    private final UnheardRemovals unheard;
    private final List<Consumer<List<ServiceView>>> listeners = new ArrayList<>(1);

    /** @param own the shard this node writes, which may be another one later */
    Publication(
            ClusterSettings cluster,
            Supplier<Shard> own,
            Catalog catalog,
            DurableDoor durable,
            OverrideWatch overrideWatch,
            PushScheduler push,
            Replication replication,
            UnheardRemovals unheard) {
        this.cluster = cluster;
        this.own = own;
        this.catalog = catalog;
        this.durable = durable;
        this.overrideWatch = overrideWatch;
        this.push = push;
        this.replication = replication;
        this.unheard = unheard;
    }

    /** @param listener hears of the views that differ, after subscribers did */
    void onChangedViews(Consumer<List<ServiceView>> listener) {
        listeners.add(listener);
    }

    /** Shows what a turn changed, and with it what is durable. */
    void publish(List<Change> turnChanges) {
        List<Change> derived = durable.takeChanges();
        if (derived.isEmpty()) {
            tell(catalog.fold(turnChanges));
        } else {
            List<Change> all = new ArrayList<>(turnChanges);
            all.addAll(derived);
            tell(catalog.fold(all));
        }
        tell(catalog.relist(durable.takeRelisted()));
        overrideWatch.shown(turnChanges);
        publishToPeers(turnChanges);
        unheard.sayContradicted();
    }

    /** Tells subscribers and listeners of views that differ. */
    void tell(List<ServiceView> changed) {
        push.changed(changed);
        if (!changed.isEmpty()) {
            listeners.forEach(listener -> listener.accept(changed));
        }
    }

    private void publishToPeers(List<Change> turnChanges) {
        if (cluster.isAlone() || turnChanges.isEmpty()) {
            return;
        }
        ShardId ownShard = own.get().id();
        List<Change> ours = new ArrayList<>(turnChanges.size());
        for (Change change : turnChanges) {
            if (change.shard().equals(ownShard)) {
                ours.add(change);
            }
        }
        replication.published(ours);
    }
}
