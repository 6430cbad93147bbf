package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.Prober;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.PeerReader;
import io.mooring.server.restore.MemoryStorage;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** Several real nodes in virtual time, joined by lines that can be cut. */
final class ClusterWorld {
    static final ServiceKey ORDERS = ServiceKey.of("orders");
    private static final Duration WAY = Duration.ofMillis(1);

    final VirtualTime time = new VirtualTime(0);
    final VirtualTime.Loop net = time.loop("net");
    final Map<String, Machine> machines = new TreeMap<>();
    final Set<String> refusing = new HashSet<>();
    final Set<String> answering = new HashSet<>();

    /** Which machines have looked at an address. */
    final Map<String, Set<String>> probedBy = new TreeMap<>();

    /** Hears of every message when it is handed to a line. */
    BiConsumer<Machine, byte[]> onSend = (from, message) -> {};

    private final Set<String> cut = new HashSet<>();
    private final Map<String, Duration> slow = new HashMap<>();
    private final List<Wire> wires = new ArrayList<>();
    private final Random random;
    final long seed;

    ClusterWorld(long seed, int nodes) {
        this.seed = seed;
        this.random = new Random(seed);
        for (int i = 1; i <= nodes; i++) {
            machines.put("n" + i, new Machine("n" + i));
        }
        machines.values().forEach(Machine::start);
    }

    /** Until the first freeze is over and everybody knows everybody. */
    ClusterWorld warm() {
        run(Duration.ofSeconds(20));
        return this;
    }

    void run(Duration duration) {
        time.runFor(duration);
    }

    Machine n(int number) {
        return machines.get("n" + number);
    }

    /** Nothing passes between the two any more, in either direction, and nobody is told. */
    void cut(int a, int b) {
        cut.add("n" + a + ">n" + b);
        cut.add("n" + b + ">n" + a);
    }

    /** What the one says to the other takes that long. */
    void slow(Machine from, Machine to, Duration way) {
        slow.put(from.name + ">" + to.name, way);
    }

    void heal() {
        cut.clear();
        List.copyOf(wires).forEach(Wire::breakIfStuck);
    }

    private boolean isCut(String from, String to) {
        return cut.contains(from + ">" + to);
    }

    static Instance instance(int port, String version) {
        return Instance.of(ORDERS, "10.0.0.1", port).withMetadata(Map.of("version", version));
    }

    static InstanceId id(int port) {
        return Instance.of(ORDERS, "10.0.0.1", port).id();
    }

    /** A node, its loop and its disk, over several lives. */
    final class Machine {
        final String name;
        MemoryStorage disk;
        VirtualTime.Loop loop;
        RegistryNode node;
        boolean up;

        /** Whether it is told where the nodes are; otherwise it goes by what it remembers, and by who comes. */
        boolean told = true;

        final List<List<String>> moves = new ArrayList<>();
        /** The time of day, as the node is told; it stands still. */
        long wall = 1_700_000_000_000L;

        Machine(String name) {
            this.name = name;
            loop = time.loop(name);
            disk = new MemoryStorage(loop);
        }

        void start() {
            loop = time.loop(name);
            disk.attach(loop);
            VirtualTime.Loop own = loop;
            Prober prober = (host, port, verdict) -> own.schedule(WAY, () -> {
                String address = host + ":" + port;
                probedBy.computeIfAbsent(address, each -> new HashSet<>()).add(name);
                verdict.accept(
                        refusing.contains(address)
                                ? Prober.Verdict.REFUSED
                                : answering.contains(address) ? Prober.Verdict.ANSWERED : Prober.Verdict.UNKNOWN);
            });
            List<String> all = new ArrayList<>();
            machines.keySet().stream().filter(each -> told).forEach(each -> all.add(each + ":9849"));
            ClusterSettings defaults = ClusterSettings.of("test", all);
            ClusterSettings cluster = new ClusterSettings(
                    "test",
                    all,
                    "a secret",
                    name + ":9849",
                    name + ":9847",
                    defaults.heartbeat(),
                    defaults.suspectAfter(),
                    defaults.goneAfter(),
                    defaults.startPatience());
            NodeSettings settings = new NodeSettings(
                    new NodeId(name),
                    LeaseSettings.DEFAULTS,
                    ProtectionSettings.DEFAULTS,
                    Duration.ofMillis(50),
                    false,
                    cluster);
            Random nodeRandom = new Random(random.nextLong());
            own.run(() -> {
                try {
                    node = new RegistryNode(
                            settings, own, nodeRandom, prober, Optional.of(disk), dialer(own), () -> wall);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                node.movesSessionsBy((within, targets, most) -> moves.add(targets));
            });
            up = true;
        }

        private PeerDialer dialer(VirtualTime.Loop own) {
            return (address, opened, failed) -> {
                Machine target = machines.get(address.substring(0, address.indexOf(':')));
                net.schedule(WAY, () -> {
                    if (target == null || !target.up) {
                        own.schedule(WAY, () -> failed.accept("refused"));
                    } else if (isCut(name, target.name)) {
                        own.schedule(Duration.ofSeconds(2), () -> failed.accept("no answer"));
                    } else {
                        Wire wire = new Wire(Machine.this, target);
                        wires.add(wire);
                        target.loop.execute(() -> target.node.peers().opened(wire.there));
                        own.schedule(WAY, () -> opened.accept(wire.here));
                    }
                });
            };
        }

        /** As kill -9: the kernel closes its lines. */
        void crash() {
            loop.stop();
            up = false;
            List.copyOf(wires).forEach(wire -> wire.endedBy(this));
        }

        void in(Runnable task) {
            loop.run(task);
        }

        List<Integer> ports() {
            return node.view(ORDERS).instances().stream()
                    .map(listed -> listed.instance().port())
                    .toList();
        }

        String version(int port) {
            return node.view(ORDERS).instances().stream()
                    .filter(listed -> listed.instance().port() == port)
                    .map(listed -> String.valueOf(listed.instance().metadata().get("version")))
                    .findFirst()
                    .orElse("none");
        }

        Standing standing(int port) {
            return node.view(ORDERS).instances().stream()
                    .filter(listed -> listed.instance().port() == port)
                    .findFirst()
                    .orElseThrow()
                    .standing();
        }

        Outcome outcome(Consumer<Consumer<Outcome>> request) {
            List<Outcome> answers = new ArrayList<>();
            in(() -> request.accept(answers::add));
            if (!time.runUntil(() -> !answers.isEmpty(), Duration.ofSeconds(3))) {
                throw new AssertionError("no answer within three seconds; seed " + seed);
            }
            return answers.get(0);
        }

        List<InstanceId> renew(InstanceId instance) {
            List<List<InstanceId>> answers = new ArrayList<>();
            in(() -> node.renew(List.of(instance), answers::add));
            if (!time.runUntil(() -> !answers.isEmpty(), Duration.ofSeconds(5))) {
                throw new AssertionError("no answer to a renewal; seed " + seed);
            }
            return answers.get(0);
        }
    }

    PeerMessage read(byte[] message) {
        try {
            return new PeerReader().read(message);
        } catch (MalformedException e) {
            throw new AssertionError("a node sent what another cannot read; seed " + seed, e);
        }
    }

    /** A connection between two machines: in order, and silent when cut. */
    private final class Wire {
        final Machine dialler;
        final Machine listener;
        final End here;
        final End there;
        boolean over;
        boolean stuck;

        Wire(Machine dialler, Machine listener) {
            this.dialler = dialler;
            this.listener = listener;
            here = new End(this, dialler, listener);
            there = new End(this, listener, dialler);
        }

        void endedBy(Machine dead) {
            if (dead == dialler || dead == listener) {
                over = true;
                wires.remove(this);
                End survivor = dead == dialler ? there : here;
                survivor.closed("the other side is gone");
            }
        }

        void breakIfStuck() {
            if (stuck) {
                over = true;
                wires.remove(this);
                here.closed("reset");
                there.closed("reset");
            }
        }
    }

    private final class End implements PeerLine {
        private final Wire wire;
        private final Machine at;
        private final Machine to;
        private final VirtualTime.Loop life;
        private long waiting;
        private boolean told;

        End(Wire wire, Machine at, Machine to) {
            this.wire = wire;
            this.at = at;
            this.to = to;
            this.life = at.loop;
        }

        private End other() {
            return wire.here == this ? wire.there : wire.here;
        }

        @Override
        public void send(byte[] message, boolean bulk) {
            if (wire.over) {
                return;
            }
            onSend.accept(at, message);
            waiting += message.length;
            byte[] copy = message.clone();
            net.schedule(slow.getOrDefault(at.name + ">" + to.name, WAY), () -> {
                waiting -= copy.length;
                if (isCut(at.name, to.name)) {
                    wire.stuck = true;
                    return;
                }
                other().arrive(copy);
                life.execute(() -> {
                    if (!told) {
                        at.node.peers().writable(this);
                    }
                });
            });
        }

        private void arrive(byte[] message) {
            life.execute(() -> {
                if (told || wire.over) {
                    return;
                }
                at.node.peers().received(this, read(message));
            });
        }

        void closed(String reason) {
            life.execute(() -> {
                if (!told) {
                    told = true;
                    at.node.peers().closed(this, reason);
                }
            });
        }

        @Override
        public long waiting() {
            return waiting;
        }

        @Override
        public void close() {
            wires.remove(wire);
            closed("closed here");
            if (!isCut(at.name, to.name)) {
                net.schedule(WAY.multipliedBy(2), () -> {
                    wire.over = true;
                    other().closed("closed there");
                });
            }
        }

        @Override
        public String remote() {
            return to.name;
        }
    }

    /** A publisher that holds a session with one machine after the other. */
    final class Publisher implements SessionLine {
        final String id;
        private long attempt;
        private Machine home;
        private VirtualTime.Loop life;
        Optional<String> closed = Optional.empty();
        Optional<Boolean> held = Optional.empty();

        Publisher() {
            this(String.format("%032x", random.nextLong() & Long.MAX_VALUE));
        }

        private Publisher(String id) {
            this.id = id;
        }

        /** The same session, whose earlier connection is still open. */
        Publisher asNow() {
            Publisher now = new Publisher(id);
            now.attempt = attempt;
            return now;
        }

        Publisher connect(Machine machine) {
            return connect(machine, OptionalLong.empty());
        }

        Publisher connect(Machine machine, OptionalLong holds) {
            home = machine;
            life = machine.loop;
            closed = Optional.empty();
            long now = ++attempt;
            machine.in(() -> machine.node.open(
                    id, now, this, holds, h -> held = Optional.of(h), refusal -> closed = Optional.of("refused")));
            renewLater(now);
            return this;
        }

        private void renewLater(long of) {
            life.run(() -> life.schedule(Duration.ofSeconds(5), () -> {
                if (of == attempt && home != null) {
                    home.node.heard(id);
                    renewLater(of);
                }
            }));
        }

        Publisher register(Instance... instances) {
            Outcome outcome = home.outcome(reply -> home.node.register(id, List.of(instances), reply));
            if (!(outcome instanceof Outcome.Accepted)) {
                throw new AssertionError(outcome + "; seed " + seed);
            }
            return this;
        }

        void deregister(InstanceId instance) {
            home.outcome(reply -> home.node.deregister(id, List.of(instance), reply));
        }

        /** The connection breaks and the node sees it; the process lives on. */
        Publisher breakLine() {
            Machine machine = home;
            VirtualTime.Loop then = life;
            home = null;
            then.execute(() -> machine.node.broken(id, this));
            return this;
        }

        /** Its machine loses power: the node sees nothing. */
        void powerOff() {
            home = null;
        }

        @Override
        public void close(String code, String message) {
            closed = Optional.of(code);
            home = null;
        }
    }
}
