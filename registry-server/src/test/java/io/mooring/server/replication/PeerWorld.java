package io.mooring.server.replication;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.clock.HybridClock;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.restore.MemoryStorage;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assertions;

/**
 * Several nodes' replication in virtual time, joined by a network that delays, holds back, cuts and, if told so, loses,
 * repeats and swaps single messages, which no real line does. Everything goes through bytes.
 */
final class PeerWorld {
    static final ServiceKey ORDERS = ServiceKey.of("orders");
    static final Publisher SESSION =
            Publisher.ofSession("0123456789abcdef0123456789abcdef", LeaseTerms.of(Duration.ofSeconds(15)));

    final long seed;
    final Random random;
    final VirtualTime time;
    final Map<String, Node> nodes = new TreeMap<>();
    final Set<String> cut = new HashSet<>();
    final List<Wire> wires = new ArrayList<>();
    /** Removals that their origin never said. */
    final List<String> violations = new ArrayList<>();

    /** Which nodes ended lines to others that had not ended already. */
    final List<String> closers = new ArrayList<>();

    Duration delay = Duration.ofMillis(1);
    double loss;
    double repeats;
    double swaps;
    String cluster = "test";
    String secret = "a secret of the cluster";
    long bytes;
    long messages;
    long bytesPerSecond; // 0: no limit

    /** Sees each message before it is sent; gives what is sent instead, nothing to drop it. */
    BiFunction<Wire, byte[], List<byte[]>> onTheWay = (wire, message) -> List.of(message);

    PeerWorld(long seed) {
        this.seed = seed;
        random = new Random(seed);
        time = new VirtualTime(seed % 2 == 0 ? 0 : Long.MAX_VALUE - 3_000_000_000L);
    }

    PeerWorld nodes(String... names) {
        for (String name : names) {
            node(name).start();
        }
        return this;
    }

    Node node(String name) {
        return nodes.computeIfAbsent(name, Node::new);
    }

    /** Another process that calls itself like a node that is there already. */
    Node twin(String name, String place, long ofIncarnation) {
        Node twin = new Node(name, place);
        twin.incarnation = ofIncarnation;
        nodes.put(place, twin);
        return twin;
    }

    List<String> addressesOf(String... names) {
        return List.of(names).stream().map(name -> name + ":9849").toList();
    }

    void run(double seconds) {
        time.runFor(Duration.ofNanos((long) (seconds * 1e9)));
    }

    void until(String what, java.util.function.BooleanSupplier condition, double seconds) {
        Assertions.assertTrue(
                time.runUntil(condition, Duration.ofNanos((long) (seconds * 1e9))),
                () -> "not within " + seconds + " s: " + what + "; seed " + seed + "\n" + describe());
    }

    String describe() {
        StringBuilder out = new StringBuilder();
        nodes.values().forEach(node -> {
            if (node.up) {
                out.append(node.name)
                        .append(": ")
                        .append(node.replication.shards())
                        .append('\n');
                out.append("   ").append(node.replication.counts()).append('\n');
                out.append("   ").append(node.replication.peers()).append('\n');
            }
        });
        return out.toString();
    }

    /** Directed. */
    void cutOneWay(String from, String to) {
        cut.add(from + ">" + to);
    }

    void cut(String a, String b) {
        cutOneWay(a, b);
        cutOneWay(b, a);
    }

    void heal() {
        cut.clear();
        List.copyOf(wires).forEach(Wire::flush);
    }

    /** Whether every running node has the same of every running node's shard, and shows it. */
    boolean isConverged() {
        for (Node origin : nodes.values()) {
            if (!origin.up) {
                continue;
            }
            Shard truth = origin.own;
            for (Node node : nodes.values()) {
                if (!node.up || node == origin) {
                    continue;
                }
                Optional<PeerMessage.Digest> digest = node.digest(origin.name);
                if (digest.isEmpty()
                        || !digest.get().shard().equals(truth.id())
                        || digest.get().revision() != truth.revision()
                        || !digest.get().checksum().equals(OptionalLong.of(truth.checksum()))
                        || !node.shows(truth)) {
                    return false;
                }
            }
        }
        return true;
    }

    void converge(double seconds) {
        until("all have the same", this::isConverged, seconds);
    }

    static Instance instance(int port) {
        return Instance.of(ORDERS, "10.0.0.1", port);
    }

    static Instance instance(int port, String text) {
        return instance(port).withMetadata(Map.of("version", text));
    }

    static InstanceId id(int port) {
        return instance(port).id();
    }

    /** One node: a shard it writes, what it was told of others, and a disk. */
    final class Node implements Home, PeerDialer {
        /** Where it is; mostly also how it calls itself. */
        final String name;

        final NodeId id;
        final List<Change> told = new ArrayList<>();
        final Map<ShardId, Map<InstanceId, Registration>> shown = new TreeMap<>();
        final List<PeerMessage.Ask> asks = new ArrayList<>();
        final List<String> carried = new ArrayList<>();
        final List<String> dialled = new ArrayList<>();
        List<String> configured = List.of();
        MemoryStorage disk;
        VirtualTime.Loop loop;
        Replication replication;
        Shard own;
        boolean up;
        boolean answers = true;
        boolean starting;
        boolean draining;
        int sessions;
        int memberChanges;
        private final HybridClock clock = new HybridClock(() -> loop.now(), () -> 1_700_000_000_000L);
        long incarnation;
        String advertised;
        final Map<ShardId, List<Registration>> restored = new TreeMap<>();
        private final Map<InstanceId, Long> grantedAt = new HashMap<>();
        Duration publishAfter = Duration.ZERO;
        private List<Change> pending = new ArrayList<>();
        private boolean turn;
        private int starts;

        Node(String name) {
            this(name, name);
        }

        Node(String name, String place) {
            this.name = place;
            this.id = new NodeId(name);
            this.advertised = place + ":9849";
        }

        Node start() {
            return start(++incarnation);
        }

        Node start(long ofIncarnation) {
            incarnation = ofIncarnation;
            loop = time.loop(name + "-" + ++starts);
            if (disk == null) {
                disk = new MemoryStorage(loop);
            }
            disk.attach(loop);
            own = new Shard(new ShardId(id, incarnation));
            told.clear();
            shown.clear();
            restored.forEach((shard, copies) -> {
                Map<InstanceId, Registration> mine = shown.computeIfAbsent(shard, s -> new LinkedHashMap<>());
                copies.forEach(copy -> mine.put(copy.id(), copy));
            });
            grantedAt.clear();
            pending = new ArrayList<>();
            turn = false;
            up = true;
            ClusterSettings settings = new ClusterSettings(
                    cluster,
                    configured,
                    secret,
                    advertised,
                    name + ":9847",
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(6),
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(10));
            Random chance = new Random(seed * 31 + name.hashCode() * 7L + starts);
            loop.run(() -> {
                replication = new Replication(
                        settings,
                        id,
                        1 + chance.nextLong(Long.MAX_VALUE - 1),
                        loop,
                        chance,
                        this,
                        Optional.of(disk),
                        this);
                restored.forEach(replication::restored);
                restored.clear();
                replication.start();
            });
            return this;
        }

        /** As kill -9: the operating system closes the lines. */
        void kill() {
            loop.stop();
            up = false;
            List.copyOf(wires).forEach(wire -> wire.reset(this));
        }

        /** As a power cut: nobody closes anything. */
        void powerOff() {
            loop.stop();
            up = false;
            List.copyOf(wires).stream().filter(wire -> wire.ends(this)).forEach(wire -> wire.dark = true);
        }

        // ---- what its publishers do

        void grant(int... ports) {
            for (int port : ports) {
                grant(instance(port), false, "");
            }
        }

        void grant(Instance instance, boolean suspect, String extension) {
            grant(instance, SESSION, suspect, extension);
        }

        void grant(Instance instance, Publisher publisher, boolean suspect, String extension) {
            loop.run(() -> {
                long highest = Math.max(own.highest(instance.id()), replication.highest(instance.id()));
                Registration registration =
                        new Registration(instance, publisher, highest + 1, suspect, false, extension);
                write(new Change.Granted(own.id(), own.revision() + 1, registration));
            });
        }

        void remove(int port) {
            remove(port, RemovalCause.DEREGISTERED);
        }

        void remove(int port, RemovalCause cause) {
            loop.run(() -> {
                Registration copy = own.get(PeerWorld.id(port));
                Burial burial = new Burial(
                        copy == null ? SESSION.id() : copy.publisher().id(),
                        copy == null ? replication.highest(PeerWorld.id(port)) : copy.generation(),
                        cause);
                write(new Change.Removed(
                        own.id(), own.revision() + 1, new Removal(PeerWorld.id(port), cause), burial, "publisher"));
            });
        }

        /** Its own copy alone: there may be others, so nothing is remembered. */
        void removeOwn(int port) {
            Removal removal = new Removal(PeerWorld.id(port), RemovalCause.LEASE_EXPIRED);
            loop.run(() -> write(new Change.Removed(own.id(), own.revision() + 1, removal, Burial.OWN, "publisher")));
        }

        /** What it shows of others now is what its disk has at the next start. */
        void remember() {
            shown.forEach((shard, copies) -> {
                if (!shard.origin().equals(id) && !copies.isEmpty()) {
                    restored.put(shard, List.copyOf(copies.values()));
                }
            });
        }

        private void write(Change change) {
            own.apply(change);
            if (change instanceof Change.Granted) {
                grantedAt.put(change.instance(), change.revision());
            }
            pending.add(change);
            if (!turn) {
                turn = true;
                loop.schedule(publishAfter, this::publish);
            }
        }

        private void publish() {
            turn = false;
            List<Change> changes = pending;
            pending = new ArrayList<>();
            replication.published(changes);
            changes.forEach(this::bury);
        }

        private void bury(Change change) {
            if (change instanceof Change.Removed removed) {
                replication.buried(removed.instance(), removed.burial());
            }
        }

        // ---- Home

        @Override
        public Shard own() {
            return own;
        }

        @Override
        public boolean isSettled() {
            return pending.isEmpty();
        }

        @Override
        public void changed(Change change) {
            told.add(change);
            Map<InstanceId, Registration> shard = shown.computeIfAbsent(change.shard(), s -> new LinkedHashMap<>());
            if (change instanceof Change.Granted granted) {
                shard.put(granted.instance(), granted.registration());
            } else if (change instanceof Change.Removed removed) {
                check(removed);
                Registration there = shard.get(removed.instance());
                if (there != null
                        && (removed.burial().generation() == 0
                                || removed.burial().reaches(there))) {
                    shard.remove(removed.instance());
                }
                loop.execute(() -> bury(change)); // at the end of the turn
            }
        }

        /**
         * Property A8: what the origin has had since before that revision, it did not remove up to it. What a node out of
         * reach has may be superseded meanwhile.
         */
        private void check(Change.Removed removed) {
            Node origin = nodes.get(removed.shard().origin().name());
            if (origin == null || !origin.up || !origin.own.id().equals(removed.shard())) {
                return;
            }
            Registration there = origin.own.get(removed.instance());
            Long granted = origin.grantedAt.get(removed.instance());
            boolean reached = there != null
                    && (removed.burial().generation() == 0 || removed.burial().reaches(there));
            boolean superseded =
                    removed.burial().generation() == 0 && !replication.alive().contains(origin.id);
            if (reached && !superseded && granted != null && granted <= removed.revision()) {
                violations.add(name + " was told that " + removed + ", but its origin has it since " + granted);
            }
        }

        @Override
        public void raise(long higher) {
            Shard before = own;
            Shard raised = new Shard(new ShardId(id, higher));
            raised.at(before.revision());
            own = raised;
            incarnation = higher;
            for (Registration registration : List.copyOf(before.registrations())) {
                before.remove(registration.id());
                write(new Change.Granted(raised.id(), raised.revision() + 1, registration));
            }
        }

        @Override
        public void membersChanged() {
            memberChanges++;
        }

        @Override
        public void asked(PeerMessage.Ask ask, Consumer<PeerMessage.Answer> answer) {
            asks.add(ask);
            if (answers) {
                answer.accept(ask.answer(ask.kind() == PeerMessage.Ask.RENEW, "kind " + ask.kind()));
            }
        }

        @Override
        public void connected(NodeId node) {
            carried.add("connected " + node);
        }

        @Override
        public void disconnected(NodeId node) {
            carried.add("disconnected " + node);
        }

        @Override
        public void writable(NodeId node) {}

        @Override
        public void carried(NodeId from, byte[] payload) throws MalformedException {
            if (payload.length == 0) {
                throw new MalformedException("nothing");
            }
            carried.add(from + " " + payload.length);
        }

        @Override
        public int sessions() {
            return sessions;
        }

        @Override
        public boolean starting() {
            return starting;
        }

        @Override
        public HybridClock clock() {
            return clock;
        }

        @Override
        public boolean draining() {
            return draining;
        }

        // ---- what a test asks

        Optional<PeerMessage.Digest> digest(String origin) {
            return replication.shards().stream()
                    .filter(digest -> digest.shard().origin().name().equals(origin))
                    .findFirst();
        }

        boolean shows(Shard truth) {
            Map<InstanceId, Registration> mine = shown.getOrDefault(truth.id(), Map.of());
            return mine.size() == truth.size()
                    && truth.registrations().stream().allMatch(r -> r.equals(mine.get(r.id())));
        }

        /** Ports of an origin's shard, whatever its incarnation, as shown here. */
        List<Integer> ports(String origin) {
            List<Integer> out = new ArrayList<>();
            shown.forEach((shard, copies) -> {
                if (shard.origin().name().equals(origin)) {
                    copies.keySet().forEach(instance -> out.add(instance.port()));
                }
            });
            return out.stream().distinct().sorted().toList();
        }

        List<Integer> orphans(Duration lostFor) {
            List<Integer> out = new ArrayList<>();
            loop.run(() -> replication.orphans(
                    lostFor, orphan -> out.add(orphan.registration().id().port())));
            return out.stream().sorted().toList();
        }

        List<String> alive() {
            return replication.alive().stream().map(NodeId::name).toList();
        }

        Replication.Counts counts() {
            return replication.counts();
        }

        // ---- the network

        @Override
        public void dial(String address, Consumer<PeerLine> opened, Consumer<String> failed) {
            dialled.add(address);
            VirtualTime.Loop from = loop;
            Node to = nodes.values().stream()
                    .filter(node -> address.equals(node.advertised))
                    .findFirst()
                    .orElse(null);
            from.schedule(delay.multipliedBy(2), () -> {
                if (to == null || !to.up) {
                    failed.accept("connection refused");
                } else if (cut.contains(name + ">" + to.name) || cut.contains(to.name + ">" + name)) {
                    from.schedule(Duration.ofSeconds(3), () -> failed.accept("no answer within 3 s"));
                } else {
                    Wire wire = new Wire(this, to);
                    wires.add(wire);
                    to.loop.execute(() -> to.replication.opened(wire.listener));
                    opened.accept(wire.dialler);
                }
            });
        }

        void in(Runnable task) {
            loop.run(task);
        }
    }

    /** A line: two ends, each with what is on its way from it. */
    final class Wire {
        final End dialler;
        final End listener;
        boolean dark;

        Wire(Node a, Node b) {
            dialler = new End(this, a, b);
            listener = new End(this, b, a);
            dialler.other = listener;
            listener.other = dialler;
        }

        End end(Node node) {
            return dialler.owner == node ? dialler : listener;
        }

        boolean ends(Node node) {
            return dialler.owner == node || listener.owner == node;
        }

        void reset(Node dead) {
            if (ends(dead)) {
                End other = end(dead).other;
                end(dead).dead = true;
                if (other.owner.up) {
                    other.loop.schedule(delay, () -> other.ended("connection reset"));
                }
            }
        }

        /** What lies on the line moves at the speed of today. */
        void hurry() {
            dialler.moving = false;
            listener.moving = false;
            flush();
        }

        void flush() {
            dialler.pump();
            listener.pump();
        }
    }

    final class End implements PeerLine {
        final Wire wire;
        final Node owner;
        final Node peer;
        final VirtualTime.Loop loop;
        final PeerReader reader = new PeerReader();
        private final ArrayDeque<byte[]> onTheWay = new ArrayDeque<>();
        End other;
        long waiting;
        boolean dead;
        private boolean moving;

        End(Wire wire, Node owner, Node peer) {
            this.wire = wire;
            this.owner = owner;
            this.peer = peer;
            this.loop = owner.loop;
        }

        @Override
        public void send(byte[] message, boolean bulk) {
            if (dead) {
                return;
            }
            for (byte[] each : PeerWorld.this.onTheWay.apply(wire, message)) {
                if (loss > 0 && random.nextDouble() < loss) {
                    continue;
                }
                queue(each);
                if (repeats > 0 && random.nextDouble() < repeats) {
                    queue(each);
                }
                if (swaps > 0 && onTheWay.size() > 1 && random.nextDouble() < swaps) {
                    byte[] last = onTheWay.removeLast();
                    byte[] before = onTheWay.removeLast();
                    onTheWay.add(last);
                    onTheWay.add(before);
                }
            }
            pump();
        }

        private void queue(byte[] message) {
            bytes += message.length;
            messages++;
            waiting += message.length;
            onTheWay.add(message.clone());
        }

        void pump() {
            boolean held = cut.contains(owner.name + ">" + peer.name) || wire.dark;
            if (moving || held || onTheWay.isEmpty()) {
                return;
            }
            moving = true;
            byte[] next = onTheWay.peek();
            long took = bytesPerSecond == 0 ? 0 : next.length * 1_000_000_000L / bytesPerSecond;
            peer.loop.schedule(delay.plusNanos(took), this::arrive);
        }

        private void arrive() {
            moving = false;
            boolean held = cut.contains(owner.name + ">" + peer.name) || wire.dark;
            if (held || onTheWay.isEmpty()) {
                return;
            }
            // Everything that left within the same delay arrives together.
            int count = bytesPerSecond == 0 ? onTheWay.size() : 1;
            long before = waiting;
            for (int i = 0; i < count && !onTheWay.isEmpty(); i++) {
                byte[] message = onTheWay.poll();
                waiting -= message.length;
                if (other.dead) {
                    continue;
                }
                try {
                    peer.replication.received(other, other.reader.read(message));
                } catch (MalformedException e) {
                    peer.replication.malformed(other, e.getMessage());
                }
            }
            if (before >= ServedShard.ROOM_FOR_PAGE && waiting < ServedShard.ROOM_FOR_PAGE && owner.up && !dead) {
                loop.execute(() -> owner.replication.writable(this));
            }
            pump();
        }

        @Override
        public long waiting() {
            return waiting;
        }

        @Override
        public void close() {
            if (dead) {
                return;
            }
            if (owner != peer) {
                closers.add(owner.name);
            }
            boolean held = cut.contains(owner.name + ">" + peer.name) || wire.dark;
            loop.execute(() -> ended("closed here"));
            if (!held) {
                other.loop.schedule(delay.multipliedBy(2), () -> other.ended("closed by the other side"));
            }
        }

        void ended(String reason) {
            if (!dead) {
                dead = true;
                wires.remove(wire);
                owner.replication.closed(this, reason);
            }
        }

        @Override
        public String remote() {
            return peer.name;
        }
    }
}
