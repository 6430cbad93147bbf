package io.mooring.server.durable;

import static io.mooring.server.durable.DurableWorld.ORDERS;
import static io.mooring.server.durable.DurableWorld.id;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.InstanceId;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.Octets;
import io.mooring.server.durable.DurableWorld.Node;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Several nodes: they come to the same, and it is what was acknowledged last wherever nobody else said otherwise. */
class DurableConvergenceTest {
    private static final int SEEDS = Integer.getInteger("durable.seeds", 300);

    private static void within(DurableWorld world, Duration limit, String what) {
        assertTrue(
                world.time.runUntil(world::isEqual, limit),
                () -> what + "; seed " + world.seed + ": "
                        + world.nodes.values().stream().map(Node::ports).toList());
    }

    @Test
    void whatOneNodeAcceptsAllHave() {
        DurableWorld world = new DurableWorld(1, 3);
        List<Optional<Refusal>> put = world.n(2).put(80, "1");
        world.run(Duration.ofMillis(10));
        assertEquals(List.of(Optional.empty()), put);
        for (Node node : world.nodes.values()) {
            assertEquals(Map.of(80, "1"), node.ports());
            assertEquals(Set.of(id(80)), node.shown.keySet());
        }
        world.n(3).remove(80);
        world.run(Duration.ofMillis(10));
        for (Node node : world.nodes.values()) {
            assertEquals(Map.of(), node.ports());
            assertEquals(Set.of(), node.shown.keySet());
        }
    }

    @Test
    void twoThatDidNotHearEachOtherComeToTheSame() {
        DurableWorld world = new DurableWorld(1, 2);
        world.n(1).put(80, "before");
        world.n(1).put(81, "before");
        world.n(1).put(82, "before");
        world.run(Duration.ofSeconds(5));
        world.cut(1, 2);
        world.n(1).put(80, "one");
        world.n(2).remove(81);
        world.n(2).put(83, "two");
        world.n(1).put(84, "one");
        world.n(2).put(84, "two");
        world.run(Duration.ofSeconds(60));
        assertFalse(world.isEqual());
        world.heal();
        within(world, Duration.ofMillis(100), "compared as soon as there is a line");
        String raced = world.n(1).ports().get(84);
        assertTrue(Set.of("one", "two").contains(raced), raced);
        Map<Integer, String> expected = Map.of(80, "one", 82, "before", 83, "two", 84, raced);
        assertEquals(expected, world.n(1).ports());
        assertEquals(expected, world.n(2).ports());
        assertEquals(world.n(1).shown, world.n(2).shown);
    }

    @Test
    void whatALineLosesIsFoundByComparison() {
        DurableWorld world = new DurableWorld(1, 2);
        world.n(1).put(80, "1");
        world.run(Duration.ofSeconds(5));
        world.lost = 100;
        world.n(1).put(81, "1");
        world.n(1).remove(80);
        world.run(Duration.ofMillis(500));
        world.lost = 0;
        assertTrue(world.lostMessages > 0);
        assertFalse(world.isEqual());
        within(world, Duration.ofSeconds(7), "differed on two heartbeats");
        assertEquals(Map.of(81, "1"), world.n(2).ports());
    }

    @Test
    void aNodeWhoseDiskIsNewGetsEverythingAndWritesAboveIt() {
        DurableWorld world = new DurableWorld(1, 2);
        for (int i = 0; i < 20; i++) {
            world.n(1).put(80, "v" + i);
            world.run(Duration.ofMillis(10));
        }
        world.n(1).put(81, "1");
        world.n(1).remove(80);
        world.run(Duration.ofSeconds(5));
        world.n(2).kill();
        world.n(2).disk.contents().keySet().forEach(world.n(2).disk::remove);
        world.n(2).start();
        assertFalse(world.n(2).durables.caughtUp() && world.n(2).ports().equals(Map.of(81, "1")));
        world.run(Duration.ofMillis(100));
        assertTrue(world.n(2).durables.caughtUp());
        assertEquals(Map.of(81, "1"), world.n(2).ports());
        // It never heard of the deletion of 80, whose generation is higher than any of its own.
        world.n(2).put(80, "again");
        world.run(Duration.ofSeconds(10));
        assertEquals(Map.of(80, "again", 81, "1"), world.n(1).ports());
        assertTrue(world.isEqual());
    }

    @Test
    void whatWasDeletedWhileANodeWasAwayStaysDeleted() {
        DurableWorld world = new DurableWorld(1, 3);
        world.n(1).put(80, "1");
        world.run(Duration.ofSeconds(5));
        world.n(3).kill();
        world.n(1).remove(80);
        world.run(Duration.ofSeconds(5));
        world.n(1).kill().start();
        world.n(2).kill().start();
        world.n(3).start();
        within(world, Duration.ofSeconds(5), "everybody is back");
        world.nodes.values().forEach(node -> assertEquals(Map.of(), node.ports()));
    }

    @Test
    void allRestartInAnyOrder() {
        for (int seed = 0; seed < 24; seed++) {
            DurableWorld world = new DurableWorld(seed, 3);
            Map<Integer, String> expected = new TreeMap<>();
            for (int i = 0; i < 12; i++) {
                int port = 80 + i % 5;
                world.n(1 + i % 3).put(port, "v" + i);
                expected.put(port, "v" + i);
                world.run(Duration.ofMillis(100));
            }
            world.n(2).remove(80);
            expected.remove(80);
            world.run(Duration.ofMillis(2)); // the disk has it, perhaps nobody else
            world.nodes.values().forEach(Node::kill);
            world.nodes.values().forEach(node -> node.disk.loseUnforced());
            List<Node> order = new ArrayList<>(world.nodes.values());
            Collections.shuffle(order, new Random(seed));
            for (Node node : order) {
                node.start();
                world.run(Duration.ofMillis(world.random.nextInt(5_000)));
            }
            within(world, Duration.ofSeconds(10), "all are back");
            assertEquals(expected, world.n(1).ports(), "seed " + seed);
        }
    }

    /** Whoever is alone in saying something, since everybody heard of everything, is heard. */
    @Test
    void threeNodesWithCutsLossesAndKillsComeToTheSame() {
        int lost = 0;
        int races = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            DurableWorld world = new DurableWorld(seed, 3);
            Random random = new Random(seed);
            Map<Integer, List<String>> since = new HashMap<>(); // what was said of a port since all were equal
            Map<Integer, String> settled = new TreeMap<>();
            world.lost = random.nextInt(30);
            for (int round = 0; round < 4; round++) {
                since.clear();
                for (int i = 0; i < 25; i++) {
                    step(world, random, since);
                    world.run(Duration.ofMillis(random.nextInt(3_000)));
                }
                world.lost = 0;
                world.heal();
                world.nodes.values().forEach(node -> {
                    if (!node.up) {
                        node.start();
                    }
                });
                within(world, Duration.ofSeconds(80), "everything heals");
                world.lost = random.nextInt(30);
                Map<Integer, String> is = world.n(1).ports();
                for (int port = 1; port <= 8; port++) {
                    String now = is.getOrDefault(port, "");
                    List<String> said = since.getOrDefault(port, List.of());
                    Set<String> allowed = new TreeSet<>(said);
                    if (said.isEmpty() || !said.contains("!")) {
                        allowed.add(settled.getOrDefault(port, "")); // nothing was acknowledged
                    }
                    assertTrue(
                            allowed.contains(now), "seed " + seed + ", port " + port + ": '" + now + "' of " + allowed);
                    races += said.size() > 2 ? 1 : 0;
                }
                for (Node node : world.nodes.values()) {
                    assertEquals(is, node.ports(), "seed " + seed);
                    assertEquals(
                            node.shown.keySet().stream().map(InstanceId::port).collect(Collectors.toSet()),
                            is.keySet(),
                            "seed " + seed);
                }
                settled = is;
            }
            lost += world.lostMessages;
        }
        assertTrue(lost > SEEDS, "messages lost: " + lost);
        assertTrue(races > SEEDS, "races: " + races);
    }

    private static void step(DurableWorld world, Random random, Map<Integer, List<String>> since) {
        Node node = world.n(1 + random.nextInt(3));
        int dice = random.nextInt(20);
        if (dice < 14) {
            if (!node.up) {
                return;
            }
            int port = 1 + random.nextInt(8);
            String version = dice < 4 ? "" : "v" + random.nextInt(1_000_000);
            List<Optional<Refusal>> answers = version.isEmpty() ? node.remove(port) : node.put(port, version);
            world.run(Duration.ofMillis(random.nextInt(3)));
            List<String> said = since.computeIfAbsent(port, p -> new ArrayList<>());
            said.add(version);
            if (!answers.isEmpty()) {
                said.add("!");
            }
        } else if (dice < 16) {
            int cut = random.nextInt(3);
            world.cut(cut == 0 ? 1 : cut, cut == 0 ? 2 : 3);
        } else if (dice == 16) {
            world.heal();
        } else if (dice == 17 && node.up) {
            node.kill();
            node.disk.loseUnforced();
        } else if (!node.up) {
            node.start();
        }
    }

    @Test
    void idleNodesSayNothingOrLittle() {
        DurableWorld world = new DurableWorld(1, 3);
        world.run(Duration.ofMinutes(5));
        assertEquals(0, world.bytes, "nobody ever heard of an entry");
        for (int port = 1; port <= 1_000; port++) {
            world.n(1).put(port, "1");
        }
        world.run(Duration.ofSeconds(10));
        assertTrue(world.isEqual());
        long before = world.bytes;
        world.run(Duration.ofSeconds(20));
        assertEquals(6 * 10 * 17, world.bytes - before, "a checksum per line and heartbeat, whatever there is");
    }

    @Test
    void aLargeTableArrivesInPartsThatTheLineTakes() {
        DurableWorld world = new DurableWorld(1, 2);
        world.cut(1, 2);
        for (int port = 1; port <= 2_000; port++) {
            world.n(1).put(port, "v" + "x".repeat(5_000));
        }
        world.run(Duration.ofSeconds(10));
        world.heal();
        long most = 0;
        while (!world.isEqual()) {
            world.run(Duration.ofMillis(1));
            most = Math.max(most, world.n(1).waiting(new NodeId("n2")));
            assertTrue(world.time.now() < Duration.ofMinutes(1).toNanos());
        }
        assertTrue(most < 2 << 20, "bytes on the way at once: " + most);
        assertEquals(2_000, world.n(2).ports().size());
    }

    @Test
    void kindsOfNewerNodesAreKeptAndHandedOn() throws MalformedException {
        DurableWorld world = new DurableWorld(1, 3);
        Entry newer = new Entry(
                new EntryKey(4_711, "whatever it means"), 7, new NodeId("n9"), false, Octets.of(new byte[] {1, 2, 3}));
        ByteWriter message = new ByteWriter(64).octet(3);
        newer.writeTo(message);
        world.n(1).durables.received(new NodeId("n2"), message.bytes());
        within(world, Duration.ofSeconds(10), "it spreads");
        world.run(Duration.ofMillis(10));
        assertEquals(1, world.n(3).durables.status().values());
        world.nodes.values().forEach(Node::kill);
        world.nodes.values().forEach(Node::start);
        assertEquals(1, world.n(3).durables.status().values());
        assertEquals(0, world.n(3).durables.persistent(ORDERS).size());
    }
}
