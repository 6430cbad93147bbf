package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.EventLoop;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.check.Checker;
import io.mooring.server.check.HealthChecks;
import io.mooring.server.clock.ClockFile;
import io.mooring.server.clock.HybridClock;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.durable.Durables;
import io.mooring.server.durable.InstanceOverride;
import io.mooring.server.durable.InterfaceKey;
import io.mooring.server.durable.Refusal;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.Prober;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.push.PushScheduler;
import io.mooring.server.push.Subscriber;
import io.mooring.server.replication.Home;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Peers;
import io.mooring.server.replication.Replication;
import io.mooring.server.restore.RestoreLog;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The core's front door.
 *
 * <p>Requests change the lease table at once; the catalog, the replies and the pushes follow together at the end of
 * the turn, after the changes were handed to the disk:
 *
 * <pre>
 * request ─▶ LeaseTable ─▶ Change ─▶ RestoreLog ─▶ Catalog ─▶ replies, PushScheduler ─▶ Subscriber
 * </pre>
 *
 * What arrives while a turn is being written makes up the next one, so a busy node works in batches and an idle one
 * answers at once. A reply means that every later read on this node sees the effect.
 *
 * <p>Methods of the first part are called on the event loop, those of the second from any thread.
 */
public final class RegistryNode {
    private static final Duration LOOK_FOR_ORPHANS = Duration.ofSeconds(1);

    private static final String REPLACED = "the session connected again; this connection ends";

    /** Room for this many changes in one incarnation before revisions of the next could meet them. */
    private static final int REVISION_BITS = 32;

    private final NodeSettings settings;
    private final EventLoop loop;
    private final RandomGenerator random;
    private final String epoch;
    private final Replication replication;
    private final LeaseTable leases;
    private final Catalog catalog;
    private final PushScheduler push;
    private final @Nullable RestoreLog restoreLog;
    private final Evidence evidence;
    private final SuspectWatch suspects;
    private final OrphanWatch orphans;
    private final DurableDoor durable;
    private final OverrideWatch overrideWatch;
    private final SessionMoves moves;
    private final Errands errands;
    private final UnheardRemovals unheard;
    private final Publication publication;
    private final Turns turns;
    private final Readiness readiness;
    private final Certainty certainty;
    private final HybridClock clock;
    private final @Nullable ClockFile clockFile;
    private final long startedAt;

    private @Nullable HealthChecks healthChecks;

    /** Whether a removal is being heard from a peer. */
    private boolean hearing;

    private long lastOrphans;
    private long refused;
    private volatile NodeStatus status;
    private volatile Durables.Status durableStatus;

    /**
     * @param storage where a restart finds the last view; empty to write nothing
     * @param dialer how peers are reached
     * @param wall the time of day, in milliseconds since 1970; nothing is decided by it
     * @throws IOException when the data directory cannot be read or written
     */
    public RegistryNode(
            NodeSettings settings,
            EventLoop loop,
            RandomGenerator random,
            Prober prober,
            Optional<Storage> storage,
            PeerDialer dialer,
            LongSupplier wall)
            throws IOException {
        this.settings = settings;
        this.loop = loop;
        this.random = random;
        clock = new HybridClock(loop::now, wall);
        clockFile = storage.isPresent() ? new ClockFile(clock, storage.get()) : null;
        RestoreLog.Restored restored =
                storage.isPresent() ? RestoreLog.read(storage.get(), settings.self()) : RestoreLog.Restored.nothing(0);
        long process = 1 + random.nextLong(Long.MAX_VALUE);
        long incarnation = restored.incarnation() + 1;
        epoch = settings.self() + "-" + incarnation + "-" + Long.toHexString(process & 0xffff);
        replication = new Replication(
                settings.cluster(), settings.self(), process, loop, random, dialer, storage, new Peering());
        leases = new LeaseTable(
                settings.self(),
                incarnation,
                restored.own(),
                restored.burials(),
                settings.lease(),
                loop,
                random,
                settings.cluster().isAlone()
                        ? LeaseTable.Elsewhere.NOWHERE
                        : new Replicas(replication, restored.heard()),
                this::onOwn);
        durable = new DurableDoor(settings.self(), loop, storage, replication, this::durableChanged);
        catalog = new Catalog(settings.protection(), loop, incarnation << REVISION_BITS, durable.durables()::shown);
        catalog.remember(restored.heard());
        Map<ShardId, Collection<Registration>> onDisk = new TreeMap<>(restored.replicas());
        onDisk.put(leases.restored().id(), restored.own());
        Restorable restorable = new Restorable(leases, replication, catalog);
        restoreLog = storage.isPresent()
                ? new RestoreLog(
                        storage.get(),
                        loop,
                        incarnation,
                        onDisk,
                        leases::own,
                        catalog::burials,
                        restorable::places,
                        restorable::registration)
                : null;
        push = new PushScheduler(loop, catalog::view);
        overrideWatch = new OverrideWatch(
                settings.self(),
                durable,
                catalog,
                replication,
                loop,
                settings.lease().ttl());
        unheard = new UnheardRemovals(catalog, replication, leases);
        publication = new Publication(
                settings.cluster(), leases::own, catalog, durable, overrideWatch, push, replication, unheard);
        turns = new Turns(loop, restoreLog, settings.diskPatience(), catalog, durable, publication);
        readiness =
                new Readiness(settings.cluster().startPatience(), loop, leases, replication, turns, this::changeStatus);
        certainty = new Certainty(settings.cluster(), leases, replication, catalog, push, turns, unheard);
        durable.durables().begin();
        catalog.restore(leases.restored().id(), leases.restored().registrations());
        restored.replicas().forEach((shard, registrations) -> {
            replication.restored(shard, registrations);
            catalog.restore(shard, registrations);
        });
        if (!durable.isShown()) {
            catalog.fold(durable.takeChanges());
        }
        evidence = new Evidence(prober, loop);
        suspects = new SuspectWatch(settings.self(), leases, catalog, replication, evidence, loop);
        orphans = new OrphanWatch(
                settings.self(),
                replication,
                leases,
                evidence,
                loop,
                settings.lease().ttl(),
                () -> catalog.counts().total());
        moves = new SessionMoves(leases, replication, loop);
        errands = new Errands(
                leases,
                replication,
                turns,
                () -> readiness.isReady() || settings.cluster().isAlone(),
                this::writable);
        startedAt = loop.now();
        lastOrphans = startedAt;
        status = currentStatus();
        durableStatus = durable.durables().status();
        loop.schedule(LeaseTable.sweepInterval(), this::sweep);
        keepTime();
        replication.start();
        compareDurables();
    }

    private void compareDurables() {
        if (!settings.cluster().isAlone()) {
            durable.durables().beat();
            loop.schedule(settings.cluster().heartbeat(), this::compareDurables);
        }
    }

    private void keepTime() {
        if (clockFile != null) {
            clockFile.write();
            loop.schedule(ClockFile.EVERY, this::keepTime);
        }
    }

    // ---- peers, on the loop

    /** Where the lines of other nodes end. */
    public Peers peers() {
        return replication;
    }

    /** The addresses of the peers as configured, whenever they change. */
    public void configured(List<String> addresses) {
        replication.configured(addresses);
    }

    /** What replication counts, and which shards it holds. */
    public Replication replication() {
        return replication;
    }

    /** What replication asks of this node. */
    private final class Peering implements Home {
        @Override
        public Shard own() {
            return leases.own();
        }

        @Override
        public boolean isSettled() {
            return turns.isSettled();
        }

        @Override
        public void changed(Change change) {
            turns.heard(change);
            if (change instanceof Change.Granted granted) {
                leases.granted(granted.registration());
            }
            if (change instanceof Change.Removed removed && removed.burial().generation() > 0) {
                hearing = true;
                leases.buried(removed.instance(), removed.burial(), removed.actor());
                hearing = false;
                replication.buried(removed.instance(), removed.burial());
            }
        }

        @Override
        public void raise(long incarnation) {
            leases.raise(incarnation);
            if (restoreLog != null) {
                restoreLog.raise(incarnation);
            }
        }

        @Override
        public void membersChanged() {
            freezeIfIsolated(); // now: the next look at the leases would let go first of those whose time is up
            moves.membersChanged();
        }

        @Override
        public void asked(PeerMessage.Ask ask, Consumer<PeerMessage.Answer> reply) {
            errands.answer(ask, reply);
        }

        @Override
        public void connected(NodeId node) {
            durable.durables().connected(node);
        }

        @Override
        public void disconnected(NodeId node) {
            durable.durables().lost(node);
        }

        @Override
        public void writable(NodeId node) {
            durable.durables().writable(node);
        }

        @Override
        public void carried(NodeId from, byte[] payload) throws MalformedException {
            durable.durables().received(from, payload);
        }

        @Override
        public int sessions() {
            return leases.attachedSessions();
        }

        @Override
        public HybridClock clock() {
            return clock;
        }

        @Override
        public boolean starting() {
            return !readiness.isReady() || leases.restored().size() > 0; // which only this node knows, and tells nobody
        }

        @Override
        public boolean draining() {
            return moves.draining();
        }
    }

    /** Addresses of other nodes for sessions, those that are there and stay. Any thread. */
    public List<String> sessionAddresses() {
        return moves.addresses();
    }

    /** @param listener hears on the loop whenever {@link #sessionAddresses()} changed */
    public void onSessionAddresses(Consumer<List<String>> listener) {
        moves.onAddresses(listener);
    }

    /** Asks sessions to go elsewhere. A port of the endpoint of sessions. */
    public interface SessionMover {
        /**
         * @param within at a random moment of which each should go
         * @param targets where to; each session gets them in another order
         * @param most how many sessions, at most; those that come later are asked, too, if it is all of them
         */
        void move(Duration within, List<String> targets, int most);
    }

    /** @param mover asks the sessions of one endpoint to go elsewhere when this node wants that */
    public void movesSessionsBy(SessionMover mover) {
        moves.by(mover);
    }

    /** How many sessions a node may have before it sends some of them to the others, where that many are fair. */
    public static double toleratedSessions(double fair) {
        return SessionMoves.tolerated(fair);
    }

    /** The session was asked to go elsewhere: that its connection ends is no reason for doubt. */
    public void moving(String session) {
        leases.moving(session);
    }

    /**
     * Begins to leave: takes itself off other nodes' lists, asks all sessions to go to others, and tells the peers when they
     * are gone.
     *
     * @param within over how long sessions are spread
     * @param patience after which it is done all the same
     * @param done runs once, on the loop
     */
    public void drain(Duration within, Duration patience, Runnable done) {
        moves.drain(within, patience, done);
    }

    // ---- sessions, on the loop

    /** The loop on which the methods of this part are called. */
    public EventLoop loop() {
        return loop;
    }

    /**
     * A session says hello.
     *
     * @param attempt which connection of its life this is, as the session counts; 0 unknown
     * @param terms how long it is believed
     * @param line its connection; an older one of the same session is closed with {@code replaced}
     * @param holds the digest of what it believes to have registered
     * @param welcome gets whether the node holds exactly that
     * @param reply gets a refusal, if there is one
     */
    public void open(
            String session,
            long attempt,
            LeaseTerms terms,
            SessionLine line,
            OptionalLong holds,
            Consumer<Boolean> welcome,
            Consumer<Outcome> reply) {
        LeaseTable.Attachment attachment =
                leases.attach(session, attempt, terms, line, holds, old -> old.close("replaced", REPLACED));
        if (attachment == LeaseTable.Attachment.OUTDATED) {
            refuse(Outcome.refused("replaced", REPLACED), reply);
            return;
        }
        if (attachment == LeaseTable.Attachment.FULL) {
            refuse(
                    new Outcome.Refused(
                            "overloaded",
                            "this node has all the sessions it takes; try another, or raise mooring.limits.sessions",
                            Duration.ofSeconds(5)),
                    reply);
            return;
        }
        boolean held = attachment == LeaseTable.Attachment.HELD;
        turns.whenShown(() -> welcome.accept(held));
    }

    /** A session says hello that is believed for as long as this node believes sessions unless told otherwise. */
    public void open(
            String session,
            long attempt,
            SessionLine line,
            OptionalLong holds,
            Consumer<Boolean> welcome,
            Consumer<Outcome> reply) {
        LeaseTerms terms =
                new LeaseTerms(settings.lease().ttl(), settings.lease().grace());
        open(session, attempt, terms, line, holds, welcome, reply);
    }

    /** A frame arrived from an open session. */
    public void heard(String session) {
        leases.renew(session);
    }

    /** Registers all, visible in one step, or none. */
    public void register(String session, List<Instance> instances, Consumer<Outcome> reply) {
        Optional<Outcome> objection = durable.mayRegister(instances).or(this::writable);
        answer(objection.orElseGet(() -> leases.register(session, instances)), reply);
    }

    /**
     * Removes those that the session holds. One that nobody holds any more, and that is listed only because its loss is not
     * believed yet, leaves too: a goodbye goes through every protection.
     */
    public void deregister(String session, List<InstanceId> instances, Consumer<Outcome> reply) {
        leases.deregister(session, instances);
        for (InstanceId instance : instances) {
            suspects.release(instance, RemovalCause.DEREGISTERED, "publisher");
        }
        answer(Outcome.ACCEPTED, reply);
    }

    /** The orderly end of a session: its registrations are removed. */
    public void bye(String session, Consumer<Outcome> reply) {
        leases.bye(session);
        answer(Outcome.ACCEPTED, reply);
    }

    /** A session's connection broke. */
    public void broken(String session, SessionLine line) {
        suspects.suspected(leases.broken(session, line));
    }

    // ---- leases of single instances, on the loop

    /** Registers one instance with a lease of its own; an equal one is renewed. */
    public void put(Instance instance, LeaseTerms terms, Consumer<Outcome> reply) {
        Optional<Outcome> objection = durable.mayRegister(List.of(instance)).or(this::writable);
        answer(objection.orElseGet(() -> leases.put(instance, terms)), reply);
    }

    /**
     * Renews leases given by {@link #put}, on whatever node: one that is held elsewhere is renewed there, and adopted when
     * that node is gone.
     *
     * @param unknown gets those that nobody knows, or that belong to a session
     */
    public void renew(List<InstanceId> instances, Consumer<List<InstanceId>> unknown) {
        errands.renew(instances, unknown);
    }

    /**
     * The instances that this node keeps by leases of their own, in no order. On the loop.
     *
     * @return empty when they are more than {@code most}
     */
    public Optional<List<InstanceId>> leased(int most) {
        return leases.leased(most);
    }

    /** Changes a registered instance in place, whoever published it; its publisher's next word replaces that. */
    public void amend(InstanceId instance, UnaryOperator<Instance> change, Consumer<Outcome> reply) {
        Optional<Replication.Copy> there = errands.elsewhere(instance);
        if (there.isEmpty()) {
            answer(writable().orElseGet(() -> leases.amend(instance, change)), reply);
            return;
        }
        Instance after = change.apply(there.get().registration().instance()).withId(instance);
        errands.amend(there.get(), after, outcome -> answer(outcome, reply));
    }

    /**
     * Removes an instance.
     *
     * @param force an operator's removal, whoever published it; otherwise in the publisher's name, and refused with
     *     {@code not_owner} if a session holds it
     * @param actor who does it, for people
     */
    public void remove(InstanceId instance, boolean force, String actor, Consumer<Outcome> reply) {
        if (durable.durables().isPersistent(instance)) {
            removePersistent(instance, reply);
            return;
        }
        boolean ofSession =
                leases.publisherOf(instance).map(Publisher::isSession).orElse(false);
        if (ofSession && !force) {
            answer(
                    Outcome.refused(
                            "not_owner",
                            "instance: " + instance
                                    + " is held by a session (expected: an instance registered by HTTP);"
                                    + " to remove it all the same, use force"),
                    reply);
            return;
        }
        RemovalCause cause = force ? RemovalCause.OPERATOR : RemovalCause.DEREGISTERED;
        boolean removed = leases.removeEverywhere(instance, cause, actor) || suspects.release(instance, cause, actor);
        answer(
                removed
                        ? Outcome.ACCEPTED
                        : Outcome.refused("unknown", "instance: " + instance + " is not listed on this node"),
                reply);
    }

    // ---- what is durable, on the loop

    /**
     * Registers an instance that stays until it is removed, whatever happens to whoever said so, and to the nodes. Accepted
     * means that it is on this node's disk, and that the others have been told. Refused with {@code kind} if the service has
     * instances that their publishers keep alive; with {@code not_durable} if the disk does not take it within two seconds
     * (then it may still be there after a restart of just that moment).
     */
    public void putPersistent(Instance instance, Consumer<Outcome> reply) {
        durable.durables()
                .putPersistent(
                        instance,
                        () -> started().or(() -> durable.mayBePersistent(catalog, instance.id())),
                        refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /** Removes a persistent instance, and what was settled about it. One that is not there is no error. */
    public void removePersistent(InstanceId instance, Consumer<Outcome> reply) {
        durable.durables()
                .removePersistent(instance, this::started, refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /** Says how a persistent instance is; whoever checks it says so anew when that changes. Unhealthy ones are listed as suspect. */
    public void reportHealth(InstanceId instance, boolean healthy, Consumer<Outcome> reply) {
        durable.durables()
                .health(
                        instance,
                        healthy,
                        () -> started().or(() -> durable.isPersistent(instance)),
                        refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /**
     * Settles something for a service, which exists from then on though nobody may be registered.
     *
     * @param change from what is settled, {@link ServiceSettings#DEFAULTS} if nothing is; may throw {@code InvalidValueException}, which refuses
     */
    public void settings(ServiceKey service, UnaryOperator<ServiceSettings> change, Consumer<Outcome> reply) {
        durable.durables()
                .settings(service, change, this::started, refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /** Nothing is settled for that service any more. Without settings before, that is no error. */
    public void deleteSettings(ServiceKey service, Consumer<Outcome> reply) {
        durable.durables()
                .deleteSettings(service, this::started, refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /**
     * Lays something over a listed instance, in place of what its publisher says, until it leaves the list. Refused with
     * {@code unknown} if it is not listed.
     *
     * @param change from what is laid over it, {@link InstanceOverride#NONE} if nothing is; to {@code NONE} takes it away; may
     *     throw {@code InvalidValueException}, which refuses
     */
    public void override(InstanceId instance, UnaryOperator<InstanceOverride> change, Consumer<Outcome> reply) {
        durable.durables()
                .override(
                        instance,
                        change,
                        DurableDoor.life(catalog, instance),
                        () -> started().or(() -> DurableDoor.isListed(catalog, instance)),
                        refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /**
     * Says that these applications offer an interface, as those do that have said so before.
     *
     * @throws InvalidValueException when one is no name of an application
     */
    public void addApplications(InterfaceKey of, Collection<String> applications, Consumer<Outcome> reply) {
        durable.durables()
                .addApplications(
                        of, applications, this::started, refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /** Says that no application offers that interface. Without any before, that is no error. */
    public void removeApplications(InterfaceKey of, Consumer<Outcome> reply) {
        durable.durables()
                .removeApplications(of, this::started, refusal -> answer(DurableDoor.outcome(refusal), reply));
    }

    /** From now on this node checks its share of the persistent instances. */
    public void checksBy(Checker checker) {
        healthChecks = new HealthChecks(
                loop,
                random,
                checker,
                new PersistentWards(
                        settings.self(),
                        durable.durables(),
                        replication,
                        () -> readiness.isReady() && leases.frozen().isEmpty()));
    }

    private Optional<Refusal> started() {
        return DurableDoor.started(
                () -> readiness.isReady() || settings.cluster().isAlone());
    }

    /** @param listener hears on the loop whenever the settings of a service changed, by whatever node */
    public void onSettings(Consumer<ServiceKey> listener) {
        durable.onSettings(listener);
    }

    /** @param listener hears on the loop whenever other applications offer an interface, by whatever node */
    public void onApplications(Consumer<InterfaceKey> listener) {
        durable.onApplications(listener);
    }

    // ---- subscribers, on the loop

    /**
     * Starts telling {@code subscriber} about {@code service}. The first delivery follows within this call unless the
     * line is busy: the view, or an update with the same content if {@code digest} is that of the current view.
     */
    public void subscribe(Subscriber subscriber, ServiceKey service, OptionalLong digest) {
        certainty.lookBeforeTelling();
        push.subscribe(subscriber, service, digest);
    }

    public void unsubscribe(Subscriber subscriber, ServiceKey service) {
        push.unsubscribe(subscriber, service);
    }

    /** The subscriber is gone: forgets everything about it. */
    public void forget(Subscriber subscriber) {
        push.forget(subscriber);
    }

    /** The subscriber's line is free again. */
    public void ready(Subscriber subscriber) {
        push.ready(subscriber);
    }

    /** @param listener hears on the loop of the views that differ after each turn, before any reply of that turn */
    public void onChangedViews(Consumer<List<ServiceView>> listener) {
        publication.onChangedViews(listener);
    }

    // ---- any thread

    /** The time, for those who compare what several nodes tell them. */
    public HybridClock clock() {
        return clock;
    }

    /** The view of that service now; an empty one with revision 0 if nothing is known of it. */
    public ServiceView view(ServiceKey service) {
        return catalog.view(service);
    }

    /** All services with at least one instance, in their order. */
    public List<ServiceKey> services() {
        return List.copyOf(catalog.services());
    }

    /** The services of a namespace with at least one instance, in the order of group and name. */
    public List<ServiceSummary> services(String namespace) {
        List<ServiceSummary> out = new ArrayList<>();
        for (ServiceKey service : catalog.services()) {
            if (service.namespace().equals(namespace)) {
                out.add(ServiceSummary.of(catalog.view(service)));
            }
        }
        return out;
    }

    /** What is settled for a service; empty if nothing is. */
    public Optional<ServiceSettings> settings(ServiceKey service) {
        return durable.durables().settings(service);
    }

    /** The services of a namespace for which something is settled, in the order of group and name. */
    public List<ServiceKey> servicesWithSettings(String namespace) {
        return durable.durables().servicesWithSettings().stream()
                .filter(service -> service.namespace().equals(namespace))
                .toList();
    }

    /** All services for which something is settled, in their order. */
    public List<ServiceKey> servicesWithSettings() {
        return List.copyOf(durable.durables().servicesWithSettings());
    }

    /** The applications that offer an interface, in order. */
    public List<String> applications(InterfaceKey of) {
        return durable.durables().applications(of);
    }

    /** Whether an instance is persistent. */
    public boolean isPersistent(InstanceId instance) {
        return durable.durables().isPersistent(instance);
    }

    /** What lies over an instance; empty if nothing does. */
    public Optional<InstanceOverride> overrideOf(InstanceId instance) {
        return durable.durables().override(instance);
    }

    /** The persistent instances of a service as they were registered, in order; the view has them with overrides and health. */
    public List<Instance> persistent(ServiceKey service) {
        return List.copyOf(durable.durables().persistent(service));
    }

    /** All persistent instances. */
    public List<InstanceId> persistent() {
        List<InstanceId> all = new ArrayList<>();
        for (ServiceKey service : durable.durables().servicesWithPersistent()) {
            durable.durables().persistent(service).forEach(instance -> all.add(instance.id()));
        }
        return all;
    }

    /** How many durable entries there are, and whether they can be written; at most a second old. */
    public Durables.Status durableStatus() {
        return durableStatus;
    }

    /** The node's state, at most a second old. */
    public NodeStatus status() {
        return status;
    }

    /** Changes whenever revisions start anew. */
    public String epoch() {
        return epoch;
    }

    // ---- what changes

    private void onOwn(Change change) {
        if (hearing && change.shard().equals(leases.restored().id())) {
            turns.heard(change); // what the disk had makes way for what the same peer has since, not before that shows
        } else {
            turns.add(change);
        }
        if (change instanceof Change.Removed removed && removed.burial().generation() > 0) {
            replication.buried(removed.instance(), removed.burial());
        }
    }

    private Optional<Outcome> writable() {
        if (settings.durableOnly() && restoreLog != null) {
            return restoreLog
                    .problem()
                    .map(problem -> new Outcome.Refused(
                            "not_durable",
                            problem + " (expected: a writable data directory); free the disk or allow"
                                    + " registrations that are not written by mooring.restore.required=false",
                            Duration.ofSeconds(5)));
        }
        return Optional.empty();
    }

    private void answer(Outcome outcome, Consumer<Outcome> reply) {
        if (outcome instanceof Outcome.Refused) {
            refuse(outcome, reply);
        } else {
            turns.whenShown(() -> reply.accept(outcome));
        }
    }

    private void refuse(Outcome outcome, Consumer<Outcome> reply) {
        refused++;
        reply.accept(outcome);
    }

    /** Nothing comes in before the turns are there. */
    private void durableChanged() {
        turns.schedule();
    }

    // ---- time and evidence

    private void freezeIfIsolated() {
        replication.isolated().ifPresent(leases::freeze);
    }

    private void sweep() {
        loop.schedule(LeaseTable.sweepInterval(), this::sweep);
        LeaseTable.Sweep sweep = leases.sweep();
        for (SessionLine line : sweep.silent()) {
            line.close(
                    "too_slow",
                    "nothing was heard for " + settings.lease().ttl().toSeconds() + " s");
        }
        suspects.suspected(sweep.newlySuspect());
        publication.tell(catalog.releaseHolds());
        overrideWatch.holdsReleased();
        freezeIfIsolated();
        boolean frozen = leases.frozen().isPresent();
        certainty.lookWhetherCertain();
        boolean caughtUp = replication.caughtUp() && durable.durables().caughtUp();
        readiness.look(caughtUp);
        certainty.lookWhetherComplete(sweep.paused(), !frozen && caughtUp);
        overrideWatch.look(!frozen && !certainty.isIncomplete() && !replication.isUncertain());
        if (loop.now() - lastOrphans >= LOOK_FOR_ORPHANS.toNanos()) {
            lastOrphans = loop.now();
            orphans.look();
            if (healthChecks != null) {
                healthChecks.look();
            }
        }
        suspects.look(frozen);
        moves.look();
        durableStatus = durable.durables().status();
        changeStatus();
    }

    private void changeStatus() {
        status = currentStatus();
    }

    private NodeStatus currentStatus() {
        int live = catalog.counts().of(Standing.LIVE);
        int restored = catalog.counts().of(Standing.RESTORED);
        return new NodeStatus(
                settings.self().name(),
                leases.own().id().incarnation(),
                leases.own().revision(),
                readiness.isSaid() && !moves.draining(),
                certainty.isIncomplete(),
                leases.frozen(),
                catalog.listedServices(),
                catalog.counts().total(),
                live,
                restored,
                catalog.counts().of(Standing.SUSPECT),
                catalog.counts().of(Standing.HELD),
                catalog.protectedServices(),
                leases.sessions(),
                leases.singleLeases(),
                push.subscriptions(),
                push.waiting(),
                refused,
                leases.overdue(),
                evidence.waiting(),
                orphans.orphans(),
                moves.draining(),
                replication.peers(),
                ClusterStatus.of(settings.cluster(), leases, replication),
                Duration.ofNanos(loop.now() - startedAt),
                restoreLog == null ? Optional.empty() : Optional.of(restoreLog.age()),
                restoreLog == null ? Optional.empty() : restoreLog.problem());
    }
}
