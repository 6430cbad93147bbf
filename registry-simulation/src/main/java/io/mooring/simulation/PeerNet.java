package io.mooring.simulation;

import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.PeerReader;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * The network between the nodes, as TCP has it: connections that keep their order while they last, bytes that wait for
 * a slow way, a stuck one or a reader that stands still, and ends of which only one side may know. Each direction
 * between two machines can be lost, slow or reset by itself.
 */
final class PeerNet {
    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(3);
    /** Below this a line that was full takes more, as the node's endpoint has it. */
    private static final long LOW_WATER = 512 * 1024;

    private static final int CAPTURED = 64;

    private final World world;
    private final SplittableRandom chance;
    private final Map<Long, Way> ways = new HashMap<>();
    private final List<End> ends = new ArrayList<>();
    /** What was said lately, for those who say it again. */
    private final ArrayDeque<byte[]> captured = new ArrayDeque<>();

    private long bytes;
    private long messages;
    private double replays;
    private double truncations;

    PeerNet(World world, SplittableRandom chance) {
        this.world = world;
        this.chance = chance;
    }

    /** One direction between two machines. */
    final class Way {
        boolean lost;
        Duration slow = Duration.ZERO;
        Fault fault = Fault.PEERS_CUT;
        private final ArrayDeque<Runnable> stuck = new ArrayDeque<>();

        Duration delay() {
            if (!slow.isZero()) {
                world.coverage.tookEffect(Fault.PEERS_SLOW);
            }
            return world.swarm
                    .latency()
                    .plus(slow)
                    .plusNanos(chance.nextLong(world.swarm.peerJitter().toNanos()));
        }
    }

    Way way(Registry from, Registry to) {
        return ways.computeIfAbsent(from.index * 1_000L + to.index, pair -> new Way());
    }

    /** Bytes that arrived anywhere, so far. */
    long bytes() {
        return bytes;
    }

    long messages() {
        return messages;
    }

    /** From now on some messages arrive twice, or once more on lines they were not meant for. */
    void replay(double share) {
        replays = share;
    }

    /** From now on some messages end before their end. */
    void truncate(double share) {
        truncations = share;
    }

    /** Something that two nodes said to one another just now. */
    byte[] captured(SplittableRandom dice) {
        if (captured.isEmpty()) {
            return new byte[0];
        }
        List<byte[]> all = List.copyOf(captured);
        return all.get(dice.nextInt(all.size())).clone();
    }

    // ---- faults

    /** Everything that is sent that way is lost, until it is found again. */
    void lose(Registry from, Registry to, Fault fault) {
        Way way = way(from, to);
        way.lost = true;
        way.fault = fault;
    }

    /** What is lost is sent again for as long as the kernel likes: it arrives late, or the connection is reset. */
    void heal(Registry from, Registry to, boolean deliver) {
        Way way = way(from, to);
        boolean was = way.lost;
        way.lost = false;
        way.slow = Duration.ZERO;
        List<Runnable> arrivals = List.copyOf(way.stuck);
        way.stuck.clear();
        if (deliver) {
            arrivals.forEach(Runnable::run);
        } else if (was) {
            reset(from, to);
        }
    }

    /** All connections between the two break. @return whether there was one */
    boolean reset(Registry one, Registry other) {
        boolean any = false;
        for (End end : List.copyOf(ends)) {
            if (end.at == one && end.to == other || end.at == other && end.to == one) {
                any |= !end.closed;
                end.tear();
            }
        }
        return any;
    }

    // ---- connecting

    /** What a node dials with. */
    PeerDialer dialer(Registry from, Registry.Life life) {
        return (address, opened, failed) -> new Attempt(from, life, opened, failed).begin(address);
    }

    private final class Attempt {
        private final Registry from;
        private final Registry.Life life;
        private final Consumer<PeerLine> opened;
        private final Consumer<String> failed;
        private boolean over;

        Attempt(Registry from, Registry.Life life, Consumer<PeerLine> opened, Consumer<String> failed) {
            this.from = from;
            this.life = life;
            this.opened = opened;
            this.failed = failed;
        }

        void begin(String address) {
            Optional<Registry> target = world.registryAtPeer(address);
            if (target.isEmpty()) {
                world.net.schedule(Duration.ofMillis(5), () -> fail("no such host"));
                return;
            }
            Registry to = target.get();
            Way out = way(from, to);
            Way back = way(to, from);
            world.net.schedule(CONNECT_PATIENCE, () -> fail("timed out"));
            world.net.schedule(out.delay(), () -> {
                if (out.lost) {
                    world.coverage.tookEffect(out.fault);
                } else if (to.refusesConnections()) {
                    world.net.schedule(back.delay(), () -> {
                        if (!back.lost) {
                            fail("connection refused");
                        }
                    });
                } else {
                    to.life().ifPresent(there -> meet(to, there));
                }
            });
        }

        private void meet(Registry to, Registry.Life there) {
            End here = new End(from, life, to);
            End accepted = new End(to, there, from);
            here.other = Optional.of(accepted);
            accepted.other = Optional.of(here);
            ends.removeIf(End::isOver);
            ends.add(here);
            ends.add(accepted);
            accepted.open();
            accepted.say(
                    () -> { // nothing that it says arrives before that
                        if (over) {
                            here.closed = true; // whatever the other side says is answered by a reset
                        } else {
                            over = true;
                            life.loop.execute(() -> {
                                if (!here.closed) {
                                    here.open();
                                    opened.accept(here);
                                }
                            });
                        }
                    });
            there.loop.execute(() -> {
                if (!accepted.closed) {
                    there.peers().opened(accepted);
                }
            });
        }

        private void fail(String reason) {
            if (!over) {
                over = true;
                life.loop.execute(() -> failed.accept(reason));
            }
        }
    }

    // ---- connections

    /** A node dies: its kernel says so, unless the machine is gone too. */
    void died(Registry.Life life, boolean silently) {
        for (End end : List.copyOf(ends)) {
            if (end.life == life && !end.closed) {
                end.closed = true;
                if (!silently) {
                    end.say(() -> end.other.ifPresent(other -> other.end("reset by peer")));
                }
            }
        }
    }

    /** How many lines of that node's life are open. */
    int lines(Registry.Life life) {
        int count = 0;
        for (End end : ends) {
            count += end.life == life && !end.closed ? 1 : 0;
        }
        return count;
    }

    /** One side of a connection. */
    final class End implements PeerLine {
        private final Registry at;
        private final Registry.Life life;
        private final Registry to;
        private final PeerReader reader = new PeerReader();
        private Optional<End> other = Optional.empty();
        private boolean closed;
        private boolean torn;
        private boolean full;
        private long unread;
        private long sendingUntil;
        private long lastArrival;

        End(Registry at, Registry.Life life, Registry to) {
            this.at = at;
            this.life = life;
            this.to = to;
            this.sendingUntil = world.time.now();
            this.lastArrival = world.time.now();
        }

        private boolean isOver() {
            return closed && (other.isEmpty() || other.get().closed);
        }

        private void open() {
            world.trace.event(world.time.now(), at.name + " has a line to " + to.name);
        }

        @Override
        public void send(byte[] message, boolean bulk) {
            if (closed) {
                return;
            }
            byte[] sent = message.clone(); // the sender may be wrong about who writes to it
            unread += sent.length;
            full |= waiting() >= LOW_WATER;
            world.trace.frame(world.time.now(), at.name + " > " + to.name, sent);
            long now = world.time.now();
            long begin = sendingUntil - now > 0 ? sendingUntil : now;
            sendingUntil = begin + sent.length * 1_000_000_000L / world.swarm.peerBandwidth();
            say(() -> arrive(sent));
        }

        /** In order, behind what was sent. */
        private void say(Runnable arrival) {
            long now = world.time.now();
            long leaves = sendingUntil - now > 0 ? sendingUntil : now;
            long at = leaves + way(this.at, to).delay().toNanos();
            lastArrival = at - lastArrival > 0 ? at : lastArrival;
            world.net.schedule(Duration.ofNanos(lastArrival - now), () -> pass(arrival));
        }

        private void pass(Runnable arrival) {
            Way way = way(at, to);
            if (way.lost) {
                world.coverage.tookEffect(way.fault);
                way.stuck.add(() -> pass(arrival));
            } else {
                arrival.run();
            }
        }

        private void arrive(byte[] message) {
            End there = other.orElseThrow();
            if (torn) {
                return;
            }
            if (there.closed) {
                if (!there.at.isOff()) {
                    there.say(() -> end("reset by peer")); // nobody knows this connection any more
                }
                return;
            }
            if (truncations > 0 && chance.nextDouble() < truncations) {
                world.coverage.tookEffect(Fault.PEER_MESSAGES_CUT);
                byte[] part = new byte[chance.nextInt(message.length)];
                System.arraycopy(message, 0, part, 0, part.length);
                there.life.loop.execute(() -> there.received(part, this));
                return;
            }
            there.life.loop.execute(() -> there.received(message, this));
            if (replays > 0 && chance.nextDouble() < replays) {
                repeat(message, there);
            }
            captured.addLast(message);
            if (captured.size() > CAPTURED) {
                captured.removeFirst();
            }
        }

        private void repeat(byte[] message, End there) {
            world.coverage.tookEffect(Fault.PEER_MESSAGES_REPEATED);
            byte[] again = message;
            if (chance.nextBoolean() && !captured.isEmpty()) {
                int skip = chance.nextInt(captured.size());
                for (byte[] each : captured) {
                    if (skip-- == 0) {
                        again = each;
                        break;
                    }
                }
            }
            if (world.repeatable(again)) {
                byte[] repeated = again.clone();
                world.trace.frame(world.time.now(), at.name + " > " + to.name + " again", repeated);
                there.life.loop.execute(() -> there.received(repeated, this));
            }
        }

        private void received(byte[] message, End from) {
            if (closed) {
                return;
            }
            bytes += message.length;
            messages++;
            from.wasRead(message.length);
            PeerMessage read;
            try {
                read = reader.read(message);
            } catch (MalformedException e) {
                world.coverage.effect(Effects.MALFORMED);
                life.peers().malformed(this, String.valueOf(e.getMessage()));
                return;
            }
            world.oracle.peerSaid(to, at, read);
            life.peers().received(this, read);
        }

        private void wasRead(int length) {
            unread = Math.max(0, unread - length);
            if (full && waiting() < LOW_WATER) {
                full = false;
                world.coverage.effect(Effects.LINE_WAS_FULL);
                life.loop.execute(() -> {
                    if (!closed) {
                        life.peers().writable(this);
                    }
                });
            }
        }

        /** Scaled, so that a few registrations fill a line as a million would. */
        @Override
        public long waiting() {
            return Math.max(0, unread - world.swarm.peerWindow()) * world.swarm.peerWeight();
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                life.loop.execute(() -> life.peers().closed(this, "closed"));
                say(() -> other.ifPresent(there -> there.end("closed by peer")));
            }
        }

        private void end(String reason) {
            if (!closed) {
                life.loop.execute(() -> {
                    if (!closed) {
                        closed = true;
                        world.trace.event(world.time.now(), at.name + " loses a line to " + to.name + ": " + reason);
                        life.peers().closed(this, reason);
                    }
                });
            }
        }

        private void tear() {
            if (!torn) {
                torn = true;
                world.net.schedule(way(to, at).delay(), () -> end("reset"));
            }
        }

        @Override
        public String remote() {
            return to.name;
        }
    }
}
