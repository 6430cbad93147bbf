package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.runtime.EventLoop;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.Membership;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The copies of the other nodes' shards.
 *
 * <p>Each is followed on the line to its origin; where there is none, through the connected peer whose copy is the
 * furthest ahead of this one. Steps count only in order; whatever is missing is asked for again, and what cannot be told
 * step by step is taken whole, beside the copy that is shown, which it replaces at the end. Heartbeats say how far
 * the source is and what the result should look like, so that nothing wrong or missing stays.
 *
 * <p>Confined to the event loop.
 */
final class ReplicaTable {
    private static final Logger log = LoggerFactory.getLogger(ReplicaTable.class);
    private static final int MOST_NODES = 32;
    private static final long LOG_BYTES = 2 << 20;
    private static final int MOST_PENDING_PARTS = 1_000;

    /** Heartbeats without any progress after which a stream is asked for again. */
    private static final int PATIENCE = 3;

    private final NodeId self;
    private final ClusterSettings settings;
    private final EventLoop loop;
    private final Membership membership;
    private final Home home;
    private final Tally tally;

    /** The lines in use, by node; written by {@link Replication}. */
    private final Map<NodeId, Conversation> lines;

    private final Sources sources;
    private final TreeMap<NodeId, Replica> replicas = new TreeMap<>();
    private final Orphans orphans = new Orphans();

    ReplicaTable(
            NodeId self,
            ClusterSettings settings,
            EventLoop loop,
            Membership membership,
            Home home,
            Tally tally,
            Map<NodeId, Conversation> lines) {
        this.self = self;
        this.settings = settings;
        this.loop = loop;
        this.membership = membership;
        this.home = home;
        this.tally = tally;
        this.lines = lines;
        this.sources = new Sources(settings, loop, membership, lines);
    }

    // ---- which there are

    /** From the disk: shown, never told to others, and taken anew as soon as possible. */
    void restored(ShardId id, Collection<Registration> registrations) {
        if (id.origin().equals(self)) {
            return;
        }
        Shard shard = new Shard(id);
        registrations.forEach(shard::put);
        membership.expected(id.origin());
        Replica replica = replica(id.origin());
        if (replica == null) {
            return;
        }
        long now = loop.now();
        if (replica.shard.id().incarnation() > id.incarnation()) {
            orphans.add(shard, now, this::giveUp);
            return;
        }
        Shard earlier = replica.shard;
        replica.shard = shard;
        replica.newest = id.incarnation();
        replica.process = membership.process(id.origin(), id.incarnation());
        replica.missed = true;
        replica.missedSince = now;
        orphans.add(earlier, now, this::giveUp);
    }

    /** @return null when there are too many */
    private @Nullable Replica replica(NodeId origin) {
        Replica there = replicas.get(origin);
        if (there != null || replicas.size() >= MOST_NODES && !makeRoom()) {
            return there;
        }
        Shard empty = new Shard(new ShardId(origin, 0));
        ServedShard served = new ServedShard(loop, tally, empty, 0, 0, LOG_BYTES, () -> true);
        Replica fresh = new Replica(origin, served, empty);
        replicas.put(origin, fresh);
        return fresh;
    }

    private boolean makeRoom() {
        for (Replica replica : replicas.values()) {
            if (replica.shard.size() == 0 && replica.source == null && !isThere(replica)) {
                replica.served.end();
                replicas.remove(replica.origin);
                return true;
            }
        }
        return false;
    }

    @Nullable
    Replica get(NodeId origin) {
        return replicas.get(origin);
    }

    Collection<Replica> all() {
        return replicas.values();
    }

    // ---- from whom

    /** What a connected peer has. */
    void heartbeat(Conversation from) {
        for (PeerMessage.Digest digest : from.digests.values()) {
            NodeId origin = digest.shard().origin();
            if (origin.equals(self)) {
                continue;
            }
            Replica replica = digest.whole() ? replica(origin) : replicas.get(origin);
            if (replica == null) {
                tally.ignored("digest of too many nodes");
                continue;
            }
            Conversation direct = lines.get(origin);
            if (direct != null && direct != from) {
                if (hasForgotten(direct, digest)) {
                    direct.send(new PeerMessage.Known(digest.shard().incarnation(), digest.process(), false));
                }
                if (isAnother(direct.hello(), digest)) {
                    tally.ignored("digest of another process");
                    continue; // two of one name, or one that has restarted: its own word counts
                }
            }
            replica.newest = Math.max(replica.newest, digest.shard().incarnation());
            choose(replica);
            if (replica.source == from) {
                compare(replica, from, digest);
            }
        }
        for (Replica replica : replicas.values()) {
            if (replica.source == from && !from.digests.containsKey(replica.origin)) {
                follow(replica, null);
                choose(replica);
            }
        }
    }

    /**
     * Whether a node's own word is below what somebody has of a life before that: it is to go on above that, or who has it
     * would never take what this one says. Not below another process that is there: to outrun that would lead to no end.
     */
    private static boolean hasForgotten(Conversation direct, PeerMessage.Digest digest) {
        PeerMessage.Digest itsOwn = direct.digests.get(direct.node());
        boolean isAnothers = isAnother(direct.hello(), digest);
        boolean isOfBefore = digest.process() == 0 || isAnothers && !digest.alive();
        if (itsOwn == null || !isOfBefore) {
            return false;
        }
        long known = digest.shard().incarnation();
        long said = itsOwn.shard().incarnation();
        return known > said || isAnothers && known == said;
    }

    private static boolean isAnother(PeerMessage.Hello hello, PeerMessage.Digest digest) {
        return digest.process() != 0 && digest.process() != hello.process();
    }

    /** Looks at every copy: whether it has the best source, and whether its origin vouches for it. */
    void review() {
        for (Replica replica : replicas.values()) {
            choose(replica);
            vouch(replica);
            replica.served.pump();
        }
    }

    /** A line is not there, or not in use any more. */
    void lost(Conversation line) {
        for (Replica replica : replicas.values()) {
            replica.served.unfollow(line);
            if (replica.source == line) {
                follow(replica, null);
                choose(replica);
            }
        }
    }

    private void choose(Replica replica) {
        Conversation best = sources.best(replica);
        if (best != replica.source) {
            follow(replica, best);
        }
    }

    /** Asks for the rest from there; from nobody if null. */
    private void follow(Replica replica, @Nullable Conversation from) {
        if (replica.source != null && replica.source != from) {
            replica.source.send(new PeerMessage.Unfollow(replica.origin));
        }
        replica.source = from;
        replica.staging = null;
        replica.parts.clear();
        replica.awaiting = from != null;
        replica.progressAt = loop.now();
        replica.goal = 0;
        if (from == null) {
            return;
        }
        ShardId id = replica.shard.id();
        PeerMessage.Digest digest = from.digests.get(replica.origin);
        boolean canGoOn =
                replica.isServable() && digest != null && digest.shard().equals(id);
        replica.askedAll = !canGoOn;
        replica.goal = canGoOn && digest != null ? digest.revision() : 0;
        from.send(new PeerMessage.Follow(
                ++replica.number,
                replica.origin,
                canGoOn ? id.incarnation() : 0,
                canGoOn ? replica.shard.revision() : 0));
    }

    /** The source says how far it is, and said everything up to there on this line before. */
    private void compare(Replica replica, Conversation from, PeerMessage.Digest digest) {
        Shard shard = replica.shard;
        boolean inStep = digest.shard().equals(shard.id()) && digest.revision() == shard.revision();
        if (replica.staging != null || replica.awaiting && (replica.askedAll || !inStep)) {
            if (loop.now() - replica.progressAt
                    >= PATIENCE * settings.heartbeat().toNanos()) {
                tally.ignored("stream that stood still");
                follow(replica, from);
            }
            return;
        }
        if (replica.isCatchingUp()
                && loop.now() - replica.progressAt < settings.heartbeat().toNanos()) {
            return; // a slow line: what is here already is not asked for again
        }
        replica.awaiting = false;
        if (replica.isBehind(digest)) {
            tally.gaps++;
            follow(replica, from);
        } else if (inStep && replica.parts.isEmpty() && digest.checksum().isPresent()) {
            check(replica, from, digest.checksum().getAsLong());
        }
    }

    private void check(Replica replica, Conversation from, long checksum) {
        Shard shard = replica.shard;
        if (checksum == shard.checksum()) {
            replica.mismatches = 0;
            return;
        }
        long pause = settings.heartbeat().toNanos() << Math.min(5, replica.mismatches);
        if (replica.mismatches == 0 || loop.now() - replica.mismatchAt >= pause) {
            replica.mismatches++;
            replica.mismatchAt = loop.now();
            tally.mismatches++;
            log.error(
                    "the copy of {} at revision {} differs from that of {}: taking it anew",
                    shard.id(),
                    shard.revision(),
                    from.node());
            replica.doubted = true;
            replica.served.end();
            follow(replica, from);
        }
    }

    /** That peer does not have it any more. */
    void ended(Conversation from, NodeId origin) {
        Replica replica = replicas.get(origin);
        if (replica == null || replica.source != from) {
            return; // mostly the answer to an Unfollow
        }
        from.digests.remove(origin); // until the next heartbeat
        follow(replica, null);
        choose(replica);
    }

    // ---- what comes

    void page(Conversation from, PeerMessage.Page page) {
        Replica replica = replicas.get(page.shard().origin());
        if (replica == null || replica.source != from) {
            tally.ignored("page that was not asked for");
            return;
        }
        if (page.number() != replica.number) {
            tally.ignored("page of an earlier request");
            return;
        }
        tally.pagesReceived++;
        if (page.page() == 0 && !begin(replica, from, page)) {
            return;
        }
        Replica.Staging staging = replica.staging;
        if (staging == null
                || !staging.shard.id().equals(page.shard())
                || staging.nextPage != page.page()
                || staging.shard.revision() != page.revision()) {
            missing(replica, from);
            return;
        }
        staging.nextPage++;
        replica.progressAt = loop.now();
        page.burials().forEach(buried -> staging.shard.bury(buried.instance(), buried.burial()));
        page.registrations().forEach(registration -> staging.shard.put(replica.shared(registration)));
        if (page.last()) {
            complete(replica, staging, page.checksum());
        }
    }

    private boolean begin(Replica replica, Conversation from, PeerMessage.Page page) {
        ShardId id = page.shard();
        boolean older = id.incarnation() < replica.shard.id().incarnation()
                || id.equals(replica.shard.id())
                        && page.revision() < replica.shard.revision()
                        && !(replica.awaiting && from.node().equals(replica.origin));
        boolean clash = id.equals(replica.shard.id())
                && replica.process != 0
                && page.process() != 0
                && replica.process != page.process();
        if (older || clash) {
            tally.ignored(older ? "page of what was before" : "page of another process");
            return false;
        }
        replica.awaiting = false;
        replica.askedAll = false;
        replica.goal = 0;
        replica.parts.clear();
        replica.staging = new Replica.Staging(id, page.process());
        replica.staging.shard.at(page.revision());
        return true;
    }

    /** Something on the way was lost. */
    private void missing(Replica replica, Conversation from) {
        if (replica.awaiting) {
            tally.ignored("what does not follow");
            return; // it has been asked for
        }
        tally.gaps++;
        follow(replica, from);
    }

    void delta(Conversation from, PeerMessage.Delta delta) {
        Replica replica = replicas.get(delta.shard().origin());
        if (replica == null || replica.source != from) {
            tally.ignored("delta that was not asked for");
            return;
        }
        tally.deltasReceived++;
        Replica.Staging staging = replica.staging;
        if (staging != null && staging.shard.id().equals(delta.shard())) {
            stage(replica, from, staging.shard, delta);
        } else if (replica.isServable() && replica.shard.id().equals(delta.shard())) {
            take(replica, from, delta);
        } else {
            tally.ignored("delta of what was before");
        }
    }

    private void stage(Replica replica, Conversation from, Shard staged, PeerMessage.Delta delta) {
        if (delta.first() > staged.revision() + 1) {
            missing(replica, from);
            return;
        }
        replica.progressAt = loop.now();
        for (Change change : delta.changes()) {
            if (change.revision() > staged.revision()) {
                staged.at(change.revision() - 1); // over steps of unknown kinds
                staged.apply(change);
            }
        }
        staged.at(Math.max(staged.revision(), delta.lastRevision()));
    }

    private void take(Replica replica, Conversation from, PeerMessage.Delta delta) {
        Shard shard = replica.shard;
        List<PeerMessage.Delta> parts = replica.parts;
        long last =
                parts.isEmpty() ? shard.revision() : parts.get(parts.size() - 1).lastRevision();
        if (delta.lastRevision() <= last) {
            tally.ignored("delta that was here before");
            return;
        }
        if (delta.first() > last + 1 || parts.size() >= MOST_PENDING_PARTS) {
            missing(replica, from);
            return;
        }
        replica.progressAt = loop.now();
        replica.awaiting &= replica.askedAll;
        parts.add(delta);
        boolean onTheWay = delta.lastRevision() < replica.goal && parts.size() < MOST_PENDING_PARTS / 2;
        if (delta.more() || onTheWay) {
            return; // the turn becomes visible as a whole, and what is over already not at all
        }
        List<byte[]> bytes = new ArrayList<>(parts.size());
        List<Change> changes = new ArrayList<>();
        for (PeerMessage.Delta part : parts) {
            bytes.add(part.bytes().bytes());
            changes.addAll(part.changes());
        }
        long first = parts.get(0).first();
        parts.clear();
        changes.removeIf(change -> change.revision() <= shard.revision());
        for (Change change : changes) {
            shard.at(change.revision() - 1); // over steps of unknown kinds
            shard.apply(change);
        }
        shard.at(delta.lastRevision());
        replica.served.append(new DeltaLog.Turn(first, delta.lastRevision(), bytes));
        tell(changes);
        arrived(replica);
    }

    /** Whose origin is not known to be there may be back: what it has just said is not to be judged by how long it was lost. */
    private void arrived(Replica replica) {
        vouch(replica);
        if (replica.missed) {
            replica.missedSince = loop.now();
        }
    }

    private void tell(List<Change> changes) {
        for (Change change : changes) {
            if (change instanceof Change.Granted granted) {
                orphans.granted(granted.registration());
            }
            home.changed(change);
        }
    }

    // ---- the whole of it

    private void complete(Replica replica, Replica.Staging staging, OptionalLong checksum) {
        Shard next = staging.shard;
        if (checksum.isPresent() && checksum.getAsLong() != next.checksum()) {
            tally.mismatches++;
            log.error("the pages of {} at revision {} do not add up: asking again", next.id(), next.revision());
            askLater(replica);
            return;
        }
        Shard before = replica.shard;
        if (!replica.whole && isBefore(next, before) && isRelayed(replica)) {
            tally.ignored("pages of what was before");
            askLater(replica);
            return;
        }
        tally.snapshotsTaken++;
        replica.shard = next;
        replica.process = staging.process;
        replica.staging = null;
        boolean unconfirmed = !replica.whole; // as the disk had it; those that are the same are to be confirmed, too
        replica.whole = true;
        replica.doubted = false;
        replica.newest = Math.max(replica.newest, next.id().incarnation());
        Difference difference = new Difference(before, next);
        List<Change> changes;
        if (before.id().equals(next.id())) {
            changes = difference.inOneIncarnation(unconfirmed);
        } else {
            changes = difference.toALaterIncarnation();
            orphan(replica, before);
        }
        tell(changes);
        arrived(replica);
        if (!isThere(replica)) {
            buryWhatIsKnown(replica.shard, replica);
        }
        replica.served.replace(next, replica.process, next.revision());
    }

    /** When the stream has stood still long enough. */
    private static void askLater(Replica replica) {
        replica.staging = null;
        replica.awaiting = true;
        replica.askedAll = true;
    }

    private static boolean isRelayed(Replica replica) {
        return replica.source != null && !replica.source.node().equals(replica.origin);
    }

    /**
     * Whether a peer is behind what the disk had, which has no revision: of an instance that nobody else knows to be later or
     * over it knows less than that, or nothing. It will hear of it, or the origin will tell that itself; or what the disk had
     * will be judged as an orphan.
     */
    private boolean isBefore(Shard told, Shard onDisk) {
        if (!told.id().equals(onDisk.id())) {
            return false;
        }
        for (Registration registration : onDisk.registrations()) {
            InstanceId instance = registration.id();
            boolean mayBeForgotten =
                    told.get(instance) == null && told.burials().size() >= Shard.BURIALS_KEPT;
            if (told.highest(instance) < registration.generation()
                    && !mayBeForgotten
                    && highestBeside(onDisk, instance) < registration.generation()) {
                return true;
            }
        }
        return false;
    }

    private long highestBeside(Shard shard, InstanceId instance) {
        long highest = Math.max(home.own().highest(instance), orphans.highest(instance));
        for (Replica replica : replicas.values()) {
            if (replica.shard != shard) {
                highest = Math.max(highest, replica.shard.highest(instance));
            }
        }
        return highest;
    }

    /** What an earlier incarnation had and this one has not taken over. */
    private void orphan(Replica replica, Shard earlier) {
        long since = replica.missed ? replica.missedSince : loop.now();
        replica.missed = false;
        buryWhatIsKnown(earlier, null);
        orphans.add(earlier, since, this::giveUp);
    }

    private void giveUp(Shard orphaned) {
        log.warn("{} registrations of {} are given up: too many incarnations", orphaned.size(), orphaned.id());
        for (Registration registration : orphaned.registrations()) {
            home.changed(Difference.over(orphaned.id(), orphaned.revision(), registration.id(), RemovalCause.ORPHANED));
        }
    }

    // ---- when nobody vouches for it

    /** Whether the origin is there, in the life in which it wrote what is shown. */
    private boolean isThere(Replica replica) {
        return membership.isAlive(replica.origin, replica.process);
    }

    /** Whether the origin is there and says what is shown. */
    private boolean isVouched(Replica replica) {
        long newest = Math.max(replica.newest, membership.incarnation(replica.origin));
        return isThere(replica) && newest == replica.shard.id().incarnation();
    }

    private void vouch(Replica replica) {
        if (isVouched(replica)) {
            replica.missed = false;
        } else if (!replica.missed) {
            replica.missed = true;
            replica.missedSince = membership.lostSince(replica.origin).orElse(loop.now());
            buryWhatIsKnown(replica.shard, replica);
        }
    }

    /** Copies that were spared while their origin could speak for them. */
    private void buryWhatIsKnown(Shard lost, @Nullable Replica replica) {
        if (lost.size() == 0) {
            return;
        }
        int before = lost.size();
        bury(lost, home.own().burials());
        bury(lost, orphans.burials());
        for (Replica other : replicas.values()) {
            if (other.shard != lost) {
                bury(lost, other.shard.burials());
            }
        }
        if (replica != null && lost.size() != before) {
            doubt(replica);
        }
    }

    /** Says so, too: who granted in ignorance of a removal is listed for as long as he is there. */
    private void bury(Shard lost, Map<InstanceId, Burial> burials) {
        burials.forEach((instance, burial) -> {
            Registration copy = lost.get(instance);
            if (copy != null && burial.reaches(copy)) {
                lost.remove(instance);
                home.changed(Difference.over(lost.id(), lost.revision(), instance, burial.cause()));
            }
        });
    }

    /** It is not as its origin left it, and nobody gets it from here. */
    private static void doubt(Replica replica) {
        replica.doubted = true;
        replica.served.end();
    }

    void buried(InstanceId instance, Burial burial) {
        supersede(instance, burial);
        orphans.buried(instance, burial);
        for (Replica replica : replicas.values()) {
            if (replica.source == null || !isThere(replica)) {
                Registration copy = replica.shard.get(instance);
                if (copy != null && burial.reaches(copy)) {
                    replica.shard.remove(instance);
                    doubt(replica);
                }
            }
        }
    }

    /** Whose place the buried one had taken does not come back: nobody vouches for that copy, and it was older. */
    private void supersede(InstanceId instance, Burial burial) {
        orphans.older(instance, burial.generation()).forEach(id -> forget(id, instance, burial.cause()));
        for (Replica replica : replicas.values()) {
            Registration copy = replica.shard.get(instance);
            if (copy != null && copy.generation() < burial.generation() && !isSpared(replica, burial.cause())) {
                forget(replica.shard.id(), instance, burial.cause());
            }
        }
    }

    /** A verdict on what nobody vouched for is none on what somebody vouched for until a moment ago. */
    private boolean isSpared(Replica replica, RemovalCause cause) {
        boolean isLostLately = !replica.missed
                || loop.now() - replica.missedSince < settings.goneAfter().toNanos();
        return cause == RemovalCause.ORPHANED && isLostLately;
    }

    /** Of an orphan that is superseded. */
    void forget(ShardId id, InstanceId instance) {
        forget(id, instance, RemovalCause.ORPHANED);
    }

    private void forget(ShardId id, InstanceId instance, RemovalCause cause) {
        boolean there = orphans.drop(id, instance);
        Replica replica = replicas.get(id.origin());
        if (!there
                && replica != null
                && replica.shard.id().equals(id)
                && !isThere(replica)
                && replica.shard.remove(instance) != null) {
            doubt(replica);
            there = true;
        }
        if (there) {
            long revision = replica == null ? 0 : replica.shard.revision();
            home.changed(Difference.over(id, revision, instance, cause));
        }
    }

    // ---- questions

    /** Of two copies the one that shows: the higher generation, then the higher node name, then incarnation. */
    static Replication.Copy better(Replication.@Nullable Copy a, Replication.Copy b) {
        if (a == null) {
            return b;
        }
        return a.beats(b.shard(), b.registration().generation()) ? a : b;
    }

    Optional<Replication.Copy> find(InstanceId instance) {
        Replication.Copy best = orphans.find(instance);
        for (Replica replica : replicas.values()) {
            Registration copy = replica.shard.get(instance);
            if (copy != null) {
                best = better(best, new Replication.Copy(replica.shard.id(), copy, isVouched(replica)));
            }
        }
        return Optional.ofNullable(best);
    }

    boolean isVouched(InstanceId instance, Predicate<Registration> which) {
        for (Replica replica : replicas.values()) {
            Registration copy = replica.shard.get(instance);
            if (copy != null && which.test(copy) && isVouched(replica)) {
                return true;
            }
        }
        return false;
    }

    long lostFor(ShardId id) {
        Replica replica = replicas.get(id.origin());
        if (replica != null && replica.shard.id().equals(id)) {
            return replica.missed ? loop.now() - replica.missedSince : 0;
        }
        return orphans.lostFor(id, loop.now());
    }

    boolean isOver(Registration registration) {
        if (isOver(registration, orphans.burials())) {
            return true;
        }
        for (Replica replica : replicas.values()) {
            if (isOver(registration, replica.shard.burials())) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOver(Registration registration, Map<InstanceId, Burial> burials) {
        Burial burial = burials.get(registration.id());
        return burial != null && burial.isOver(registration);
    }

    @Nullable
    Registration copy(ShardId id, InstanceId instance) {
        Replica replica = replicas.get(id.origin());
        return replica != null && replica.shard.id().equals(id)
                ? replica.shard.get(instance)
                : orphans.get(id, instance);
    }

    long highest(InstanceId instance) {
        long highest = orphans.highest(instance);
        for (Replica replica : replicas.values()) {
            highest = Math.max(highest, replica.highest(instance));
        }
        return highest;
    }

    List<Replication.Orphan> orphans(long lostFor) {
        List<Replication.Orphan> out = new ArrayList<>();
        long now = loop.now();
        orphans.collect(now, lostFor, out);
        for (Replica replica : replicas.values()) {
            if (isLost(replica) && now - replica.missedSince >= lostFor) {
                for (Registration registration : replica.shard.registrations()) {
                    out.add(new Replication.Orphan(replica.shard.id(), registration, replica.missedSince));
                }
            }
        }
        return out;
    }

    private boolean isLost(Replica replica) {
        return replica.missed && !isThere(replica);
    }

    boolean isOrphan(Replication.Orphan orphan) {
        ShardId id = orphan.shard();
        Replica replica = replicas.get(id.origin());
        return orphan.registration().equals(copy(id, orphan.registration().id()))
                && (replica == null
                        || !replica.shard.id().equals(id) // of an incarnation that is over
                        || isLost(replica) && replica.missedSince == orphan.since());
    }

    /** Whether nobody vouches for some of what is shown. */
    boolean hasOrphans() {
        if (!orphans.isEmpty()) {
            return true;
        }
        for (Replica replica : replicas.values()) {
            if (replica.missed && replica.shard.size() > 0) {
                return true;
            }
        }
        return false;
    }

    /** Whether a peer has what is still to come from it, or has not said yet what it has. */
    boolean isBehind() {
        for (Conversation line : lines.values()) {
            if (!line.hasBeaten) {
                return true;
            }
        }
        for (Replica replica : replicas.values()) {
            PeerMessage.Digest digest = replica.source == null ? null : replica.source.digests.get(replica.origin);
            if (digest != null && replica.fits(digest) && replica.isBehind(digest)) {
                return true;
            }
        }
        return false;
    }

    void forEach(BiConsumer<ShardId, Registration> each) {
        for (Replica replica : replicas.values()) {
            List.copyOf(replica.shard.registrations()).forEach(r -> each.accept(replica.shard.id(), r));
        }
        orphans.forEach(each);
    }

    /** Whether everything that the peers in reach can tell is here. */
    boolean isCaughtUp() {
        for (Conversation line : lines.values()) {
            for (PeerMessage.Digest digest : line.digests.values()) {
                NodeId origin = digest.shard().origin();
                Replica replica = replicas.get(origin);
                boolean isDirect = origin.equals(line.node());
                if (origin.equals(self) || !digest.whole() || digest.revision() == 0 && !isDirect) {
                    continue;
                }
                if (replica == null
                        || replica.fits(digest)
                                && (!replica.whole
                                        || digest.shard().incarnation()
                                                > replica.shard.id().incarnation())) {
                    return false;
                }
            }
        }
        return true;
    }

    /** How far each copy is. */
    void digests(List<PeerMessage.Digest> out) {
        for (Replica replica : replicas.values()) {
            Shard shard = replica.shard;
            if (shard.id().incarnation() == 0) {
                continue;
            }
            out.add(new PeerMessage.Digest(
                    shard.id(),
                    replica.process,
                    shard.revision(),
                    replica.isServable() ? OptionalLong.of(shard.checksum()) : OptionalLong.empty(),
                    shard.size(),
                    replica.isServable(),
                    isThere(replica),
                    membership.age(replica.origin, replica.process)));
        }
    }
}
