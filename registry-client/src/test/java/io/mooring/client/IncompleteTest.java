package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.Standing;
import io.mooring.protocol.ServerMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** B2, B10, B11: a node that says its list is incomplete may be behind what the client has seen at another one. */
class IncompleteTest {
    private final Stage stage = new Stage(11);
    private final Mooring mooring = stage.client();
    private final Service orders = mooring.service("orders");
    private final Map<InstanceId, Optional<RemovalCause>> removed = new HashMap<>();

    IncompleteTest() {
        orders.onChange(
                change -> change.removed().forEach(r -> removed.put(r.instance().id(), r.cause())));
    }

    /** The client saw ten somewhere, and is then at a node that lists only the first so many. */
    private void moveToOneThatKnows(int known, Removal... remembered) {
        stage.registry.put(Stage.instances(10));
        stage.run(Duration.ofSeconds(20));
        stage.registry.forget(Stage.ORDERS);
        stage.registry.incomplete = true;
        stage.registry.put(Stage.instances(known));
        stage.registry.removals.put(Stage.ORDERS, new ArrayList<>(List.of(remembered)));
        move();
    }

    private void move() {
        stage.registry.latest().say(new ServerMessage.Move(Duration.ZERO, List.of()));
        stage.runMillis(30);
        assertEquals(Source.LIVE, orders.view().source());
        assertEquals(0, mooring.status().doubts());
    }

    private void caughtUp() {
        stage.registry.incomplete = false;
        stage.registry.latest().say(stage.registry.same(OptionalLong.empty(), Stage.ORDERS));
        stage.runMillis(30);
        assertFalse(orders.view().incomplete());
    }

    private Standing standingOf(int number) {
        return orders.view().instances().stream()
                .filter(listed -> listed.id().equals(Stage.instance(number).id()))
                .map(ListedInstance::standing)
                .findFirst()
                .orElseThrow(() -> new AssertionError(number + " is not listed: " + orders.view()));
    }

    private double weightOf(int number) {
        return orders.view().instances().stream()
                .filter(listed -> listed.id().equals(Stage.instance(number).id()))
                .findFirst()
                .orElseThrow()
                .instance()
                .weight();
    }

    @Test
    void b2ANodeThatIsBehindTakesNoContentBack() {
        stage.registry.put(Stage.instances(3));
        stage.registry.put(Stage.instance(1).withWeight(5));
        stage.run(Duration.ofSeconds(20));
        stage.registry.incomplete = true;
        ListedInstance old = new ListedInstance(Stage.instance(1), Standing.LIVE);
        stage.registry.lists.get(Stage.ORDERS).put(old.id(), old); // as another node knows it
        move();
        assertEquals(5, weightOf(1), "as it was told before");
        stage.registry.list(List.of(new ListedInstance(Stage.instance(1).withWeight(3), Standing.LIVE, 2)));
        stage.runMillis(30);
        assertEquals(5, weightOf(1), "it catches up step by step, and has not got there yet");
        stage.registry.put(Stage.instance(1).withWeight(7));
        stage.runMillis(30);
        assertEquals(7, weightOf(1), "what is later counts");
        stage.registry.incomplete = false;
        stage.registry.put(Stage.instance(1).withWeight(2));
        caughtUp();
        assertEquals(2, weightOf(1));
    }

    @Test
    void b2WhatOneNodeHasJustToldIsNotTakenBackByTheNextThatHasYetToHearOfIt() {
        stage.registry.put(Stage.instances(3));
        stage.registry.put(Stage.instance(1).withWeight(5));
        stage.run(Duration.ofSeconds(20));
        stage.registry.node = "another";
        ListedInstance old = new ListedInstance(Stage.instance(1), Standing.LIVE);
        stage.registry.lists.get(Stage.ORDERS).put(old.id(), old);
        stage.registry.lists.get(Stage.ORDERS).remove(Stage.instance(2).id());
        move();
        assertEquals(5, weightOf(1), "though that node says that it knows everybody");
        assertEquals(3, orders.instances().size());
        assertTrue(orders.view().incomplete());
        stage.runMillis(1_000);
        stage.registry.put(Stage.instance(4));
        stage.runMillis(10);
        assertEquals(5, weightOf(1), "whatever else it tells");
        assertEquals(4, orders.instances().size());
        stage.runMillis(1_000);
        assertEquals(1, weightOf(1), "what it says then is so");
        assertEquals(3, orders.instances().size());
        assertFalse(orders.view().incomplete());
    }

    @Test
    void whoComesBackToTheSameNodeOrHadNothingTakesItsWordAtOnce() {
        stage.registry.peers = List.of("other:9847");
        stage.registry.put(Stage.instances(3));
        stage.runMillis(30);
        assertFalse(orders.view().incomplete());
        stage.registry.lists.get(Stage.ORDERS).remove(Stage.instance(2).id());
        move();
        assertEquals(2, orders.instances().size());
        assertFalse(orders.view().incomplete());
    }

    @Test
    void whatIsLaterCountsAtOnceAtANodeThatIsBehindInOtherThings() {
        stage.registry.put(Stage.instances(3));
        stage.run(Duration.ofSeconds(20));
        stage.registry.incomplete = true;
        ListedInstance later = new ListedInstance(Stage.instance(1).withWeight(9), Standing.LIVE, 50);
        stage.registry.lists.get(Stage.ORDERS).put(later.id(), later);
        stage.registry.lists.get(Stage.ORDERS).remove(Stage.instance(2).id());
        stage.registry.removals.put(
                Stage.ORDERS, List.of(new Removal(Stage.instance(2).id(), RemovalCause.DEREGISTERED, 3)));
        move();
        assertEquals(9, weightOf(1));
        assertEquals(
                Map.of(Stage.instance(2).id(), Optional.of(RemovalCause.DEREGISTERED)),
                removed,
                "what it was when we saw it is over");
        assertTrue(orders.view().incomplete());
    }

    @Test
    void whatTheDiskHasIsOlderOrNewerToo() {
        stage.registry.put(Stage.instances(3));
        stage.registry.put(Stage.instance(1).withWeight(5));
        stage.run(Duration.ofSeconds(20));
        mooring.close();
        stage.registry.incomplete = true;
        ListedInstance old = new ListedInstance(Stage.instance(1), Standing.LIVE, 2);
        stage.registry.lists.get(Stage.ORDERS).put(old.id(), old);
        Service again = stage.client().service("orders");
        stage.run(Duration.ofSeconds(20));
        assertEquals(Source.LIVE, again.view().source());
        assertEquals(5, again.view().instances().get(1).instance().weight());
    }

    @Test
    void aNodeThatIsBehindOnlyAdds() {
        moveToOneThatKnows(4);
        assertEquals(10, orders.instances().size());
        assertTrue(orders.view().incomplete());
        assertFalse(orders.view().underProtection());
        stage.registry.put(Stage.instance(20));
        stage.runMillis(10);
        assertEquals(11, orders.instances().size(), "what is new is there at once");
        stage.run(Duration.ofMinutes(5));
        assertEquals(11, orders.instances().size(), "however long it takes");
        stage.registry.put(Stage.instances(10));
        caughtUp();
        assertEquals(11, orders.instances().size());
        assertEquals(Map.of(), removed);
    }

    @Test
    void whoIsMissingWhenItKnowsEverybodyIsMissing() {
        moveToOneThatKnows(8);
        assertEquals(10, orders.instances().size());
        caughtUp();
        assertEquals(8, orders.instances().size());
    }

    @Test
    void whoIsMissingInGreatNumberIsHeldEvenThen() {
        moveToOneThatKnows(2);
        caughtUp();
        assertEquals(10, orders.view().instances().size());
        assertTrue(orders.view().underProtection());
        stage.run(Duration.ofSeconds(72));
        assertEquals(2, orders.view().instances().size());
    }

    @Test
    void aGoodbyeItRemembersDoesNotEndWhatCameAfter() {
        // It left, and was back at another node; this one has heard of the former only.
        moveToOneThatKnows(7, new Removal(Stage.instance(9).id(), RemovalCause.DEREGISTERED));
        assertEquals(Standing.HELD, standingOf(9));
        assertEquals(9, orders.instances().size(), "callers prefer the others, as long as there are any");
        assertTrue(orders.view().underProtection());
        stage.registry.put(Stage.instances(10)); // now it has heard of the latter too
        stage.runMillis(10);
        assertEquals(Standing.LIVE, standingOf(9));
        caughtUp();
        assertEquals(10, orders.instances().size());
        assertFalse(orders.view().underProtection());
        assertEquals(Map.of(), removed);
    }

    @Test
    void aGoodbyeItRemembersIsBelievedWhenItKnowsEverybody() {
        moveToOneThatKnows(9, new Removal(Stage.instance(9).id(), RemovalCause.DEREGISTERED));
        assertEquals(Standing.HELD, standingOf(9));
        caughtUp();
        assertEquals(Map.of(Stage.instance(9).id(), Optional.of(RemovalCause.DEREGISTERED)), removed);
    }

    @Test
    void allTheGoodbyesItRemembersLeaveNobodyCallableUnlisted() {
        Removal[] all = new Removal[10];
        for (int i = 0; i < 10; i++) {
            all[i] = new Removal(Stage.instance(i).id(), RemovalCause.DEREGISTERED);
        }
        moveToOneThatKnows(0, all);
        assertEquals(10, orders.instances().size(), "in doubt, but there are no others");
        caughtUp();
        assertEquals(0, orders.view().instances().size());
        assertEquals(10, removed.size());
    }

    @Test
    void whoLeavesBeforeItsEyesIsGoneAtOnce() {
        moveToOneThatKnows(10);
        stage.registry.remove(RemovalCause.DEREGISTERED, Stage.ids(3, 4));
        stage.runMillis(10);
        assertEquals(9, orders.view().instances().size());
        // The same as a whole list, which a node sends instead of a long change.
        ListedInstance left =
                stage.registry.lists.get(Stage.ORDERS).remove(Stage.instance(4).id());
        stage.registry.removals.get(Stage.ORDERS).add(new Removal(left.id(), RemovalCause.OPERATOR, left.generation()));
        stage.registry.latest().say(stage.registry.view(OptionalLong.empty(), Stage.ORDERS));
        stage.runMillis(10);
        assertEquals(8, orders.view().instances().size());
        assertEquals(
                Map.of(
                        Stage.instance(3).id(), Optional.of(RemovalCause.DEREGISTERED),
                        Stage.instance(4).id(), Optional.of(RemovalCause.OPERATOR)),
                removed);
        assertTrue(orders.view().incomplete());
    }

    @Test
    void aNodeThatNeverKnowsEverybodyIsBelievedInTheEnd() {
        moveToOneThatKnows(9, new Removal(Stage.instance(9).id(), RemovalCause.DEREGISTERED));
        stage.run(Duration.ofSeconds(55));
        assertEquals(Standing.HELD, standingOf(9));
        stage.run(Duration.ofSeconds(20));
        assertEquals(Map.of(Stage.instance(9).id(), Optional.of(RemovalCause.DEREGISTERED)), removed);
        assertFalse(orders.view().underProtection());
        assertTrue(orders.view().incomplete());
    }

    @Test
    void anyOfThreeWordsEndsIt() {
        for (int word = 0; word < 3; word++) {
            Stage one = new Stage(word);
            one.registry.incomplete = true;
            one.registry.put(Stage.instances(3));
            Service service = one.client().service("orders");
            one.runMillis(20);
            assertTrue(service.view().incomplete());
            one.registry.incomplete = false;
            switch (word) {
                case 0 -> one.registry.latest().say(one.registry.same(OptionalLong.empty(), Stage.ORDERS));
                case 1 -> one.registry.latest().say(one.registry.view(OptionalLong.empty(), Stage.ORDERS));
                default -> one.registry.put(Stage.instance(5));
            }
            one.runMillis(20);
            assertFalse(service.view().incomplete(), "word " + word);
        }
    }

    @Test
    void fromOneThatIsBehindToOneThatIsNot() {
        moveToOneThatKnows(4, new Removal(Stage.instance(9).id(), RemovalCause.DEREGISTERED));
        stage.run(Duration.ofSeconds(12));
        stage.registry.lists.put(Stage.ORDERS, new TreeMap<>()); // what the next one knows
        for (int i = 0; i < 9; i++) {
            ListedInstance listed = new ListedInstance(Stage.instance(i), Standing.LIVE);
            stage.registry.lists.get(Stage.ORDERS).put(listed.id(), listed);
        }
        stage.registry.incomplete = false;
        move();
        assertEquals(9, orders.instances().size());
        assertFalse(orders.view().incomplete());
        assertFalse(orders.view().underProtection());
    }

    /**
     * Nodes that lag by different times, a client that hops between them, instances that leave and return: as long as
     * a node says that it is behind, its answers take nobody away who is there.
     */
    @Test
    void hoppingBetweenNodesThatLagLosesNobody() {
        int hops = 0;
        int stale = 0;
        for (long seed = 0; seed < 60; seed++) {
            Stage one = new Stage(seed);
            Random random = new Random(seed);
            Service service = one.client().service("orders");
            TreeMap<InstanceId, ListedInstance> truth = new TreeMap<>();
            List<Removal> left = new ArrayList<>();
            List<TreeMap<InstanceId, ListedInstance>> history = new ArrayList<>();
            List<List<Removal>> removals = new ArrayList<>();
            one.runMillis(20);
            for (int step = 0; step < 60; step++) {
                ListedInstance some = new ListedInstance(Stage.instance(random.nextInt(12)), Standing.LIVE, step + 1);
                ListedInstance ended = truth.remove(some.id());
                if (ended == null) {
                    truth.put(some.id(), some);
                    left.removeIf(removal -> removal.instance().equals(some.id()));
                } else {
                    left.add(new Removal(some.id(), RemovalCause.DEREGISTERED, ended.generation()));
                }
                history.add(new TreeMap<>(truth));
                removals.add(List.copyOf(left));
                if (random.nextInt(3) > 0) {
                    continue;
                }
                int lag = random.nextInt(2) == 0 ? 0 : random.nextInt(Math.min(10, history.size()));
                int at = history.size() - 1 - lag;
                one.registry.incomplete = lag > 0;
                one.registry.lists.put(Stage.ORDERS, history.get(at));
                one.registry.removals.put(Stage.ORDERS, removals.get(at));
                List<ListedInstance> before = service.view().instances();
                one.registry.latest().say(new ServerMessage.Move(Duration.ZERO, List.of()));
                one.run(Duration.ofSeconds(12));
                hops++;
                for (ListedInstance known : before) {
                    InstanceId id = known.id();
                    boolean kept = service.view().instances().stream()
                            .anyMatch(listed -> listed.id().equals(id) && listed.generation() >= known.generation());
                    boolean over = removals.get(at).stream()
                            .anyMatch(removal ->
                                    removal.instance().equals(id) && removal.generation() >= known.generation());
                    assertTrue(kept || over || lag == 0, "seed " + seed + ", step " + step + ": lost " + known);
                    stale += kept && lag > 0 && !history.get(at).containsKey(id) && truth.containsKey(id) ? 1 : 0;
                }
            }
            one.registry.incomplete = false;
            one.registry.lists.put(Stage.ORDERS, truth);
            one.registry.removals.put(Stage.ORDERS, left);
            one.registry.latest().say(new ServerMessage.Move(Duration.ZERO, List.of()));
            one.run(Duration.ofSeconds(90));
            assertEquals(List.copyOf(truth.values()), service.view().instances(), "seed " + seed);
        }
        assertTrue(hops > 500 && stale > 50, "hops " + hops + ", saved " + stale);
    }
}
