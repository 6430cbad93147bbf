package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.Octets;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.Membership;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells this node's shard to the others and keeps copies of theirs.
 *
 * <pre>
 * own Change ─▶ {@link DeltaLog} ─▶ followers                     ({@link ServedShard})
 * their Delta, Page ─▶ {@link Replica} ─▶ {@link Home#changed}    ({@link ReplicaTable}), and on to whoever follows from here
 * </pre>
 *
 * Nothing is sent twice by a timer: heartbeats, whose size depends on the number of nodes alone, say how far everybody
 * is, and whoever lacks something asks for it. Confined to the event loop.
 */
public final class Replication implements Peers {
    private static final Logger log = LoggerFactory.getLogger(Replication.class);
    private static final long OWN_LOG_BYTES = 4 << 20;
    private static final long HIGHEST_INCARNATION = 1L << 30;
    /** What is carried is worth compressing from here on. */
    private static final int BULK = 4 << 10;

    private static final Duration GOODBYE = Duration.ofSeconds(1);
    private static final Duration GOODBYE_LOOK = Duration.ofMillis(20);

    private final ClusterSettings settings;
    private final NodeId self;
    private final long process;
    private final EventLoop loop;
    private final Home home;
    private final Tally tally = new Tally();
    private final Membership membership;
    private final Lines lines;
    private final ReplicaTable replicas;
    private final Asks asks;

    /** Null until the own shard's published state is known for the first time. */
    private @Nullable ServedShard own;

    private byte[] lastCarried = {};
    private byte[] lastCarriedMessage = {};
    private boolean everConnected;
    private boolean everFollowed;
    private boolean leaving;
    private boolean stopped;
    private long lastTick;
    private int ticks;
    private long beats;

    /**
     * A copy of an instance in another node's shard.
     *
     * @param originAlive whether that node is there and still vouches for it
     */
    public record Copy(ShardId shard, Registration registration, boolean originAlive) {
        /** Whether it shows, and not one of that generation in the other shard. */
        public boolean beats(ShardId other, long generation) {
            return registration.beats(shard, generation, other);
        }
    }

    /**
     * A registration whose node is lost, or restarted without it.
     *
     * @param since the moment from which nobody vouched for it, in the loop's time
     */
    public record Orphan(ShardId shard, Registration registration, long since) {}

    /** What happened since the start, for meters. Refusals and what was ignored are counted by code. */
    public record Counts(
            long deltasSent,
            long deltasReceived,
            long pagesSent,
            long pagesReceived,
            long snapshotsTaken,
            long mismatches,
            long gaps,
            long withheld,
            Map<String, Long> refused,
            Map<String, Long> ignored) {}

    /**
     * @param process drawn at this start; never 0
     * @param random for nonces and back-off; where there is a secret, one that cannot be guessed
     * @param storage where addresses are remembered
     */
    public Replication(
            ClusterSettings settings,
            NodeId self,
            long process,
            EventLoop loop,
            RandomGenerator random,
            PeerDialer dialer,
            Optional<Storage> storage,
            Home home) {
        this.settings = settings;
        this.self = self;
        this.process = process;
        this.loop = loop;
        this.home = home;
        membership = new Membership(settings, self, loop, random, dialer, storage, this::dialled);
        lines = new Lines(settings, loop, random, membership, tally, new LineEvents(), this::hello);
        replicas = new ReplicaTable(self, settings, loop, membership, home, tally, lines.inUse());
        asks = new Asks(loop, tally);
    }

    /** Begins to dial and to answer, unless this node is to be by itself. After {@link #restored}. */
    public void start() {
        if (settings.isAlone()) {
            return;
        }
        lastTick = loop.now();
        lookAtOwn();
        membership.start();
        loop.schedule(settings.heartbeat().dividedBy(2), this::tick);
    }

    // ---- time

    /** Twice per heartbeat. */
    private void tick() {
        if (stopped) {
            return;
        }
        long now = loop.now();
        boolean stoodStill = now - lastTick > 2 * settings.heartbeat().toNanos();
        if (stoodStill) {
            lines.excuseSilence();
        }
        lastTick = now;
        lookAtOwn();
        lines.endSilent();
        review();
        if (ticks++ % 2 == 0 || stoodStill) {
            beat();
        }
        replicas.review();
        if (own != null) {
            own.pump();
        }
        loop.schedule(settings.heartbeat().dividedBy(2), this::tick);
    }

    private void beat() {
        byte[] heartbeat = PeerWriter.bytes(heartbeat()); // the same for all
        for (Conversation line : lines.all()) {
            if (line.isOpen()) {
                line.send(heartbeat, false);
            }
        }
    }

    private PeerMessage.Heartbeat heartbeat() {
        return new PeerMessage.Heartbeat(
                shards(),
                home.sessions(),
                home.starting(),
                home.draining(),
                membership.known(),
                home.clock().millis(),
                ++beats);
    }

    private void review() {
        boolean changed = membership.review();
        replicas.review();
        if (changed) {
            home.membersChanged();
        }
    }

    // ---- what the node tells

    /** The own shard's changes of one turn, in order; they are on disk and are shown here with the same turn. */
    public void published(List<Change> ownChanges) {
        ShardId id = home.own().id();
        List<Change> changes = new ArrayList<>(ownChanges.size());
        for (Change change : ownChanges) {
            if (change.shard().equals(id)) { // the others are of the incarnation before it was raised
                changes.add(change);
            }
        }
        if (changes.isEmpty()) {
            return;
        }
        long first = changes.get(0).revision();
        long last = changes.get(changes.size() - 1).revision();
        ServedShard mine = own;
        if (mine == null || !mine.id().equals(id)) {
            mine = serveOwn(first - 1);
        }
        if (!everConnected) {
            mine.skipTo(last);
            return;
        }
        mine.append(new DeltaLog.Turn(first, last, PeerWriter.deltas(id, changes)));
    }

    /** Notices where the own shard begins, and that it goes on under another incarnation. */
    private void lookAtOwn() {
        if (home.isSettled() && (own == null || !own.id().equals(home.own().id()))) {
            serveOwn(home.own().revision());
        }
    }

    private ServedShard serveOwn(long revision) {
        Shard shard = home.own();
        if (own == null) {
            own = new ServedShard(loop, tally, shard, process, revision, OWN_LOG_BYTES, this::isOwnExact);
        } else {
            own.replace(shard, process, revision);
            beat();
        }
        return own;
    }

    private boolean isOwnExact() {
        return own != null && home.isSettled() && home.own().revision() == own.revision();
    }

    /** What the disk knew of another node's shard: shown, but to be asked for anew. Before {@link #start}. */
    public void restored(ShardId shard, Collection<Registration> registrations) {
        replicas.restored(shard, registrations);
    }

    /**
     * A removal in whatever shard: orphans and copies of lost shards that it reaches are dropped. Shards that are followed
     * hear of it from their origin.
     */
    public void buried(InstanceId instance, Burial burial) {
        replicas.buried(instance, burial);
    }

    /** An orphan is superseded. {@link Home#changed} gets the end of that copy, within this call. */
    public void forget(ShardId shard, InstanceId instance) {
        replicas.forget(shard, instance);
    }

    /** The peers' addresses as configured from now on: {@code host:port} each. */
    public void configured(List<String> addresses) {
        membership.configured(addresses);
        review();
    }

    /** Says at once what the next heartbeat would say, because it matters to the others. */
    public void announce() {
        beat();
    }

    /** Says goodbye to the peers and closes the lines; {@code done} runs when that is on the network, or after a second. */
    public void leave(Runnable done) {
        leaving = true;
        membership.stop();
        for (Conversation line : lines.all()) {
            if (line.isOpen()) {
                line.send(new PeerMessage.Leaving());
            } else {
                lines.end(line, Optional.empty(), false);
            }
        }
        leaveWhenSaid(loop.now() + GOODBYE.toNanos(), done);
    }

    private void leaveWhenSaid(long until, Runnable done) {
        boolean isSaid = lines.all().stream().allMatch(line -> line.line.waiting() == 0);
        if (!isSaid && loop.now() - until < 0) {
            loop.schedule(GOODBYE_LOOK, () -> leaveWhenSaid(until, done));
            return;
        }
        stopped = true;
        lines.all().forEach(line -> lines.end(line, Optional.empty(), false));
        done.run();
    }

    /**
     * Asks the home of an instance.
     *
     * @param answer gets the answer, or nothing if that node cannot be reached or does not answer within two seconds; never
     *     inside this call
     */
    public void ask(NodeId node, PeerMessage.Ask ask, Consumer<Optional<PeerMessage.Answer>> answer) {
        asks.ask(lines.inUse().get(node), ask, answer);
    }

    /**
     * Hands something to the line to that node, in order, for its {@link Home#carried}. Without a line it is lost.
     *
     * @param payload not to be written to; handed to several nodes one after the other, it is encoded once
     */
    public void carry(NodeId to, byte[] payload) {
        Conversation line = lines.inUse().get(to);
        if (line == null) {
            return;
        }
        if (payload != lastCarried) {
            lastCarried = payload;
            lastCarriedMessage = PeerWriter.bytes(new PeerMessage.Carried(Octets.of(payload)));
        }
        line.send(lastCarriedMessage, payload.length >= BULK);
    }

    /** Bytes that wait on the line to that node; 0 if there is none. */
    public long waiting(NodeId node) {
        Conversation line = lines.inUse().get(node);
        return line == null ? 0 : line.line.waiting();
    }

    // ---- what the node asks

    /** The highest generation other nodes' shards know of for that instance, registered or removed; 0 if none. */
    public long highest(InstanceId instance) {
        return replicas.highest(instance);
    }

    /** The copy in other nodes' shards that would show if this node had none. */
    public Optional<Copy> find(InstanceId instance) {
        return replicas.find(instance);
    }

    /** Whether a node that is there has such a copy of it, whatever its generation. */
    public boolean isVouched(InstanceId instance, Predicate<Registration> which) {
        return replicas.isVouched(instance, which);
    }

    /** For how long nobody has vouched for that shard of another node; zero if somebody does. */
    public Duration lostFor(ShardId shard) {
        return Duration.ofNanos(replicas.lostFor(shard));
    }

    /** Whether another node's shard has removed that registration, of the same publisher. */
    public boolean isOver(Registration registration) {
        return replicas.isOver(registration);
    }

    /** The copy in that shard of another node; null if there is none. */
    public @Nullable Registration get(ShardId shard, InstanceId instance) {
        return replicas.copy(shard, instance);
    }

    /** What has been without its node for so long. What is done about one may end others. */
    public void orphans(Duration lostFor, Consumer<Orphan> each) {
        replicas.orphans(lostFor.toNanos()).forEach(each);
    }

    /** Whether {@link #orphans} would name that one still. */
    public boolean isOrphan(Orphan orphan) {
        return replicas.isOrphan(orphan);
    }

    /** Every registration other nodes' shards have here, orphans among them. */
    public void forEachReplica(BiConsumer<ShardId, Registration> each) {
        replicas.forEach(each);
    }

    /** The nodes that are there, this one among them, in order. */
    public List<NodeId> alive() {
        return membership.alive();
    }

    /** Why this node should not trust its view of the cluster: it sees fewer than half of its configured peers. */
    public Optional<String> isolated() {
        return membership.isolated();
    }

    /** Whether every configured peer has been tried, and everything that those in reach have has arrived. */
    public boolean caughtUp() {
        return membership.hasTriedAll()
                && lines.inUse().values().stream().allMatch(line -> line.hasBeaten)
                && replicas.isCaughtUp();
    }

    /**
     * Whether others may know what this node does not: a node was lost lately, or a connected one has not caught up, or
     * there are copies that nobody vouches for, of which the lost node may have told a later word.
     */
    public boolean isUncertain() {
        return hasLost() || replicas.isBehind();
    }

    /** Whether a node was lost lately, or starts just now, or there are copies that nobody vouches for. */
    public boolean hasLost() {
        return uncertainSince().isPresent() || replicas.hasOrphans();
    }

    /** Since when, in the loop's time. */
    public OptionalLong uncertainSince() {
        return membership.uncertainSince();
    }

    /** Where sessions may go instead: {@code host:port} of the other nodes that are there and stay, in order of their names. */
    public List<String> sessionAddresses() {
        return membership.sessionAddresses();
    }

    /** Sessions at each connected peer, as it said last. */
    public Map<NodeId, Integer> peerSessions() {
        return membership.sessions();
    }

    /** The other nodes, for people. */
    public List<PeerStatus> peers() {
        return membership.statuses(name -> {
            Replica replica = replicas.get(name);
            if (replica == null) {
                return new Membership.Progress(membership.incarnation(name), 0, 0, "");
            }
            Conversation source = replica.source;
            String via = source == null || source.node().equals(name)
                    ? ""
                    : source.node().name();
            return new Membership.Progress(
                    replica.shard.id().incarnation(), replica.shard.revision(), replica.shard.size(), via);
        });
    }

    /** How far this node's copy of every shard is, its own first. */
    public List<PeerMessage.Digest> shards() {
        List<PeerMessage.Digest> out = new ArrayList<>();
        if (own != null) {
            int instances = home.own().size();
            out.add(new PeerMessage.Digest(
                    own.id(), process, own.revision(), own.checksum(), instances, true, true, 0));
        }
        replicas.digests(out);
        return out;
    }

    public Counts counts() {
        return tally.counts();
    }

    // ---- lines

    private PeerMessage.Hello hello() {
        return new PeerMessage.Hello(
                Handshake.VERSION,
                Handshake.OLDEST,
                settings.cluster(),
                self,
                home.own().id().incarnation(),
                process,
                settings.advertised(),
                settings.sessions(),
                0,
                0);
    }

    @Override
    public void opened(PeerLine line) {
        if (leaving || settings.isAlone()) {
            line.close();
            return;
        }
        lines.open(line, null);
    }

    private void dialled(PeerLine line, String address) {
        if (leaving) {
            line.close();
            return;
        }
        lines.open(line, address);
    }

    @Override
    public void malformed(PeerLine line, String problem) {
        Conversation conversation = lines.get(line);
        if (conversation != null) {
            tally.refused("malformed");
            lines.end(conversation, Optional.of("malformed: " + problem), false);
        }
    }

    @Override
    public void writable(PeerLine line) {
        Conversation conversation = lines.get(line);
        if (conversation == null) {
            return;
        }
        if (own != null) {
            own.pump(conversation);
        }
        replicas.all().forEach(replica -> replica.served.pump(conversation));
        if (conversation.isOpen() && lines.inUse().get(conversation.node()) == conversation) {
            home.writable(conversation.node());
        }
    }

    @Override
    public void closed(PeerLine line, String reason) {
        lines.closed(line, reason);
    }

    @Override
    public void received(PeerLine line, PeerMessage message) {
        loop.assertInLoop();
        Conversation from = lines.get(line);
        if (from == null) {
            tally.ignored("after the end");
            return;
        }
        from.heard = loop.now();
        if (lines.greeted(from, message)) {
            return;
        }
        membership.heard(from.node());
        if (message instanceof PeerMessage.Delta delta) {
            replicas.delta(from, delta);
        } else if (message instanceof PeerMessage.Heartbeat heartbeat) {
            heartbeat(from, heartbeat);
        } else if (message instanceof PeerMessage.Page page) {
            replicas.page(from, page);
        } else if (message instanceof PeerMessage.Follow follow) {
            follow(from, follow);
        } else if (message instanceof PeerMessage.Unfollow unfollow) {
            unfollow(from, unfollow.origin());
        } else if (message instanceof PeerMessage.Ended ended) {
            replicas.ended(from, ended.origin());
        } else if (message instanceof PeerMessage.Known known) {
            knownAs(known);
        } else if (message instanceof PeerMessage.Ask ask) {
            asked(from, ask);
        } else if (message instanceof PeerMessage.Answer answer) {
            asks.answered(from, answer);
        } else if (message instanceof PeerMessage.Carried carried) {
            carried(from, carried);
        } else if (message instanceof PeerMessage.Leaving) {
            membership.leaving(from.node());
            review();
        } else {
            tally.ignored("message of an unknown kind");
        }
    }

    private void heartbeat(Conversation from, PeerMessage.Heartbeat heartbeat) {
        if (from.isOfAnother(heartbeat)) {
            tally.ignored("heartbeat of another process");
            return;
        }
        if (from.isOver(heartbeat)) {
            tally.ignored("heartbeat that was here before");
            return;
        }
        from.heartbeat(heartbeat, loop.now());
        NodeId node = from.node();
        PeerMessage.Digest itsOwn = from.digests.get(node);
        membership.said(
                node,
                itsOwn == null ? 0 : itsOwn.shard().incarnation(),
                heartbeat.sessions(),
                heartbeat.starting(),
                heartbeat.draining());
        membership.learned(heartbeat.addresses());
        home.clock().heard(heartbeat.clock());
        for (PeerMessage.Digest digest : heartbeat.shards()) {
            NodeId origin = digest.shard().origin();
            if (origin.equals(self)) {
                toldOfOneself(from, digest);
            } else if (!origin.equals(node)) {
                membership.reported(node, origin, digest.process(), digest.alive(), digest.age());
            }
        }
        if (lines.inUse().get(node) == from) {
            replicas.heartbeat(from);
        }
        review();
    }

    /** Somebody has this node's shard. */
    private void toldOfOneself(Conversation from, PeerMessage.Digest digest) {
        boolean isAnothers = digest.process() != 0 && digest.process() != process;
        if (isAnothers && digest.alive() && digest.shard().incarnation() >= ownIncarnation()) {
            tally.ignored("digest of the own name");
            membership.refused(from.node(), "it knows another living process that calls itself " + self);
            return; // to outrun it would lead to no end
        }
        raiseAbove(digest.shard().incarnation(), isAnothers);
    }

    /** Somebody remembers this node's shard, or has heard of somebody who does. */
    private void knownAs(PeerMessage.Known known) {
        // By nobody knows whom, on a disk: not by this process, if nobody has followed it yet.
        boolean isAnothers = known.process() == 0 ? !everFollowed : known.process() != process;
        raiseAbove(known.incarnation(), isAnothers);
    }

    private long ownIncarnation() {
        return home.own().id().incarnation();
    }

    /**
     * Goes on above an incarnation that an earlier life wrote and this one has forgotten.
     *
     * @param isAnothers whether it was another process that wrote it, should it have the number of this one's
     */
    private void raiseAbove(long incarnation, boolean isAnothers) {
        if (incarnation < ownIncarnation() || incarnation == ownIncarnation() && !isAnothers) {
            return;
        }
        if (incarnation > HIGHEST_INCARNATION) {
            tally.ignored("incarnation out of range");
            return;
        }
        log.warn(
                "peers know incarnation {} of this node, which has begun at {}: its data directory is older than that, or"
                        + " new; going on at {}",
                incarnation,
                ownIncarnation(),
                incarnation + 1);
        if (own != null) {
            own.leave();
        }
        home.raise(incarnation + 1);
        lookAtOwn();
    }

    private Optional<ServedShard> served(NodeId origin) {
        if (origin.equals(self)) {
            return Optional.ofNullable(own);
        }
        Replica replica = replicas.get(origin);
        return replica == null || !replica.isServable() ? Optional.empty() : Optional.of(replica.served);
    }

    private void follow(Conversation from, PeerMessage.Follow follow) {
        Optional<ServedShard> shard = served(follow.origin());
        everFollowed |= follow.origin().equals(self);
        if (shard.isEmpty()) {
            from.send(new PeerMessage.Ended(follow.origin()));
        } else {
            shard.get().follow(from, follow);
        }
    }

    /** Says so: who follows here still, and never said this, asks again; who did has another source by now. */
    private void unfollow(Conversation from, NodeId origin) {
        if (served(origin).filter(shard -> shard.unfollow(from)).isPresent()) {
            from.send(new PeerMessage.Ended(origin));
        }
    }

    private void carried(Conversation from, PeerMessage.Carried carried) {
        try {
            home.carried(from.node(), carried.payload().bytes());
        } catch (MalformedException e) {
            tally.ignored("carried message that cannot be understood");
        }
    }

    private void asked(Conversation from, PeerMessage.Ask ask) {
        home.asked(ask, answer -> {
            if (from.isOpen()) {
                from.send(answer);
            }
        });
    }

    private final class LineEvents implements Lines.Events {
        @Override
        public PeerMessage.Known known(NodeId node, boolean alone) {
            Replica replica = replicas.get(node);
            long incarnation = membership.incarnation(node);
            long writer = membership.process(node, incarnation);
            if (replica != null && replica.newest >= incarnation) {
                incarnation = replica.newest;
                ShardId shown = replica.shard.id();
                writer = shown.incarnation() == incarnation ? replica.process : membership.process(node, incarnation);
            }
            return new PeerMessage.Known(incarnation, writer, alone);
        }

        @Override
        public void knownBy(Conversation line, PeerMessage.Known known) {
            knownAs(known);
        }

        @Override
        public void inUse(Conversation line) {
            everConnected = true;
            home.connected(line.node()); // before the heartbeat: who has that, has heard what there is
            line.send(heartbeat());
            review();
        }

        @Override
        public void outOfUse(Conversation line) {
            if (own != null) {
                own.unfollow(line);
            }
            asks.lost(line);
            home.disconnected(line.node());
            replicas.lost(line);
            review();
        }
    }
}
