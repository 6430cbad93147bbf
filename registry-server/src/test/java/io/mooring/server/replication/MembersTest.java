package io.mooring.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.server.membership.PeerStatus;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Who is there, and how nodes find one another. */
class MembersTest {
    private final PeerWorld world = new PeerWorld(5);

    private PeerWorld.Node node(String name) {
        return world.node(name);
    }

    private void start(String... names) {
        for (String name : names) {
            node(name).configured = world.addressesOf(names);
            node(name).start();
        }
        world.run(4);
    }

    private PeerStatus.State state(String at, String of) {
        return node(at).replication.peers().stream()
                .filter(peer -> peer.name().equals(of))
                .findFirst()
                .orElseThrow()
                .state();
    }

    @Test
    void oneAddressIsEnoughToFindAll() {
        start("a", "b");
        node("c").configured = world.addressesOf("b");
        node("c").start();
        node("d").configured = world.addressesOf("c");
        node("d").start();
        world.run(6);
        for (String name : List.of("a", "b", "c", "d")) {
            assertEquals(List.of("a", "b", "c", "d"), node(name).alive());
            assertTrue(node(name).replication.peers().stream()
                    .filter(peer -> !peer.name().isEmpty())
                    .allMatch(peer -> peer.via().isEmpty() && peer.state() == PeerStatus.State.ALIVE));
        }
    }

    @Test
    void remembersWhereTheOthersWereWhenNobodyCanTell() {
        start("a", "b", "c");
        for (List<String> configured : List.of(List.<String>of(), List.of("name-that-does-not-resolve:9849"))) {
            node("c").kill();
            world.run(20);
            node("c").advertised = "somewhere-else-" + configured.size() + ":9849"; // where nobody looks for it
            node("c").configured = configured;
            node("c").start();
            world.run(3);
            assertEquals(List.of("a", "b", "c"), node("c").alive());
        }
    }

    @Test
    void aDamagedMemoryOfPeersIsPassedOver() {
        start("a", "b");
        Map<String, byte[]> files = node("b").disk.contents();
        byte[] good = files.get("peers.txt");
        assertTrue(new String(good, StandardCharsets.UTF_8).contains("a 1 "), "what it remembers");
        node("a").kill();
        node("b").kill();
        node("b").configured = List.of();
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            startFrom(bad);
        }
        for (int length = 0; length < good.length - 1; length++) {
            startFrom(java.util.Arrays.copyOf(good, length));
        }
        node("a").start();
        node("b").configured = world.addressesOf("a");
        node("b").start();
        world.run(4);
        assertEquals(List.of("a", "b"), node("b").alive());
    }

    private void startFrom(byte[] memory) {
        node("b").disk.overwrite("peers.txt", memory);
        node("b").dialled.clear();
        node("b").start();
        world.run(0.1);
        assertEquals(List.of(), node("b").dialled, "goes by what is damaged");
        node("b").kill();
    }

    @Test
    void aFullDiskKeepsNobodyOut() {
        node("a").configured = world.addressesOf("a", "b");
        node("b").configured = world.addressesOf("a", "b");
        node("a").start();
        node("a").disk.capacity(10);
        node("b").start();
        world.run(4);
        assertEquals(List.of("a", "b"), node("a").alive());
        assertFalse(node("a").disk.contents().containsKey("peers.txt"), "half a file took its place");
    }

    @Test
    void aNodeIsItsNameWhereverItMoves() {
        start("a", "b", "c");
        node("c").grant(1);
        world.run(1);
        node("c").kill();
        node("c").advertised = "c-moved:9849";
        node("c").start();
        node("c").grant(1);
        world.run(5);
        assertEquals(List.of("a", "b", "c"), node("a").alive());
        // Also the other way round: whoever does not hear of it from c hears from others.
        world.cut("a", "c");
        world.run(10);
        world.heal();
        world.run(5);
        assertTrue(world.isConverged(), world::describe);
        assertEquals(
                "c-moved:9849",
                node("a").replication.peers().stream()
                        .filter(peer -> peer.name().equals("c"))
                        .findFirst()
                        .orElseThrow()
                        .address());
    }

    @Test
    void addressesMayChangeWhileItRuns() {
        start("a");
        node("b").configured = List.of();
        node("b").start();
        world.run(3);
        assertEquals(List.of("a"), node("a").alive());
        node("a").in(() -> node("a").replication.configured(List.of("b:9849", "nonsense")));
        world.run(1);
        assertEquals(List.of("a", "b"), node("a").alive());
        node("a").in(() -> node("a").replication.configured(List.of()));
        world.run(10);
        assertEquals(List.of("a", "b"), node("a").alive(), "a list that is suddenly empty drops nobody");
    }

    @Test
    void aliveThenSuspectThenGoneAndAliveAgain() {
        start("a", "b");
        assertEquals(PeerStatus.State.ALIVE, state("a", "b"));
        world.cut("a", "b");
        world.run(5);
        assertEquals(PeerStatus.State.ALIVE, state("a", "b"));
        world.run(4);
        assertEquals(PeerStatus.State.SUSPECT, state("a", "b"));
        assertTrue(node("a").replication.isUncertain());
        world.run(16);
        assertEquals(PeerStatus.State.GONE, state("a", "b"));
        assertFalse(node("a").replication.isUncertain());
        world.heal();
        world.run(5);
        assertEquals(PeerStatus.State.ALIVE, state("a", "b"));
    }

    @Test
    void whoWasTakenAwayIsNotMissedForEver() {
        start("a", "b", "c");
        node("b").in(() -> node("b").replication.leave(() -> {}));
        world.run(1);
        node("b").kill();
        node("c").kill();
        world.run(25);
        assertEquals(PeerStatus.State.GONE, state("a", "b"), "it said goodbye, but is expected back");
        node("a").in(() -> node("a").replication.configured(world.addressesOf("a")));
        world.run(1);
        assertEquals(PeerStatus.State.LEFT, state("a", "b"));
        assertEquals(PeerStatus.State.GONE, state("a", "c"), "it said nothing");
        node("b").start();
        world.run(25);
        assertEquals(PeerStatus.State.ALIVE, state("a", "b"));
    }

    @Test
    void fewerThanHalfOfTheConfiguredPeersIsIsolation() {
        start("a", "b", "c", "d", "e");
        assertTrue(node("a").replication.isolated().isEmpty());
        node("b").kill();
        node("c").kill();
        world.run(1);
        assertTrue(node("a").replication.isolated().isEmpty(), "two of four are there");
        int changes = node("a").memberChanges;
        node("d").kill();
        world.run(1);
        assertTrue(node("a").replication.isolated().orElseThrow().contains("1 of 4"));
        assertTrue(node("a").memberChanges > changes);
        node("b").start();
        world.run(4);
        assertTrue(node("a").replication.isolated().isEmpty());
    }

    @Test
    void aNodeByItselfIsNotIsolated() {
        node("a").configured = List.of();
        node("a").start();
        world.run(5);
        assertTrue(node("a").replication.isolated().isEmpty());
        assertFalse(node("a").replication.caughtUp(), "it does not know that it is by itself");
        assertFalse(node("a").replication.isUncertain());
        assertTrue(node("a").dialled.isEmpty());
    }

    @Test
    void sessionsAreSentToThoseWhoStay() {
        start("a", "b", "c");
        node("b").sessions = 7;
        world.run(4);
        assertEquals(List.of("b:9847", "c:9847"), node("a").replication.sessionAddresses());
        assertEquals(7, node("a").replication.peerSessions().get(node("b").id));
        node("c").draining = true;
        world.run(2.1);
        assertEquals(List.of("b:9847"), node("a").replication.sessionAddresses());
    }

    @Test
    void dialsThatFailAreFarBetweenButNotForEver() {
        node("a").configured = List.of("nobody:9849");
        node("a").start();
        world.run(60);
        int dials = node("a").dialled.size();
        assertTrue(dials >= 25 && dials <= 80, "dials in a minute: " + dials);
        node("nobody").configured = List.of();
        node("nobody").start();
        world.run(2.1);
        assertEquals(List.of("a", "nobody"), node("a").alive());
    }

    @Test
    void aHealedPartitionIsWholeWithinFiveSeconds() {
        start("a", "b", "c");
        for (int round = 0; round < 30; round++) {
            world.cut("a", "b");
            world.cut("a", "c");
            world.run(1 + world.random.nextDouble() * 30);
            node("a").grant(1 + round, 200);
            node("b").grant(100 + round, 200);
            world.run(0.1);
            world.heal();
            world.converge(5);
        }
    }

    @Test
    void whoStoodStillForAWhileDoesNotSuspectTheOthersForIt() {
        for (String name : List.of("a", "b", "c")) {
            node(name).configured = world.addressesOf("a", "b", "c");
            node(name).start();
            world.run(0.7); // so that not all speak at the same moment
        }
        world.run(5);
        int kept = 0;
        for (int phase = 0; phase < 40; phase++) {
            world.closers.clear();
            world.run(5 + phase * 0.05);
            node("a").loop.pause();
            world.run(4.9);
            node("a").loop.resume();
            world.run(3);
            kept += world.closers.isEmpty() ? 1 : 0;
            assertFalse(
                    !world.closers.isEmpty() && world.closers.get(0).equals("a"),
                    "a ends a line for its own standstill, phase " + phase);
        }
        assertTrue(kept > 5, "the others always noticed: the test proves nothing");
        node("a").loop.pause();
        world.run(60);
        node("b").grant(1);
        assertEquals(List.of("b", "c"), node("b").alive());
        node("a").loop.resume();
        world.converge(5);
    }

    @Test
    void twoRunsOfTheSameSeedAreTheSame() {
        long first = trace();
        assertEquals(first, trace());
    }

    private static long trace() {
        PeerWorld world = new PeerWorld(77);
        long[] hash = {17};
        world.onTheWay = (wire, message) -> {
            hash[0] = hash[0] * 31 + java.util.Arrays.hashCode(message);
            return List.of(message);
        };
        for (String name : List.of("a", "b", "c", "d")) {
            world.node(name).configured = world.addressesOf("a", "b", "c", "d");
            world.node(name).start();
        }
        for (int i = 0; i < 50; i++) {
            world.node("a").grant(1 + world.random.nextInt(50));
            world.node("b").grant(1 + world.random.nextInt(50));
            world.node("c").remove(1 + world.random.nextInt(50));
            if (i == 20) {
                world.cut("a", "b");
            }
            if (i == 40) {
                world.heal();
            }
            world.run(0.7);
        }
        return hash[0];
    }
}
