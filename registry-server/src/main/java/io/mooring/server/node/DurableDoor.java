package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.EventLoop;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.durable.Durables;
import io.mooring.server.durable.InstanceOverride;
import io.mooring.server.durable.InterfaceKey;
import io.mooring.server.durable.Neighbours;
import io.mooring.server.durable.Refusal;
import io.mooring.server.lease.Outcome;
import io.mooring.server.replication.Replication;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * How the node shows what is durable. Persistent instances are a shard that every node makes for itself from the table, so
 * that equal tables show equally; nobody renews it, and no removal of others reaches it. Overrides lie over published
 * instances. Confined to the event loop.
 */
final class DurableDoor implements Durables.Listener {
    private static final ShardId SHARD = new ShardId(NodeId.ALL, 1);
    private static final Publisher NOBODY = Publisher.ofLease("durable", LeaseTerms.of(Duration.ZERO));

    /** Higher than that of any registration: where an instance is both, it shows, and no burial reaches it. */
    private static final long GENERATION = 1L << 62;

    private final Durables durables;
    private final Runnable onChange;
    private final List<Consumer<ServiceKey>> settingsListeners = new ArrayList<>(1);
    private final List<Consumer<InterfaceKey>> applicationListeners = new ArrayList<>(1);
    private List<Change> changes = new ArrayList<>();
    private Set<InstanceId> relisted = new LinkedHashSet<>();
    private long revision;

    /** @param onChange there is something to show */
    DurableDoor(NodeId self, EventLoop loop, Optional<Storage> storage, Replication replication, Runnable onChange)
            throws IOException {
        this.onChange = onChange;
        durables = new Durables(self, loop, storage, new Lines(replication), this);
    }

    private record Lines(Replication replication) implements Neighbours {
        @Override
        public long waiting(NodeId node) {
            return replication.waiting(node);
        }

        @Override
        public void send(NodeId node, byte[] message) {
            replication.carry(node, message);
        }
    }

    Durables durables() {
        return durables;
    }

    void onSettings(Consumer<ServiceKey> listener) {
        settingsListeners.add(listener);
    }

    void onApplications(Consumer<InterfaceKey> listener) {
        applicationListeners.add(listener);
    }

    // ---- what is different

    @Override
    public void persistent(Instance instance, boolean healthy) {
        changes.add(
                new Change.Granted(SHARD, ++revision, new Registration(instance, NOBODY, GENERATION, !healthy), false));
        onChange.run();
    }

    @Override
    public void persistentGone(InstanceId instance) {
        Removal removal = new Removal(instance, RemovalCause.DEREGISTERED);
        changes.add(new Change.Removed(SHARD, ++revision, removal, Burial.OWN, "publisher"));
        onChange.run();
    }

    @Override
    public void settings(ServiceKey service) {
        settingsListeners.forEach(listener -> listener.accept(service));
    }

    @Override
    public void applications(InterfaceKey of) {
        applicationListeners.forEach(listener -> listener.accept(of));
    }

    @Override
    public void override(InstanceId instance) {
        relisted.add(instance);
        onChange.run();
    }

    /** Whether there is nothing to show. */
    boolean isShown() {
        return changes.isEmpty() && relisted.isEmpty();
    }

    /** The changes of the shard that are not shown yet; from now on they are. */
    List<Change> takeChanges() {
        List<Change> taken = changes;
        changes = new ArrayList<>();
        return taken;
    }

    /** The instances whose override changed; from now on they are shown. */
    Set<InstanceId> takeRelisted() {
        Set<InstanceId> taken = relisted;
        relisted = new LinkedHashSet<>();
        return taken;
    }

    // ---- what may be asked for

    /** Why an instance that its publisher keeps alive may not be registered; a service has one kind. */
    Optional<Outcome> mayRegister(List<Instance> instances) {
        for (Instance instance : instances) {
            if (durables.hasPersistent(instance.service())) {
                return Optional.of(Outcome.refused(
                        "kind",
                        "service: " + instance.service()
                                + " has persistent instances (expected: none, or this one to be"
                                + " persistent, too); remove them, or register under another name"));
            }
        }
        return Optional.empty();
    }

    /** Why nothing may be written: what others have is not here yet, and would be overwritten unseen. */
    static Optional<Refusal> started(BooleanSupplier ready) {
        return ready.getAsBoolean()
                ? Optional.empty()
                : Optional.of(new Refusal(
                        "overloaded",
                        "this node has started just now and does not know yet what the others have; try again, or another",
                        Duration.ofSeconds(1)));
    }

    Optional<Refusal> mayBePersistent(Catalog catalog, InstanceId id) {
        for (ListedInstance listed : catalog.view(id.service()).instances()) {
            if (!durables.isPersistent(listed.id())) {
                return Optional.of(Refusal.of(
                        "kind",
                        "service: " + id.service() + " has instances that their publishers keep alive, such as "
                                + listed.instance().address()
                                + " (expected: none); wait until they are gone, or use another name"));
            }
        }
        return Optional.empty();
    }

    Optional<Refusal> isPersistent(InstanceId id) {
        return durables.isPersistent(id) ? Optional.empty() : Optional.of(notPersistent(id));
    }

    static Refusal notPersistent(InstanceId id) {
        return Refusal.of("unknown", "instance: " + id + " is not a persistent one of this registry");
    }

    static Optional<Refusal> isListed(Catalog catalog, InstanceId id) {
        return catalog.isListed(id)
                ? Optional.empty()
                : Optional.of(Refusal.of("unknown", "instance: " + id + " is not listed on this node"));
    }

    /** The registration of an instance that shows now. */
    static Durables.Life life(Catalog catalog, InstanceId id) {
        return new Durables.Life() {
            @Override
            public long generation() {
                return catalog.generation(id);
            }

            @Override
            public long ended() {
                return catalog.ended(id);
            }
        };
    }

    /** Whether what lies over it was laid over one that was there before, and was removed by its publisher or an operator. */
    boolean isOver(Catalog catalog, InstanceId id) {
        return durables.isOver(id, catalog.ended(id));
    }

    /** Takes an override away, unless the instance is back by then, or it has been laid anew. */
    void dropOverride(Catalog catalog, InstanceId id) {
        UnaryOperator<InstanceOverride> none = override -> InstanceOverride.NONE;
        durables.override(
                id,
                none,
                life(catalog, id),
                () -> catalog.isListed(id) && !isOver(catalog, id)
                        ? Optional.of(Refusal.of("unknown", "it is listed again"))
                        : Optional.empty(),
                refusal -> {}); // a disk that cannot be written is reported by who wants something; it is tried again
    }

    static Outcome outcome(Optional<Refusal> refusal) {
        return refusal.<Outcome>map(r -> new Outcome.Refused(r.code(), r.message(), r.retryAfter()))
                .orElse(Outcome.ACCEPTED);
    }
}
