package io.mooring.server.lease;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.runtime.EventLoop;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The leases this node has granted: the only shard it may write; and the shard of its earlier incarnation, of which it
 * is the only heir.
 *
 * <p>Every accepted change raises the revision by exactly one and goes to the sink in that order, so a peer can tell a
 * gap from a repeat without comparing contents. Confined to the event loop.
 *
 * <pre>
 * a session:   attached ── connection broken ──▶ broken, instances suspect ── grace ──▶ overdue ── budget ──▶ removed
 *                 ▲  └──── silent for a lease ─────────────────────────────────────────▶ overdue
 *                 └─────────── attach, at any time before removal ────────────────────────┘
 * back from another node: what it does not register again within a lease ──▶ overdue ── budget ──▶ removed
 * by HTTP:     kept ── silent for its ttl ──▶ suspect ── its grace, if it has one ──▶ overdue ── budget ──▶ removed
 * </pre>
 *
 * While frozen, nothing becomes overdue and nothing is removed but by its publisher or an operator; leases run anew
 * from the moment of the freeze.
 *
 * <p>It decides what is granted and removed. Who has a lease until when is with {@link Leases}, what a restart left with
 * {@link RestoredLeases}, who is later of several with {@link Precedence}, what waits for the budget with {@link Overdue}.
 */
public final class LeaseTable {
    private static final String REGISTRY = "registry";
    private static final String PUBLISHER = "publisher";

    private final LeaseSettings settings;
    private final EventLoop loop;
    private final RandomGenerator random;
    private final Elsewhere elsewhere;
    private final boolean alone;
    private final OwnShard own;
    private final RestoredLeases restored;
    private final Precedence precedence;
    private final Leases leases;

    /** What somebody else has registered at another node too, as was heard since the last look, and when. */
    private final Map<InstanceId, Long> claimed = new LinkedHashMap<>();

    private final Freeze freeze;
    private final Overdue overdue;
    private final Room room;

    private boolean ready;

    /** What other nodes' shards say, as far as this node knows them. */
    public interface Elsewhere {
        /** The highest generation they know of for that instance, registered or removed; 0 if they know nothing. */
        long highest(InstanceId instance);

        /** The copy that would show if this node had none; null if there is none. */
        @Nullable
        Registration find(InstanceId instance);

        /** Whether that copy is of a node that is there and shows, and not one of that generation in the given shard. */
        boolean beats(InstanceId instance, ShardId shard, long generation);

        /** Whether a node that is there has such a copy of it, whatever its generation. */
        boolean isVouched(InstanceId instance, Predicate<Registration> which);

        /** Whether one of them has removed that registration. */
        boolean isOver(Registration registration);

        /** There is nobody else. */
        Elsewhere NOWHERE = new Nowhere();
    }

    /** How a hello ended. */
    public enum Attachment {
        /** The table holds exactly what the session believes to hold. */
        HELD,
        /** It holds something else, or nothing. */
        OPEN,
        /** There is no room for another session. */
        FULL,
        /** The session has said hello on a later connection already. */
        OUTDATED
    }

    /**
     * What a sweep found out besides the changes it made.
     *
     * @param silent connections on which nothing was heard for a lease
     * @param newlySuspect instances whose publisher was silent for a lease
     * @param paused whether the process had stood still
     */
    public record Sweep(List<SessionLine> silent, List<InstanceId> newlySuspect, boolean paused) {}

    /**
     * Starts frozen for a lease: who was registered before may need that long to come back.
     *
     * @param restoredRegistrations what the node's earlier incarnation had, from disk
     * @param burials the removals it had said: it stands by them, so that nobody's late copy of what it removed comes back,
     *     and grants above them
     * @param elsewhere what other nodes' shards say
     * @param sink takes every change, in order, at once
     */
    public LeaseTable(
            NodeId self,
            long incarnation,
            Collection<Registration> restoredRegistrations,
            Map<InstanceId, Burial> burials,
            LeaseSettings settings,
            EventLoop loop,
            RandomGenerator random,
            Elsewhere elsewhere,
            Consumer<Change> sink) {
        this.settings = settings;
        this.loop = loop;
        this.random = random;
        this.elsewhere = elsewhere;
        this.alone = elsewhere == Elsewhere.NOWHERE;
        own = new OwnShard(new ShardId(self, incarnation), sink);
        burials.forEach((instance, burial) -> own.restore(instance, burial.remembered()));
        long now = loop.now();
        leases = new Leases(loop);
        overdue = new Overdue(settings, random);
        room = new Room(settings);
        freeze = new Freeze(settings, now);
        restored = new RestoredLeases(
                new ShardId(self, incarnation - 1),
                restoredRegistrations,
                room,
                now + 2 * settings.ttl().toNanos(),
                sink);
        precedence = new Precedence(own, restored, elsewhere);
    }

    // ---- what others may look at

    /** The registrations of this incarnation. */
    public Shard own() {
        return own.shard();
    }

    /** Those of the earlier one whose publishers have not come back: listed, unconfirmed. */
    public Shard restored() {
        return restored.shard();
    }

    /** Why nothing is removed but by its publisher; empty in the normal state. */
    public Optional<String> frozen() {
        return freeze.reason(loop.now());
    }

    public int sessions() {
        return leases.sessions().size();
    }

    /** Sessions that have a connection now. */
    public int attachedSessions() {
        int attached = 0;
        for (Lease lease : leases.sessions()) {
            attached += lease.line == null ? 0 : 1;
        }
        return attached;
    }

    /** Leases of single instances, by HTTP. */
    public int singleLeases() {
        return leases.single().size();
    }

    /** Registrations that are overdue but wait for the eviction budget. */
    public int overdue() {
        return overdue.size();
    }

    // ---- sessions

    /**
     * A session says hello on a new connection.
     *
     * @param attempt which connection of the session's life this is, counted by the session over all nodes; 0 unknown
     * @param terms how long it is believed, while it says nothing and without a connection
     * @param holds the digest of what it believes to hold here
     * @param replaced takes the connection it had before, if it still has one
     */
    public Attachment attach(
            String session,
            long attempt,
            LeaseTerms terms,
            SessionLine line,
            OptionalLong holds,
            Consumer<SessionLine> replaced) {
        Lease lease = leases.ofSession(session);
        if (lease == null) {
            if (leases.sessions().size() >= settings.maxSessions()) {
                return Attachment.FULL;
            }
            lease = new Lease(Publisher.ofSession(session, alone ? 0 : attempt, terms));
            leases.open(lease);
        } else if (attempt < lease.attempt) {
            return Attachment.OUTDATED;
        }
        if (lease.line != null && lease.line != line) {
            replaced.accept(lease.line);
        }
        if (!alone && attempt != lease.attempt + 1) {
            // It may have been elsewhere in between, and what it says now is later than that.
            lease.publisher = Publisher.ofSession(session, attempt, terms);
        }
        lease.line = line;
        lease.attempt = attempt;
        lease.moving = false;
        leases.touch(lease);
        inTouch(lease);
        adoptRestored(lease, holds);
        return holds.isPresent() && holds.getAsLong() == held(lease) && precedence.showsAll(lease)
                ? Attachment.HELD
                : Attachment.OPEN;
    }

    /** A restart's best case: the session still has what the disk says it had, so nothing needs to be sent. */
    private void adoptRestored(Lease lease, OptionalLong holds) {
        if (holds.isEmpty() || !lease.instances.isEmpty()) {
            return;
        }
        for (Registration left : restored.justAs(lease.publisher.id(), holds.getAsLong(), elsewhere)) {
            grant(left.instance(), lease);
        }
    }

    private long held(Lease lease) {
        long sum = Digest.EMPTY;
        for (InstanceId id : lease.instances) {
            Registration registration = own.get(id);
            if (registration != null) {
                sum += Leases.fingerprint(registration);
            }
        }
        return sum;
    }

    /** Any sign of life of an attached session. */
    public void renew(String session) {
        Lease lease = leases.ofSession(session);
        if (lease != null) {
            leases.touch(lease);
            if (lease.overdue || lease.followed) {
                inTouch(lease);
            }
        }
    }

    /** All of them, or none. */
    public Outcome register(String session, List<Instance> instances) {
        Lease lease = leases.ofSession(session);
        if (lease == null) {
            return Outcome.refused("out_of_order", "the session is not open; say hello first");
        }
        Outcome fits = room.lookFor(instances, lease.instances.size(), id -> precedence.current(id) != null);
        if (fits instanceof Outcome.Refused) {
            return fits;
        }
        for (Instance instance : instances) {
            if (precedence.movedOn(instance.id(), lease)) {
                return Outcome.refused("replaced", "the session has said more since, on another node");
            }
        }
        leases.touch(lease);
        for (Instance instance : instances) {
            grant(instance, lease);
        }
        return Outcome.ACCEPTED;
    }

    /**
     * Removes those that the session holds, here or elsewhere, or held before this node restarted; passes over the
     * others.
     */
    public void deregister(String session, List<InstanceId> instances) {
        Lease lease = leases.ofSession(session);
        long attempt = lease == null ? 0 : lease.attempt;
        for (InstanceId id : instances) {
            Registration registration = precedence.current(id);
            if (lease != null && precedence.movedOn(id, lease)) {
                continue;
            }
            long here = 0;
            if (registration != null && Precedence.isOf(registration, session)) {
                here = registration.generation();
                remove(id, RemovalCause.DEREGISTERED, PUBLISHER);
            }
            Registration there = elsewhere.find(id);
            if (there != null && Precedence.isOf(there, session) && there.generation() > here) {
                bury(id, Precedence.goodbye(lease, session, there.generation()), PUBLISHER);
            } else if (!alone && here == 0 && attempt > 1 && !precedence.isVouched(id)) {
                // It came from another node: what it left there may not have arrived here yet, and must not.
                bury(id, Precedence.goodbye(lease, session, attempt << Precedence.ATTEMPT_BITS), PUBLISHER);
                endLeft(id, registration);
                endLeft(id, there);
            }
        }
    }

    /** Ends what somebody left whose place a session had taken where this node did not hear of it; later words stay. */
    private void endLeft(InstanceId id, @Nullable Registration left) {
        if (left != null) {
            Burial burial =
                    new Burial(left.publisher().id(), left.generation(), RemovalCause.DEREGISTERED).remembered();
            bury(id, burial, PUBLISHER);
        }
    }

    /** The orderly end of a session. */
    public void bye(String session) {
        Lease lease = leases.ofSession(session);
        if (lease != null) {
            deregister(session, List.copyOf(lease.instances));
            for (InstanceId id : List.copyOf(lease.instances)) { // of which it has said more elsewhere since
                removeOwn(id, RemovalCause.CONNECTION_LOST, REGISTRY);
            }
            leases.close(lease);
        }
        deregister(session, restored.of(session));
    }

    /** The session was asked to go to another node: when its connection ends, that is no reason for doubt by itself. */
    public void moving(String session) {
        Lease lease = leases.ofSession(session);
        if (lease != null) {
            lease.moving = true;
            lease.movingSince = loop.now();
        }
    }

    /**
     * A session's connection broke.
     *
     * @param line the connection; if the session has another one by now, nothing happens
     * @return the instances that are suspect now
     */
    public List<InstanceId> broken(String session, SessionLine line) {
        Lease lease = leases.ofSession(session);
        if (lease == null || lease.line != line) {
            return List.of();
        }
        lease.line = null;
        if (lease.instances.isEmpty()) {
            leases.close(lease);
            return List.of();
        }
        if (!lease.overdue) {
            leases.grace(lease);
        }
        boolean goes = lease.moving
                && loop.now() - lease.movingSince < 2 * settings.ttl().toNanos();
        if (goes) {
            return List.of(); // as it was asked to
        }
        suspect(lease);
        return List.copyOf(lease.instances);
    }

    // ---- leases of single instances, by HTTP

    /** Registers an instance with a lease of its own, or renews it when it is registered just so. */
    public Outcome put(Instance instance, LeaseTerms terms) {
        Outcome fits = room.lookFor(List.of(instance), 0, id -> precedence.current(id) != null);
        if (fits instanceof Outcome.Refused) {
            return fits;
        }
        Lease lease = leases.ofInstance(instance.id());
        Publisher publisher = Publisher.ofLease(leaseId(instance.id()), terms);
        if (lease == null || !lease.publisher.equals(publisher)) {
            if (lease != null) {
                leases.forget(lease);
            }
            lease = new Lease(publisher);
        }
        leases.touch(lease);
        Instance shared = room.shared(instance);
        grant(shared, lease);
        leases.give(shared.id(), lease);
        inTouch(lease);
        return Outcome.ACCEPTED;
    }

    /**
     * What the others have has been heard, as far as they are there. What was put here before that, in ignorance of it, is
     * later than it: no session counts what is put by HTTP, and its generation may be too low.
     */
    public void ready() {
        ready = true;
        for (InstanceId id : new TreeSet<>(leases.single())) {
            Registration registration = own.get(id);
            if (registration != null && precedence.isHidden(registration)) {
                put(registration.instance(), registration.publisher().terms());
            }
        }
    }

    /** A lease keeps its id wherever it is renewed, so that a word about it means the same everywhere. */
    private String leaseId(InstanceId instance) {
        Registration here = precedence.current(instance);
        Registration there = here == null || precedence.isBeaten(here) ? elsewhere.find(instance) : null;
        for (Registration known : Arrays.asList(there, here)) { // what two nodes gave without knowing becomes one again
            if (known != null && !known.publisher().isSession()) {
                return known.publisher().id();
            }
        }
        return Digest.format(random.nextLong());
    }

    /** Whether this node has given a lease for that instance since it started. */
    public boolean isGranted(InstanceId instance) {
        return leases.ofInstance(instance) != null;
    }

    /** Renews a lease given by {@link #put}. @return false when there is none: register again */
    public boolean renew(InstanceId instance) {
        Lease lease = leases.ofInstance(instance);
        if (lease == null) {
            Registration before = restored.get(instance);
            if (before == null
                    || before.publisher().isSession()
                    || own.get(instance) != null
                    || elsewhere.isVouched(instance, copy -> true)
                    || elsewhere.highest(instance) >= before.generation()) {
                return false; // others know as late a word, or one in ignorance of it: what the disk had may be older
            }
            put(before.instance(), before.publisher().terms());
            return true;
        }
        leases.touch(lease);
        inTouch(lease);
        return true;
    }

    // ---- whoever published it

    /** @return refused with {@code unknown} if there is none */
    public Outcome amend(InstanceId instance, UnaryOperator<Instance> change) {
        Registration before = precedence.current(instance);
        if (before == null) {
            return Outcome.refused("unknown", "instance: " + instance + " is not registered on this node");
        }
        Instance after = change.apply(before.instance()).withId(before.id());
        if (!after.equals(before.instance())) {
            Registration next = new Registration(
                    after,
                    before.publisher(),
                    before.generation() + 1,
                    before.suspect(),
                    before.followed(),
                    before.extension());
            if (own.get(instance) != null) {
                own.grant(next);
            } else {
                restored.amend(next);
            }
        }
        return Outcome.ACCEPTED;
    }

    /**
     * The instances that have a lease of their own here, in no order.
     *
     * @return empty when they are more than {@code most}
     */
    public Optional<List<InstanceId>> leased(int most) {
        return leases.single().size() > most ? Optional.empty() : Optional.of(List.copyOf(leases.single()));
    }

    /** Who publishes the instance, wherever that is. */
    public Optional<Publisher> publisherOf(InstanceId instance) {
        return latest(instance).map(Registration::publisher);
    }

    /** The registration of that instance that shows, wherever it stands. */
    public Optional<Registration> latest(InstanceId instance) {
        return precedence.latest(instance);
    }

    /** Whether that registration has been removed, here or by another node, though a shard may have it still. */
    public boolean isOver(Registration registration) {
        return precedence.isOver(registration);
    }

    /** Whether this node has a word of its own on that instance, of another publisher. */
    public boolean hasAnother(InstanceId instance, Publisher publisher) {
        Registration here = precedence.current(instance);
        return here != null && !here.publisher().id().equals(publisher.id());
    }

    /**
     * Whether this node's word on that instance is the latest, so that it is the one to be asked about it. Of two nodes that
     * gave the same generation without knowing of each other, only the one whose copy shows is.
     */
    public boolean isHome(InstanceId instance) {
        return precedence.isHome(instance);
    }

    /** Removes what is registered here, for a cause that needs no second opinion. @return whether it was */
    public boolean remove(InstanceId instance, RemovalCause cause, String actor) {
        if (precedence.current(instance) == null) {
            return false;
        }
        // In both shards: an earlier incarnation's word must not come back when this one's is gone.
        removeRestored(instance, cause, actor);
        removeOwn(instance, cause, actor);
        return true;
    }

    /** Removes an instance wherever it is registered, because somebody asked for it. @return whether it was */
    public boolean removeEverywhere(InstanceId instance, RemovalCause cause, String actor) {
        boolean here = remove(instance, cause, actor);
        Registration there = elsewhere.find(instance);
        if (there != null) {
            bury(instance, new Burial(there.publisher().id(), there.generation(), cause), actor);
        }
        return here || there != null;
    }

    /**
     * Ends copies of an instance that this node does not hold, by a word in its own shard: a goodbye that arrived here, an
     * operator's removal, a verdict on what a lost node left behind.
     */
    public void bury(InstanceId instance, Burial burial, String actor) {
        supersedeRestored(instance, burial, actor);
        Registration registration = own.get(instance);
        if (registration != null && burial.reaches(registration)) {
            removeOwn(instance, burial.cause(), actor);
        }
        own.remove(instance, burial.cause(), burial, actor);
    }

    /**
     * A verdict by time alone on what a lost node left behind.
     *
     * @param listed instances listed in all, of which only a share may leave so
     * @return false when the cap on evictions is reached, the node is frozen, or another one is to decide first: try again
     *     later
     */
    public boolean giveUp(Registration orphan, int listed) {
        if (frozen().isPresent()
                || precedence.isBesideOneInDoubt(orphan)
                || !overdue.spendOne(Math.max(listed, own.size() + restored.size()), loop.now())) {
            return false;
        }
        bury(orphan.id(), new Burial(orphan.publisher().id(), orphan.generation(), RemovalCause.ORPHANED), REGISTRY);
        return true;
    }

    /**
     * Another node's word that copies of an instance are over. This node's own copy goes, too, if it is reached; but a
     * verdict does not take what its publisher, heard of just now, holds here: that is granted anew, above the verdict. What
     * another node's later copy hides would show again so, and goes. What was granted in ignorance of a removal of somebody
     * else's is granted anew, too: once this node is gone it would be taken for older; so is what was registered before this
     * node heard what the others have, and among it who had left before. Whom somebody else has followed, and who was not
     * heard of since, stays as he is: the end of the later one hides him until he is heard of again.
     */
    public void buried(InstanceId instance, Burial burial, String actor) {
        supersedeRestored(instance, burial, actor);
        Registration registration = own.get(instance);
        if (registration == null) {
            return;
        }
        boolean inTouch = isSpokenFor(registration);
        if (burial.reaches(registration)) {
            boolean isEarlier = inTouch && isEarlier(burial, registration);
            if (!isEarlier && (burial.explicit() || !inTouch || precedence.isBeaten(registration))) {
                removeOwn(instance, burial.cause(), actor);
                return;
            }
            if (registration.followed() && !burial.isOver(registration)) {
                return;
            }
        } else if (!inTouch || burial.generation() < registration.generation() || precedence.isHidden(registration)) {
            return;
        }
        own.grant(registration.raisedTo(burial.generation() + 1));
    }

    /** Whether that was said before this node had heard what there is, and of another process or life of its publisher. */
    private boolean isEarlier(Burial heard, Registration registration) {
        Publisher publisher = registration.publisher();
        return !ready && (!publisher.isSession() || !publisher.id().equals(heard.publisher()));
    }

    /** What a lost node left makes way for a later word: what the disk has from before that does not come back. */
    public void superseded(Registration left) {
        Registration earlier = restored.get(left.id());
        if (earlier != null && earlier.generation() < left.generation()) {
            forgetRestored(earlier, RemovalCause.ORPHANED, REGISTRY);
        }
    }

    /**
     * What a lost node left of a lease by HTTP stands before the same lease as a node in reach holds it, in ignorance of that
     * generation. This word reaches nobody; but whoever has heard of the lease since grants it anew, above that.
     *
     * @param lostFor how long nobody has vouched for what was left
     */
    public void outbid(Registration left, Duration lostFor) {
        LeaseTerms terms = left.publisher().terms();
        if (left.publisher().isSession()
                || lostFor.compareTo(terms.ttl().plus(terms.grace())) < 0 // a renewal may be older than what was left
                || own.get(left.id()) != null
                || own.highest(left.id()) >= left.generation()) {
            return;
        }
        String lease = left.publisher().id();
        if (elsewhere.isVouched(
                left.id(), copy -> !copy.inDoubt() && copy.publisher().id().equals(lease))) {
            bury(left.id(), new Burial("", left.generation(), RemovalCause.ORPHANED), REGISTRY);
        }
    }

    /** Whoever had it: another took its place since, and nobody vouches for what the disk had. */
    private void supersedeRestored(InstanceId instance, Burial burial, String actor) {
        Registration earlier = restored.get(instance);
        if (earlier != null && (burial.reaches(earlier) || earlier.generation() < burial.generation())) {
            forgetRestored(earlier, burial.cause(), actor);
        }
    }

    /**
     * Another node's word that it has an instance. What a session left behind there, before it came here, may have the higher
     * generation if this node did not know of it: then what it holds here is granted anew, above that. Who is registered here,
     * and followed there by somebody else, may be dead without a word: that is said until he is heard of again, so that it
     * does not come back with the end of the later one. It is not suspect for that: this word may arrive before the later
     * registration, and whoever lives there now is in touch. That waits for the next look: a node that catches up hears of
     * what was over long ago, too, and soon of its end.
     */
    public void granted(Registration there) {
        Lease left = there.publisher().isSession()
                ? leases.ofSession(there.publisher().id())
                : null;
        if (left != null) {
            left.attemptElsewhere =
                    Math.max(left.attemptElsewhere, there.publisher().attempt());
        }
        Registration registration = own.get(there.id());
        if (registration == null || registration.generation() > there.generation()) {
            return;
        }
        Lease lease = leases.of(registration);
        if (lease != null
                && lease.line != null
                && Precedence.isOf(there, lease.publisher.id())
                && there.publisher().attempt() < registration.publisher().attempt()) {
            grant(registration.instance(), lease);
        } else if (lease != null && Precedence.isFollowed(registration, lease, there)) {
            claimed.put(there.id(), loop.now());
        }
    }

    private void lookAtThoseWhoAreFollowed() {
        claimed.forEach((id, since) -> {
            Registration registration = own.get(id);
            Lease lease = registration == null ? null : leases.of(registration);
            if (registration == null || lease == null) {
                return;
            }
            if (!lease.heardSince(since) && Precedence.isFollowed(registration, lease, elsewhere.find(id))) {
                lease.followed = true;
                say(registration, registration.suspect(), true);
            }
        });
        claimed.clear();
    }

    /**
     * A removal that this node remembers is not below what another node has granted. That node may never hear of it from who
     * said it, who may be gone, or have lost its disk: so it is said again here, unless this node has said as much, and the
     * other one grants anew above it, or takes its copy off.
     */
    public void sayAgain(InstanceId instance, Burial removal) {
        Burial again = removal.remembered();
        buried(instance, again, REGISTRY);
        if (own.highest(instance) < again.generation()) {
            bury(instance, again, REGISTRY);
        }
    }

    /** Whether its publisher was heard of just now, and has said it since he came back from another node, if he did. */
    private boolean isSpokenFor(Registration registration) {
        Lease lease = leases.of(registration);
        return lease != null && leases.heardLately(lease) && !Precedence.isLeftBehind(registration, lease);
    }

    /**
     * Peers know a later incarnation of this node than it does itself: it goes on above that, with what it has. Whoever wrote
     * that one may have given verdicts on what is here: as with those of other nodes, who remembers them says them again.
     */
    public void raise(long incarnation) {
        own.raise(incarnation, REGISTRY);
    }

    /**
     * The instance's address refused a connection. Counts only while it is in doubt and the node is not frozen. What the disk
     * had is not, where another node has it and is sure of it: that one decides.
     */
    public void confirmDead(InstanceId instance) {
        Registration registration = precedence.current(instance);
        boolean inDoubt = registration != null
                && (own.get(instance) != null
                        ? registration.suspect()
                        : !elsewhere.isVouched(instance, copy -> !copy.inDoubt()));
        if (inDoubt && frozen().isEmpty()) {
            remove(instance, RemovalCause.PROBE_FAILED, REGISTRY);
        }
    }

    // ---- time

    /** Looks for leases that ended. To be called every {@link #sweepInterval()}; notices when it was not. */
    public Sweep sweep() {
        long now = loop.now();
        boolean paused = freeze.look(now);
        lookAtThoseWhoAreFollowed();
        Sweep sweep = new Sweep(new ArrayList<>(), new ArrayList<>(), paused);
        if (frozen().isPresent()) {
            return sweep;
        }
        lookAtThoseWhoAreBack(now);
        leases.lookAt(now, freeze, lease -> expire(lease, sweep));
        for (Registration registration : restored.overdue(now)) {
            String publisher = registration.publisher().id();
            if (elsewhere.isVouched(
                    registration.id(),
                    copy -> !copy.inDoubt() && !copy.publisher().id().equals(publisher))) {
                // Perhaps in ignorance of this one's generation: it is listed all the same, and nobody leaves.
                forgetRestored(registration, RemovalCause.ORPHANED, REGISTRY);
            } else {
                overdue.addIfAbsent(registration.id(), RemovalCause.ORPHANED);
            }
        }
        overdue.evict(
                own.size() + restored.size(),
                now,
                this::isDecidedElsewhereFirst,
                (id, cause) -> remove(id, cause, REGISTRY));
        return sweep;
    }

    /** Whether this process has stood still and nobody has noticed yet. */
    public boolean hasStoodStill() {
        return freeze.hasStoodStill(loop.now());
    }

    public static Duration sweepInterval() {
        return Duration.ofNanos(LeaseWheel.TICK);
    }

    /** Nothing is removed but by its publisher until a lease after the last call of this. */
    public void freeze(String reason) {
        freeze.begin(loop.now(), reason);
    }

    private void expire(Lease lease, Sweep sweep) {
        if (lease.line != null) {
            sweep.silent().add(lease.line);
        }
        if (lease.instances.isEmpty()) {
            leases.close(lease);
            return;
        }
        boolean hasGrace =
                !lease.publisher.isSession() && !lease.publisher.terms().grace().isZero();
        if (hasGrace && !lease.inGrace) {
            leases.grace(lease);
            sweep.newlySuspect().addAll(lease.instances);
            suspect(lease);
            return;
        }
        lease.overdue = true;
        boolean connectionLost = lease.publisher.isSession() && lease.inGrace;
        RemovalCause cause = connectionLost ? RemovalCause.CONNECTION_LOST : RemovalCause.LEASE_EXPIRED;
        for (InstanceId id : List.copyOf(lease.instances)) {
            Registration registration = own.get(id);
            if (registration != null && precedence.isBeaten(registration)) {
                remove(id, cause, REGISTRY); // nobody misses it, and it is not to show when the other one ends
            } else {
                overdue.add(id, cause);
            }
        }
        if (!lease.inGrace) {
            sweep.newlySuspect().addAll(lease.instances);
        }
        suspect(lease);
    }

    /**
     * Where a session was in between it may have taken back what it had here, and that node may be lost with its
     * goodbye. It registers all that it still wants when it comes back; a lease later the rest is over.
     */
    private void lookAtThoseWhoAreBack(long now) {
        for (Lease lease : leases.backForALease(now, freeze)) {
            if (lease.line == null) {
                continue; // its connection broke meanwhile: it loses all, or comes back once more
            }
            for (InstanceId id : lease.instances) {
                if (Precedence.isLeftBehind(own.get(id), lease)) {
                    overdue.add(id, RemovalCause.LEASE_EXPIRED);
                    suspect(id);
                }
            }
        }
    }

    private boolean isDecidedElsewhereFirst(InstanceId id) {
        Registration earlier = own.get(id) == null ? restored.get(id) : null;
        return earlier != null && precedence.isBesideOneInDoubt(earlier);
    }

    // ---- the one place that writes each shard

    private void grant(Instance instance, Lease lease) {
        Registration before = own.get(instance.id());
        Lease holder = before == null ? null : leases.of(before);
        long there = elsewhere.highest(instance.id());
        if (before != null
                && holder == lease
                && !before.inDoubt()
                && before.instance().equals(instance)
                && there <= before.generation()
                && !Precedence.isLeftBehind(before, lease)) {
            return; // an equal registration changes nothing
        }
        if (before == null) {
            room.take(instance.service());
            instance = room.shared(instance);
        } else if (holder != null && holder != lease) {
            leases.release(holder, instance.id());
        }
        Registration earlier = restored.get(instance.id());
        long generation = Math.max(precedence.above(instance, lease, there), Precedence.least(lease));
        overdue.remove(instance.id());
        lease.instances.add(instance.id());
        own.grant(new Registration(instance, lease.publisher, generation, false));
        if (earlier != null) {
            forgetRestored(earlier, RemovalCause.DEREGISTERED, PUBLISHER);
        }
    }

    private void removeRestored(InstanceId id, RemovalCause cause, String actor) {
        Registration registration = restored.get(id);
        if (registration == null) {
            return;
        }
        overdue.remove(id);
        forgetRestored(registration, cause, actor);
        if (!alone && own.get(id) == null && !precedence.isSuperseded(registration, cause)) {
            // Other nodes have copies of that incarnation too.
            bury(id, precedence.end(registration, cause), actor);
        }
    }

    private void removeOwn(InstanceId id, RemovalCause cause, String actor) {
        Registration registration = own.get(id);
        if (registration == null) {
            return;
        }
        overdue.remove(id);
        Lease lease = leases.of(registration);
        if (lease != null) {
            leases.release(lease, id);
        }
        room.free(id.service());
        Burial burial = precedence.word(registration, cause, lease);
        own.remove(id, cause, burial, actor);
    }

    private void forgetRestored(Registration earlier, RemovalCause cause, String actor) {
        InstanceId id = earlier.id();
        if (own.get(id) == null) {
            overdue.remove(id); // or it would use up the budget for ever
        }
        Burial burial = own.get(id) != null || precedence.isSuperseded(earlier, cause)
                ? Burial.OWN // confirmed under this incarnation, or by another node: its end says nothing
                : new Burial(earlier.publisher().id(), earlier.generation(), cause);
        restored.remove(earlier, cause, burial, actor);
    }

    // ---- small steps

    /** Its instances are beyond doubt again. */
    private void inTouch(Lease lease) {
        lease.overdue = false;
        if (lease.followed) {
            lease.followed = false;
            outliveWhoFollowed(lease);
        }
        for (InstanceId id : lease.instances) {
            overdue.remove(id);
            Registration registration = own.get(id);
            if (registration != null) {
                say(registration, false, false);
            }
        }
        for (InstanceId id : lease.instances) {
            if (Precedence.isLeftBehind(own.get(id), lease)) {
                leases.isBack(lease);
                return;
            }
        }
    }

    /** What is over of somebody else's is earlier than what is heard now. */
    private void outliveWhoFollowed(Lease lease) {
        for (InstanceId id : List.copyOf(lease.instances)) {
            Registration registration = own.get(id);
            if (registration != null
                    && registration.followed()
                    && !Precedence.isLeftBehind(registration, lease)
                    && elsewhere.highest(id) > registration.generation()
                    && !precedence.isHidden(registration)) {
                grant(registration.instance(), lease);
            }
        }
    }

    private void suspect(Lease lease) {
        lease.instances.forEach(this::suspect);
    }

    private void suspect(InstanceId id) {
        Registration registration = own.get(id);
        if (registration != null) {
            say(registration, true, registration.followed());
        }
    }

    /** How sure this node is of it. */
    private void say(Registration registration, boolean suspect, boolean followed) {
        Registration said = registration.doubted(suspect, followed);
        if (said != registration) {
            own.doubt(said);
        }
    }
}
