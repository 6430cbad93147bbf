package io.mooring.server.lease;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the table makes of other nodes' words. */
class LeaseTableTest {
    private static final Instance INSTANCE = Instance.of(ServiceKey.of("orders"), "10.0.0.1", 1);

    private final Others others = new Others();
    private final VirtualTime time = new VirtualTime(0);
    private final LeaseTable table = table(List.of());

    private LeaseTable table(List<Registration> onDisk) {
        LeaseTable table = starting(onDisk);
        table.ready();
        return table;
    }

    private LeaseTable starting(List<Registration> onDisk) {
        return new LeaseTable(
                new NodeId("n2"),
                2,
                onDisk,
                Map.of(),
                LeaseSettings.DEFAULTS,
                time.loop("n2"),
                new Random(1),
                others,
                change -> {});
    }

    /** One other node, and what it has of the one instance. */
    private static final class Others implements LeaseTable.Elsewhere {
        private @Nullable Registration copy;
        private long removed;

        @Override
        public long highest(InstanceId instance) {
            Registration there = find(instance);
            return there == null ? removed : there.generation();
        }

        @Override
        public @Nullable Registration find(InstanceId instance) {
            return copy != null && copy.id().equals(instance) ? copy : null;
        }

        @Override
        public boolean beats(InstanceId instance, ShardId shard, long generation) {
            return find(instance) != null && copy.beats(new ShardId(new NodeId("n1"), 1), generation, shard);
        }

        @Override
        public boolean isVouched(InstanceId instance, Predicate<Registration> which) {
            return find(instance) != null && which.test(copy);
        }

        @Override
        public boolean isOver(Registration registration) {
            return false;
        }
    }

    private Registration put() {
        table.put(INSTANCE, LeaseTerms.of(Duration.ofSeconds(15)));
        Registration mine = table.own().get(INSTANCE.id());
        assertNotNull(mine);
        return mine;
    }

    private static Burial verdictOn(Registration mine) {
        return new Burial(mine.publisher().id(), mine.generation(), RemovalCause.LEASE_EXPIRED);
    }

    @Test
    void aVerdictDoesNotTakeWhatItsPublisherHoldsHere() {
        Registration mine = put();
        table.buried(INSTANCE.id(), verdictOn(mine), "registry");
        Registration after = table.own().get(INSTANCE.id());
        assertNotNull(after);
        assertEquals(mine.generation() + 1, after.generation());
    }

    private Registration register(String session, long attempt) {
        comes(session, attempt);
        table.register(session, List.of(INSTANCE));
        Registration mine = table.own().get(INSTANCE.id());
        assertNotNull(mine);
        return mine;
    }

    private void comes(String session, long attempt) {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        table.attach(session, attempt, terms, (code, message) -> {}, OptionalLong.empty(), replaced -> {});
    }

    @Test
    void a10AHelloThatArrivesAfterALaterOneTakesNoConnection() {
        comes("s", 3);
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        SessionLine late = (code, message) -> {};
        LeaseTable.Attachment attachment =
                table.attach("s", 2, terms, late, OptionalLong.empty(), replaced -> fail("the later connection ended"));
        assertEquals(LeaseTable.Attachment.OUTDATED, attachment);
        assertEquals(List.of(), table.broken("s", late), "it was never the session's");
    }

    @Test
    void a3AVerdictTakesWhatItsPublisherHasNotSaidAgainSinceHeCameBack() {
        Registration mine = register("s", 1);
        comes("s", 3);
        long there = mine.generation() + (1L << 32);
        table.buried(INSTANCE.id(), new Burial("s", there, RemovalCause.ORPHANED), "registry");
        assertNull(table.own().get(INSTANCE.id()), "he may have taken it back at the node that is lost");

        mine = register("s", 3);
        assertTrue(mine.generation() > there);
    }

    @Test
    void a10WhoComesBackDoesNotSpeakForWhatHeHasNotSaidAgainThoughSomebodyElseFollowedHim() {
        followedBySomebodyWhoIsGone(register("s", 1));
        comes("s", 3);
        Registration after = table.own().get(INSTANCE.id());
        assertNotNull(after);
        assertEquals(1, after.publisher().attempt(), "it leaves when he does not say it again");
    }

    @Test
    void b2WhoIsHeardOfAfterTheEndOfWhoFollowedHimIsLater() {
        Registration mine = register("s", 1);
        followedBySomebodyWhoIsGone(mine);
        table.renew("s");
        Registration after = table.own().get(INSTANCE.id());
        assertNotNull(after);
        assertTrue(after.generation() > mine.generation() + 1, after::toString);
    }

    private void followedBySomebodyWhoIsGone(Registration mine) {
        Publisher another = Publisher.ofSession("another", LeaseTerms.of(Duration.ofSeconds(15)));
        others.copy = new Registration(INSTANCE, another, mine.generation() + 1, false);
        table.granted(others.copy);
        table.sweep();
        others.copy = null;
        others.removed = mine.generation() + 1;
    }

    @Test
    void b2AVerdictOnWhatALaterCopyHidesDoesNotBringItBack() {
        Registration mine = put();
        others.copy = new Registration(INSTANCE.withWeight(2), mine.publisher(), mine.generation() + 1, false);
        table.buried(INSTANCE.id(), verdictOn(mine), "registry");
        assertNull(table.own().get(INSTANCE.id()), "granted anew it would have the generation of the later one");
    }

    @Test
    void b2WhatIsSilentAndHiddenDoesNotWaitForTheCap() {
        Registration mine = put();
        for (int port = 1_001; port <= 1_199; port++) {
            table.put(Instance.of(INSTANCE.service(), "10.0.0.2", port), LeaseTerms.of(Duration.ofSeconds(15)));
        }
        others.copy = new Registration(INSTANCE.withWeight(2), mine.publisher(), mine.generation() + 1, false);
        for (int second = 0; second < 20; second++) {
            time.runFor(Duration.ofSeconds(1));
            table.sweep();
        }
        assertNull(table.own().get(INSTANCE.id()), "it would show when the other one ends");
        assertEquals(170, table.own().size(), "15 % of those that are listed leave, and it is none of them");
    }

    @Test
    void b2WhatTheDiskHasOfBeforeGoesWithALaterOneThatMakesWay() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        Registration onDisk = new Registration(INSTANCE, Publisher.ofLease("an earlier one", terms), 5, false);
        LeaseTable restarted = table(List.of(onDisk));
        Publisher later = Publisher.ofLease("a later one", terms);
        restarted.superseded(new Registration(INSTANCE, later, 5, false));
        assertNotNull(restarted.restored().get(INSTANCE.id()), "that one was not later");
        restarted.superseded(new Registration(INSTANCE, later, 6, false));
        assertNull(
                restarted.restored().get(INSTANCE.id()),
                "it would show in place of whoever took the later one's place");
    }

    @Test
    void a3ARefusedProbeOfWhatTheDiskHadIsNoWordOnWhoIsSureOfIt() {
        LeaseTable restarted = table(List.of(new Registration(INSTANCE, lease("p"), 5, false)));
        others.copy = new Registration(INSTANCE, lease("p"), 5, false);
        sweepFor(restarted, 20); // until the freeze of a start is over
        assertEquals(Optional.empty(), restarted.frozen());
        restarted.confirmDead(INSTANCE.id());
        assertNotNull(restarted.restored().get(INSTANCE.id()), "it would leave every list for a moment");

        others.copy = others.copy.doubted(true, false);
        restarted.confirmDead(INSTANCE.id());
        assertNull(restarted.restored().get(INSTANCE.id()));
    }

    @Test
    void e6AVerdictOnWhatNobodyVouchesForWaitsForSomebodyElseWhoHasHisGrace() {
        LeaseTable restarted = table(List.of(new Registration(INSTANCE, lease("p"), 5, false)));
        Registration orphan = new Registration(INSTANCE, lease("p"), 5, false);
        others.copy = new Registration(INSTANCE, lease("another"), 4, true);
        sweepFor(restarted, 40);
        assertNotNull(restarted.restored().get(INSTANCE.id()), "his node decides first, and he may be back by then");
        assertFalse(restarted.giveUp(orphan, 100));
        assertNull(restarted.own().burials().get(INSTANCE.id()));

        others.copy = null;
        sweepFor(restarted, 1);
        assertNull(restarted.restored().get(INSTANCE.id()));
        assertTrue(restarted.giveUp(orphan, 100));
    }

    @Test
    void e6AVerdictOnWhatALostNodeHadWaitsForWhoHasHisGraceHere() {
        sweepFor(table, 20); // until the freeze of a start is over
        SessionLine line = (code, message) -> {};
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        table.attach("s", 1, terms, line, OptionalLong.empty(), replaced -> {});
        table.register("s", List.of(INSTANCE));
        Registration orphan = new Registration(INSTANCE, lease("p"), 1L << 40, false);
        table.broken("s", line);
        assertFalse(table.giveUp(orphan, 100));
        assertNotNull(table.own().get(INSTANCE.id()));

        sweepFor(table, 4);
        assertNull(table.own().get(INSTANCE.id()));
        assertTrue(table.giveUp(orphan, 100));
    }

    @Test
    void c10WhatAnotherNodeEndedDoesNotUseUpWhatMayLeaveByTime() {
        List<Registration> onDisk = IntStream.rangeClosed(1, 100)
                .mapToObj(port -> Instance.of(INSTANCE.service(), "10.0.0.2", port))
                .map(instance -> new Registration(instance, lease("p" + instance.port()), 5, false))
                .toList();
        LeaseTable restarted = table(onDisk);
        sweepFor(restarted, 40); // nobody of them comes back
        List<Registration> left = List.copyOf(restarted.restored().registrations());
        assertEquals(left.size(), restarted.overdue(), "they wait for the cap");
        assertFalse(left.isEmpty());

        for (Registration registration : left) {
            Burial verdict = new Burial(registration.publisher().id(), 5, RemovalCause.ORPHANED);
            restarted.buried(registration.id(), verdict, "registry");
        }
        assertEquals(0, restarted.restored().size());
        assertEquals(0, restarted.overdue());
    }

    private void sweepFor(LeaseTable swept, int seconds) {
        for (int second = 0; second < seconds; second++) {
            time.runFor(Duration.ofSeconds(1));
            swept.sweep();
        }
    }

    private static Publisher lease(String id) {
        return Publisher.ofLease(id, LeaseTerms.of(Duration.ofSeconds(15)));
    }

    @Test
    void b2OfTwoOfTheSameGenerationInDoubtTheHiddenOneGoesWithTheOther() {
        Registration mine = put();
        others.copy = new Registration(INSTANCE.withWeight(2), lease("another"), mine.generation(), false);
        table.remove(INSTANCE.id(), RemovalCause.LEASE_EXPIRED, "registry");
        assertNull(table.own().burials().get(INSTANCE.id()), "somebody is in touch with the other one");

        mine = put();
        others.copy = new Registration(INSTANCE.withWeight(2), lease("another"), mine.generation(), true);
        table.remove(INSTANCE.id(), RemovalCause.LEASE_EXPIRED, "registry");
        Burial said = table.own().burials().get(INSTANCE.id());
        assertNotNull(said);
        assertTrue(said.reaches(others.copy), "it would show in place of the one that hid it");
    }

    @Test
    void b2WhatADiskHadTakesAnotherOfItsGenerationWithItThatIsInDoubtElsewhere() {
        for (boolean inDoubt : List.of(false, true)) {
            others.copy = new Registration(INSTANCE.withWeight(2), lease("another"), 5, inDoubt);
            Burial said = endOfWhatADiskHad();
            assertNotNull(said);
            assertEquals(inDoubt, said.reaches(others.copy), "it would show in place of the one that hid it");
        }
    }

    @Test
    void b2WhatADiskHadTakesAnEarlierWordOfItsPublisherWithItThatIsInDoubtElsewhere() {
        for (boolean inDoubt : List.of(false, true)) {
            others.copy = new Registration(INSTANCE.withWeight(2), lease("p"), 4, inDoubt);
            Burial said = endOfWhatADiskHad();
            assertEquals(inDoubt, said != null && said.reaches(others.copy));
        }
    }

    /** What a restarted node says when it gives up the fifth word of p, if it says anything. */
    private @Nullable Burial endOfWhatADiskHad() {
        LeaseTable restarted = table(List.of(new Registration(INSTANCE, lease("p"), 5, false)));
        restarted.remove(INSTANCE.id(), RemovalCause.ORPHANED, "registry");
        return restarted.own().burials().get(INSTANCE.id());
    }

    @Test
    void e6WhatIsPutAtAStartingNodeIsLaterThanWhatItHearsUntilItIsReady() {
        LeaseTable starting = starting(List.of());
        starting.put(INSTANCE, LeaseTerms.of(Duration.ofSeconds(15)));
        starting.buried(INSTANCE.id(), new Burial("an earlier one", 64, RemovalCause.DEREGISTERED), "publisher");
        Registration mine = starting.own().get(INSTANCE.id());
        assertNotNull(mine, "its publisher was told that it is accepted");
        assertEquals(65, mine.generation());

        others.copy = new Registration(INSTANCE.withWeight(2), lease("an earlier one"), 160, false);
        starting.ready();
        mine = starting.own().get(INSTANCE.id());
        assertNotNull(mine);
        assertTrue(mine.generation() > 160, "generation " + mine.generation());
        assertEquals(INSTANCE, mine.instance());

        starting.buried(INSTANCE.id(), new Burial("another", 500, RemovalCause.DEREGISTERED), "publisher");
        assertNull(starting.own().get(INSTANCE.id()), "what is said from then on may be later");
    }
}
