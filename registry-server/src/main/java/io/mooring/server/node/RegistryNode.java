package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.Prober;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.push.PushScheduler;
import io.mooring.server.push.Subscriber;
import io.mooring.server.restore.RestoreLog;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
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
    /** Held and restored instances are probed this often. */
    private static final Duration PROBE_EVERY = Duration.ofSeconds(5);

    private static final String REPLACED = "the session connected again; this connection ends";

    /** Room for this many changes in one incarnation before revisions of the next could meet them. */
    private static final int REVISION_BITS = 32;

    private final NodeSettings settings;
    private final EventLoop loop;
    private final long incarnation;
    private final LeaseTable leases;
    private final Catalog catalog;
    private final PushScheduler push;
    private final @Nullable RestoreLog restoreLog;
    private final Evidence evidence;
    private final long startedAt;

    private List<Change> changes = new ArrayList<>();
    private List<Runnable> replies = new ArrayList<>();
    private boolean turnScheduled;
    private boolean writing;
    private long turns;
    private boolean incomplete = true;
    private long lastProbes;
    private long refused;
    private volatile NodeStatus status;

    /**
     * @param storage where a restart finds the last view; empty to write nothing
     * @throws IOException when the data directory cannot be read or written
     */
    public RegistryNode(
            NodeSettings settings, EventLoop loop, RandomGenerator random, Prober prober, Optional<Storage> storage)
            throws IOException {
        this.settings = settings;
        this.loop = loop;
        RestoreLog.Restored restored = storage.isPresent()
                ? RestoreLog.read(storage.get(), settings.self())
                : new RestoreLog.Restored(0, List.of(), Map.of());
        incarnation = restored.incarnation() + 1;
        leases = new LeaseTable(
                settings.self(),
                incarnation,
                restored.own(),
                settings.lease(),
                loop,
                random,
                LeaseTable.Elsewhere.NOWHERE,
                this::onChange);
        catalog = new Catalog(settings.protection(), loop, incarnation << REVISION_BITS);
        catalog.restore(leases.restored().id(), leases.restored().registrations());
        push = new PushScheduler(loop, catalog::view);
        push.incomplete(true);
        restoreLog = storage.isPresent()
                ? new RestoreLog(
                        storage.get(),
                        loop,
                        incarnation,
                        Map.of(leases.restored().id(), restored.own()),
                        this::places,
                        this::registration)
                : null;
        evidence = new Evidence(prober, loop, this::onDead);
        startedAt = loop.now();
        lastProbes = startedAt;
        status = currentStatus();
        loop.schedule(LeaseTable.sweepInterval(), this::sweep);
    }

    /** Where there is something to restore next time. */
    private List<RestoreLog.Place> places() {
        List<RestoreLog.Place> places =
                new ArrayList<>(leases.own().size() + leases.restored().size());
        for (Shard shard : List.of(leases.own(), leases.restored())) {
            shard.registrations()
                    .forEach(registration -> places.add(new RestoreLog.Place(shard.id(), registration.id())));
        }
        return places;
    }

    private @Nullable Registration registration(ShardId shard, InstanceId instance) {
        if (shard.equals(leases.own().id())) {
            return leases.own().get(instance);
        }
        return leases.restored().get(instance);
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
     * @param line its connection; an older one of the same session is closed with {@code replaced}
     * @param holds the digest of what it believes to have registered
     * @param welcome gets whether the node holds exactly that
     * @param reply gets a refusal, if there is one
     */
    public void open(
            String session,
            long attempt,
            SessionLine line,
            OptionalLong holds,
            Consumer<Boolean> welcome,
            Consumer<Outcome> reply) {
        LeaseTable.Attachment attachment =
                leases.attach(session, attempt, line, holds, old -> old.close("replaced", REPLACED));
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
        afterTurn(() -> welcome.accept(held));
    }

    /** A frame arrived from an open session. */
    public void heard(String session) {
        leases.renew(session);
    }

    /** Registers all, visible in one step, or none. */
    public void register(String session, List<Instance> instances, Consumer<Outcome> reply) {
        answer(durable().orElseGet(() -> leases.register(session, instances)), reply);
    }

    /**
     * Removes those that the session holds. One that nobody holds any more, and that is listed only because its loss is not
     * believed yet, leaves too: a goodbye goes through every protection.
     */
    public void deregister(String session, List<InstanceId> instances, Consumer<Outcome> reply) {
        leases.deregister(session, instances);
        for (InstanceId instance : instances) {
            release(instance, RemovalCause.DEREGISTERED, "publisher");
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
        evidence.look(leases.broken(session, line));
    }

    // ---- leases of single instances, on the loop

    /** Registers one instance with a lease of its own; an equal one is renewed. */
    public void put(Instance instance, Duration ttl, Consumer<Outcome> reply) {
        answer(durable().orElseGet(() -> leases.put(instance, ttl)), reply);
    }

    /** Renews leases given by {@link #put}. @return those that are unknown, or belong to a session */
    public List<InstanceId> renew(List<InstanceId> instances) {
        List<InstanceId> unknown = new ArrayList<>();
        for (InstanceId instance : instances) {
            if (!leases.renew(instance)) {
                unknown.add(instance);
            }
        }
        return unknown;
    }

    /** Changes a registered instance in place, whoever published it; its publisher's next word replaces that. */
    public void amend(InstanceId instance, UnaryOperator<Instance> change, Consumer<Outcome> reply) {
        answer(durable().orElseGet(() -> leases.amend(instance, change)), reply);
    }

    /**
     * Removes an instance.
     *
     * @param force an operator's removal, whoever published it; otherwise in the publisher's name, and refused with
     *     {@code not_owner} if a session holds it
     * @param actor who does it, for people
     */
    public void remove(InstanceId instance, boolean force, String actor, Consumer<Outcome> reply) {
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
        boolean removed = leases.remove(instance, cause, actor) || release(instance, cause, actor);
        answer(
                removed
                        ? Outcome.ACCEPTED
                        : Outcome.refused("unknown", "instance: " + instance + " is not listed on this node"),
                reply);
    }

    // ---- subscribers, on the loop

    /**
     * Starts telling {@code subscriber} about {@code service}. The first delivery follows within this call unless the
     * line is busy: the view, or an update with the same content if {@code digest} is that of the current view.
     */
    public void subscribe(Subscriber subscriber, ServiceKey service, OptionalLong digest) {
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

    // ---- any thread

    /** The view of that service now; an empty one with revision 0 if nothing is known of it. */
    public ServiceView view(ServiceKey service) {
        return catalog.view(service);
    }

    /** The services of a namespace with at least one instance, in the order of group and name. */
    public List<ServiceSummary> services(String namespace) {
        List<ServiceSummary> out = new ArrayList<>();
        for (ServiceKey service : catalog.services()) {
            if (service.namespace().equals(namespace)) {
                ServiceView view = catalog.view(service);
                int live = 0;
                for (int i = 0; i < view.instances().size(); i++) {
                    if (!view.instances().get(i).standing().inDoubt()) {
                        live++;
                    }
                }
                out.add(new ServiceSummary(
                        service, view.instances().size(), live, view.underProtection(), view.revision()));
            }
        }
        return out;
    }

    /** The node's state, at most a second old. */
    public NodeStatus status() {
        return status;
    }

    /** Changes whenever revisions start anew. */
    public String epoch() {
        return settings.self() + "-" + incarnation;
    }

    // ---- the turn

    private void onChange(Change change) {
        changes.add(change);
        scheduleTurn();
    }

    private Optional<Outcome> durable() {
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
            afterTurn(() -> reply.accept(outcome));
        }
    }

    private void refuse(Outcome outcome, Consumer<Outcome> reply) {
        refused++;
        reply.accept(outcome);
    }

    /** Runs {@code reply} when everything changed so far is visible: now, if it is. */
    private void afterTurn(Runnable reply) {
        if (changes.isEmpty() && !writing) {
            reply.run();
        } else {
            replies.add(reply);
            scheduleTurn();
        }
    }

    private void scheduleTurn() {
        if (!turnScheduled && !writing) {
            turnScheduled = true;
            loop.execute(this::turn);
        }
    }

    private void turn() {
        turnScheduled = false;
        if (writing) {
            return;
        }
        List<Change> turnChanges = changes;
        List<Runnable> turnReplies = replies;
        changes = new ArrayList<>();
        replies = new ArrayList<>();
        if (restoreLog == null || turnChanges.isEmpty()) {
            publish(turnChanges, turnReplies);
            return;
        }
        if (restoreLog.age().compareTo(settings.diskPatience()) >= 0) {
            restoreLog.append(turnChanges, () -> {}); // the disk is behind already: its word is not waited for
            publish(turnChanges, turnReplies);
            return;
        }
        writing = true;
        long turn = ++turns;
        // A disk that hangs must not take discovery with it: after a moment we tell without it.
        Timer impatience = loop.schedule(settings.diskPatience(), () -> publishWritten(turn, turnChanges, turnReplies));
        restoreLog.append(turnChanges, () -> {
            impatience.cancel();
            publishWritten(turn, turnChanges, turnReplies);
        });
    }

    private void publishWritten(long turn, List<Change> turnChanges, List<Runnable> turnReplies) {
        if (turn != turns || !writing) {
            return; // told already
        }
        writing = false;
        publish(turnChanges, turnReplies);
    }

    private void publish(List<Change> turnChanges, List<Runnable> turnReplies) {
        List<ServiceView> changed = catalog.fold(turnChanges);
        push.changed(changed);
        turnReplies.forEach(Runnable::run);
        if (!changes.isEmpty() || !replies.isEmpty()) {
            scheduleTurn();
        }
    }

    // ---- time and evidence

    private void sweep() {
        loop.schedule(LeaseTable.sweepInterval(), this::sweep);
        LeaseTable.Sweep sweep = leases.sweep();
        for (SessionLine line : sweep.silent()) {
            line.close(
                    "too_slow",
                    "nothing was heard for " + settings.lease().ttl().toSeconds() + " s");
        }
        evidence.look(sweep.newlySuspect());
        push.changed(catalog.releaseHolds());
        boolean frozen = leases.frozen().isPresent();
        if (incomplete && !frozen) {
            incomplete = false;
            push.incomplete(false);
        }
        if (!frozen && loop.now() - lastProbes >= PROBE_EVERY.toNanos()) {
            lastProbes = loop.now();
            evidence.look(catalog.held());
            List<InstanceId> unconfirmed = new ArrayList<>();
            leases.restored().registrations().forEach(registration -> unconfirmed.add(registration.id()));
            evidence.look(unconfirmed);
        }
        status = currentStatus();
    }

    private void onDead(InstanceId instance) {
        if (leases.frozen().isEmpty()) {
            leases.confirmDead(instance);
            release(instance, RemovalCause.PROBE_FAILED, "registry");
        }
    }

    /** Ends the hold of an instance that is in no shard any more, here and on other nodes. */
    private boolean release(InstanceId instance, RemovalCause cause, String actor) {
        if (leases.publisherOf(instance).isPresent() || !catalog.isHeld(instance)) {
            return false; // registered again, though that may not be visible yet
        }
        leases.bury(instance, new Burial("", 0, cause), actor);
        return true;
    }

    private NodeStatus currentStatus() {
        int live = catalog.counts().of(Standing.LIVE);
        int restored = catalog.counts().of(Standing.RESTORED);
        return new NodeStatus(
                settings.self().name(),
                incarnation,
                leases.own().revision(),
                true,
                incomplete,
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
                Duration.ofNanos(loop.now() - startedAt),
                restoreLog == null ? Optional.empty() : Optional.of(restoreLog.age()),
                restoreLog == null ? Optional.empty() : restoreLog.problem());
    }
}
