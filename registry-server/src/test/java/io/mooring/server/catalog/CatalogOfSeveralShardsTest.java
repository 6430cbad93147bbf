package io.mooring.server.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CatalogOfSeveralShardsTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");
    private static final InstanceId ID = Instance.of(ORDERS, "10.0.0.1", 80).id();
    private static final ShardId A = new ShardId(new NodeId("a"), 1);
    private static final ShardId B = new ShardId(new NodeId("b"), 1);
    private static final ShardId C = new ShardId(new NodeId("c"), 3);

    private final VirtualTime.Loop loop = new VirtualTime(0).loop("node");
    private Catalog catalog = new Catalog(ProtectionSettings.DEFAULTS, loop, 0);
    private long revision;

    private Change says(ShardId shard, String session, long generation, String content) {
        return says(shard, session, generation, content, false);
    }

    private Change says(ShardId shard, String session, long generation, String content, boolean suspect) {
        Instance instance = Instance.of(ORDERS, "10.0.0.1", 80).withMetadata(Map.of("content", content));
        Publisher publisher = Publisher.ofSession(session, LeaseTerms.of(Duration.ofSeconds(15)));
        return new Change.Granted(shard, ++revision, new Registration(instance, publisher, generation, suspect));
    }

    private Change ends(ShardId shard, String session, long generation, RemovalCause cause) {
        return new Change.Removed(
                shard, ++revision, new Removal(ID, cause), new Burial(session, generation, cause), "test");
    }

    private Optional<String> shown() {
        List<ListedInstance> listed = catalog.view(ORDERS).instances();
        return listed.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(listed.get(0).instance().metadata().get("content"));
    }

    private Optional<String> after(Change... changes) {
        loop.run(() -> catalog.fold(new ArrayList<>(List.of(changes))));
        ServiceView view = catalog.view(ORDERS);
        assertEquals(Digest.of(view.instances()), view.digest());
        assertTrue(view.instances().size() <= 1, "shown once");
        return shown();
    }

    @Test
    void theHigherGenerationShowsWhereverItStands() {
        assertEquals(Optional.of("old"), after(says(B, "s", 1, "old")));
        assertEquals(Optional.of("new"), after(says(A, "s", 2, "new")));
        assertEquals(Optional.of("new"), after(says(B, "s", 1, "late")));
        assertEquals(Optional.of("tie"), after(says(C, "t", 2, "tie")), "the higher name");
    }

    @Test
    void theLoserShowsAgainWhenTheWinnersLeaseEnds() {
        after(says(A, "s", 1, "first"), says(B, "t", 2, "second"));
        assertEquals(Optional.of("first"), after(ends(B, "t", 2, RemovalCause.LEASE_EXPIRED)));
    }

    @Test
    void b2WhoIsInDoubtHimselfDoesNotShowAgain() {
        after(says(A, "s", 1, "first", true), says(B, "t", 2, "second"));
        assertEquals(Optional.empty(), after(ends(B, "t", 2, RemovalCause.PROBE_FAILED)));
        assertEquals(Optional.of("first"), after(says(A, "s", 1, "first")), "but its publisher is back");
    }

    @Test
    void a3WhoLeftInDoubtWithALaterOnesEndDoesNotShowAgainWhenHisNodeIsHeard() {
        after(says(A, "s", 1, "first", true), says(B, "t", 2, "second"));
        assertEquals(Optional.empty(), after(ends(B, "t", 2, RemovalCause.PROBE_FAILED)));
        assertEquals(Optional.empty(), after(says(A, "s", 1, "first", true)), "its node has not heard that");
        assertEquals(Optional.of("first"), after(says(A, "s", 1, "first")), "but its publisher is back");
        assertEquals(Optional.of("first"), after(says(A, "s", 1, "first", true)), "and in doubt once more");
        assertEquals(Standing.SUSPECT, catalog.view(ORDERS).instances().get(0).standing());
    }

    @Test
    void whoIsInDoubtDoesNotShowThoughThatIsHeardBehindTheRemovalOfALaterOne() {
        after(says(B, "t", 2, "second"));
        after(ends(B, "t", 2, RemovalCause.PROBE_FAILED));
        assertEquals(Optional.empty(), after(says(A, "s", 1, "first", true)));
        assertEquals(Optional.of("first"), after(says(A, "s", 1, "first")), "but its publisher is back");
    }

    @Test
    void b2WhatIsHeldIsTheLastThatWasHeardOfItBeItInTheSameTurn() {
        after(says(A, "s", 1, "first"));
        assertEquals(
                Optional.of("second"), after(says(A, "s", 2, "second"), ends(A, "s", 2, RemovalCause.LEASE_EXPIRED)));
        assertEquals(Standing.HELD, catalog.view(ORDERS).instances().get(0).standing());
        assertEquals(2, catalog.view(ORDERS).instances().get(0).generation());
        assertEquals(
                Optional.of("third"), after(says(B, "s", 3, "third"), ends(B, "s", 3, RemovalCause.CONNECTION_LOST)));
        assertEquals(Optional.of("third"), after(says(C, "t", 2, "late"), ends(C, "t", 2, RemovalCause.LEASE_EXPIRED)));
        assertEquals(Standing.HELD, catalog.view(ORDERS).instances().get(0).standing());
    }

    @Test
    void aLaterWordOfTheSameContentIsListedAsSuch() {
        after(says(A, "s", 1, "x"));
        long digest = catalog.view(ORDERS).digest();
        after(says(B, "s", 4, "x"));
        assertEquals(4, catalog.view(ORDERS).instances().get(0).generation());
        assertEquals(digest, catalog.view(ORDERS).digest(), "nobody is told of that alone");
    }

    @Test
    void aRemovalSaysHowFarItReaches() {
        after(says(A, "s", 3, "x"));
        after(ends(B, "s", 7, RemovalCause.DEREGISTERED));
        assertEquals(7, catalog.view(ORDERS).removals().get(0).generation());
        after(says(A, "t", 8, "x"));
        after(new Change.Removed(A, ++revision, new Removal(ID, RemovalCause.DEREGISTERED), Burial.OWN, "publisher"));
        assertEquals(8, catalog.view(ORDERS).removals().get(0).generation(), "as far as what was listed, at least");
    }

    @Test
    void a8WhyAnEarlierOneLeftIsNotWhyTheNextOneLeaves() {
        after(says(A, "s", 5, "x"));
        assertEquals(
                Optional.of("x"),
                after(
                        ends(B, "s", 5, RemovalCause.PROBE_FAILED),
                        says(A, "s", 6, "x"),
                        ends(A, "s", 6, RemovalCause.LEASE_EXPIRED)));
        assertTrue(catalog.isHeld(ID), "silence alone takes nobody off who is all there is");
    }

    @Test
    void whyItLeftIsRememberedThoughOthersSayItAgain() {
        after(says(A, "s", 1, "x"));
        after(ends(A, "s", 1, RemovalCause.PROBE_FAILED));
        InstanceId other = Instance.of(ORDERS, "10.0.0.2", 80).id();
        Registration registration = new Registration(
                Instance.of(ORDERS, "10.0.0.2", 80),
                Publisher.ofSession("t", LeaseTerms.of(Duration.ofSeconds(15))),
                1,
                false);
        after(ends(B, "s", 1, RemovalCause.PROBE_FAILED), new Change.Granted(B, ++revision, registration));
        assertEquals(other, catalog.view(ORDERS).instances().get(0).id());
        assertEquals(
                List.of(new Removal(ID, RemovalCause.PROBE_FAILED, 1)),
                catalog.view(ORDERS).removals());
    }

    @Test
    void a8WhyAnEarlierOneEndedIsNotWhyThisOneDoes() {
        for (int order = 0; order < 2; order++) {
            after(says(A, "s", 9, "later"), says(B, "s", 4, "earlier"));
            List<Change> ends = new ArrayList<>(
                    List.of(ends(A, "s", 9, RemovalCause.DEREGISTERED), ends(B, "s", 4, RemovalCause.PROBE_FAILED)));
            if (order == 1) {
                Collections.reverse(ends);
            }
            assertEquals(Optional.empty(), after(ends.toArray(new Change[0])));
            assertEquals(
                    List.of(new Removal(ID, RemovalCause.DEREGISTERED, 9)),
                    catalog.view(ORDERS).removals());
            catalog = new Catalog(ProtectionSettings.DEFAULTS, loop, 0);
        }
    }

    @Test
    void aGoodbyeTakesWhatTheSessionLeftBehindElsewhere() {
        after(says(A, "s", 1, "left behind"), says(B, "s", 2, "moved"));
        assertEquals(Optional.empty(), after(ends(B, "s", 2, RemovalCause.DEREGISTERED)));
        assertEquals(Optional.empty(), after(says(C, "s", 1, "late")), "what arrives late stays hidden");
        assertEquals(Optional.of("back"), after(says(A, "s", 3, "back")));
    }

    @Test
    void a2WhatAShardHadSaidLeavesWhenALateWordTakesItsPlaceThere() {
        after(says(B, "s", 9, "later"));
        after(ends(B, "s", 9, RemovalCause.DEREGISTERED));
        assertEquals(Optional.of("another's"), after(says(A, "t", 2, "another's")));
        assertEquals(Optional.empty(), after(says(A, "s", 5, "late")), "A has that in the place of the other's");
        assertEquals(
                List.of(new Removal(ID, RemovalCause.DEREGISTERED, 2)),
                catalog.view(ORDERS).removals());
        assertEquals(
                Optional.empty(),
                after(
                        says(A, "t", 2, "another's"),
                        says(A, "s", 5, "late"),
                        ends(A, "s", 5, RemovalCause.LEASE_EXPIRED)),
                "by who catches up in one turn");
    }

    @Test
    void theEndOfASessionIsTheEndOfItsOlderWordsButNotOfOthers() {
        after(says(A, "s", 1, "old"), says(B, "s", 2, "new"), says(C, "t", 1, "somebody else"));
        assertEquals(Optional.of("somebody else"), after(ends(B, "s", 2, RemovalCause.PROBE_FAILED)));
    }

    @Test
    void anOperatorTakesEverybodysUpToWhatHeSaw() {
        after(says(A, "s", 1, "one"), says(B, "t", 2, "two"));
        assertEquals(Optional.empty(), after(ends(C, "t", 2, RemovalCause.OPERATOR)));
        assertEquals(Optional.of("three"), after(says(A, "s", 3, "three")));
    }

    @Test
    void aVerdictSaidInAnothersShardDoesNotTouchThatShardsOwnWord() {
        after(says(A, "s", 5, "orphan"), says(C, "t", 4, "alive"));
        assertEquals(Optional.of("alive"), after(ends(C, "s", 5, RemovalCause.PROBE_FAILED)));
    }

    @Test
    void anyOrderOfTheSameWordsEndsInTheSameList() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<Change> words = new ArrayList<>();
            ShardId[] shards = {A, B, C};
            for (ShardId shard : shards) { // one writer says things in order; three may come interleaved
                String session = "s" + random.nextInt(2);
                words.add(says(shard, session, 1 + random.nextInt(5), "of " + shard));
            }
            Optional<String> expected = Optional.empty();
            for (int shuffle = 0; shuffle < 4; shuffle++) {
                catalog = new Catalog(ProtectionSettings.DEFAULTS, loop, 0);
                Collections.shuffle(words, random);
                Optional<String> found = Optional.empty();
                for (Change word : words) {
                    found = after(word);
                }
                if (shuffle == 0) {
                    expected = found;
                }
                assertEquals(expected, found, "seed " + seed + ", " + words);
            }
        }
    }
}
