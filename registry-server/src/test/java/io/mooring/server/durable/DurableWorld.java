package io.mooring.server.durable;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.restore.MemoryStorage;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** Several tables of durable entries in virtual time, on disks in memory, with lines that can be cut and lose messages. */
final class DurableWorld {
    static final ServiceKey ORDERS = ServiceKey.of("orders");
    static final Duration BEAT = Duration.ofSeconds(2);

    final long seed;
    final VirtualTime time = new VirtualTime(0);
    final VirtualTime.Loop net = time.loop("net");
    final Map<NodeId, Node> nodes = new TreeMap<>();
    final Random random;
    private final Set<String> cut = new HashSet<>();
    private final Set<String> joined = new HashSet<>();
    /** Of a hundred messages. */
    int lost;

    int lostMessages;
    long bytes;

    DurableWorld(long seed, int count) {
        this.seed = seed;
        random = new Random(seed);
        for (int i = 1; i <= count; i++) {
            nodes.put(new NodeId("n" + i), new Node("n" + i));
        }
        nodes.values().forEach(Node::start);
    }

    Node n(int number) {
        Node node = nodes.get(new NodeId("n" + number));
        if (node == null) {
            throw new AssertionError("no node " + number);
        }
        return node;
    }

    void run(Duration duration) {
        time.runFor(duration);
    }

    static InstanceId id(int port) {
        return new InstanceId(ORDERS, InstanceId.DEFAULT_CLUSTER, "10.0.0.1", port);
    }

    static Instance instance(int port, String version) {
        return new Instance(id(port), 1, true, Metadata.of(Map.of("version", version)));
    }

    /** The line between two breaks, and none begins before they are healed. */
    void cut(int a, int b) {
        Node one = n(a);
        Node two = n(b);
        cut.add(line(one, two));
        part(one, two);
    }

    void heal() {
        cut.clear();
        join();
    }

    boolean isEqual() {
        long first = n(1).durables.status().checksum();
        return nodes.values().stream().allMatch(node -> node.durables.status().checksum() == first);
    }

    private static String line(Node a, Node b) {
        return a.self.compareTo(b.self) < 0 ? a.self + "-" + b.self : b.self + "-" + a.self;
    }

    private void join() {
        for (Node a : nodes.values()) {
            for (Node b : nodes.values()) {
                boolean may = a.self.compareTo(b.self) < 0 && a.up && b.up && !cut.contains(line(a, b));
                if (may && joined.add(line(a, b))) {
                    a.loop.run(() -> a.durables.connected(b.self));
                    b.loop.run(() -> b.durables.connected(a.self));
                }
            }
        }
    }

    private void part(Node a, Node b) {
        if (joined.remove(line(a, b))) {
            a.lines.remove(b.self);
            b.lines.remove(a.self);
            a.loop.run(() -> a.durables.lost(b.self));
            b.loop.run(() -> b.durables.lost(a.self));
        }
    }

    /** A node's durable part over several lives. */
    final class Node implements Neighbours, Durables.Listener {
        final NodeId self;
        MemoryStorage disk;
        VirtualTime.Loop loop;
        Durables durables;
        boolean up;
        private final Map<NodeId, Integer> lines = new TreeMap<>();
        final Map<InstanceId, Instance> shown = new TreeMap<>();
        final Set<InstanceId> unhealthy = new HashSet<>();
        final List<InterfaceKey> heardOf = new ArrayList<>();
        final List<String> problems = new ArrayList<>();

        Node(String name) {
            self = new NodeId(name);
            loop = time.loop(name);
            disk = new MemoryStorage(loop);
        }

        Node start() {
            loop = time.loop(self.name());
            disk.attach(loop);
            shown.clear();
            unhealthy.clear();
            loop.run(() -> {
                try {
                    durables = new Durables(self, loop, Optional.<Storage>of(disk), this, this);
                    durables.begin();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            up = true;
            beat(loop);
            join();
            return this;
        }

        private void beat(VirtualTime.Loop life) {
            life.schedule(BEAT, () -> {
                durables.beat();
                beat(life);
            });
        }

        /** As kill -9. */
        Node kill() {
            loop.stop();
            up = false;
            for (Node other : nodes.values()) {
                if (other != this) {
                    part(this, other);
                }
            }
            return this;
        }

        // ---- requests

        List<Optional<Refusal>> put(int port, String version) {
            List<Optional<Refusal>> answers = new ArrayList<>();
            loop.run(() -> durables.putPersistent(instance(port, version), Optional::empty, answers::add));
            return answers;
        }

        List<Optional<Refusal>> remove(int port) {
            List<Optional<Refusal>> answers = new ArrayList<>();
            loop.run(() -> durables.removePersistent(id(port), Optional::empty, answers::add));
            return answers;
        }

        List<Optional<Refusal>> offer(InterfaceKey of, String... applications) {
            List<Optional<Refusal>> answers = new ArrayList<>();
            loop.run(() -> durables.addApplications(of, List.of(applications), Optional::empty, answers::add));
            return answers;
        }

        /** What shows, as port to version. */
        Map<Integer, String> ports() {
            Map<Integer, String> out = new TreeMap<>();
            durables.persistent(ORDERS)
                    .forEach(each ->
                            out.put(each.port(), String.valueOf(each.metadata().get("version"))));
            return out;
        }

        // ---- listener

        @Override
        public void persistent(Instance instance, boolean healthy) {
            shown.put(instance.id(), instance);
            if (healthy) {
                unhealthy.remove(instance.id());
            } else {
                unhealthy.add(instance.id());
            }
        }

        @Override
        public void persistentGone(InstanceId instance) {
            shown.remove(instance);
        }

        @Override
        public void settings(ServiceKey service) {}

        @Override
        public void override(InstanceId instance) {}

        @Override
        public void applications(InterfaceKey of) {
            heardOf.add(of);
        }

        // ---- lines

        @Override
        public long waiting(NodeId node) {
            return lines.getOrDefault(node, 0);
        }

        @Override
        public void send(NodeId to, byte[] message) {
            Node other = nodes.get(to);
            String line = line(this, other);
            if (!joined.contains(line)) {
                return;
            }
            bytes += message.length;
            if (random.nextInt(100) < lost) {
                lostMessages++;
                return;
            }
            byte[] copy = message.clone();
            VirtualTime.Loop from = loop;
            VirtualTime.Loop there = other.loop;
            lines.merge(to, copy.length, Integer::sum);
            net.schedule(Duration.ofMillis(1), () -> {
                lines.computeIfPresent(to, (n, waiting) -> Math.max(0, waiting - copy.length));
                from.execute(() -> durables.writable(to));
                if (joined.contains(line)) {
                    there.execute(() -> {
                        try {
                            other.durables.received(self, copy);
                        } catch (MalformedException e) {
                            throw new AssertionError("seed " + seed, e);
                        }
                    });
                }
            });
        }
    }
}
