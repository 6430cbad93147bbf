package io.mooring.simulation;

import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.edge.session.OpenSessions;
import io.mooring.server.edge.session.PushEncoder;
import io.mooring.server.edge.session.SessionConnection;
import io.mooring.server.edge.session.SessionHost;
import io.mooring.server.edge.session.SessionMeter;
import io.mooring.server.edge.session.SessionSettings;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.replication.Peers;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** One machine of the registry: one real node at a time, its endpoints without sockets, its disk. */
final class Registry {
    private static final Duration STALLED_AFTER = Duration.ofSeconds(30);

    private final World world;
    final int index;
    /** Of the machine; the node's own, too, unless its directory was cloned. */
    final String name;

    final String node;
    final SimDisk disk;
    final Witness witness;
    private final String cluster;
    private List<String> peers = List.of();
    private Optional<Life> life = Optional.empty();
    private boolean poweredOff;
    private boolean paused;
    private boolean draining;
    private boolean askedAll;
    private int lives;
    private long resumedAt;

    /** @param node the name under which it takes part */
    Registry(World world, int index, String name, String node, String cluster, SimDisk disk) {
        this.world = world;
        this.index = index;
        this.name = name;
        this.node = node;
        this.cluster = cluster;
        this.disk = disk;
        this.witness = new Witness(world, this);
        this.resumedAt = world.time.now() - STALLED_AFTER.toNanos();
    }

    /** Which addresses it is given when it starts, its own perhaps among them. */
    void configure(List<String> addresses) {
        peers = addresses;
    }

    /** Half of the single nodes are of a cluster that has no other node yet. */
    private boolean isAlone() {
        return world.isSingle() && world.swarm.secret().isEmpty();
    }

    List<String> configured() {
        return peers;
    }

    /** The same while it runs, as when the watched file changes. */
    void configureNow(List<String> addresses) {
        if (isAlone()) {
            return;
        }
        peers = List.copyOf(addresses);
        witness.toldPeers();
        onLoop(running -> running.configured(peers));
    }

    String peerAddress() {
        return name + ":9849";
    }

    String sessionAddress() {
        return name + ":9847";
    }

    // ---- the process

    boolean isUp() {
        return life.isPresent();
    }

    boolean isPaused() {
        return paused;
    }

    /** The host answers, but nobody listens. */
    boolean refusesConnections() {
        return life.isEmpty() && !poweredOff;
    }

    boolean isThere() {
        return life.isPresent();
    }

    /** The machine is without power: nothing answers. */
    boolean isOff() {
        return poweredOff;
    }

    boolean isDraining() {
        return draining;
    }

    Optional<Life> life() {
        return life;
    }

    RegistryNode node() {
        return life.orElseThrow().node();
    }

    VirtualTime.Loop loop() {
        return life.orElseThrow().loop;
    }

    /** @return whether it started; it does not when the disk is full */
    boolean start() {
        poweredOff = false;
        draining = false;
        VirtualTime.Loop loop = world.time.loop(name + "-" + ++lives);
        boolean trusted = !disk.wasLate() && !witness.diskLostSomething();
        disk.attach(loop);
        Life begun = new Life(loop, witness.life() + 1);
        boolean[] started = new boolean[1];
        loop.run(() -> {
            try {
                begun.begin(new RegistryNode(
                        settings(),
                        loop,
                        world.nodeChance,
                        world.swarm.probing() ? prober(loop) : Prober.none(),
                        Optional.of(disk),
                        world.peerNet.dialer(this, begun),
                        () -> 1_700_000_000_000L + world.elapsed() / 1_000_000));
                started[0] = true;
            } catch (IOException e) {
                world.coverage.tookEffect(Fault.DISK_FULL);
                world.trace.event(world.time.now(), name + " does not start: " + e.getMessage());
            }
        });
        if (!started[0]) {
            loop.stop();
            return false;
        }
        life = Optional.of(begun);
        world.trace.event(
                world.time.now(),
                name + " starts, incarnation " + begun.node().status().incarnation());
        witness.started(trusted);
        world.durable.started(this);
        return true;
    }

    private NodeSettings settings() {
        ClusterSettings d = isAlone() ? ClusterSettings.ALONE : ClusterSettings.of(cluster, peers);
        ClusterSettings peering = new ClusterSettings(
                d.cluster(),
                d.addresses(),
                world.swarm.secret(),
                peerAddress(),
                sessionAddress(),
                d.heartbeat(),
                d.suspectAfter(),
                d.goneAfter(),
                d.startPatience());
        return new NodeSettings(
                new NodeId(node), lease(), ProtectionSettings.DEFAULTS, Duration.ofMillis(50), false, peering);
    }

    /** SIGTERM: hands its sessions over, and exits. */
    void drain(Runnable exited) {
        life.ifPresent(running -> running.loop.execute(() -> {
            draining = true;
            askedAll = false;
            boolean others = !running.node().sessionAddresses().isEmpty();
            world.trace.event(world.time.now(), name + " drains");
            running.node().drain(Duration.ofSeconds(10), Duration.ofSeconds(20), () -> {
                if (life.isPresent() && life.get() == running) {
                    world.trace.event(world.time.now(), name + " has drained");
                    exited.run();
                }
            });
            if (others && !askedAll) {
                throw world.fatal(new Violation("E4", name + " drains and asks no session to go to another node"));
            }
        }));
    }

    LeaseSettings lease() {
        LeaseSettings d = LeaseSettings.DEFAULTS;
        return new LeaseSettings(
                d.ttl(),
                d.grace(),
                d.evictionWindow(),
                d.evictionShare(),
                world.swarm.evictionFloor(),
                d.maxInstances(),
                d.maxServices(),
                d.maxInstancesPerService(),
                d.maxInstancesPerSession(),
                d.maxSessions());
    }

    private Prober prober(VirtualTime.Loop loop) {
        return (host, port, verdict) -> {
            Duration way = Duration.ofNanos(200_000 + world.chance.nextInt(200_000_000));
            world.net.schedule(way, () -> {
                Prober.Verdict found = world.probe(this, host, port);
                world.trace.event(world.time.now(), "probe " + host + ":" + port + " " + found);
                Duration back = found == Prober.Verdict.UNKNOWN ? Duration.ofSeconds(2) : way;
                world.net.schedule(
                        back,
                        () -> loop.execute(() -> {
                            if (found == Prober.Verdict.REFUSED) {
                                world.oracle.probeRefused(host, port);
                            }
                            verdict.accept(found);
                        }));
            });
        };
    }

    /** kill -9, or the power goes: then nobody hears that the connections are gone. */
    void kill(boolean silently) {
        life.ifPresent(ended -> {
            world.trace.event(world.time.now(), name + (silently ? " loses its power" : " is killed"));
            if (paused) {
                resume();
            }
            ended.loop.stop();
            boolean late = disk.wasLate();
            disk.killed();
            witness.killed(late);
            world.durable.died(this);
            life = Optional.empty();
            draining = false;
            poweredOff = silently;
            world.peerNet.died(ended, silently);
            for (Accepted connection : List.copyOf(ended.connections.values())) {
                connection.over = true;
                if (!silently) {
                    connection.link.closeFromRegistry();
                }
            }
        });
    }

    boolean wasNotPausedFor(Duration length) {
        return world.time.now() - resumedAt > length.toNanos();
    }

    void pause() {
        life.ifPresent(running -> {
            world.trace.event(world.time.now(), name + " is paused");
            paused = true;
            running.loop.pause();
        });
    }

    void resume() {
        if (!paused) {
            return;
        }
        paused = false;
        resumedAt = world.time.now();
        life.ifPresent(running -> {
            world.trace.event(world.time.now(), name + " goes on");
            running.loop.resume();
        });
    }

    void accept(Link link) {
        life.ifPresent(running -> running.loop.execute(() -> running.accept(link)));
    }

    /** One incarnation and its endpoint: as SessionServer and SessionHandler, without their sockets. */
    final class Life implements SessionHost {
        final VirtualTime.Loop loop;
        private Optional<RegistryNode> node = Optional.empty();
        final Map<SessionConnection, Accepted> connections = new LinkedHashMap<>();
        private final PushEncoder encoder = new PushEncoder();
        private final SessionSettings settings = SessionSettings.defaults(1);
        private final OpenSessions sessions;
        private List<SessionConnection> toFlush = new ArrayList<>();
        private boolean flushScheduled;

        final int number;

        Life(VirtualTime.Loop loop, int number) {
            this.number = number;
            this.loop = loop;
            this.sessions = new OpenSessions(loop, List.of());
        }

        private void begin(RegistryNode started) {
            node = Optional.of(started);
            started.onSessionAddresses(sessions::addresses);
            started.movesSessionsBy((within, targets, most) -> {
                if (most == Integer.MAX_VALUE) {
                    askedAll = true;
                    sessions.move(within, targets);
                } else {
                    sessions.move(within, targets, most, world.nodeChance);
                }
            });
        }

        @Override
        public List<String> sessionAddresses() {
            return sessions.addresses();
        }

        @Override
        public void welcomed(SessionConnection connection) {
            sessions.welcomed(connection);
        }

        /** Where the lines of other nodes end. */
        Peers peers() {
            return node().peers();
        }

        void accept(Link link) {
            Accepted accepted = new Accepted(this, link);
            connections.put(accepted.connection, accepted);
            link.acceptedBy(accepted);
            world.net.schedule(settings.helloWithin(), () -> {
                if (!accepted.greeted) {
                    accepted.shut();
                }
            });
        }

        @Override
        public RegistryNode node() {
            return node.orElseThrow();
        }

        @Override
        public SessionSettings settings() {
            return settings;
        }

        @Override
        public SessionMeter meter() {
            return SessionMeter.NONE;
        }

        @Override
        public PushEncoder encoder() {
            return encoder;
        }

        @Override
        public void flushLater(SessionConnection connection) {
            toFlush.add(connection);
            if (!flushScheduled) {
                flushScheduled = true;
                loop.execute(this::flush);
            }
        }

        private void flush() {
            flushScheduled = false;
            List<SessionConnection> ready = toFlush;
            toFlush = new ArrayList<>();
            for (SessionConnection connection : ready) {
                SessionConnection.Outgoing outgoing = connection.take();
                Accepted accepted = connections.get(connection);
                if (accepted != null) {
                    accepted.write(outgoing);
                }
            }
        }
    }

    /** The registry's end of one connection. */
    final class Accepted {
        private final Life home;
        private final Link link;
        private final SessionConnection connection;
        private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
        private final ArrayDeque<Waiting> blocked = new ArrayDeque<>();
        private String namespace = "";
        private boolean greeted;
        private boolean over;
        private int unread;
        private int unwrittenPushes;
        private final long since = world.time.now();

        private record Waiting(SessionConnection.Outgoing out, long since) {}

        Accepted(Life home, Link link) {
            this.home = home;
            this.link = link;
            this.connection = new SessionConnection(home, link.client().name);
        }

        /** Which of the node's lives it belongs to. */
        int life() {
            return home.number;
        }

        Registry registry() {
            return Registry.this;
        }

        boolean isOpen() {
            return !over;
        }

        /** When the connection came to be. */
        long since() {
            return since;
        }

        /** Later connections have higher numbers. */
        long number() {
            return link.number();
        }

        /** A frame arrived at the machine. */
        void received(byte[] frame) {
            if (over) {
                world.coverage.effect(Effects.STALE_FRAMES);
                return;
            }
            List<ClientMessage> messages;
            try {
                messages = reader.readFromClient(frame, 0, frame.length, namespace);
            } catch (MalformedFrameException e) {
                throw new Violation("codec", "the SDK sent what the registry cannot read: " + e.getMessage());
            }
            if (messages.get(0) instanceof ClientMessage.Hello hello) {
                namespace = hello.namespace();
                greeted = true;
            }
            home.loop.execute(() -> {
                if (connection.isClosed()) {
                    world.coverage.effect(Effects.STALE_FRAMES);
                } else {
                    world.oracle.heard(this, messages);
                }
                connection.receive(messages);
            });
        }

        /** The kernel noticed that the other side is gone. */
        void closed() {
            home.loop.execute(this::disconnected);
        }

        private void disconnected() {
            if (!over) {
                over = true;
                home.connections.remove(connection);
                home.sessions.closed(connection);
                world.oracle.disconnected(this);
                connection.disconnected();
            }
        }

        /** We give it up. */
        void shut() {
            if (!over) {
                home.loop.execute(() -> {
                    if (!over) {
                        disconnected();
                        link.closeFromRegistry();
                    }
                });
            }
        }

        private void write(SessionConnection.Outgoing out) {
            if (out.pushes() && ++unwrittenPushes > 1) {
                throw new Violation("E9", "a second delivery to " + connection + " before the first one was written");
            }
            if (blocked.isEmpty() && unread < world.swarm.window()) {
                put(out, world.time.now());
            } else {
                if (out.pushes()) {
                    world.coverage.effect(Effects.BUSY);
                }
                blocked.add(new Waiting(out, world.time.now()));
                if (blocked.size() > 2_000) {
                    throw new Violation("E9", "2000 frames wait for " + connection);
                }
                world.net.schedule(STALLED_AFTER, this::look);
            }
        }

        private void look() {
            Waiting head = blocked.peekFirst();
            if (head != null && world.time.now() - head.since >= STALLED_AFTER.toNanos()) {
                shut();
            }
        }

        private void put(SessionConnection.Outgoing out, long saidAt) {
            unread++;
            world.oracle.said(this, payload(out.frame()));
            link.push(payload(out.frame()), saidAt, this::read);
            if (out.pushes()) {
                home.loop.execute(() -> {
                    unwrittenPushes--;
                    home.node().ready(connection);
                });
            }
            if (out.last()) {
                shut();
            }
        }

        private void read() {
            unread--;
            Waiting head = blocked.pollFirst();
            if (head != null) {
                put(head.out, head.since);
            }
        }
    }

    /** A frame without the WebSocket's head. */
    private static byte[] payload(byte[] frame) {
        int length = frame[1] & 0x7f;
        int head = length < 126 ? 2 : length == 126 ? 4 : 10;
        byte[] payload = new byte[frame.length - head];
        System.arraycopy(frame, head, payload, 0, payload.length);
        return payload;
    }

    /** Runs a step on the node's loop as its HTTP edge would; nothing happens while it is down. */
    void onLoop(Consumer<RegistryNode> step) {
        life.ifPresent(running -> running.loop.execute(() -> step.accept(running.node())));
    }
}
