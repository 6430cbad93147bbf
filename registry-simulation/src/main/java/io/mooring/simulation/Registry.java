package io.mooring.simulation;

import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.edge.session.PushEncoder;
import io.mooring.server.edge.session.SessionConnection;
import io.mooring.server.edge.session.SessionHost;
import io.mooring.server.edge.session.SessionMeter;
import io.mooring.server.edge.session.SessionSettings;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.protection.ProtectionSettings;
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

/** The registry's machine: one real node at a time, its session endpoint without sockets, its disk. */
final class Registry {
    private static final Duration STALLED_AFTER = Duration.ofSeconds(30);

    private final World world;
    final SimDisk disk;
    private Optional<Life> life = Optional.empty();
    private boolean poweredOff;
    private boolean paused;
    private int lives;

    Registry(World world, SimDisk disk) {
        this.world = world;
        this.disk = disk;
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

    RegistryNode node() {
        return life.orElseThrow().node;
    }

    VirtualTime.Loop loop() {
        return life.orElseThrow().loop;
    }

    /** @return whether it started; it does not when the disk is full */
    boolean start() {
        poweredOff = false;
        VirtualTime.Loop loop = world.time.loop("registry-" + ++lives);
        boolean trusted = !disk.wasLate() && !world.oracle.diskLostSomething();
        disk.attach(loop);
        NodeSettings settings = new NodeSettings(
                new NodeId("n1"),
                lease(),
                ProtectionSettings.DEFAULTS,
                Duration.ofMillis(50),
                false,
                ClusterSettings.ALONE);
        List<RegistryNode> started = new ArrayList<>(1);
        loop.run(() -> {
            try {
                started.add(new RegistryNode(
                        settings,
                        loop,
                        world.nodeChance,
                        world.swarm.probing() ? prober(loop) : Prober.none(),
                        Optional.of(disk),
                        PeerDialer.none()));
            } catch (IOException e) {
                world.coverage.tookEffect(Fault.DISK_FULL);
                world.trace.event(world.time.now(), "registry does not start: " + e.getMessage());
            }
        });
        if (started.isEmpty()) {
            loop.stop();
            return false;
        }
        Life begun = new Life(loop, started.get(0), world.oracle.life() + 1);
        life = Optional.of(begun);
        world.trace.event(
                world.time.now(),
                "registry starts, incarnation " + begun.node.status().incarnation());
        world.oracle.registryStarted(trusted);
        return true;
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
                Prober.Verdict found = world.probe(host, port);
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
            world.trace.event(world.time.now(), silently ? "registry loses its power" : "registry is killed");
            if (paused) {
                resume();
            }
            ended.loop.stop();
            boolean late = disk.wasLate();
            disk.killed();
            world.oracle.registryKilled(late);
            life = Optional.empty();
            poweredOff = silently;
            for (Accepted connection : List.copyOf(ended.connections.values())) {
                connection.over = true;
                if (!silently) {
                    connection.link.closeFromRegistry();
                }
            }
        });
    }

    void pause() {
        life.ifPresent(running -> {
            world.trace.event(world.time.now(), "registry is paused");
            paused = true;
            running.loop.pause();
        });
    }

    void resume() {
        if (!paused) {
            return;
        }
        paused = false;
        life.ifPresent(running -> {
            world.trace.event(world.time.now(), "registry goes on");
            running.loop.resume();
        });
    }

    void accept(Link link) {
        life.ifPresent(running -> running.loop.execute(() -> running.accept(link)));
    }

    /** One incarnation and its endpoint: as SessionServer and SessionHandler, without their sockets. */
    private final class Life implements SessionHost {
        final VirtualTime.Loop loop;
        final RegistryNode node;
        final Map<SessionConnection, Accepted> connections = new LinkedHashMap<>();
        private final PushEncoder encoder = new PushEncoder();
        private final SessionSettings settings = SessionSettings.defaults(1);
        private List<SessionConnection> toFlush = new ArrayList<>();
        private boolean flushScheduled;

        final int number;

        Life(VirtualTime.Loop loop, RegistryNode node, int number) {
            this.number = number;
            this.loop = loop;
            this.node = node;
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
            return node;
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
                put(out);
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

        private void put(SessionConnection.Outgoing out) {
            unread++;
            world.oracle.said(this, payload(out.frame()));
            link.push(payload(out.frame()), this::read);
            if (out.pushes()) {
                home.loop.execute(() -> {
                    unwrittenPushes--;
                    home.node.ready(connection);
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
                put(head.out);
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
        life.ifPresent(running -> running.loop.execute(() -> step.accept(running.node)));
    }
}
