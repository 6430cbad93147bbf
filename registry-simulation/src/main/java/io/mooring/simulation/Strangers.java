package io.mooring.simulation;

import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.PeerReader;
import io.mooring.server.replication.PeerWriter;
import io.mooring.server.shard.NodeId;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Programs that connect to the port between nodes and are none: what they say must make no difference. */
final class Strangers {
    private final World world;
    private final List<byte[]> greetings = new ArrayList<>();

    Strangers(World world) {
        this.world = world;
    }

    /** Somebody listened while two nodes greeted one another. */
    void overheard(byte[] greeting) {
        if (greetings.size() < 16) {
            greetings.add(greeting);
        }
    }

    void visit(Registry node, SplittableRandom dice) {
        node.life().ifPresent(life -> {
            Visit visit = new Visit(life, dice);
            life.loop.execute(() -> {
                life.peers().opened(visit);
                world.net.schedule(world.swarm.latency(), visit::talk);
            });
        });
    }

    private final class Visit implements PeerLine {
        private final Registry.Life life;
        private final SplittableRandom dice;
        private final PeerReader reader = new PeerReader();
        private boolean closed;
        private int words;

        Visit(Registry.Life life, SplittableRandom dice) {
            this.life = life;
            this.dice = dice;
        }

        private void talk() {
            if (words++ > 6) {
                life.loop.execute(() -> over("closed by peer"));
                return;
            }
            byte[] word = word();
            life.loop.execute(() -> hear(word));
            world.net.schedule(world.swarm.latency(), this::talk);
        }

        private void hear(byte[] word) {
            if (closed) {
                return;
            }
            world.coverage.tookEffect(Fault.STRANGER);
            PeerMessage message;
            try {
                message = reader.read(word);
            } catch (MalformedException e) {
                life.peers().malformed(this, String.valueOf(e.getMessage()));
                return;
            }
            life.peers().received(this, message);
        }

        private void over(String reason) {
            if (!closed) {
                closed = true;
                life.peers().closed(this, reason);
            }
        }

        private byte[] word() {
            NodeId name = new NodeId("n" + (1 + dice.nextInt(9)));
            switch (dice.nextInt(8)) {
                case 0 -> {
                    byte[] noise = new byte[dice.nextInt(200)];
                    for (int i = 0; i < noise.length; i++) {
                        noise[i] = (byte) dice.nextInt(256);
                    }
                    return noise;
                }
                case 1 -> {
                    byte[] whole = hello("somewhere else", name, 1);
                    byte[] part = new byte[dice.nextInt(whole.length)];
                    System.arraycopy(whole, 0, part, 0, part.length);
                    return part;
                }
                case 2 -> {
                    return hello("somewhere else", name, 1);
                }
                case 3 -> {
                    return hello("somewhere else", name, 1_000 + dice.nextInt(1_000));
                }
                case 4 -> {
                    // Without a secret everybody who names the cluster belongs to it.
                    return hello(world.swarm.secret().isEmpty() ? "somewhere else" : World.CLUSTER, name, 1);
                }
                case 5 -> {
                    return PeerWriter.bytes(new PeerMessage.Proof("0123456789abcdef"));
                }
                case 6 -> {
                    return world.peerNet.captured(dice);
                }
                default -> {
                    return greetings.isEmpty() || world.swarm.secret().isEmpty()
                            ? PeerWriter.bytes(new PeerMessage.Leaving())
                            : greetings.get(dice.nextInt(greetings.size())).clone();
                }
            }
        }

        private byte[] hello(String cluster, NodeId name, int version) {
            return PeerWriter.bytes(new PeerMessage.Hello(
                    version,
                    version,
                    cluster,
                    name,
                    dice.nextInt(100),
                    dice.nextLong(),
                    "nowhere:9849",
                    "nowhere:9847",
                    dice.nextLong(),
                    dice.nextLong()));
        }

        @Override
        public void send(byte[] message, boolean bulk) {}

        @Override
        public long waiting() {
            return 0;
        }

        @Override
        public void close() {
            life.loop.execute(() -> over("closed"));
        }

        @Override
        public String remote() {
            return "a stranger";
        }
    }
}
