package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.Prober;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import io.mooring.server.restore.MemoryStorage;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
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
import java.util.function.Consumer;

/** One real node in virtual time, on a disk in memory, with a network of which tests know who listens. */
final class NodeWorld {
    static final ServiceKey ORDERS = ServiceKey.of("orders");

    final VirtualTime time;
    final MemoryStorage disk;
    final Set<String> refusing = new HashSet<>();
    final long seed;
    LeaseSettings lease = LeaseSettings.DEFAULTS;
    boolean probing = true;
    boolean durableOnly;
    VirtualTime.Loop loop;
    RegistryNode node;
    private final Random random;
    private int incarnations;

    NodeWorld(long seed) {
        this(seed, 0);
    }

    /** The time of day, as the node is told. */
    long wall = 1_700_000_000_000L;

    NodeWorld(long seed, long clockOrigin) {
        this.seed = seed;
        this.random = new Random(seed);
        time = new VirtualTime(clockOrigin);
        loop = time.loop("node-0");
        disk = new MemoryStorage(loop);
    }

    /** Starts the node; it is frozen and incomplete for a lease. */
    NodeWorld start() {
        loop = time.loop("node-" + ++incarnations);
        disk.attach(loop);
        VirtualTime.Loop own = loop;
        Prober prober = (host, port, verdict) -> own.schedule(
                Duration.ofMillis(5),
                () -> verdict.accept(
                        refusing.contains(host + ":" + port) ? Prober.Verdict.REFUSED : Prober.Verdict.UNKNOWN));
        NodeSettings settings = new NodeSettings(
                new NodeId("n1"),
                lease,
                ProtectionSettings.DEFAULTS,
                Duration.ofMillis(50),
                durableOnly,
                ClusterSettings.ALONE);
        own.run(() -> {
            try {
                node = new RegistryNode(
                        settings,
                        own,
                        random,
                        probing ? prober : Prober.none(),
                        Optional.of(disk),
                        PeerDialer.none(),
                        () -> wall);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return this;
    }

    /** Starts the node and lets the first lease pass. */
    NodeWorld startWarm() {
        start();
        time.runFor(Duration.ofSeconds(16));
        return this;
    }

    /** As kill -9: what was handed to the disk is there, all else is gone. */
    void crash() {
        loop.stop();
    }

    void run(Duration duration) {
        time.runFor(duration);
    }

    void in(Runnable task) {
        loop.run(task);
    }

    /** The status after the next sweep. */
    NodeStatus statusNow() {
        run(Duration.ofMillis(300));
        return node.status();
    }

    ServiceView view() {
        return node.view(ORDERS);
    }

    List<Integer> ports() {
        return view().instances().stream().map(i -> i.instance().port()).toList();
    }

    Standing standing(int port) {
        for (ListedInstance listed : view().instances()) {
            if (listed.instance().port() == port) {
                return listed.standing();
            }
        }
        throw new AssertionError("port " + port + " is not listed: " + view());
    }

    static Instance instance(int port) {
        return Instance.of(ORDERS, "10.0.0.1", port);
    }

    static Instance instance(int port, String version) {
        // Correlated fields, so that a mixture of two versions shows.
        return instance(port).withMetadata(Map.of("version", version, "check", Integer.toString(version.hashCode())));
    }

    static boolean isWhole(Instance instance) {
        Metadata metadata = instance.metadata();
        String version = metadata.get("version");
        return version == null || Integer.toString(version.hashCode()).equals(metadata.get("check"));
    }

    static InstanceId id(int port) {
        return instance(port).id();
    }

    Session session() {
        return new Session(String.format("%032x", random.nextLong() & Long.MAX_VALUE));
    }

    Session session(String id) {
        return new Session(id);
    }

    /** A session's side of the core: connection and subscriber, with its own idea of each list. */
    final class Session implements SessionLine, Subscriber {
        final String id;
        final Map<ServiceKey, ServiceView> known = new LinkedHashMap<>();
        final List<Update> updates = new ArrayList<>();
        final List<String> problems = new ArrayList<>();
        final Map<InstanceId, Long> versions = new HashMap<>();
        Optional<String> closed = Optional.empty();
        Optional<Boolean> held = Optional.empty();
        Duration lineDelay = Duration.ofMillis(1);
        boolean reads = true;
        int mostAtOnce;
        private boolean renewing = true;
        private boolean connected;

        Session(String id) {
            this.id = id;
        }

        Session connect() {
            return connect(OptionalLong.empty());
        }

        Session connect(OptionalLong holds) {
            connected = true;
            renewing = true;
            closed = Optional.empty();
            in(() -> node.open(
                    id, 0, this, holds, h -> held = Optional.of(h), refusal -> closed = Optional.of("refused")));
            renewLater(node);
            return this;
        }

        private void renewLater(RegistryNode to) {
            loop.run(() -> loop.schedule(Duration.ofSeconds(5), () -> {
                if (connected && renewing && node == to) {
                    node.heard(id);
                    renewLater(to);
                }
            }));
        }

        Session register(Instance... instances) {
            assertAccepted(reply -> node.register(id, List.of(instances), reply));
            return this;
        }

        Outcome tryRegister(List<Instance> instances) {
            return outcome(reply -> node.register(id, instances, reply));
        }

        Session deregister(int... ports) {
            List<InstanceId> ids = new ArrayList<>();
            for (int port : ports) {
                ids.add(NodeWorld.id(port));
            }
            assertAccepted(reply -> node.deregister(id, ids, reply));
            return this;
        }

        Session subscribe() {
            in(() -> node.subscribe(this, ORDERS, OptionalLong.empty()));
            return this;
        }

        void bye() {
            assertAccepted(reply -> node.bye(id, reply));
            connected = false;
        }

        /** The connection breaks and the server sees it. */
        void breakLine() {
            connected = false;
            in(() -> {
                node.forget(this);
                node.broken(id, this);
            });
        }

        /** The process dies so that nobody sees it. */
        void fallSilent() {
            renewing = false;
        }

        @Override
        public void close(String code, String message) {
            closed = Optional.of(code);
            connected = false;
            loop.execute(() -> {
                node.forget(this);
                node.broken(id, this);
            });
        }

        @Override
        public void deliver(List<Update> delivered) {
            mostAtOnce = Math.max(mostAtOnce, delivered.size());
            for (Update update : delivered) {
                updates.add(update);
                ServiceView before = known.get(update.view().service());
                if (update.known() != null && before != null && update.known() != before) {
                    problems.add("a delta from " + update.known().revision() + " at a reader of " + before.revision());
                }
                if (before != null && before.revision() > update.view().revision()) {
                    problems.add("back from revision " + before.revision() + " to "
                            + update.view().revision());
                }
                for (ListedInstance listed : update.view().instances()) {
                    if (!isWhole(listed.instance())) {
                        problems.add("a mixture: " + listed);
                    }
                }
                known.put(update.view().service(), update.view());
            }
            RegistryNode to = node;
            loop.schedule(lineDelay, () -> whenRead(to));
        }

        private void whenRead(RegistryNode to) {
            if (node != to || !connected) {
                return;
            }
            if (reads) {
                node.ready(this);
            } else {
                loop.schedule(Duration.ofMillis(100), () -> whenRead(to));
            }
        }
    }

    /** Runs a request on the loop and until its answer. */
    Outcome outcome(Consumer<Consumer<Outcome>> request) {
        List<Outcome> answers = new ArrayList<>();
        in(() -> request.accept(answers::add));
        if (!time.runUntil(() -> !answers.isEmpty(), Duration.ofSeconds(1))) {
            throw new AssertionError("no answer within a second; seed " + seed);
        }
        return answers.get(0);
    }

    void assertAccepted(Consumer<Consumer<Outcome>> request) {
        Outcome outcome = outcome(request);
        if (!(outcome instanceof Outcome.Accepted)) {
            throw new AssertionError("expected to be accepted: " + outcome + "; seed " + seed);
        }
    }
}
