package io.mooring.server.replication;

import static io.mooring.server.replication.PeerWorld.id;
import static io.mooring.server.replication.PeerWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** What one node grants, the others have; and what they still have when it is gone. */
class ReplicationTest {
    private final PeerWorld world = new PeerWorld(2);

    private PeerWorld.Node node(String name) {
        return world.node(name);
    }

    private void start(String... names) {
        for (String name : names) {
            node(name).configured = world.addressesOf(names);
            node(name).start();
        }
        world.until(
                "all see each other",
                () -> Arrays.stream(names).allMatch(name -> node(name).alive().size() == names.length),
                5);
        world.converge(5);
        world.run(3);
    }

    private void grantMany(String name, int from, int to) {
        for (int port = from; port <= to; port++) {
            node(name).grant(port);
        }
    }

    // ---- steps

    @Test
    void whatOneGrantsTheOthersHaveAtOnce() {
        start("a", "b", "c");
        node("a").grant(1, 2, 3);
        world.run(0.005);
        assertEquals(List.of(1, 2, 3), node("b").ports("a"));
        assertEquals(List.of(1, 2, 3), node("c").ports("a"));
        node("a").remove(2);
        world.run(0.005);
        assertEquals(List.of(1, 3), node("b").ports("a"));
        assertTrue(world.isConverged(), world::describe);
    }

    @Test
    void aTurnBecomesVisibleInOneStepHoweverManyMessagesItTakes() {
        start("a", "b");
        world.bytesPerSecond = 1_000_000;
        node("a").in(() -> grantMany("a", 1, 5_000));
        for (int i = 0; i < 20_000 && node("b").ports("a").isEmpty(); i++) {
            world.run(0.001);
        }
        assertEquals(5_000, node("b").ports("a").size(), "of the turn's registrations are there, others are not");
        assertTrue(
                node("b").counts().deltasReceived() > 2, "the turn fitted into one message: the test proves nothing");
    }

    @Test
    void aLostStepIsFoundAndFetched() {
        start("a", "b", "c");
        boolean[] lost = {false};
        world.onTheWay = (wire, message) -> {
            boolean loses = message[0] == PeerWriter.DELTA && !lost[0];
            lost[0] |= loses;
            return loses ? List.of() : List.of(message);
        };
        node("a").grant(1);
        world.run(0.01);
        assertTrue(lost[0]);
        world.converge(2.1); // the next heartbeat tells
        long gaps = node("b").counts().gaps() + node("c").counts().gaps();
        assertEquals(1, gaps);
        assertEquals(
                0,
                node("b").counts().snapshotsTaken() + node("c").counts().snapshotsTaken() - 4,
                "only what was missing");
    }

    @Test
    void aStepAfterALostOneIsNotTakenBeforeIt() {
        start("a", "b");
        boolean[] lost = {false};
        world.onTheWay = (wire, message) -> {
            boolean loses = message[0] == PeerWriter.DELTA && !lost[0];
            lost[0] |= loses;
            return loses ? List.of() : List.of(message);
        };
        node("a").grant(1);
        world.run(0.01);
        node("a").grant(2);
        world.run(0.0011); // it is there, and asked about
        assertEquals(List.of(), node("b").ports("a"));
        world.run(0.005);
        assertEquals(List.of(1, 2), node("b").ports("a"));
        assertEquals(1, node("b").counts().gaps());
        assertEquals(0, node("b").counts().mismatches());
    }

    @Test
    void whoIsSaidToFollowNoMoreAndNeverSaidThatAsksAnew() {
        start("a", "b");
        byte[] late = PeerWriter.bytes(new PeerMessage.Unfollow(new NodeId("a")));
        world.onTheWay =
                (wire, message) -> message[0] == PeerWriter.HEARTBEAT ? List.of(message, late) : List.of(message);
        world.run(2.1);
        world.onTheWay = (wire, message) -> List.of(message);
        world.run(2.1); // the next heartbeat tells of a shard that nobody gives b any more
        node("a").grant(1);
        world.run(0.005);
        assertEquals(List.of(1), node("b").ports("a"));
    }

    @Test
    void contentsThatDifferAtTheSameRevisionAreTakenAnew() {
        start("a", "b");
        world.onTheWay = (wire, message) -> {
            if (message[0] == PeerWriter.DELTA) {
                // What no line does: another port, under a checksum that fits.
                byte[] other = replace(message, "10.0.0.1", "10.0.0.9");
                return List.of(other);
            }
            return List.of(message);
        };
        node("a").grant(1);
        world.run(0.01);
        assertFalse(world.isConverged(), "the change on the way took no effect");
        world.onTheWay = (wire, message) -> List.of(message);
        world.converge(2.1);
        assertEquals(1, node("b").counts().mismatches());
    }

    @Test
    void whatAnotherProcessSaysIsNotTakenForAShardOfTheSameName() {
        start("a", "b");
        // As a process would say it that runs in a copy of the node's directory.
        pagesOfAAreSaid(page -> as(page, page.shard(), page.process() + 1));
        assertFalse(world.isConverged());
        world.onTheWay = (wire, message) -> List.of(message);
        world.converge(5);
    }

    @Test
    void whatIsSaidOfAnEarlierIncarnationDoesNotTakeThePlaceOfALaterOne() {
        start("a", "b");
        node("a").kill();
        node("a").start();
        world.converge(5);
        ShardId later = node("a").own.id();
        pagesOfAAreSaid(page -> as(page, new ShardId(later.origin(), later.incarnation() - 1), page.process()));
        assertEquals(later, node("b").digest("a").orElseThrow().shard());
        assertTrue(node("b").counts().ignored().getOrDefault("page of what was before", 0L) > 0);
        world.onTheWay = (wire, message) -> List.of(message);
        world.converge(5);
    }

    /** Has b ask for all of a's shard, as a step on its way to b is another one, and be told that. */
    private void pagesOfAAreSaid(Function<PeerMessage.Page, byte[]> otherwise) {
        world.onTheWay = (wire, message) -> switch (message[0]) {
            case PeerWriter.DELTA -> List.of(replace(message, "10.0.0.1", "10.0.0.9"));
            case PeerWriter.PAGE -> List.of(otherwise.apply(page(message)));
            default -> List.of(message);
        };
        node("a").grant(1);
        world.run(3);
        assertTrue(node("b").counts().mismatches() > 0, "b asked for nothing: the test proves nothing");
    }

    private static byte[] as(PeerMessage.Page page, ShardId shard, long process) {
        PeerWriter.PageWriter copy = new PeerWriter.PageWriter(shard, process, page.number(), page.page());
        page.registrations().forEach(copy::add);
        return copy.close(page.last(), page.revision(), page.checksum());
    }

    private static PeerMessage.Page page(byte[] message) {
        try {
            return (PeerMessage.Page) new PeerReader().read(message);
        } catch (MalformedException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] replace(byte[] message, String from, String to) {
        byte[] out = message.clone();
        byte[] f = from.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        byte[] t = to.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        for (int i = 0; i <= out.length - f.length; i++) {
            if (Arrays.equals(Arrays.copyOfRange(out, i, i + f.length), f)) {
                System.arraycopy(t, 0, out, i, t.length);
            }
        }
        return seal(out);
    }

    /** Gives a message the checksum that fits. */
    static byte[] seal(byte[] message) {
        CRC32C crc = new CRC32C();
        crc.update(message, 0, 1);
        crc.update(message, PeerWriter.HEAD, message.length - PeerWriter.HEAD);
        for (int i = 0; i < 4; i++) {
            message[1 + i] = (byte) (crc.getValue() >>> 8 * (3 - i));
        }
        return message;
    }

    // ---- the whole

    @Test
    void whoComesLaterGetsTheWholeOfIt() {
        start("a", "b", "c");
        grantMany("a", 1, 5_000);
        node("a").remove(17);
        node("d").configured = world.addressesOf("a");
        node("d").start();
        assertFalse(node("d").replication.caughtUp(), "nothing has been tried yet");
        world.converge(5);
        assertEquals(List.of("a", "b", "c", "d"), node("c").alive());
        assertTrue(node("d").replication.caughtUp());
        long highest = node("d").replication.highest(id(17));
        assertTrue(highest > 0, "the removal came along, so that a late copy cannot outrank it");
    }

    @Test
    void aSnapshotOfAShardThatChangesEndsUpRight() {
        start("a", "b");
        world.cut("a", "b");
        world.run(20);
        grantMany("a", 1, 40_000); // more than the log keeps
        world.run(1);
        world.heal();
        world.bytesPerSecond = 2_000_000;
        long pages = node("b").counts().pagesReceived();
        world.until("pages come", () -> node("b").counts().pagesReceived() > pages + 5, 20);
        for (int i = 0; i < 300; i++) {
            node("a").grant(instance(1 + world.random.nextInt(20_000), "v" + i), false, "");
            node("a").remove(1 + world.random.nextInt(20_000));
            node("a").grant(30_000 + i);
            world.run(0.005);
        }
        assertTrue(node("b").ports("a").isEmpty(), "the snapshot was over before the changes: the test proves nothing");
        world.converge(30);
        assertEquals(0, node("b").counts().mismatches());
        assertEquals(0, node("b").counts().gaps(), "the stream had holes");
    }

    @Test
    void aSnapshotRemovesNothingBeforeItsLastPageNorWhenItIsNeverFinished() {
        start("a", "b");
        grantMany("a", 1, 3_000);
        world.converge(5);
        world.cut("a", "b");
        world.run(20);
        for (int port = 1; port <= 1_000; port++) {
            node("a").remove(port);
        }
        for (int round = 0; round < 40; round++) { // more than the log keeps
            for (int port = 1_001; port <= 3_000; port++) {
                node("a").grant(instance(port, "round " + round), false, "");
            }
            world.run(0.1);
        }
        world.heal();
        world.bytesPerSecond = 200_000;
        long pages = node("b").counts().pagesReceived();
        world.until("some pages are there", () -> node("b").counts().pagesReceived() > pages, 20);
        assertEquals(3_000, node("b").ports("a").size());
        node("a").kill();
        world.run(10);
        assertEquals(3_000, node("b").ports("a").size(), "an unfinished snapshot took something away");
        assertEquals(3_000, node("b").orphans(Duration.ofSeconds(5)).size());
        world.bytesPerSecond = 0;
    }

    /** b has 1, 2 and 3 of a, misses what happens there then, and more than a's log keeps, and is back. */
    private void takeTheWholeBehind(Runnable missed) {
        start("a", "b");
        node("a").grant(1, 2, 3);
        world.run(1);
        world.cut("a", "b");
        world.run(20);
        missed.run();
        world.run(1);
        for (int round = 0; round < 60; round++) {
            grantMany("a", 1_001, 2_000);
            world.run(0.1);
        }
        node("b").told.clear();
        world.heal();
        world.converge(10);
        assertTrue(node("b").counts().snapshotsTaken() > 1, "it went step by step: the test proves nothing");
    }

    @Test
    void whatIsAbsentFromTheWholeWordOfItsOriginIsGoneForTheReasonThatIsRemembered() {
        takeTheWholeBehind(() -> node("a").remove(1, RemovalCause.LEASE_EXPIRED));
        List<RemovalCause> causes = node("b").told.stream()
                .filter(change -> change.instance().equals(id(1)))
                .map(change -> ((Change.Removed) change).cause())
                .distinct()
                .toList();
        assertEquals(List.of(RemovalCause.LEASE_EXPIRED), causes);
    }

    @Test
    void whatIsAbsentFromTheWholeWordOfItsOriginIsGoneThoughNoRemovalIsRemembered() {
        takeTheWholeBehind(() -> node("a").removeOwn(1));
        assertTrue(
                node("b").told.stream()
                        .anyMatch(change -> change instanceof Change.Removed removed
                                && removed.instance().equals(id(1))),
                "b was told nothing of its end");
    }

    @Test
    void aShortAbsenceCostsOnlyTheStepsThatWereMissed() {
        start("a", "b");
        grantMany("a", 1, 2_000);
        world.run(1);
        long pages = node("b").counts().pagesReceived();
        world.cut("a", "b");
        world.run(20);
        grantMany("a", 2_001, 2_100);
        world.run(1);
        world.heal();
        world.converge(5);
        assertEquals(pages, node("b").counts().pagesReceived());
    }

    // ---- relays

    @Test
    void whatWasMissedStepByStepIsShownInOne() {
        start("a", "b");
        world.cut("a", "b");
        world.run(20);
        for (int port = 1; port <= 200; port++) {
            node("a").grant(port);
            world.run(0.01);
        }
        long before = node("b").counts().deltasReceived();
        world.heal();
        world.bytesPerSecond = 50_000;
        for (int i = 0; i < 20_000 && node("b").ports("a").isEmpty(); i++) {
            world.run(0.001);
        }
        assertEquals(200, node("b").ports("a").size(), "steps that are over are shown as news");
        assertTrue(node("b").counts().deltasReceived() >= before + 200, "not step by step: the test proves nothing");
    }

    @Test
    void aPairThatIsCutHearsThroughTheThird() {
        start("a", "b", "c");
        world.cut("a", "b");
        world.run(15);
        assertEquals(List.of("a", "b", "c"), node("b").alive());
        assertTrue(node("b").orphans(Duration.ZERO).isEmpty());
        node("a").grant(1, 2);
        world.run(0.01);
        assertEquals(List.of(1, 2), node("b").ports("a"));
        assertTrue(node("b").replication.peers().stream()
                .anyMatch(peer -> peer.name().equals("a") && peer.via().equals("c")));
        world.heal();
        world.run(5);
        assertTrue(
                node("b").replication.peers().stream()
                        .allMatch(peer -> peer.via().isEmpty()),
                "the direct line is back");
        node("a").remove(1);
        world.run(0.01);
        assertEquals(List.of(2), node("b").ports("a"));
    }

    @Test
    void aChainOfNodesHearsItsFarEnd() {
        start("a", "b", "c", "d");
        world.cut("a", "c");
        world.cut("a", "d");
        world.cut("b", "d");
        world.run(15);
        node("a").grant(1);
        world.run(0.05);
        assertEquals(List.of(1), node("d").ports("a"));
        world.until("the origin is known to be there", () -> node("d").alive().contains("a"), 10);
        node("a").kill();
        world.until("all know that it is gone", () -> !node("d").alive().contains("a"), 15);
    }

    @Test
    void whatANewerVersionAddsSurvivesAHopThroughThisOne() {
        start("a", "b", "c");
        world.cut("a", "b");
        world.run(15);
        String extension = "\u0001\u00ff what a newer version knows";
        node("a").grant(instance(1), false, extension);
        world.run(0.01);
        assertEquals(extension, shown("b", id(1)).extension());
        // In bytes: what stands behind what we know of a step and of a message, and a step of a kind we do not know.
        world.onTheWay = (wire, message) -> List.of(message);
        List<byte[]> relayed = new ArrayList<>();
        byte[] sent = newerDelta(node("a"));
        world.onTheWay = (wire, message) -> {
            if (message[0] != PeerWriter.DELTA) {
                return List.of(message);
            }
            if (wire.ends(node("b"))) {
                relayed.add(message);
                return List.of(message);
            }
            return List.of(sent);
        };
        node("a").grant(2);
        node("a").own.at(node("a").own.revision() + 1); // the step of an unknown kind
        world.run(0.01);
        world.onTheWay = (wire, message) -> List.of(message);
        assertTrue(relayed.stream().anyMatch(message -> Arrays.equals(message, sent)), "handed on as it came");
        assertEquals(List.of(1, 2), node("b").ports("a"));
        assertEquals(
                node("a").own.revision(), node("b").digest("a").orElseThrow().revision());
    }

    private byte[] newerDelta(PeerWorld.Node origin) {
        Registration registration = new Registration(instance(2), PeerWorld.SESSION, 1, false);
        ByteWriter out = new ByteWriter(300)
                .octet(PeerWriter.DELTA)
                .number(0, 4)
                .octet(0)
                .shard(origin.own.id())
                .number(origin.own.revision() + 1, 8)
                .number(2, 4);
        int start = out.octet(PeerWriter.GRANTED).number(0, 3).size();
        out.registration(registration).text("more of a newer version");
        out.numberAt(start - 3, out.size() - start, 3);
        out.octet(77).number(3, 3).number(0, 3).text("and at the end");
        return seal(out.bytes());
    }

    private Registration shown(String name, InstanceId instance) {
        return node(name).shown.values().stream()
                .flatMap(shard -> Optional.ofNullable(shard.get(instance)).stream())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theLastWordsOfALostNodeReachThoseWhoMissedThem() {
        start("a", "b", "c");
        world.cut("a", "c");
        world.cut("b", "c");
        world.run(12);
        node("a").grant(1);
        world.run(0.1);
        node("a").kill();
        world.heal();
        world.run(6);
        assertEquals(List.of(1), node("c").ports("a"));
        assertEquals(
                node("b").digest("a").orElseThrow().revision(),
                node("c").digest("a").orElseThrow().revision());
    }

    // ---- incarnations

    @Test
    void whatAnEarlierIncarnationHadStaysAsOrphans() {
        start("a", "b");
        node("a").grant(1, 2, 3);
        world.run(1);
        node("a").kill();
        world.run(3);
        node("a").start();
        node("a").grant(2);
        world.until(
                "a is back", () -> node("b").digest("a").orElseThrow().shard().incarnation() == 2, 5);
        assertEquals(List.of(1, 2, 3), node("b").ports("a"));
        assertEquals(List.of(1, 3), node("b").orphans(Duration.ZERO), "2 has been taken over");
        assertEquals(List.of(1, 3), node("b").orphans(Duration.ofSeconds(3)), "since the loss, not since the return");
        node("a").grant(3);
        world.run(0.1);
        node("b").in(() -> {
            assertEquals(
                    2,
                    node("b").replication.find(id(3)).orElseThrow().shard().incarnation(),
                    "the copy of today shows");
            node("b").replication.forget(new ShardId(new NodeId("a"), 1), id(3));
        });
        assertEquals(List.of(1), node("b").orphans(Duration.ZERO));
        node("b").remove(1, RemovalCause.PROBE_FAILED);
        world.run(1);
        assertEquals(List.of(), node("b").orphans(Duration.ZERO));
    }

    @Test
    void aNodeThatForgotItsPastGoesOnAboveIt() {
        start("a", "b", "c");
        node("a").kill();
        node("a").start(6);
        node("a").grant(1, 2, 3);
        world.run(3);
        node("a").kill();
        world.run(1);
        node("a").start(1);
        node("a").grant(3, 4);
        world.run(10);
        assertEquals(7, node("a").own.id().incarnation());
        assertEquals(2, node("a").own.size(), "with what it has");
        world.converge(5);
        assertEquals(List.of(1, 2, 3, 4), node("b").ports("a"));
        assertTrue(node("b").orphans(Duration.ZERO).containsAll(List.of(1, 2)));
    }

    @Test
    void aNodeWithTheSameIncarnationAsTheOneItForgotGoesOnAboveIt() {
        start("a", "b");
        node("a").grant(1, 2, 3);
        world.run(3);
        node("a").kill();
        world.run(1);
        node("a").start(1);
        node("a").grant(9);
        world.converge(10);
        assertEquals(2, node("a").own.id().incarnation());
        assertEquals(List.of(1, 2, 3, 9), node("b").ports("a"));
    }

    @Test
    void aNodeWithTheSameIncarnationAsAPeersDiskHasOfItGoesOnAboveIt() {
        start("a", "b");
        node("a").grant(1, 2, 3);
        world.run(3);
        node("a").kill();
        node("b").remember();
        node("b").kill();
        node("b").disk.overwrite("peers.txt", new byte[0]); // by which process it was is not known any more
        world.run(1);
        node("a").start(1);
        node("b").start();
        node("a").grant(9);
        world.converge(10);
        assertEquals(2, node("a").own.id().incarnation());
        assertEquals(List.of(1, 2, 3, 9), node("b").ports("a"), "not removed by its origin: that never knew them");
        node("b").remember();
        node("b").kill();
        node("b").disk.overwrite("peers.txt", new byte[0]);
        node("b").start();
        world.converge(10);
        assertEquals(2, node("a").own.id().incarnation(), "b has it from this very life");
    }

    @Test
    void aNodeThatForgotItsPastHearsOfItThroughAThird() {
        for (boolean isRemembered : List.of(false, true)) { // by whom c's copy was written
            PeerWorld apart = new PeerWorld(isRemembered ? 4 : 2);
            for (String name : List.of("a", "b", "c")) {
                apart.node(name).configured = apart.addressesOf("a", "b", "c");
            }
            if (isRemembered) {
                apart.node("a").start(5);
                apart.node("c").start();
                apart.node("a").grant(1);
                apart.run(5);
                apart.node("a").kill();
            } else {
                ShardId earlier = new ShardId(new NodeId("a"), 5);
                Registration left = new Registration(instance(1), PeerWorld.SESSION, 1, false);
                apart.node("c").restored.put(earlier, List.of(left));
                apart.node("c").start();
            }
            apart.cut("a", "c"); // from now on
            apart.node("b").start();
            apart.node("a").start(1);
            apart.node("a").grant(2);
            apart.run(15);
            assertEquals(6, apart.node("a").own.id().incarnation(), "seed " + apart.seed);
            assertTrue(apart.node("c").ports("a").contains(2), "seed " + apart.seed);
        }
    }

    @Test
    void a12AShardThatMovesToAnotherIncarnationIsToldToNobodyAsEmpty() {
        start("a", "b");
        node("a").grant(1, 2, 3);
        world.run(3);
        node("b").remember();
        node("b").kill();
        ShardId later = new ShardId(new NodeId("a"), 9); // as c's disk has it, and nobody else's
        node("c").restored.put(later, List.of(new Registration(instance(4), PeerWorld.SESSION, 1, false)));
        node("c").configured = world.addressesOf("a", "b", "c");
        node("a").publishAfter = Duration.ofSeconds(1);
        node("c").start();
        node("b").start();
        for (int i = 0; i < 500; i++) {
            world.run(0.01);
            assertTrue(
                    node("b").ports("a").containsAll(List.of(1, 2, 3)),
                    () -> node("b").ports("a") + " of a");
        }
        assertEquals(10, node("a").own.id().incarnation());
        assertEquals(10, node("b").digest("a").orElseThrow().shard().incarnation());
    }

    @Test
    void aLostDiskIsNoticedEvenWhenThePeersHaveRestartedToo() {
        start("a", "b");
        node("a").kill();
        node("a").start(5);
        world.run(5);
        node("a").kill();
        node("b").kill();
        node("a").start(2);
        node("b").start();
        world.converge(10);
        assertEquals(6, node("a").own.id().incarnation(), "b remembers it on its disk");
    }

    @Test
    void aNodeThatForgotItsPastIsLetInAlsoWhileSomebodyVouchesForItsNewLife() {
        start("a", "b", "c");
        node("a").kill();
        node("a").start(6);
        node("a").grant(1);
        world.run(3);
        node("a").kill();
        node("c").kill();
        node("c").disk.overwrite("peers.txt", new byte[0]);
        world.cut("b", "a");
        world.cut("b", "c");
        node("a").start(1);
        node("c").start();
        node("a").grant(2);
        world.run(10);
        assertEquals(1, node("a").own.id().incarnation(), "nobody in reach knows better");
        world.cut.removeAll(List.of("b>c", "c>b")); // b hears of a from c before it hears a itself
        world.run(10);
        world.heal();
        world.converge(15);
        assertEquals(7, node("a").own.id().incarnation());
        assertEquals(List.of(1, 2), node("b").ports("a"));
        assertEquals(List.of(1), node("b").orphans(Duration.ofSeconds(10)));
    }

    @Test
    void aReconnectionRaisesNothing() {
        start("a", "b", "c");
        node("a").grant(1);
        world.cut("a", "b");
        world.run(30);
        world.heal();
        world.run(10);
        assertEquals(1, node("a").own.id().incarnation());
        assertEquals(1, node("b").own.id().incarnation());
    }

    // ---- when an origin is lost

    @Test
    void aKilledNodesShardIsOrphanedAtOnceAndADarkOnesAfterItsSilence() {
        start("a", "b", "c");
        node("a").grant(1);
        node("b").grant(2);
        world.run(2);
        node("a").kill();
        world.run(0.1);
        assertEquals(List.of(1), node("c").orphans(Duration.ZERO));
        assertTrue(node("c").replication.isUncertain());
        world.run(4);
        assertEquals(List.of(1), node("c").orphans(Duration.ofSeconds(4)), "since the loss, without a break");
        node("b").powerOff();
        world.run(5);
        assertEquals(List.of(1), node("c").orphans(Duration.ZERO));
        world.run(4.2);
        assertEquals(List.of(1, 2), node("c").orphans(Duration.ZERO));
        world.run(16);
        assertTrue(node("c").replication.uncertainSince().isEmpty(), "they are not coming back in a moment");
        assertTrue(node("c").replication.isUncertain(), "they may have told of a later content");
        node("c")
                .loop
                .run(() -> node("c")
                        .replication
                        .orphans(
                                Duration.ZERO,
                                orphan -> node("c")
                                        .replication
                                        .forget(
                                                orphan.shard(),
                                                orphan.registration().id())));
        assertFalse(node("c").replication.isUncertain());
    }

    @Test
    void aRemovalReachesCopiesOfALostNodeAndOnlyThose() {
        start("a", "b", "c");
        node("a").grant(1, 2);
        world.run(1);
        node("b").remove(1, RemovalCause.PROBE_FAILED); // a verdict on what a holds: a is there and will say itself
        world.run(0.01);
        assertEquals(2, node("c").digest("a").orElseThrow().instances());
        world.run(3);
        assertEquals(0, node("c").counts().mismatches());
        node("a").kill();
        world.run(0.1);
        assertEquals(List.of(2), node("c").orphans(Duration.ZERO), "what was said before the loss counts from then on");
        node("b").remove(2, RemovalCause.PROBE_FAILED);
        world.run(0.1);
        assertEquals(List.of(), node("c").orphans(Duration.ZERO));
        assertEquals(List.of(), node("b").orphans(Duration.ZERO));
    }

    @Test
    void whosePlaceALaterOneTookOnALostNodeDoesNotComeBackWhenThatOneEnds() {
        start("a", "b", "c");
        node("a").grant(1, 2);
        world.run(1);
        node("a").kill();
        world.run(0.1);
        Publisher another = Publisher.ofSession("fedcba9876543210fedcba9876543210", PeerWorld.SESSION.terms());
        node("b").grant(instance(1), another, false, "");
        world.run(0.1);
        assertEquals(List.of(1, 2), node("c").orphans(Duration.ZERO), "it is not left: the test proves nothing");
        node("b").remove(1, RemovalCause.LEASE_EXPIRED);
        world.run(0.1);
        assertEquals(List.of(2), node("b").orphans(Duration.ZERO));
        assertEquals(List.of(2), node("c").orphans(Duration.ZERO));
        assertEquals(List.of(2), node("c").ports("a"), "it is shown no more");
    }

    @Test
    void e6AVerdictOnWhatNobodyVouchedForSparesWhatWasVouchedForUntilAMomentAgo() {
        start("a", "b", "c");
        node("a").grant(1, 2);
        world.run(1);
        node("a").kill();
        Publisher earlier = Publisher.ofSession("fedcba9876543210fedcba9876543210", PeerWorld.SESSION.terms());
        for (List<Integer> left : List.of(List.of(1, 2), List.of(2))) {
            node("b").grant(instance(1), earlier, false, ""); // as its disk had it
            world.run(0.1);
            node("b").remove(1, RemovalCause.ORPHANED);
            world.run(0.1);
            assertEquals(left, node("b").orphans(Duration.ZERO));
            assertEquals(left, node("c").orphans(Duration.ZERO));
            assertEquals(left, node("c").ports("a"));
            world.run(20); // and then nobody has vouched for it for long
        }
    }

    @Test
    void whatARemovalTakesOfANodeThatWasGrantedInIgnoranceIsSaidWhenTheNodeIsLost() {
        start("a", "b", "c");
        world.cut("a", "b");
        world.cut("a", "c");
        node("b").grant(1);
        node("b").remove(1);
        node("a").grant(1, 2);
        world.run(1);
        world.heal();
        world.until("c has what a granted", () -> node("c").ports("a").equals(List.of(1, 2)), 10);
        node("a").kill();
        world.run(0.1);
        assertEquals(List.of(2), node("c").orphans(Duration.ZERO));
        assertEquals(List.of(2), node("c").ports("a"));
    }

    @Test
    void aLostNodeThatComesBackIsTakenWholeWhenWhatItHadWasTouched() {
        start("a", "b", "c");
        node("a").grant(1, 2);
        world.run(1);
        world.cut("a", "b");
        world.cut("a", "c");
        world.run(15);
        node("b").remove(1, RemovalCause.PROBE_FAILED);
        world.run(1);
        assertEquals(List.of(2), node("c").orphans(Duration.ZERO));
        world.heal();
        world.run(5);
        // In this world a does not heed the verdict: its word on its own shard counts.
        assertEquals(
                node("a").own.checksum(),
                node("b").digest("a").orElseThrow().checksum().orElseThrow());
        assertEquals(
                node("a").own.checksum(),
                node("c").digest("a").orElseThrow().checksum().orElseThrow());
        assertEquals(List.of(), node("c").orphans(Duration.ZERO));
        assertEquals(0, node("b").counts().mismatches() + node("c").counts().mismatches(), "it was known before");
    }

    @Test
    void whatALostNodeHasJustSaidIsNotJudgedByHowLongItWasLost() {
        start("a", "b", "c");
        node("a").grant(1);
        world.cut("a", "b");
        world.cut("a", "c");
        world.run(60);
        node("a").grant(2);
        world.cut.removeAll(List.of("a>c", "c>a")); // b hears what it said from c, and that it is there a little later
        world.wires.forEach(PeerWorld.Wire::hurry);
        for (int i = 0; i < 60_000 && !node("b").ports("a").contains(2); i++) {
            world.run(0.001);
        }
        assertEquals(List.of(1, 2), node("b").ports("a"));
        assertFalse(node("b").alive().contains("a"), "it is known to be there: the test proves nothing");
        assertEquals(List.of(), node("b").orphans(Duration.ofSeconds(15)));
        node("a").kill();
        world.run(14);
        assertEquals(List.of(), node("b").orphans(Duration.ofSeconds(15)));
        world.run(10);
        assertEquals(List.of(1, 2), node("b").orphans(Duration.ofSeconds(15)), "it is gone for good");
    }

    @Test
    void whatANextLifeOfALostNodeHasJustSaidIsNotJudgedByHowLongItWasLost() {
        start("a", "b", "c");
        node("a").grant(1);
        world.cut("a", "b"); // b hears what it says from c, and that it is there a little later
        world.run(30);
        node("a").kill();
        world.run(60);
        node("a").start();
        node("a").grant(2);
        for (int i = 0; i < 60_000 && !node("b").ports("a").contains(2); i++) {
            world.run(0.001);
        }
        assertTrue(node("b").ports("a").contains(2));
        assertFalse(node("b").alive().contains("a"), "it is known to be there: the test proves nothing");
        assertFalse(node("b").orphans(Duration.ofSeconds(15)).contains(2));
    }

    @Test
    void anOrphanIsOneUntilItIsRemovedOrItsNodeHasSpoken() {
        start("a", "b", "c");
        node("a").grant(1, 2, 3);
        world.run(1);
        world.cut("a", "b");
        world.cut("a", "c");
        world.run(30);
        List<Replication.Orphan> then = new ArrayList<>();
        node("b").in(() -> node("b").replication.orphans(Duration.ofSeconds(15), then::add));
        assertEquals(List.of(1, 2, 3), still(then));
        node("c").remove(1, RemovalCause.PROBE_FAILED);
        world.run(1);
        assertEquals(List.of(2, 3), still(then));
        node("a").grant(2);
        world.heal();
        world.converge(10);
        assertEquals(List.of(), still(then));
        node("a").kill();
        world.run(20);
        assertEquals(List.of(2, 3), node("b").orphans(Duration.ofSeconds(10)));
        assertEquals(List.of(), still(then), "it was back in between");
    }

    private List<Integer> still(List<Replication.Orphan> then) {
        List<Integer> ports = new ArrayList<>();
        node("b")
                .in(() -> then.stream()
                        .filter(node("b").replication::isOrphan)
                        .forEach(orphan -> ports.add(orphan.registration().id().port())));
        ports.sort(null);
        return ports;
    }

    @Test
    void whoLagsBehindItsSourceIsUncertain() {
        start("a", "b");
        world.run(20);
        assertFalse(isUncertain("b"));
        world.onTheWay = (wire, message) -> message[0] == PeerWriter.DELTA ? List.of() : List.of(message);
        node("a").grant(1);
        world.run(0.01);
        assertFalse(isUncertain("b"), "it has not heard of it");
        world.until("a heartbeat says so", () -> node("b").counts().gaps() > 0, 3);
        assertTrue(isUncertain("b"));
        world.run(20);
        assertTrue(isUncertain("b"), "it has not got it yet");
        world.onTheWay = (wire, message) -> List.of(message);
        world.converge(10);
        world.run(3);
        assertFalse(isUncertain("b"));
    }

    @Test
    void whoHasNotHeardYetWhatItsPeerHasIsUncertain() {
        start("a", "b", "c");
        world.cut("a", "b");
        world.cut("a", "c");
        world.run(60);
        assertFalse(isUncertain("b"), "the lost one had nothing");
        world.onTheWay = (wire, message) -> message[0] == PeerWriter.HEARTBEAT ? List.of() : List.of(message);
        world.heal();
        world.until("the line is there", () -> node("b").alive().contains("a"), 20);
        assertTrue(isUncertain("b"));
        world.onTheWay = (wire, message) -> List.of(message);
        world.run(5);
        assertFalse(isUncertain("b"));
    }

    private boolean isUncertain(String name) {
        return node(name).replication.isUncertain();
    }

    @Test
    void whoSaysGoodbyeIsMissedAtOnceHoweverManyStillHaveHeardIt() {
        start("a", "b", "c");
        node("a").grant(1);
        world.run(1);
        world.cutOneWay("a", "c"); // c does not hear the goodbye and vouches for a until its silence is too long
        boolean[] done = {false};
        node("a").in(() -> node("a").replication.leave(() -> done[0] = true));
        world.run(1.1);
        assertTrue(done[0]);
        node("a").powerOff();
        assertEquals(List.of("b", "c"), node("b").alive());
        assertEquals(List.of(1), node("b").orphans(Duration.ZERO));
        world.run(3);
        assertEquals(List.of("a", "b", "c"), node("c").alive(), "c has heard: the test proves nothing");
        assertEquals(List.of("b", "c"), node("b").alive(), "somebody's older word has brought it back");
    }

    @Test
    void whatTheDiskKnewIsShownAndAskedForAnew() {
        start("a", "b");
        node("a").grant(1, 2);
        world.run(1);
        Registration one = node("a").own.get(id(1));
        Registration two = node("a").own.get(id(2));
        Registration gone = new Registration(instance(3), PeerWorld.SESSION, 1, false);
        assertTrue(one != null && two != null);
        node("b").kill();
        node("a").kill();
        node("a").start(1); // its own shard of before is on its own disk; not of interest here
        node("a").grant(1, 2);
        node("b").restored.put(node("a").own.id(), List.of(one, two, gone));
        node("b").start();
        node("b").in(() -> {
            Replication.Copy copy = node("b").replication.find(id(3)).orElseThrow();
            assertFalse(copy.originAlive());
            assertEquals(1, node("b").replication.highest(id(3)));
        });
        assertEquals(List.of(1, 2, 3), node("b").orphans(Duration.ZERO));
        assertFalse(node("b").digest("a").orElseThrow().whole(), "others must not follow what comes from a disk");
        world.run(10);
        assertTrue(node("b").digest("a").orElseThrow().whole());
    }

    // ---- bounds

    @Test
    void aSlowFollowerCostsABoundedOutboxAndCatchesUpFromWhereItStopped() {
        start("a", "b");
        world.bytesPerSecond = 1; // nothing moves
        long most = 0;
        for (int round = 0; round < 200; round++) {
            grantMany("a", 1, 1_000);
            world.run(0.001);
            for (PeerWorld.Wire wire : world.wires) {
                most = Math.max(most, wire.end(node("a")).waiting());
            }
        }
        assertTrue(most > ServedShard.FULL_OUTBOX, "the bound was not reached: the test proves nothing; " + most);
        assertTrue(most < ServedShard.FULL_OUTBOX + (1 << 20), "bytes waiting: " + most);
        assertTrue(node("a").counts().withheld() > 0);
        world.bytesPerSecond = 0;
        world.wires.forEach(PeerWorld.Wire::hurry);
        world.converge(10);
    }

    @Test
    void aSnapshotWaitsForRoomOnTheLine() {
        start("a", "b");
        world.cut("a", "b");
        world.run(20);
        grantMany("a", 1, 50_000);
        world.run(1);
        world.bytesPerSecond = 3_000_000;
        world.heal();
        long most = 0;
        for (int i = 0; i < 3_000; i++) {
            world.run(0.01);
            for (PeerWorld.Wire wire : world.wires) {
                most = Math.max(most, wire.end(node("a")).waiting());
            }
        }
        assertTrue(world.isConverged());
        assertTrue(
                most >= ServedShard.ROOM_FOR_PAGE && most < ServedShard.ROOM_FOR_PAGE + (1 << 20), "waiting: " + most);
    }

    @Test
    void pagesAreInOrderServiceByService() {
        start("a", "b");
        for (int port = 5_000; port > 0; port--) {
            node("a").grant(Instance.of(ServiceKey.of("s" + port % 2), "10.0.0.1", port), false, "");
        }
        List<InstanceId> told = new ArrayList<>();
        world.onTheWay = (wire, message) -> {
            if (message[0] == PeerWriter.PAGE) {
                page(message).registrations().forEach(registration -> told.add(registration.id()));
            }
            return List.of(message);
        };
        node("d").configured = world.addressesOf("a");
        node("d").start();
        world.converge(5);
        assertEquals(5_000, told.size());
        for (int i = 0; i < told.size(); i += PeerWriter.PageWriter.MOST_ITEMS) {
            List<InstanceId> page = told.subList(i, i + PeerWriter.PageWriter.MOST_ITEMS);
            assertEquals(page.stream().sorted().toList(), page);
        }
        List<ServiceKey> services = told.stream().map(InstanceId::service).toList();
        assertEquals(2_499, services.lastIndexOf(services.get(0)), "one service, then the other");
    }

    @Test
    void idleTrafficDependsOnTheNumberOfNodesAlone() {
        start("a", "b", "c");
        long few = bytesOfAMinute();
        grantMany("a", 1, 20_000);
        grantMany("b", 20_001, 40_000);
        world.run(5);
        long many = bytesOfAMinute();
        assertTrue(many < few * 1.02, few + " bytes with nothing, " + many + " with 40,000 registrations");
        assertTrue(many / 60 < 5_000, "bytes per second: " + many / 60);
        // Differences cost nothing until the one who lacks them asks: b is behind in a's shard by half of it.
        node("a").kill();
        world.run(3);
        long withOneLost = bytesOfAMinute();
        assertTrue(withOneLost <= many, withOneLost + " bytes with a node lost, " + many + " before");
    }

    private long bytesOfAMinute() {
        long before = world.bytes;
        world.run(60);
        return world.bytes - before;
    }

    @Test
    void aChangeCostsOneMessagePerFollower() {
        start("a", "b", "c");
        long messages = world.messages;
        long bytes = world.bytes;
        node("a").grant(1);
        world.run(0.01);
        assertEquals(2, world.messages - messages);
        assertTrue((world.bytes - bytes) / 2 < 250, "bytes per follower: " + (world.bytes - bytes) / 2);
    }

    // ---- property A15

    @Test
    void aNodeThatComesOrGoesMovesNobodyElsesShard() {
        start("a", "b", "c");
        grantMany("a", 1, 100);
        grantMany("b", 101, 200);
        grantMany("c", 201, 300);
        world.run(1);
        node("b").told.clear();
        node("d").configured = world.addressesOf("a");
        node("d").start();
        world.converge(5);
        assertTrue(node("b").told.isEmpty(), () -> "a newcomer changed " + node("b").told);
        node("c").kill();
        world.run(30);
        assertTrue(node("b").told.isEmpty(), () -> "a loss changed " + node("b").told);
        assertEquals(
                100, node("b").orphans(Duration.ofSeconds(15)).size(), "a third, all of them of the node that went");
    }

    // ---- questions

    @Test
    void aQuestionIsAnsweredOrGivenUpAfterTwoSeconds() {
        start("a", "b");
        List<String> answers = new ArrayList<>();
        ask("a", "b", PeerMessage.Ask.RENEW, answers);
        world.run(0.01);
        assertEquals(List.of("true kind 1"), answers);
        assertEquals(
                "payload",
                new String(node("b").asks.get(0).payload().bytes(), java.nio.charset.StandardCharsets.UTF_8));
        node("b").answers = false;
        ask("a", "b", PeerMessage.Ask.AMEND, answers);
        world.run(1.9);
        assertEquals(1, answers.size());
        world.run(0.2);
        assertEquals("nothing", answers.get(1));
        ask("a", "x", PeerMessage.Ask.RENEW, answers);
        assertEquals(2, answers.size(), "never inside the call");
        world.run(0.01);
        assertEquals("nothing", answers.get(2));
        ask("a", "b", PeerMessage.Ask.RENEW, answers);
        node("b").kill();
        world.run(0.1);
        assertEquals(4, answers.size(), "the end of the line is an answer");
    }

    private void ask(String from, String to, int kind, List<String> answers) {
        byte[] payload = "payload".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        node(from)
                .in(() -> node(from)
                        .replication
                        .ask(
                                new NodeId(to),
                                PeerMessage.Ask.of(kind, payload),
                                answer -> answers.add(
                                        answer.map(a -> a.ok() + " " + a.text()).orElse("nothing"))));
    }

    @Test
    void removalsInAShardDoNotBringBackGenerations() {
        start("a", "b");
        for (int i = 0; i < 5; i++) {
            node("a").grant(1);
        }
        node("a").remove(1);
        world.run(1);
        node("a").kill();
        world.run(1);
        node("a").start();
        world.run(5);
        node("b").in(() -> assertEquals(5, node("b").replication.highest(id(1)), "also when its incarnation is over"));
        Burial burial = new Burial(PeerWorld.SESSION.id(), 5, RemovalCause.DEREGISTERED);
        node("b").in(() -> node("b").replication.buried(id(1), burial));
    }
}
