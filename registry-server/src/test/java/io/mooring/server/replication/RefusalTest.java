package io.mooring.server.replication;

import static io.mooring.server.replication.PeerWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.Octets;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Who and what is not let in: nothing of it is merged, it is counted, and people are told. */
class RefusalTest {
    private final PeerWorld world = new PeerWorld(3);

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

    private long refused(String name, String code) {
        return node(name).counts().refused().getOrDefault(code, 0L);
    }

    private long ignored(String name) {
        return node(name).counts().ignored().values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private String problems(String name) {
        StringBuilder out = new StringBuilder();
        node(name)
                .replication
                .peers()
                .forEach(peer -> out.append(peer.problem().orElse("")).append('\n'));
        return out.toString();
    }

    // ---- who

    @Test
    void twoClustersThatAreCrossJoinedStayApart() {
        start("a", "b");
        node("a").grant(1);
        world.cluster = "another";
        node("x").configured = world.addressesOf("a", "x");
        node("x").start();
        node("x").grant(2);
        world.run(30);
        assertEquals(List.of("a", "b"), node("a").alive());
        assertEquals(List.of("x"), node("x").alive());
        assertEquals(List.of(), node("x").ports("a"));
        assertEquals(List.of(), node("a").ports("x"));
        assertTrue(refused("a", "cluster") > 0);
        assertTrue(problems("x").contains("cluster"), problems("x"));
        assertTrue(refused("a", "cluster") < 10, "tried again and again: " + refused("a", "cluster"));
    }

    @Test
    void whoDoesNotKnowTheSecretLearnsAndTellsNothing() {
        start("a", "b");
        node("a").grant(1);
        for (String secret : List.of("", "a secret of the cluste", "a secret of the cluster ")) {
            world.secret = secret;
            node("x").configured = world.addressesOf("a");
            node("x").start();
            node("x").grant(2);
            world.run(10);
            assertEquals(List.of("x"), node("x").alive());
            assertEquals(List.of(), node("x").ports("a"));
            assertEquals(List.of("a", "b"), node("a").alive());
            assertTrue(problems("x").contains("secret"), problems("x"));
            assertFalse(problems("x").contains("a secret of"), "a secret is told: " + problems("x"));
            node("x").kill();
        }
        assertTrue(refused("a", "secret") > 0 || refused("x", "secret") > 0);
    }

    @Test
    void withoutASecretNobodyNeedsOne() {
        world.secret = "";
        start("a", "b");
        assertEquals(List.of("a", "b"), node("a").alive());
    }

    @Test
    void aProofIsWorthNothingOnAnotherLineOrFromTheOtherSide() {
        Handshake handshake = new Handshake("secret");
        PeerMessage.Hello a = hello("a", 1, 11);
        PeerMessage.Hello b = hello("b", 2, 12);
        String proof = handshake.proof(true, a, b);
        assertTrue(handshake.isProof(proof, true, a, b));
        assertFalse(handshake.isProof(proof, false, a, b), "the other role");
        assertFalse(handshake.isProof(proof, true, b, a), "said back");
        assertFalse(handshake.isProof(proof, true, a, hello("b", 2, 13)), "another line");
        assertFalse(handshake.isProof(proof, true, hello("a", 1, 13), b), "another line");
        assertFalse(handshake.isProof(proof, true, hello("c", 1, 11), b), "another name");
        assertFalse(handshake.isProof(proof, true, hello("a", 7, 11), b), "another process");
        assertFalse(handshake.isProof("", true, a, b));
        assertFalse(new Handshake("").isProof(proof, true, a, b), "a side without a secret trusts no proof");
        assertFalse(handshake.isProof(new Handshake("Secret").proof(true, a, b), true, a, b));
    }

    private static PeerMessage.Hello hello(String name, long process, long nonce) {
        return new PeerMessage.Hello(1, 1, "test", new NodeId(name), 1, process, "", "", nonce, nonce);
    }

    @Test
    void versionsThatDoNotOverlapAreRefused() {
        PeerMessage.Hello mine = hello("a", 1, 1);
        for (int[] versions : new int[][] {{9, 2}, {0, 0}}) {
            PeerMessage.Hello theirs =
                    new PeerMessage.Hello(versions[0], versions[1], "test", new NodeId("b"), 1, 2, "", "", 1, 1);
            assertEquals(
                    "version", Handshake.objection(mine, theirs).orElseThrow().code());
        }
        PeerMessage.Hello newer = new PeerMessage.Hello(9, 1, "test", new NodeId("b"), 1, 2, "", "", 1, 1);
        assertTrue(Handshake.objection(mine, newer).isEmpty(), "a newer one that still understands us");
    }

    @Test
    void aNodeRecognizesItselfBehindAnyAddress() {
        node("a").configured = world.addressesOf("a", "b");
        node("a").start();
        world.run(4);
        assertEquals(List.of("a"), node("a").alive());
        assertTrue(refused("a", "self") > 0);
        node("b").configured = world.addressesOf("a", "b");
        node("b").start();
        world.run(5);
        assertEquals(List.of("a", "b"), node("a").alive());
        long dials = node("a").dialled.stream().filter("a:9849"::equals).count();
        world.run(60);
        assertTrue(
                node("a").dialled.stream().filter("a:9849"::equals).count() - dials <= 8, "it keeps dialling itself");
        assertTrue(node("a").replication.isolated().isEmpty(), "its own address is no peer");
    }

    /** Or it would no longer miss who is really there, and decide alone. */
    @Test
    void aNodeTakesNobodysWordForBeingTheNodeItself() {
        byte[] self = PeerWriter.bytes(new PeerMessage.Refuse("self", "this is the node itself"));
        AtomicReference<byte[]> own = new AtomicReference<>(self);
        world.onTheWay = (wire, message) -> {
            if (!(read(message) instanceof PeerMessage.Hello hello)) {
                return List.of(message);
            }
            boolean mine = hello.node().name().equals("a");
            byte[] earlier = mine ? own.getAndSet(message) : own.get();
            return List.of(mine ? message : hello.nonceLow() % 2 == 0 ? self : earlier);
        };
        for (String each : List.of("a", "b")) {
            node(each).configured = List.of("b:9849", "c:9849");
            node(each).start();
        }
        world.run(60);
        assertEquals(
                "it sees 0 of 2 configured peers (expected: at least half)",
                node("a").replication.isolated().orElse("nothing, seed " + world.seed));
    }

    /** Or it would be ready, and take what its disk has for the latest there is. */
    @Test
    void aNodeWaitsForWhoAnsweredItThoughTheLineEndedInMidGreeting() {
        start("b");
        node("b").grant(1);
        node("a").configured = world.addressesOf("a", "b");
        world.onTheWay = (wire, message) ->
                read(message) instanceof PeerMessage.Hello ? List.of(message, message) : List.of(message);
        node("a").start();
        for (int i = 0; i < 20; i++) {
            world.run(0.1);
            node("a").in(() -> assertFalse(node("a").replication.caughtUp()));
        }
        world.onTheWay = (wire, message) -> List.of(message);
        world.until("they have met", () -> node("a").replication.caughtUp(), 10);
        assertEquals(List.of(1), node("a").ports("b"));
        node("b").kill();
        node("a").kill();
        node("a").start();
        world.until("nobody is there", () -> node("a").replication.caughtUp(), 5);
    }

    private static PeerMessage read(byte[] message) {
        try {
            return new PeerReader().read(message);
        } catch (MalformedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aSecondProcessOfTheSameNameIsRefusedEverywhere() {
        start("a", "b", "c");
        node("c").grant(1);
        world.run(1);
        PeerWorld.Node twin = world.twin("c", "c2", 9); // whatever incarnation it has
        twin.configured = world.addressesOf("a", "b");
        twin.start(9);
        twin.grant(2);
        world.run(30);
        for (String name : List.of("a", "b")) {
            assertEquals(List.of(1), node(name).ports("c"));
            assertEquals(1, node(name).digest("c").orElseThrow().shard().incarnation());
            assertTrue(problems(name).contains("two processes"), problems(name));
        }
        assertTrue(refused("a", "duplicate") > 0);
        assertEquals(1, node("c").own.id().incarnation(), "the first does not run away from it");
    }

    @Test
    void aClonedDataDirectoryIsRefusedAlsoWhereTheFirstIsOnlyKnownThroughOthers() {
        start("a", "b", "c");
        node("c").grant(1);
        world.cut("a", "c");
        world.run(15);
        assertEquals(List.of("a", "b", "c"), node("a").alive());
        PeerWorld.Node twin = world.twin("c", "c2", 1);
        twin.configured = world.addressesOf("a");
        twin.start(1);
        twin.grant(2);
        world.run(20);
        assertEquals(List.of(1), node("a").ports("c"));
        assertEquals(List.of(1), node("b").ports("c"));
        assertTrue(refused("a", "duplicate") > 0);
    }

    @Test
    void aRestartIsNoDuplicate() {
        start("a", "b");
        node("b").kill();
        world.run(0.3);
        node("b").start();
        world.run(3);
        assertEquals(List.of("a", "b"), node("a").alive());
        node("b").powerOff();
        world.run(1);
        node("b").start();
        world.run(12); // until the old line is found to be dead
        assertEquals(List.of("a", "b"), node("a").alive());
        assertTrue(world.isConverged(), world::describe);
    }

    @Test
    void twoNodesUseOneLineWhoeverDialledAndWhenever() {
        int collisions = 0;
        for (int seed = 1; seed <= 60; seed++) {
            PeerWorld pair = new PeerWorld(seed);
            pair.delay = Duration.ofMillis(40);
            for (String name : List.of("a", "b")) {
                pair.node(name).configured = pair.addressesOf("a", "b");
            }
            pair.node("a").start();
            pair.run(seed * 0.007);
            pair.node("b").start();
            int most = 0;
            for (int i = 0; i < 300; i++) {
                pair.run(0.01);
                most = Math.max(most, pair.wires.size());
            }
            collisions += most > 1 ? 1 : 0;
            assertEquals(1, pair.wires.size(), "seed " + seed);
            assertEquals(List.of("a", "b"), pair.node("b").alive(), "seed " + seed);
            pair.node("a").grant(1);
            pair.run(0.1);
            assertEquals(List.of(1), pair.node("b").ports("a"), "seed " + seed);
        }
        assertTrue(collisions > 5, "collisions: " + collisions);
    }

    @Test
    void aLineThatIsDeadOnOneSideOnlyGivesWay() {
        start("a", "b");
        world.run(10);
        int changes = node("b").memberChanges;
        world.cutOneWay("b", "a");
        world.run(5.5); // b hears a all the time
        world.cut("a", "b");
        world.until("a gives the line up", () -> node("a").alive().size() == 1, 3);
        world.heal();
        world.until("a has a new one", () -> node("a").alive().size() == 2, 4.5);
        node("a").grant(1);
        node("b").grant(2);
        world.converge(0.5);
        assertEquals(changes, node("b").memberChanges, "b had to find out by silence");
    }

    @Test
    void strangersWhoSayNothingKeepNoPeerOut() {
        start("a");
        node("stranger").configured = List.of();
        node("stranger").start();
        for (int i = 0; i < 200; i++) {
            PeerWorld.Wire wire = world.new Wire(node("stranger"), node("a"));
            node("a").in(() -> node("a").replication.opened(wire.listener));
        }
        node("b").configured = world.addressesOf("a");
        node("b").start();
        world.run(2);
        assertEquals(List.of("a", "b"), node("a").alive());
        assertTrue(refused("a", "made room") >= 136);
    }

    @Test
    void whatStrangersSayCannotForgeALogLine() throws MalformedException {
        byte[] bytes = PeerWriter.bytes(new PeerMessage.Refuse("x\ny", "a\r\nERROR all is lost" + "!".repeat(9_999)));
        PeerMessage.Refuse read = (PeerMessage.Refuse) new PeerReader().read(bytes);
        assertEquals("x?y", read.code());
        assertTrue(read.text().startsWith("a??ERROR") && read.text().length() == 500, read.text());
    }

    // ---- what

    static Stream<PeerMessage> messages() {
        NodeId a = new NodeId("a");
        ShardId shard = new ShardId(a, 1);
        return Stream.of(
                hello("a", 1, 1),
                new PeerMessage.Proof("00ff"),
                new PeerMessage.Known(3, 4, true),
                new PeerMessage.Refuse("full", "text"),
                new PeerMessage.Heartbeat(
                        List.of(new PeerMessage.Digest(shard, 1, 2, OptionalLong.of(3), 4, true, true, 5)),
                        7,
                        true,
                        false,
                        List.of("b:9849"),
                        1_700_000_000_123L,
                        8),
                new PeerMessage.Follow(1, a, 2, 3),
                new PeerMessage.Unfollow(a),
                new PeerMessage.Ended(a),
                new PeerMessage.Leaving(),
                new PeerMessage.Ask(1, 2, Octets.of(new byte[] {1, 2, 3})),
                new PeerMessage.Answer(1, true, "text"));
    }

    @ParameterizedTest
    @MethodSource("messages")
    void aMessageSurvivesItsBytesAndNoOthers(PeerMessage message) throws MalformedException {
        byte[] bytes = PeerWriter.bytes(message);
        assertEquals(message, new PeerReader().read(bytes));
        assertNothingElseIsRead(bytes);
        byte[] longer = ReplicationTest.seal(java.util.Arrays.copyOf(bytes, bytes.length + 7));
        assertEquals(message, new PeerReader().read(longer), "what a newer version added at the end");
    }

    private static List<byte[]> stepsAndPage() {
        ShardId shard = new ShardId(new NodeId("a"), 1);
        Registration one = new Registration(instance(1, "v"), PeerWorld.SESSION, 7, true, false, "more");
        Burial burial = new Burial("somebody", 8, RemovalCause.DEREGISTERED, 9);
        List<Change> changes = List.of(
                new Change.Granted(shard, 5, one),
                new Change.Granted(shard, 6, one.doubted(false, true), true),
                new Change.Removed(shard, 7, new Removal(one.id(), RemovalCause.OPERATOR), burial, "ann"));
        PeerWriter.PageWriter page = new PeerWriter.PageWriter(shard, 3, 4, 5);
        page.add(one);
        page.add(new PeerMessage.Buried(one.id(), burial));
        return List.of(PeerWriter.deltas(shard, changes).get(0), page.close(true, 9, OptionalLong.of(11)));
    }

    @Test
    void stepsAndPagesSurviveTheirBytesAndNoOthers() throws MalformedException {
        List<byte[]> both = stepsAndPage();
        PeerMessage.Delta delta = (PeerMessage.Delta) new PeerReader().read(both.get(0));
        assertEquals(5, delta.first());
        assertEquals(7, delta.lastRevision());
        assertEquals(
                "more", ((Change.Granted) delta.changes().get(0)).registration().extension());
        assertTrue(((Change.Granted) delta.changes().get(1)).standingOnly());
        Registration followed = ((Change.Granted) delta.changes().get(1)).registration();
        assertTrue(followed.followed() && !followed.suspect(), followed::toString);
        Change.Removed removed = (Change.Removed) delta.changes().get(2);
        assertEquals(RemovalCause.OPERATOR, removed.cause());
        Burial burial = new Burial("somebody", 8, RemovalCause.DEREGISTERED, 9);
        assertEquals(burial, removed.burial());
        assertEquals("ann", removed.actor());
        PeerMessage.Page page = (PeerMessage.Page) new PeerReader().read(both.get(1));
        assertTrue(page.last());
        assertEquals(OptionalLong.of(11), page.checksum());
        assertEquals(1, page.registrations().size());
        assertEquals(burial, page.burials().get(0).burial());
        for (byte[] bytes : both) {
            assertNothingElseIsRead(bytes);
        }
    }

    /** Cut off or changed at any byte. */
    private static void assertNothingElseIsRead(byte[] bytes) {
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, length);
            assertThrows(MalformedException.class, () -> new PeerReader().read(cut), "cut to " + length);
        }
        for (int at = 0; at < bytes.length; at++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] flipped = bytes.clone();
                flipped[at] ^= (byte) (1 << bit);
                assertThrows(MalformedException.class, () -> new PeerReader().read(flipped), "flipped at " + at);
            }
        }
    }

    /** Not damaged on the way but written so: whatever it says, it is read without harm or refused. */
    @Test
    void nonsenseUnderAFittingChecksumIsRefusedOrHarmless() {
        List<byte[]> all = new ArrayList<>(stepsAndPage());
        messages().forEach(message -> all.add(PeerWriter.bytes(message)));
        int refused = 0;
        for (byte[] bytes : all) {
            for (int at = 0; at < bytes.length; at++) {
                for (int value : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
                    byte[] changed = bytes.clone();
                    changed[at] = (byte) value;
                    try {
                        new PeerReader().read(ReplicationTest.seal(changed));
                    } catch (MalformedException e) {
                        refused++;
                    }
                    try {
                        new PeerReader().read(ReplicationTest.seal(java.util.Arrays.copyOf(changed, Math.max(at, 5))));
                    } catch (MalformedException e) {
                        refused++;
                    }
                }
            }
        }
        assertTrue(refused > 1_000, "refused " + refused);
        assertThrows(
                MalformedException.class, () -> new PeerReader().read(new byte[PeerMessage.MAX_BYTES + 1]), "too long");
        byte[] unknown = ReplicationTest.seal(
                new ByteWriter(20).octet(99).number(0, 4).text("later").bytes());
        try {
            assertEquals(new PeerMessage.Unknown(99), new PeerReader().read(unknown));
        } catch (MalformedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void damageOnTheWayEndsTheLineAndChangesNothing() {
        start("a", "b");
        node("a").grant(1);
        world.run(1);
        long checksum = node("b").digest("a").orElseThrow().checksum().orElseThrow();
        int[] kinds = new int[20];
        world.onTheWay = (wire, message) -> {
            if (kinds[message[0]]++ == 0) {
                byte[] damaged = message.clone();
                damaged[damaged.length - 1] ^= 1;
                return List.of(damaged);
            }
            return List.of(message);
        };
        node("a").grant(2);
        world.run(0.1);
        assertEquals(checksum, node("b").digest("a").orElseThrow().checksum().orElseThrow());
        assertTrue(refused("b", "malformed") > 0);
        world.converge(30); // whatever kind is damaged once on the way back
    }

    @Test
    void nothingPassesBeforeTheGreeting() {
        start("a", "b");
        node("a").grant(1);
        world.run(1);
        world.secret = "wrong";
        List<Integer> told = new ArrayList<>();
        world.onTheWay = (wire, message) -> {
            if (wire.ends(node("x"))) {
                told.add((int) message[0]);
            }
            // The stranger skips the proof and goes on as if it were in.
            return wire.ends(node("x")) && message[0] == PeerWriter.PROOF
                    ? List.of(
                            PeerWriter.bytes(new PeerMessage.Follow(1, new NodeId("a"), 0, 0)),
                            PeerWriter.bytes(new PeerMessage.Known(0, 0, true)))
                    : List.of(message);
        };
        node("x").configured = world.addressesOf("a");
        node("x").start();
        world.run(10);
        assertEquals(List.of("a", "b"), node("a").alive());
        assertEquals(List.of(), node("x").ports("a"));
        told.removeAll(
                List.of(PeerWriter.HELLO, PeerWriter.PROOF, PeerWriter.REFUSE, PeerWriter.FOLLOW, PeerWriter.KNOWN));
        assertEquals(List.of(), told, "kinds of messages beyond the greeting");
        assertTrue(refused("a", "out of order") > 0);
    }

    @Test
    void stepsAndPagesOfWhatWasNotAskedForAreIgnored() {
        start("a", "b", "c");
        node("a").grant(1);
        world.run(1);
        List<PeerMessage.Digest> before = node("b").replication.shards();
        // c speaks for a, for b itself, for a node nobody knows, and about the future of its own shard.
        for (ShardId shard : List.of(
                new ShardId(new NodeId("a"), 1),
                new ShardId(new NodeId("a"), 2),
                new ShardId(new NodeId("b"), 1),
                new ShardId(new NodeId("nobody"), 1),
                new ShardId(new NodeId("c"), 1),
                new ShardId(new NodeId("c"), 7))) {
            long next = shard.origin().name().equals("c") ? 900 : 2;
            Registration forged = new Registration(instance(66), PeerWorld.SESSION, 99, false);
            say(
                    "c",
                    "b",
                    PeerWriter.deltas(shard, List.of(new Change.Granted(shard, next, forged)))
                            .get(0));
            PeerWriter.PageWriter page = new PeerWriter.PageWriter(shard, 5, 1_000, 0);
            page.add(forged);
            say("c", "b", page.close(true, 99, OptionalLong.empty()));
        }
        world.run(0.1);
        long ignored = ignored("b");
        assertTrue(ignored >= 10, "ignored " + ignored);
        assertEquals(List.of(), node("b").ports("c"));
        assertEquals(List.of(1), node("b").ports("a"));
        assertEquals(List.of(), node("b").ports("nobody"));
        assertEquals(
                before.stream().map(PeerMessage.Digest::checksum).toList(),
                node("b").replication.shards().stream()
                        .map(PeerMessage.Digest::checksum)
                        .toList());
        world.run(5);
        assertTrue(world.isConverged(), world::describe);
    }

    @Test
    void whatWasSaidOnceCountsOnce() {
        start("a", "b");
        List<byte[]> said = new ArrayList<>();
        world.onTheWay = (wire, message) -> {
            if (message[0] == PeerWriter.DELTA) {
                said.add(message);
            }
            return List.of(message);
        };
        node("a").grant(1);
        world.run(0.1);
        node("a").remove(1);
        world.run(0.1);
        node("a").grant(2);
        world.run(0.1);
        world.onTheWay = (wire, message) -> List.of(message);
        int told = node("b").told.size();
        for (int round = 0; round < 3; round++) {
            said.forEach(message -> say("a", "b", message));
            world.run(0.1);
        }
        assertEquals(told, node("b").told.size(), "an old word was told again");
        assertEquals(List.of(2), node("b").ports("a"));
        assertTrue(node("b").counts().ignored().getOrDefault("delta that was here before", 0L) >= 9);
    }

    @Test
    void aHeartbeatThatArrivesAgainKeepsNobodyAlive() {
        start("a", "b", "c");
        world.run(1);
        List<byte[]> said = new ArrayList<>();
        world.onTheWay = (wire, message) -> {
            if (message[0] == PeerWriter.HEARTBEAT && wire.ends(node("a")) && wire.ends(node("b"))) {
                said.add(message);
            }
            return List.of(message);
        };
        world.run(10);
        world.onTheWay = (wire, message) -> List.of(message);
        node("c").kill();
        for (int second = 0; second < 60; second++) {
            said.forEach(message -> say("a", "b", message));
            world.run(1);
        }
        assertEquals(List.of("a", "b"), node("b").alive());
        assertTrue(node("b").counts().ignored().getOrDefault("heartbeat that was here before", 0L) > 0);
    }

    @Test
    void aHeartbeatOfAnEarlierProcessDoesNotSilenceTheNextOne() {
        start("a", "b");
        List<byte[]> said = new ArrayList<>();
        world.onTheWay = (wire, message) -> {
            if (message[0] == PeerWriter.HEARTBEAT) {
                said.add(message);
            }
            return List.of(message);
        };
        world.run(60);
        world.onTheWay = (wire, message) -> List.of(message);
        node("a").kill();
        node("a").start();
        world.run(1);
        said.forEach(message -> say("a", "b", message));
        world.run(0.5);
        node("a").grant(1);
        world.run(5);
        assertEquals(List.of(1), node("b").ports("a"));
        assertTrue(node("b").counts().ignored().getOrDefault("heartbeat of another process", 0L) > 0);
    }

    @Test
    void heartbeatsOfImpossibleThingsDoNoHarm() {
        start("a", "b");
        node("a").grant(1);
        world.run(1);
        List<PeerMessage.Digest> digests = new ArrayList<>();
        digests.add(node("a").replication.shards().get(0));
        for (int i = 0; i < 100; i++) {
            digests.add(new PeerMessage.Digest(
                    new ShardId(new NodeId("ghost" + i), 1), 1, 5, OptionalLong.of(1), 1, true, true, 0));
        }
        digests.add(new PeerMessage.Digest(
                new ShardId(new NodeId("b"), 1L << 31), 0, 5, OptionalLong.of(1), 1, true, false, 0));
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < 250; i++) {
            addresses.add(i % 2 == 0 ? "host" + i + ":9849" : "not an address " + i);
        }
        say("a", "b", PeerWriter.bytes(new PeerMessage.Heartbeat(digests, 1, false, false, addresses, 0, 0)));
        world.run(0.5);
        assertEquals(1, node("b").own.id().incarnation());
        assertTrue(node("b").replication.shards().size() <= 33);
        assertTrue(node("b").replication.peers().size() <= 64 + 128);
        world.run(30);
        assertTrue(world.isConverged(), world::describe);
        assertEquals(List.of(), node("b").orphans(Duration.ZERO));
    }

    private void say(String from, String to, byte[] message) {
        for (PeerWorld.Wire wire : List.copyOf(world.wires)) {
            if (wire.ends(node(from)) && wire.ends(node(to))) {
                wire.end(node(from)).send(message, false);
            }
        }
    }
}
