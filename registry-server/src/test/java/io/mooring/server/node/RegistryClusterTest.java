package io.mooring.server.node;

import static io.mooring.server.node.ClusterWorld.id;
import static io.mooring.server.node.ClusterWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;
import io.mooring.server.lease.Outcome;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What nodes do together, in virtual time. */
class RegistryClusterTest {
    private static final Duration MOMENT = Duration.ofMillis(100);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final ClusterWorld world = new ClusterWorld(7, 3).warm();
    private final ClusterWorld.Machine a = world.n(1);
    private final ClusterWorld.Machine b = world.n(2);
    private final ClusterWorld.Machine c = world.n(3);

    private void everywhere(List<Integer> ports) {
        for (ClusterWorld.Machine machine : world.machines.values()) {
            if (machine.up) {
                assertEquals(ports, machine.ports(), "at " + machine.name);
            }
        }
    }

    private static void registerAll(ClusterWorld.Publisher publisher, int count, String version) {
        for (int port = 1; port <= count; port++) {
            publisher.register(instance(port, version));
        }
    }

    /** At a and c nobody's content is, or is again, the first one. */
    private void neverFirstForAMinute(int count) {
        for (int i = 0; i < 600; i++) {
            world.run(MOMENT);
            for (int port = 1; port <= count; port++) {
                assertFalse(a.version(port).equals("first"), "port " + port + " after " + i + " tenths of a second");
                assertFalse(c.version(port).equals("first"), "port " + port + " after " + i + " tenths of a second");
            }
        }
    }

    @Test
    void whatOneNodeAcceptsAllShow() {
        world.new Publisher().connect(a).register(instance(1, "x"), instance(2, "y"));
        world.run(MOMENT);
        everywhere(List.of(1, 2));
        assertEquals("y", c.version(2));
        assertEquals(Standing.LIVE, b.standing(1));
        assertEquals(
                Set.of(PeerStatus.State.ALIVE),
                a.node.status().peers().stream().map(PeerStatus::state).collect(Collectors.toSet()));
        assertFalse(a.node.status().incomplete());
    }

    @Test
    void whatPeersAreToldIsShownHereFirst() {
        List<List<Integer>> shown = new ArrayList<>();
        world.onSend = (from, message) -> {
            if (from == a && world.read(message) instanceof PeerMessage.Delta) {
                shown.add(a.ports());
            }
        };
        world.new Publisher().connect(a).register(instance(1, "x"), instance(2, "y"));
        world.run(MOMENT);
        assertEquals(List.of(List.of(1, 2), List.of(1, 2)), shown, "at b and at c");
    }

    @Test
    void goodbyesTravelWithTheirCause() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.deregister(id(1));
        world.run(MOMENT);
        everywhere(List.of());
        assertEquals(1, c.node.view(ClusterWorld.ORDERS).removals().size());
    }

    @Test
    void a11ASessionThatMovesIsShownOnceAllTheTime() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(b).register(instance(1, "moved"));
        for (int i = 0; i < 400; i++) {
            world.run(MOMENT);
            everywhere(List.of(1));
        }
        assertEquals("moved", a.version(1));
        assertEquals("moved", c.version(1));
    }

    @Test
    void whatASessionLeftBehindGoesWithItsGoodbye() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(b); // and says goodbye before it registers there
        publisher.deregister(id(1));
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            everywhere(List.of());
        }
    }

    @Test
    void aGoodbyeAtAnEarlierHomeReachesWhatTheSessionSaidElsewhereSince() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(b).register(instance(1, "moved"));
        world.run(MOMENT);
        publisher.breakLine().connect(a);
        publisher.deregister(id(1));
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            everywhere(List.of());
        }
    }

    @Test
    void aGoodbyeAtAnEarlierHomeOfWhoDoesNotCountConnectionsReachesWhatItSaidElsewhereSince() {
        ClusterWorld.Publisher publisher = world.new Publisher();
        for (ClusterWorld.Machine home : List.of(a, b, a)) {
            home.in(() -> home.node.open(publisher.id, 0, publisher, OptionalLong.empty(), held -> {}, refusal -> {}));
            if (!c.version(1).equals("n2")) {
                home.outcome(reply -> home.node.register(publisher.id, List.of(instance(1, home.name)), reply));
            }
            world.run(MOMENT);
        }
        assertEquals("n2", c.version(1));
        a.outcome(reply -> a.node.deregister(publisher.id, List.of(id(1)), reply));
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            everywhere(List.of());
        }
    }

    @Test
    void a3AGoodbyeEndsWhatTheSessionSaidElsewhereBeforeHoweverHighThatIsByNow() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        world.cut(1, 2);
        world.cut(1, 3);
        a.outcome(reply -> a.node.amend(id(1), was -> was.withWeight(3), reply)); // of which b hears nothing
        publisher.breakLine().connect(b).deregister(id(1));
        world.run(MOMENT);
        assertEquals(List.of(), b.ports());
        b.crash(); // and remembers it
        b.start();
        world.heal();
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            assertEquals(List.of(), b.ports(), "b; seed " + world.seed);
        }
        everywhere(List.of());
        publisher.connect(a).register(instance(1, "again"));
        world.run(MOMENT);
        everywhere(List.of(1));
    }

    @Test
    void aLateWordOnAnEarlierConnectionOutbidsNothing() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        ClusterWorld.Publisher later = publisher.asNow();
        later.connect(b).register(instance(1, "moved"));
        world.run(MOMENT);
        Outcome late = a.outcome(reply -> a.node.register(publisher.id, List.of(instance(1, "late")), reply));
        assertInstanceOf(Outcome.Refused.class, late);
        a.outcome(reply -> a.node.deregister(publisher.id, List.of(id(1)), reply));
        a.outcome(reply -> a.node.bye(publisher.id, reply));
        for (int i = 0; i < 50; i++) {
            world.run(MOMENT);
            everywhere(List.of(1));
            assertEquals("moved", c.version(1));
        }
    }

    @Test
    void aHelloThatArrivesAfterALaterOneElsewhereOutbidsNothing() {
        ClusterWorld.Publisher publisher = world.new Publisher();
        ClusterWorld.Publisher late = publisher.asNow();
        publisher.connect(c).connect(b).register(instance(1, "moved"));
        world.run(MOMENT);
        late.connect(a); // where the session has never been
        Outcome word = a.outcome(reply -> a.node.register(late.id, List.of(instance(1, "late")), reply));
        assertInstanceOf(Outcome.Refused.class, word);
        world.run(MOMENT);
        everywhere(List.of(1));
        assertEquals("moved", c.version(1));
    }

    @Test
    void aLateWordOnAnEarlierConnectionBringsBackNothingThatHasLeftSince() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        ClusterWorld.Publisher later = publisher.asNow();
        later.connect(b).register(instance(1, "moved"));
        world.run(MOMENT);
        later.deregister(id(1));
        world.run(MOMENT);
        everywhere(List.of());
        Outcome late = a.outcome(reply -> a.node.register(publisher.id, List.of(instance(1, "late")), reply));
        assertInstanceOf(Outcome.Refused.class, late);
        for (int i = 0; i < 50; i++) {
            world.run(MOMENT);
            everywhere(List.of());
        }
        // Who moves has both connections for a moment, and what it says on the earlier one only is not late.
        Outcome other = a.outcome(reply -> a.node.register(publisher.id, List.of(instance(2, "x")), reply));
        assertInstanceOf(Outcome.Accepted.class, other);
    }

    @Test
    void theRegistrationsOfADeadNodeWaitForTheirPublishers() {
        world.answering.add("10.0.0.1:1");
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        a.crash();
        world.run(Duration.ofSeconds(10));
        everywhere(List.of(1));
        publisher.connect(b).register(instance(1, "moved"));
        world.run(Duration.ofSeconds(200));
        everywhere(List.of(1));
        assertEquals("moved", c.version(1));
    }

    @Test
    void anInstanceThatDiesWithItsNodeGoesOnEvidence() {
        world.new Publisher().connect(b).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        world.refusing.add("10.0.0.1:1");
        a.crash();
        world.run(Duration.ofSeconds(12));
        assertEquals(List.of(1, 3, 4, 5), c.ports(), "kept for a lease");
        world.run(Duration.ofSeconds(8));
        everywhere(List.of(3, 4, 5));
    }

    @Test
    void whatALostNodeLeavesIsLookedAtByOneNodeEach() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a);
        registerAll(publisher, 12, "x");
        for (int port = 1; port <= 12; port++) {
            world.answering.add("10.0.0.1:" + port);
        }
        world.run(MOMENT);
        a.crash();
        world.run(Duration.ofSeconds(40));
        assertEquals(12, world.probedBy.size());
        world.probedBy.forEach((address, by) -> assertEquals(1, by.size(), address + " by " + by));
        assertEquals(2, world.probedBy.values().stream().distinct().count(), "both have their share");
    }

    @Test
    void anInstanceWhoseHostAndNodeVanishGoesByTime() {
        world.new Publisher().connect(b).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        a.crash();
        world.run(Duration.ofSeconds(30));
        everywhere(List.of(3, 4, 5));
    }

    @Test
    void anIsolatedNodeFreezesAndRemovesNothing() {
        world.new Publisher().connect(b).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        world.cut(1, 2);
        world.cut(1, 3);
        world.run(Duration.ofSeconds(10));
        assertTrue(a.node.status().frozen().isPresent());
        publisher.breakLine();
        world.refusing.add("10.0.0.1:3"); // as seen from here: no verdict on what others hold, whatever the evidence
        world.run(Duration.ofSeconds(120));
        assertEquals(List.of(1, 3, 4, 5), a.ports());
        assertEquals(List.of(3, 4, 5), b.ports(), "the others are the majority");
        world.heal();
        world.run(Duration.ofSeconds(60));
        everywhere(List.of(3, 4, 5));
    }

    @Test
    void e6ANodeThatIsToldOfPeersWhomItDoesNotSeeLetsGoOfNobodyInItsNextLookAtTheLeases() {
        Instance[] others = new Instance[60];
        for (int i = 0; i < others.length; i++) {
            others[i] = instance(101 + i, "y");
        }
        world.new Publisher().connect(a).register(others);
        List<ClusterWorld.Publisher> publishers = new ArrayList<>();
        for (int port = 1; port <= 10; port++) {
            publishers.add(world.new Publisher().connect(a).register(instance(port, "x")));
        }
        a.in(() -> a.node.configured(List.of()));
        world.cut(1, 2);
        world.cut(1, 3);
        world.run(Duration.ofSeconds(20));
        assertEquals(Optional.empty(), a.node.status().frozen(), "it expects nobody");
        for (ClusterWorld.Publisher publisher : publishers) {
            publisher.breakLine(); // so that somebody's time is up at every look at the leases
            world.run(MOMENT);
        }
        world.run(Duration.ofMillis(2_510));
        List<Integer> listed = a.ports();
        assertTrue(listed.size() > 61 && listed.size() < 69, () -> listed + ": the test proves nothing");
        a.in(() -> a.node.configured(List.of("n2:9849", "n3:9849")));
        world.run(Duration.ofSeconds(30));
        assertEquals(listed, a.ports());
    }

    @Test
    void aVerdictDoesNotTakeWhatItsPublisherHoldsBehindAPartition() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.new Publisher().connect(b).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        world.run(MOMENT);
        world.cut(1, 2);
        world.cut(1, 3);
        world.refusing.add("10.0.0.1:1");
        world.run(Duration.ofSeconds(40));
        assertEquals(List.of(3, 4, 5), c.ports());
        world.heal();
        world.refusing.clear();
        world.run(Duration.ofSeconds(10));
        everywhere(List.of(1, 3, 4, 5));
        assertTrue(publisher.closed.isEmpty());
    }

    @Test
    void aPairThatIsCutFollowsThroughTheThird() {
        world.cut(1, 2);
        world.run(Duration.ofSeconds(20));
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(Duration.ofSeconds(3));
        everywhere(List.of(1));
        assertTrue(b.node.status().frozen().isEmpty());
    }

    @Test
    void e2AllNodesRestartAtOnceWithEmptyDisks() {
        ClusterWorld.Publisher one = world.new Publisher().connect(a).register(instance(1, "x"));
        ClusterWorld.Publisher two = world.new Publisher().connect(b).register(instance(2, "x"));
        world.run(MOMENT);
        for (ClusterWorld.Machine machine : List.of(a, b, c)) {
            machine.crash();
            machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
        }
        List.of(c, a, b).forEach(ClusterWorld.Machine::start);
        world.run(SECOND);
        one.connect(c).register(instance(1, "x"));
        two.connect(a).register(instance(2, "x"));
        world.run(Duration.ofSeconds(100));
        everywhere(List.of(1, 2));
    }

    @Test
    void aNodeThatLostItsDiskGoesOnAboveWhatItsPeersKnow() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        for (int i = 0; i < 3; i++) {
            a.crash();
            a.start();
            world.run(Duration.ofSeconds(5));
        }
        long before = a.node.status().incarnation();
        a.crash();
        a.disk = new io.mooring.server.restore.MemoryStorage(a.loop);
        a.start();
        ClusterWorld.Publisher two = world.new Publisher().connect(a).register(instance(2, "y"));
        world.run(Duration.ofSeconds(5));
        assertTrue(
                a.node.status().incarnation() > before,
                "incarnation " + a.node.status().incarnation());
        assertTrue(b.ports().contains(2), b.ports().toString());
        two.register(instance(3, "y"));
        world.run(MOMENT);
        assertTrue(c.ports().contains(3), c.ports().toString());
    }

    @Test
    void noNodesClockIsBehindAnotherItHearsOf() {
        a.wall += 3_600_000;
        world.run(Duration.ofSeconds(5));
        for (ClusterWorld.Machine machine : List.of(b, c)) {
            long behind = a.node.clock().millis() - machine.node.clock().millis();
            assertTrue(behind < 100, machine.name + " is behind by " + behind + " ms");
        }
    }

    @Test
    void aRestartedNodeShowsItsPeersAtOnceFromItsDisk() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.new Publisher().connect(b).register(instance(2, "x"));
        world.run(MOMENT);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        c.start();
        assertEquals(List.of(1, 2), c.ports());
        assertEquals(Standing.RESTORED, c.standing(2));
        assertTrue(c.node.status().incomplete());
    }

    @Test
    void a12AStartingNodeShowsWhatAllItsPeersHaveInOneStep() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        c.crash();
        c.disk = new io.mooring.server.restore.MemoryStorage(c.loop);
        world.run(Duration.ofSeconds(10)); // or it would be refused as a second one
        world.cut(1, 2);
        world.cut(2, 3);
        world.new Publisher().connect(b).register(instance(2, "x"));
        c.start();
        world.run(MOMENT); // one of them is heard first
        world.heal();
        Set<List<Integer>> shown = new HashSet<>(Set.of(c.ports()));
        for (int i = 0; i < 6_000; i++) {
            world.run(Duration.ofMillis(1));
            shown.add(c.ports());
        }
        assertEquals(Set.of(List.of(), List.of(1, 2)), shown);
    }

    @Test
    void aNodeThatSaysItIsReadyShowsWhatItHasGathered() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        c.crash();
        c.disk.contents().keySet().forEach(c.disk::remove);
        world.run(Duration.ofSeconds(10)); // or it would be refused as a second one
        c.start();
        assertTrue(world.time.runUntil(() -> c.node.status().ready(), Duration.ofSeconds(8)));
        assertEquals(List.of(1), c.ports());
        assertEquals(1, c.node.status().instances(), "in the same breath");
    }

    @Test
    void aNodeWithoutMemoryThatIsToldOfNobodyIsReadyWhenSomebodyHasCome() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        c.crash();
        c.disk.contents().keySet().forEach(c.disk::remove);
        world.run(Duration.ofSeconds(10)); // or it would be refused as a second one
        c.told = false;
        c.start();
        assertTrue(world.time.runUntil(() -> c.node.status().ready(), Duration.ofSeconds(8)));
        world.run(MOMENT);
        assertEquals(List.of(1), c.ports());
    }

    @Test
    void aNodeThatIsToldOfNobodyIsReadyWhenItHasTriedThoseItRemembers() {
        c.crash();
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(SECOND);
        c.told = false;
        c.start();
        assertTrue(world.time.runUntil(() -> c.node.status().ready(), Duration.ofSeconds(8)));
        world.run(MOMENT);
        assertEquals(List.of(1), c.ports());
    }

    @Test
    void aNodeThatIsToldOfNobodyAndMeetsNobodyServesAllTheSame() {
        world.machines.values().forEach(ClusterWorld.Machine::crash);
        c.disk.contents().keySet().forEach(c.disk::remove);
        c.told = false;
        c.start();
        world.run(Duration.ofSeconds(5));
        assertFalse(c.node.status().ready(), "somebody may come");
        assertTrue(world.time.runUntil(() -> c.node.status().ready(), Duration.ofSeconds(10)));
        assertTrue(c.node.status().incomplete(), "nobody knows whether there are others");
    }

    @Test
    void aRestartedNodeStandsByItsRemovals() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        world.cut(1, 3);
        world.cut(2, 3);
        publisher.deregister(id(1));
        world.run(MOMENT);
        a.crash();
        a.start();
        world.run(MOMENT);
        assertEquals(List.of(1), c.ports(), "it has not heard of it");
        world.heal();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of());
    }

    @Test
    void aRemovalOfAnEarlierLifeTakesNothingThatSomebodyElseRegisteredSince() {
        ClusterWorld.Publisher before = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        before.deregister(id(1));
        world.run(MOMENT);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        for (ClusterWorld.Machine machine : List.of(b, c)) {
            machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
            machine.start();
        }
        world.run(Duration.ofSeconds(30)); // who starts hears of removals as of what was before
        world.new Publisher().connect(b).register(instance(1, "y"));
        a.start();
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            assertEquals(List.of(1), b.ports());
            assertEquals(List.of(1), c.ports());
        }
        everywhere(List.of(1));
    }

    @Test
    void a1WhoComesBackIsGrantedAboveWhatItsNodeRemovedBeforeARestart() {
        world.new Publisher().connect(c).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        ClusterWorld.Publisher before = world.new Publisher().connect(a).register(instance(1, "x"));
        for (ClusterWorld.Machine machine : List.of(b, a, b)) {
            world.run(MOMENT);
            before.breakLine().connect(machine).register(instance(1, "x"));
        }
        world.run(MOMENT);
        before.deregister(id(1));
        // Its successor's generation is above all that; its next connection's by itself would not be.
        ClusterWorld.Publisher publisher = world.new Publisher().connect(b).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(3, 4, 5));
        b.crash();
        b.start();
        world.run(Duration.ofSeconds(5));
        publisher.connect(b).register(instance(1, "back"));
        world.run(MOMENT);
        everywhere(List.of(1, 3, 4, 5));
        assertEquals("back", a.version(1));
    }

    @Test
    void whatANodeRemovedAndForgotWithItsDiskDoesNotReachWhatItGrantsAfterwards() {
        ClusterWorld.Publisher before = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        before.deregister(id(1));
        world.run(MOMENT);
        a.crash();
        a.disk = new io.mooring.server.restore.MemoryStorage(a.loop);
        a.start();
        world.run(Duration.ofSeconds(5));
        world.new Publisher().connect(a).register(instance(1, "y"));
        world.run(MOMENT);
        everywhere(List.of(1));
        a.crash();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(1));
        world.refusing.add("10.0.0.1:1");
        world.run(Duration.ofSeconds(40));
        everywhere(List.of());
    }

    @Test
    void a1WhatSomebodyRemovedInANodesNameDoesNotTakeWhatIsInTouchWithIt() {
        ClusterWorld.Publisher before = world.new Publisher();
        ClusterWorld.Publisher after = before.asNow(); // and does not count its connections
        before.connect(b).register(instance(1, "x"));
        world.run(SECOND);
        before.breakLine();
        world.run(Duration.ofSeconds(80));
        everywhere(List.of());
        b.crash();
        b.disk = new io.mooring.server.restore.MemoryStorage(b.loop);
        world.cut(1, 2);
        world.cut(2, 3);
        b.start();
        after.connect(b).register(instance(1, "x"));
        world.run(SECOND);
        world.heal();
        world.run(Duration.ofSeconds(12));
        everywhere(List.of(1));
    }

    @Test
    void renewalsByHttpAreForwardedToTheHomeAndAdoptedWhenItIsGone() {
        assertInstanceOf(
                Outcome.Accepted.class,
                a.outcome(reply -> a.node.put(instance(1, "x"), LeaseTerms.of(Duration.ofSeconds(15)), reply)));
        world.run(MOMENT);
        for (int i = 0; i < 12; i++) {
            assertEquals(List.of(), b.renew(id(1)));
            world.run(Duration.ofSeconds(5));
            everywhere(List.of(1));
        }
        assertEquals(0, b.node.status().leases(), "forwarded");
        a.crash();
        for (int i = 0; i < 12; i++) {
            assertEquals(List.of(), b.renew(id(1)));
            world.run(Duration.ofSeconds(5));
            everywhere(List.of(1));
        }
        assertEquals(1, b.node.status().leases(), "adopted");
    }

    @Test
    void b2ARenewalAtANodeThatHasJustStartedRevivesNothing() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(20));
        a.outcome(reply -> a.node.put(instance(1, "old"), terms, reply));
        world.run(SECOND);
        a.crash();
        b.outcome(reply -> b.node.put(instance(1, "new"), terms, reply));
        a.start();
        assertEquals(List.of(id(1)), a.renew(id(1)), "put it again: what the disk had may be older");
        world.run(SECOND);
        assertEquals("new", c.version(1));
        assertEquals(List.of(), a.renew(id(1)), "it knows by now");
    }

    @Test
    void b2ARenewalElsewhereAsksTheHomeThatIsBackFirst() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(60));
        a.outcome(reply -> a.node.put(instance(1, "old"), terms, reply));
        world.run(SECOND);
        b.crash();
        c.crash();
        a.outcome(reply -> a.node.put(instance(1, "new"), terms, reply));
        world.run(SECOND);
        a.crash();
        a.start();
        world.run(Duration.ofSeconds(5));
        c.start();
        world.run(Duration.ofSeconds(5));
        assertEquals("old", c.version(1), "it has heard of the later one: the test proves nothing");
        c.in(() -> c.node.renew(List.of(id(1)), unknown -> assertEquals(List.of(), unknown)));
        world.run(SECOND);
        assertEquals("new", a.version(1));
        assertEquals("new", c.version(1));
        assertEquals(1, a.node.status().leases(), "it is renewed where its later word is");
    }

    @Test
    void aRenewalDoesNotReviveWhatADiskHadWhenTheLeaseWasPutElsewhereSince() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(20));
        for (String version : List.of("1", "2", "3")) {
            a.outcome(reply -> a.node.put(instance(1, version), terms, reply));
        }
        world.run(MOMENT);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        b.disk = new io.mooring.server.restore.MemoryStorage(b.loop);
        b.start(); // it cannot know that its words must be above that
        world.run(SECOND);
        b.outcome(reply -> b.node.put(instance(1, "4"), terms, reply));
        c.start();
        world.run(SECOND);
        assertEquals(List.of(id(1)), c.renew(id(1)), "what it knew of a lost node: it must be put again");
        a.start();
        world.run(SECOND);
        assertEquals(List.of(id(1)), a.renew(id(1)), "what it had itself: it must be put again");
        world.run(MOMENT);
        assertEquals("4", b.version(1));
    }

    @Test
    void whatADiskHadMakesWayForWhatANodeInReachHoldsWithoutWaitingForTheCap() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofMinutes(5));
        for (int port = 1; port <= 40; port++) {
            Instance old = instance(port, "old");
            a.outcome(reply -> a.node.put(old, terms, reply));
            a.outcome(reply -> a.node.put(old.withWeight(2), terms, reply));
            a.outcome(reply -> a.node.put(old.withWeight(3), terms, reply));
        }
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        for (ClusterWorld.Machine machine : List.of(b, c)) {
            machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
            machine.start();
        }
        world.run(SECOND);
        b.outcome(reply -> b.node.put(instance(1, "new"), terms, reply));
        b.outcome(reply -> b.node.put(instance(2, "new"), terms, reply));
        a.start();
        world.run(Duration.ofSeconds(32));
        assertEquals("new", a.version(1));
        assertEquals("new", a.version(2));
        assertTrue(a.node.status().expiryBacklog() > 0, "the others wait for the cap");
    }

    @Test
    void whatIsLeftOfALostNodeMakesWayForWhatANodeInReachHolds() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofMinutes(5));
        for (int port = 1; port <= 10; port++) {
            Instance old = instance(port, "old");
            a.outcome(reply -> a.node.put(old, terms, reply));
            a.outcome(reply -> a.node.put(old.withWeight(2), terms, reply));
            a.outcome(reply -> a.node.put(old.withWeight(3), terms, reply));
        }
        world.run(MOMENT);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        b.disk = new io.mooring.server.restore.MemoryStorage(b.loop);
        b.start();
        world.run(SECOND);
        for (int port = 1; port <= 10; port++) {
            Instance now = instance(port, "new");
            b.outcome(reply -> b.node.put(now, terms, reply));
        }
        c.start();
        world.run(Duration.ofSeconds(25));
        for (int port = 1; port <= 10; port++) {
            assertEquals("new", c.version(port), "port " + port);
        }
    }

    @Test
    void b2WhoDiedWithoutAWordDoesNotShowAgainBehindTheEndOfWhoFollowedHim() {
        world.new Publisher().connect(c).register(instance(2, "x"), instance(3, "x"));
        ClusterWorld.Publisher first = world.new Publisher().connect(a).register(instance(1, "first"));
        world.run(MOMENT);
        first.powerOff();
        ClusterWorld.Publisher second = world.new Publisher().connect(b).register(instance(1, "second"));
        world.run(SECOND);
        second.breakLine();
        boolean gone = false;
        for (int i = 0; i < 250; i++) {
            world.run(MOMENT);
            for (ClusterWorld.Machine machine : world.machines.values()) {
                gone |= !machine.ports().contains(1);
                assertTrue(!machine.ports().contains(1) || machine.version(1).equals("second"), "at " + machine.name);
            }
        }
        assertTrue(gone, "the second one is not gone: the test proves nothing");
        everywhere(List.of(2, 3));
    }

    @Test
    void e7WhoIsFollowedIsNotSuspectWhereWhoFollowedHimHasYetToArrive() {
        ClusterWorld.Publisher first = world.new Publisher().connect(a).register(instance(1, "first"));
        world.run(MOMENT);
        first.powerOff();
        world.slow(b, c, SECOND);
        world.new Publisher().connect(b).register(instance(1, "second"));
        boolean isBehind = false;
        for (int i = 0; i < 2 * SECOND.toMillis(); i++) {
            world.run(Duration.ofMillis(1));
            isBehind |= a.version(1).equals("second") && c.version(1).equals("first");
            assertEquals(Standing.LIVE, c.standing(1), "after " + i + " ms");
        }
        assertTrue(isBehind, "nothing came too early: the test proves nothing");
        assertEquals("second", c.version(1));
    }

    /** Somebody at b and c, of whose generation a, which is cut off, cannot know; the other two are there to outnumber him. */
    private ClusterWorld.Publisher onTheOtherSideOfAPartition() {
        world.new Publisher().connect(c).register(instance(2, "x"), instance(3, "x"));
        world.run(MOMENT);
        world.cut(1, 2);
        world.cut(1, 3);
        return world.new Publisher().connect(b).register(instance(1, "dead")).register(instance(1, "still dead"));
    }

    @Test
    void a8WhoIsInTouchStaysListedWhenTheLeaseEndsOfWhoDiedOnTheOtherSideOfAPartition() {
        ClusterWorld.Publisher dead = onTheOtherSideOfAPartition();
        world.run(MOMENT);
        dead.powerOff();
        world.run(SECOND);
        world.new Publisher().connect(a).register(instance(1, "alive")); // below the one that nobody here knows of
        world.run(Duration.ofMillis(10_200)); // renewed a moment ago
        world.heal();
        boolean isFollowed = false;
        boolean isOver = false;
        for (int i = 0; i < 600; i++) {
            world.run(Duration.ofMillis(10));
            everywhere(List.of(1, 2, 3));
            isFollowed |= a.version(1).equals("still dead");
            isOver = isFollowed && c.version(1).equals("alive");
        }
        assertTrue(isFollowed, "its node has never heard of the other one: the test proves nothing");
        assertTrue(isOver, "the other one's lease has not ended: the test proves nothing");
        assertEquals(Standing.LIVE, c.standing(1));
    }

    @Test
    void a8WhoIsInTouchStaysListedWhenItsNodeCatchesUpWithTheEndOfWhoDiedOnTheOtherSideOfAPartition() {
        ClusterWorld.Publisher dead = onTheOtherSideOfAPartition();
        world.run(SECOND);
        dead.breakLine();
        world.run(Duration.ofSeconds(5));
        assertEquals(List.of(2, 3), b.ports());
        world.new Publisher().connect(a).register(instance(1, "alive")); // below the one that nobody here knows of
        world.run(Duration.ofMillis(200));
        world.heal();
        for (int i = 0; i < 600; i++) {
            world.run(Duration.ofMillis(10));
            assertEquals(List.of(1, 2, 3), a.ports(), "after " + i + " hundredths of a second");
        }
        everywhere(List.of(1, 2, 3));
        assertEquals("alive", c.version(1));
    }

    @Test
    void whoIsHeardOfAfterSomebodyElseFollowedHimShowsAgainWhenThatOneIsGone() {
        world.new Publisher().connect(c).register(instance(2, "x"), instance(3, "x"));
        world.new Publisher().connect(a).register(instance(1, "first"));
        world.run(MOMENT);
        ClusterWorld.Publisher second = world.new Publisher().connect(b).register(instance(1, "second"));
        world.run(SECOND);
        assertEquals("second", c.version(1));
        long generation = c.node.view(ClusterWorld.ORDERS).instances().get(0).generation();
        second.breakLine(); // and is gone before the first one says anything
        world.run(Duration.ofSeconds(6));
        everywhere(List.of(1, 2, 3));
        assertEquals("first", c.version(1));
        assertTrue(
                c.node.view(ClusterWorld.ORDERS).instances().get(0).generation() > generation,
                "or it passes for older");
        ClusterWorld.Publisher third = world.new Publisher().connect(b).register(instance(1, "third"));
        world.run(Duration.ofSeconds(6));
        assertEquals("third", c.version(1));
        third.breakLine(); // the first one has been heard of since
        boolean over = false;
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            everywhere(List.of(1, 2, 3));
            over |= "first".equals(c.version(1));
        }
        assertTrue(over, "the third one is not gone: the test proves nothing");
        assertEquals(Standing.LIVE, c.standing(1));
    }

    @Test
    void e6WhatIsLeftOfALostNodeDoesNotMakeWayForWhatIsInDoubtItself() {
        Instance[] old = new Instance[30];
        Instance[] now = new Instance[30];
        for (int i = 0; i < 30; i++) {
            old[i] = instance(1 + i, "old");
            now[i] = instance(1 + i, "new");
        }
        ClusterWorld.Publisher first = world.new Publisher().connect(b).register(old);
        world.run(MOMENT);
        ClusterWorld.Publisher second = world.new Publisher().connect(a).register(now);
        world.run(MOMENT);
        first.breakLine();
        world.run(SECOND);
        second.breakLine();
        a.crash();
        a.start(); // and has them from its disk
        world.run(Duration.ofSeconds(20));
        assertTrue(b.node.status().expiryBacklog() > 0, "none of the old ones is left: the test proves nothing");
        for (int i = 0; i < 100; i++) {
            world.run(SECOND);
            for (ClusterWorld.Machine machine : world.machines.values()) {
                machine.ports().forEach(port -> assertEquals("new", machine.version(port), "at " + machine.name));
            }
        }
    }

    @Test
    void b2ARenewalThatIsAdoptedLateTakesNothingBack() {
        a.outcome(reply -> a.node.put(instance(1, "old"), LeaseTerms.of(Duration.ofSeconds(15)), reply));
        world.run(MOMENT);
        world.cut(1, 2);
        b.in(() -> b.node.renew(List.of(id(1)), unknown -> {})); // and waits for an answer
        world.run(MOMENT);
        b.outcome(reply -> b.node.put(instance(1, "new"), LeaseTerms.of(Duration.ofSeconds(15)), reply));
        world.run(Duration.ofSeconds(3));
        assertEquals("new", b.version(1));
        assertEquals("new", c.version(1));
    }

    @Test
    void a3ARenewalThatIsAdoptedLateRevivesNothing() {
        for (ClusterWorld.Machine asked : List.of(b, c)) { // the deletion is said to the one that adopts, or to another
            a.outcome(reply -> a.node.put(instance(1, "x"), LeaseTerms.of(Duration.ofSeconds(15)), reply));
            world.run(MOMENT);
            world.cut(1, 2);
            world.cut(1, 3);
            List<List<Integer>> unknown = new ArrayList<>();
            b.in(() -> b.node.renew(
                    List.of(id(1)),
                    ids -> unknown.add(ids.stream().map(InstanceId::port).toList())));
            world.run(MOMENT);
            asked.outcome(reply -> asked.node.remove(id(1), false, "http", reply));
            world.run(Duration.ofSeconds(3));
            assertEquals(List.of(List.of(1)), unknown, "deleted at " + asked.name);
            assertEquals(List.of(), b.ports(), "deleted at " + asked.name);
            assertEquals(List.of(), c.ports(), "deleted at " + asked.name);
            world.heal();
            world.run(Duration.ofSeconds(20));
            everywhere(List.of());
        }
    }

    @Test
    void a10ARenewalRevivesNothingThatWasSilentForItsLeaseSinceItsNodeWasLost() {
        for (long ttl : List.of(15L, 300L)) {
            a.outcome(reply -> a.node.put(instance(1, "x"), LeaseTerms.of(Duration.ofSeconds(ttl)), reply));
            world.answering.add("10.0.0.1:1"); // so that it stays for a while
            world.run(MOMENT);
            a.crash();
            world.run(Duration.ofSeconds(30));
            assertEquals(List.of(1), b.ports());
            assertEquals(ttl == 15 ? List.of(id(1)) : List.of(), b.renew(id(1)), "a lease of " + ttl + " s");
            a.start();
            world.run(Duration.ofMinutes(2));
        }
    }

    @Test
    void b2APutBeatsATakeoverOfWhatWasKnownAtTheSameTimeElsewhere() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        c.outcome(reply -> c.node.put(instance(1, "old"), terms, reply));
        world.run(MOMENT);
        c.crash();
        world.run(SECOND);
        b.in(() -> b.node.renew(List.of(id(1)), unknown -> {})); // takes it over, and its name is the higher one
        a.in(() -> a.node.put(instance(1, "new"), terms, outcome -> {}));
        for (int i = 0; i < 20; i++) {
            world.run(SECOND);
            assertEquals("new", a.version(1));
            assertEquals("new", b.version(1));
            assertEquals(List.of(), (i % 2 == 0 ? a : b).renew(id(1)));
        }
    }

    @Test
    void a3ARestartedNodeStandsByTheRemovalsThatItHadHeard() {
        ClusterWorld.Publisher publisher =
                world.new Publisher().connect(b).register(instance(1, "x"), instance(2, "x"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(1, 3);
        publisher.deregister(id(1));
        world.run(MOMENT);
        assertEquals(List.of(2), c.ports());
        b.crash();
        world.run(MOMENT);
        for (int restart = 0; restart < 3; restart++) {
            c.crash();
            world.heal();
            c.start(); // and takes what the lost node had from the first one, which did not hear of the end of it
            for (int i = 0; i < 30; i++) {
                world.run(MOMENT);
                assertEquals(List.of(2), c.ports(), "after " + i + " tenths of a second, restart " + restart);
            }
            assertTrue(a.ports().contains(1), "it has heard of it: the test proves nothing");
        }
    }

    @Test
    void a1WhoDoesNotCountConnectionsIsGrantedAboveTheRemovalsThatANodeHadHeardBeforeItStarted() {
        ClusterWorld.Publisher publisher = world.new Publisher();
        world.cut(1, 2);
        world.cut(1, 3);
        for (ClusterWorld.Machine home : List.of(b, c)) {
            home.in(() -> home.node.open(publisher.id, 0, publisher, OptionalLong.empty(), held -> {}, refusal -> {}));
            home.outcome(reply -> home.node.register(publisher.id, List.of(instance(1, home.name)), reply));
            world.run(MOMENT);
            assertEquals(home.name, c.version(1));
            if (home == b) {
                b.outcome(reply -> b.node.deregister(publisher.id, List.of(id(1)), reply));
                world.run(MOMENT);
                assertEquals(List.of(), c.ports());
                b.crash();
                c.crash();
                c.start();
                world.run(Duration.ofSeconds(30));
            }
        }
    }

    @Test
    void b2WhatADiskHasOfALostNodesLeaseIsOutbidByWhoeverHearsOfIt() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        a.outcome(reply -> a.node.put(instance(1, "first"), terms, reply));
        world.run(MOMENT);
        a.crash();
        b.outcome(reply -> b.node.put(instance(1, "second"), terms, reply));
        b.outcome(reply -> b.node.put(instance(1, "third"), terms, reply));
        world.run(MOMENT);
        b.crash();
        c.crash();
        a.start(); // and knows the first only
        world.run(Duration.ofSeconds(12));
        a.outcome(reply -> a.node.put(instance(1, "now"), terms, reply));
        c.start(); // and has the third on its disk
        world.run(SECOND);
        assertEquals("third", c.version(1), "its generation is not the higher one: the test proves nothing");
        for (int i = 0; i < 80; i++) {
            assertEquals(List.of(), a.renew(id(1)));
            assertEquals("now", a.version(1), "after " + i + " seconds");
            if (i > 20) {
                assertEquals("now", c.version(1), "after " + i + " seconds");
                assertEquals(Standing.LIVE, c.standing(1));
            }
            world.run(SECOND);
        }
    }

    @Test
    void b2WhatANodeRestoredOfALeaseIsOutbidByWhoeverHearsOfItThoughNobodyMayGiveAVerdict() {
        for (boolean renewed : List.of(true, false)) {
            ClusterWorld few = new ClusterWorld(8, 5).warm(); // of whom two come back
            ClusterWorld.Machine first = few.n(1);
            ClusterWorld.Machine second = few.n(2);
            LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
            first.outcome(reply -> first.node.put(instance(1, "first"), terms, reply));
            few.run(MOMENT);
            first.crash();
            second.outcome(reply -> second.node.put(instance(1, "second"), terms, reply));
            second.outcome(reply -> second.node.put(instance(1, "third"), terms, reply));
            few.machines.values().stream().filter(each -> each.up).forEach(ClusterWorld.Machine::crash);
            first.start();
            few.run(Duration.ofSeconds(12));
            first.outcome(reply -> first.node.put(instance(1, "now"), terms, reply));
            second.start();
            few.run(SECOND);
            assertEquals("third", second.version(1), "its generation is not the higher one: the test proves nothing");
            for (int i = 0; i < 80; i++) {
                if (renewed) {
                    assertEquals(List.of(), first.renew(id(1)));
                }
                if (i > 25) {
                    // Without renewals nobody can tell which of the two was meant: what is listed stays.
                    assertEquals(renewed ? "now" : "third", second.version(1), "after " + i + " seconds");
                    assertTrue(second.node.status().frozen().isPresent(), "it sees half: the test proves nothing");
                }
                few.run(SECOND);
            }
        }
    }

    @Test
    void b2WhatADiskHadGoesWithTheVerdictOnWhatHidIt() {
        ClusterWorld.Publisher first = world.new Publisher().connect(a);
        registerAll(first, 20, "first");
        world.run(SECOND);
        ClusterWorld.Publisher second = world.new Publisher().connect(b);
        registerAll(second, 20, "second");
        world.run(SECOND);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        a.start();
        c.start();
        neverFirstForAMinute(20);
        assertTrue(a.ports().size() < 20, "some have been given up");
    }

    @Test
    void b2WhoIsInDoubtHimselfDoesNotTakeThePlaceOfWhatALostNodeLeft() {
        ClusterWorld.Publisher first = world.new Publisher().connect(c);
        registerAll(first, 30, "first");
        world.run(SECOND);
        first.breakLine();
        ClusterWorld.Publisher second = world.new Publisher().connect(b);
        registerAll(second, 30, "second");
        world.run(SECOND);
        b.crash();
        world.run(Duration.ofSeconds(5));
        assertTrue(c.node.status().expiryBacklog() > 0, "most of the first ones wait for the cap");
        neverFirstForAMinute(30);
        assertTrue(a.ports().size() < 30, "some have been given up");
    }

    @Test
    void b2ARestartedNodeTakesNothingBackOnTheWordOfAPeerThatIsBehindItsDisk() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "old"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(2, 3);
        publisher.register(instance(1, "new"));
        world.run(MOMENT);
        assertEquals("new", c.version(1));
        c.crash();
        world.heal();
        world.cut(1, 2);
        world.cut(1, 3);
        c.start(); // and hears of the first node through the second, which has yet to hear of the change
        for (int i = 0; i < 40; i++) {
            world.run(MOMENT);
            assertEquals("old", b.version(1));
            assertEquals("new", c.version(1), "after " + i + " tenths of a second");
        }
        world.heal();
        world.run(Duration.ofSeconds(10));
        assertEquals("new", b.version(1));
        assertEquals(Standing.LIVE, c.standing(1));
    }

    @Test
    void b2ARestartedNodeKeepsWhatAPeerThatIsBehindItsDiskHasNeverHeardOf() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(b).register(instance(1, "old"));
        world.new Publisher().connect(a).register(instance(3, "x"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(2, 3);
        publisher.breakLine().connect(a).register(instance(1, "new"), instance(2, "new"));
        world.run(MOMENT);
        assertEquals("new", c.version(1));
        c.crash();
        world.heal();
        world.cut(1, 2);
        world.cut(1, 3);
        c.start(); // and hears of the first node through the second, which has nothing of it
        for (int i = 0; i < 40; i++) {
            world.run(MOMENT);
            assertEquals("new", c.version(1), "after " + i + " tenths of a second");
            assertEquals(List.of(1, 2, 3), c.ports(), "after " + i + " tenths of a second");
        }
        a.crash(); // what nobody vouches for leaves in its time, and the peer's word is as good as the disk's
        world.run(Duration.ofMinutes(3));
        everywhere(List.of());
        assertFalse(c.node.status().incomplete());
    }

    @Test
    void e7OfTwoNodesThatGaveTheSameGenerationOneIsTheHome() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(8));
        world.cut(1, 2);
        world.cut(1, 3);
        a.outcome(reply -> a.node.put(instance(1, "x"), terms, reply));
        b.outcome(reply -> b.node.put(instance(1, "y"), terms, reply));
        world.heal();
        world.run(Duration.ofSeconds(5));
        int unknown = 0;
        for (int i = 0; i < 20; i++) {
            ClusterWorld.Machine asked = i % 4 == 0 ? b : a;
            if (!asked.renew(id(1)).isEmpty()) {
                unknown++;
                asked.outcome(reply -> asked.node.put(instance(1, "y"), terms, reply));
            }
            world.run(Duration.ofSeconds(3));
            assertEquals(Standing.LIVE, c.standing(1), "after " + i + " renewals");
            assertEquals("y", c.version(1));
        }
        assertEquals(1, unknown, "put once by the other node's id, it is the same lease everywhere");
    }

    @Test
    void a10ARenewalBehindADeletionRevivesNothing() {
        a.outcome(reply -> a.node.put(instance(1, "x"), LeaseTerms.of(Duration.ofSeconds(15)), reply));
        world.run(MOMENT);
        assertInstanceOf(Outcome.Accepted.class, c.outcome(reply -> c.node.remove(id(1), false, "publisher", reply)));
        world.run(MOMENT);
        assertEquals(List.of(id(1)), b.renew(id(1)));
        everywhere(List.of());
        assertEquals(0, a.node.status().leases());
    }

    @Test
    void anOperatorMayAmendAndRemoveAnywhere() {
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        assertInstanceOf(
                Outcome.Accepted.class,
                b.outcome(reply -> b.node.amend(id(1), instance -> instance.withWeight(7), reply)));
        world.run(MOMENT);
        assertEquals(
                7.0,
                c.node.view(ClusterWorld.ORDERS).instances().get(0).instance().weight());
        assertInstanceOf(Outcome.Accepted.class, c.outcome(reply -> c.node.remove(id(1), true, "operator", reply)));
        world.run(MOMENT);
        everywhere(List.of());
    }

    @Test
    void e4ADrainingNodeSendsItsSessionsToTheOthersAndNobodyDoubtsThem() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        boolean[] done = new boolean[1];
        a.in(() -> a.node.drain(Duration.ofSeconds(5), Duration.ofSeconds(20), () -> done[0] = true));
        world.run(MOMENT);
        assertEquals(List.of(List.of("n2:9847", "n3:9847")), a.moves);
        assertFalse(
                b.node.sessionAddresses().contains("n1:9847"),
                b.node.sessionAddresses().toString());
        a.in(() -> a.node.moving(publisher.id));
        publisher.breakLine();
        world.run(MOMENT);
        assertEquals(Standing.LIVE, c.standing(1));
        publisher.connect(b).register(instance(1, "x"));
        world.run(SECOND);
        assertTrue(done[0]);
        a.crash();
        for (int i = 0; i < 300; i++) {
            world.run(MOMENT);
            everywhere(List.of(1));
            assertEquals(Standing.LIVE, c.standing(1));
        }
    }

    @Test
    void a7AfterAPartitionAllHaveTheSame() {
        world.cut(1, 2);
        world.cut(1, 3);
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.new Publisher().connect(b).register(instance(2, "x"));
        world.run(Duration.ofSeconds(60));
        world.heal();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(1, 2));
        assertEquals(digests(a), digests(b));
        assertEquals(digests(a), digests(c));
    }

    private static Set<String> digests(ClusterWorld.Machine machine) {
        return machine.node.replication().shards().stream()
                .map(RegistryClusterTest::text)
                .collect(Collectors.toSet());
    }

    private static String text(PeerMessage.Digest digest) {
        return digest.shard() + " " + digest.revision() + " " + digest.checksum();
    }

    @Test
    void whoMovesAndStillHoldsTheSameIsKnownAtItsOldHome() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(b).register(instance(1, "y"));
        world.run(MOMENT);
        publisher.breakLine().connect(a, OptionalLong.of(0)).register(instance(1, "x"));
        world.run(SECOND);
        assertEquals("x", b.version(1), "its latest word shows though its first home has it still");
    }

    @Test
    void e7WhoComesBackToAnEarlierHomeIsNotInDoubtWithItsLaterOne() {
        long digest = new ListedInstance(instance(1, "x"), Standing.LIVE).fingerprint();
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(b).register(instance(1, "x"));
        world.run(MOMENT);
        publisher.breakLine().connect(a, OptionalLong.of(digest));
        world.run(Duration.ofMillis(2));
        if (!publisher.held.orElseThrow()) {
            publisher.register(instance(1, "x"));
        }
        world.run(MOMENT);
        for (int i = 0; i < 100; i++) {
            assertEquals(Standing.LIVE, c.standing(1), "after " + i + " tenths of a second; seed " + world.seed);
            world.run(MOMENT);
        }
    }

    @Test
    void b2WhatADiskHasIsNotTakenUpBySomebodyWhoHasSaidMoreElsewhere() {
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(SECOND);
        long digest = new ListedInstance(instance(1, "x"), Standing.LIVE).fingerprint();
        a.crash();
        publisher.connect(b).register(instance(1, "y"));
        publisher.breakLine(); // and has not been told that this was heard
        a.start();
        world.run(SECOND);
        publisher.connect(a, OptionalLong.of(digest));
        for (int i = 0; i < 20; i++) {
            world.run(MOMENT);
            assertEquals("y", b.version(1));
            assertEquals("y", c.version(1));
        }
        assertEquals(Optional.of(false), publisher.held);
    }

    @Test
    void b2WhoComesWhileCopiesAreWithoutTheirNodeHearsThatTheyMayBeOld() {
        world.answering.add("10.0.0.1:1");
        world.new Publisher().connect(a).register(instance(1, "x"));
        world.run(MOMENT);
        world.cut(1, 2);
        world.cut(1, 3);
        world.run(Duration.ofSeconds(30)); // it is not expected back soon
        Moved moved = new Moved(b);
        world.run(Duration.ofSeconds(20));
        assertEquals(List.of("incomplete"), moved.told, "its node may have told another content since");
        world.run(Duration.ofSeconds(120)); // it is the only one of its service, and held at first
        assertEquals(List.of("none"), moved.versions, "all there is, when the copy has been judged");
    }

    @Test
    void b2AfterAnOutageOfAllNobodyTakesAnOldCopyForAllThereIs() {
        world.answering.add("10.0.0.1:1");
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "old"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(1, 3);
        publisher.register(instance(1, "new"));
        restartAll();
        Moved moved = new Moved(b);
        assertEquals("old", b.version(1));
        world.run(Duration.ofSeconds(200));
        assertEquals(List.of("none"), List.copyOf(Set.copyOf(moved.versions)), moved.told.toString());
    }

    @Test
    void b2WhatOnlyTheDiskOfAnotherNodeHasIsWaitedFor() {
        world.answering.add("10.0.0.1:1");
        ClusterWorld.Publisher publisher = world.new Publisher().connect(b).register(instance(1, "old"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(2, 3);
        publisher.breakLine().connect(a).register(instance(1, "new"));
        restartAll();
        Moved moved = new Moved(b);
        assertEquals("old", b.version(1));
        world.run(Duration.ofSeconds(200));
        assertEquals(List.of("none"), List.copyOf(Set.copyOf(moved.versions)), moved.told.toString());
    }

    @Test
    void b2AListIsCalledCompleteBehindWhatHasJustArrived() {
        c.crash();
        b.disk.slow(Duration.ofMillis(45)); // so that a turn takes a while
        world.run(Duration.ofSeconds(60));
        for (int i = 0; i < 100; i++) {
            ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "old-" + i));
            world.run(SECOND);
            world.cut(1, 2);
            publisher.register(instance(1, "new-" + i));
            world.run(Duration.ofSeconds(10));
            Moved moved = new Moved(b);
            world.run(Duration.ofMillis(17L * i));
            world.heal();
            world.run(Duration.ofSeconds(10));
            assertEquals("incomplete", moved.told.get(0));
            assertEquals("new-" + i, moved.versions.get(0), "told " + moved.told);
        }
    }

    /** Somebody whose connections to the other two alternate registers it: of a high generation. */
    private void registeredByAnother() {
        ClusterWorld.Publisher another = world.new Publisher();
        another.connect(b).connect(c).connect(b).connect(c).connect(b).register(instance(1, "x"));
        world.run(SECOND);
    }

    @Test
    void e6WhatASessionLeftBehindMakesWayForItsNextHomeThoughThatDidNotKnowOfIt() {
        registeredByAnother();
        ClusterWorld.Publisher publisher = world.new Publisher().connect(c).register(instance(1, "left behind"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(1, 3);
        a.crash();
        a.disk = new io.mooring.server.restore.MemoryStorage(a.loop);
        a.start();
        world.run(SECOND);
        publisher.breakLine().connect(a).register(instance(1, "now"));
        world.heal();
        world.run(Duration.ofSeconds(3));
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            assertEquals(Standing.LIVE, b.standing(1), "its publisher is in touch");
            assertEquals("now", b.version(1));
        }
    }

    @Test
    void a1WhoIsGrantedBelowAVerdictThatItsNodeNeverHeardOfIsListedAllTheSame() {
        world.new Publisher().connect(a).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        ClusterWorld.Publisher first =
                world.new Publisher().connect(a).connect(c).connect(b).register(instance(1, "first"));
        first.deregister(id(1));
        ClusterWorld.Publisher second = world.new Publisher().connect(b).register(instance(1, "x")); // above the first
        world.run(MOMENT);
        second.breakLine();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(3, 4, 5));
        for (ClusterWorld.Machine machine : List.of(b, c)) { // only the other one remembers why it left
            machine.crash();
            machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
        }
        world.run(Duration.ofSeconds(10));
        b.start();
        c.start();
        world.run(Duration.ofSeconds(20));
        second.connect(c).register(instance(1, "x"));
        world.run(SECOND);
        everywhere(List.of(1, 3, 4, 5));
        world.run(Duration.ofSeconds(60));
        everywhere(List.of(1, 3, 4, 5));
        assertTrue(second.closed.isEmpty());
    }

    @Test
    void e6WhatALostNodeHadMakesWayForALaterConnectionThatIsGrantedBelowIt() {
        world.new Publisher().connect(a).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        world.new Publisher().connect(a).connect(c).connect(b).register(instance(1, "first"));
        ClusterWorld.Publisher second = world.new Publisher().connect(b).register(instance(1, "x")); // above the first
        world.run(MOMENT);
        world.answering.add("10.0.0.1:1");
        for (ClusterWorld.Machine machine : List.of(b, c)) {
            machine.crash();
            machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
        }
        world.run(Duration.ofSeconds(10));
        b.start();
        c.start();
        world.run(SECOND);
        second.connect(c).register(instance(1, "later"));
        world.run(Duration.ofSeconds(40));
        everywhere(List.of(1, 3, 4, 5));
        assertEquals("later", a.version(1));
    }

    @Test
    void e6OfTwoNodesThatGaveASessionTheSameGenerationTheLostOneTakesNothing() {
        world.cut(1, 3);
        world.cut(2, 3);
        ClusterWorld.Publisher before = world.new Publisher();
        ClusterWorld.Publisher after = before.asNow(); // and does not count its connections
        Instance[] instances = new Instance[20]; // of which the first node would judge some, and the second the others
        for (int i = 0; i < instances.length; i++) {
            instances[i] = instance(1 + i, "x");
        }
        before.connect(c).register(instances);
        after.connect(b).register(instances);
        world.heal();
        world.run(Duration.ofSeconds(10));
        assertEquals(
                b.node.replication().highest(id(1)),
                c.node.replication().highest(id(1)),
                "another generation: the test proves nothing");
        c.crash();
        for (int i = 0; i < 1_000; i++) {
            world.run(MOMENT);
            assertEquals(instances.length, a.ports().size(), "after " + i);
            assertEquals(instances.length, b.ports().size(), "after " + i);
        }
        assertEquals(Standing.LIVE, a.standing(1));
    }

    @Test
    void theManyThatALargeNodeLeavesAreLookedAtInTurns() {
        int many = 21_000; // more than are looked at in one turn
        ClusterWorld.Publisher publisher = world.new Publisher().connect(c);
        for (int from = 1; from <= many; from += 1_000) {
            publisher.register(thousand(from));
        }
        world.run(SECOND);
        c.crash();
        world.run(Duration.ofSeconds(10));
        publisher.connect(b);
        for (int from = 1; from <= many; from += 1_000) {
            publisher.register(thousand(from));
        }
        assertTrue(
                world.time.runUntil(() -> a.node.status().orphans() == many, Duration.ofSeconds(20)),
                "all of them, when their time has come");
        assertEquals(1_000, left(a), "of the others all have turned up elsewhere");
        world.run(SECOND);
        assertEquals(0, left(a));
        world.run(SECOND);
        assertEquals(0, a.node.status().orphans());
        assertEquals(many, a.ports().size());
        assertEquals(Standing.LIVE, a.standing(many));
    }

    private static int left(ClusterWorld.Machine machine) {
        List<Replication.Orphan> all = new ArrayList<>();
        machine.in(() -> machine.node.replication().orphans(Duration.ZERO, all::add));
        return all.size();
    }

    private static Instance[] thousand(int from) {
        Instance[] instances = new Instance[1_000];
        for (int i = 0; i < instances.length; i++) {
            instances[i] = instance(from + i, "x");
        }
        return instances;
    }

    @Test
    void a8WhatADiskHadMakesWayTogetherWithWhatItsPeersHaveSince() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofMinutes(5));
        a.outcome(reply -> a.node.put(instance(1, "old"), terms, reply));
        world.run(MOMENT);
        a.crash();
        world.refusing.add("10.0.0.1:1");
        world.run(Duration.ofSeconds(30));
        everywhere(List.of());
        world.refusing.clear();
        b.outcome(reply -> b.node.put(instance(1, "new"), terms, reply));
        world.run(MOMENT);
        a.start();
        Set<String> shown = new HashSet<>(Set.of(a.version(1)));
        for (int i = 0; i < 6_000; i++) {
            world.run(Duration.ofMillis(1));
            shown.add(a.version(1));
        }
        assertEquals(Set.of("old", "new"), shown);
        assertEquals("new", a.version(1));
    }

    @Test
    void c10AGoodbyeThatIsLostWithItsNodeHoldsThoughTheSessionIsBackWhereItWas() {
        world.new Publisher().connect(c).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        ClusterWorld.Publisher publisher =
                world.new Publisher().connect(a).register(instance(1, "x"), instance(2, "x"));
        world.run(SECOND);
        ClusterWorld.Publisher later = publisher.asNow(); // of which the first node hears nothing: it is cut off
        world.cut(1, 2);
        world.cut(1, 3);
        world.cut(2, 3);
        later.connect(b).register(instance(2, "x"));
        later.deregister(id(1));
        world.run(SECOND);
        b.crash(); // for good, and nobody else has heard of it
        world.heal();
        world.run(Duration.ofSeconds(20));
        later.connect(a).register(instance(2, "x"));
        for (int i = 0; i < 140; i++) {
            world.run(MOMENT);
            assertEquals(List.of(1, 2, 3, 4, 5), c.ports(), "it has a lease to say so");
            assertEquals(Standing.LIVE, c.standing(2));
        }
        world.run(Duration.ofSeconds(5));
        for (int i = 0; i < 100; i++) {
            world.run(MOMENT);
            everywhere(List.of(2, 3, 4, 5));
            assertEquals(Standing.LIVE, c.standing(2));
        }
    }

    @Test
    void a1WhoRegistersAgainWhereItWasStaysThoughAnEarlierProcessAtItsAddressHadMoreConnections() {
        world.new Publisher().connect(c).register(instance(3, "z"));
        ClusterWorld.Publisher earlier = world.new Publisher();
        for (int i = 0; i < 5; i++) {
            earlier.connect(i % 2 == 0 ? a : b).register(instance(1, "x"), instance(2, "x"));
            world.run(SECOND);
        }
        ClusterWorld.Publisher publisher =
                world.new Publisher().connect(a).register(instance(1, "y"), instance(2, "y"));
        world.run(SECOND);
        long digest = new ListedInstance(instance(1, "y"), Standing.LIVE).fingerprint()
                + new ListedInstance(instance(2, "y"), Standing.LIVE).fingerprint();
        ClusterWorld.Publisher later = publisher.asNow();
        world.cut(1, 2);
        world.cut(1, 3);
        world.cut(2, 3);
        later.connect(b).register(instance(1, "y"), instance(2, "y"));
        world.run(SECOND);
        b.crash(); // for good, and nobody else has heard of it
        world.heal();
        world.run(Duration.ofSeconds(20));
        later.connect(a, OptionalLong.of(digest));
        assertEquals(Optional.of(false), later.held, "what it had here may not be what it has now");
        later.register(instance(1, "y"), instance(2, "y"));
        for (int i = 0; i < 250; i++) {
            world.run(MOMENT);
            everywhere(List.of(1, 2, 3));
            assertEquals(Standing.LIVE, c.standing(1));
        }
    }

    @Test
    void a3AGoodbyeHoldsThoughWhoeverHeardItRestarts() {
        world.new Publisher().connect(a).register(instance(3, "y"));
        ClusterWorld.Publisher publisher = world.new Publisher().connect(c).register(instance(1, "x"));
        world.run(SECOND);
        world.cut(2, 3);
        world.cut(1, 3);
        publisher.breakLine().connect(b).register(instance(1, "x"));
        publisher.deregister(id(1));
        world.run(SECOND);
        assertEquals(List.of(1, 3), c.ports(), "it does not know");
        a.crash();
        b.crash();
        world.heal();
        b.start();
        for (int i = 0; i < 50; i++) {
            world.run(MOMENT);
            assertEquals(List.of(3), b.ports());
        }
        assertEquals(List.of(3), c.ports());
    }

    @Test
    void a10AGoodbyeEndsWhatAnEarlierProcessLeftWhereNobodyHeardOfItsSuccessor() {
        ClusterWorld.Publisher other =
                world.new Publisher().connect(c).register(instance(2, "other"), instance(3, "y"));
        world.new Publisher().connect(a).connect(b).connect(a).register(instance(1, "first"));
        world.run(SECOND);
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        b.disk = new io.mooring.server.restore.MemoryStorage(b.loop);
        b.start();
        world.run(SECOND);
        ClusterWorld.Publisher second = world.new Publisher().connect(b).register(instance(1, "second"));
        world.run(SECOND);
        b.crash();
        c.start();
        a.start();
        other.connect(c).register(instance(2, "other"), instance(3, "y"));
        world.run(SECOND);
        everywhere(List.of(1, 2, 3));
        second.connect(a).deregister(id(1));
        second.deregister(id(2)); // which somebody else is in touch for
        for (int i = 0; i < 100; i++) {
            assertEquals(List.of(2, 3), a.ports());
            world.run(MOMENT);
            everywhere(List.of(2, 3));
        }
    }

    @Test
    void a8WhatWasGrantedInIgnoranceOfAVerdictOutlivesARestartOfItsNode() {
        world.new Publisher().connect(a).register(instance(3, "y"), instance(4, "y"), instance(5, "y"));
        ClusterWorld.Publisher first =
                world.new Publisher().connect(b).connect(c).connect(a).register(instance(1, "first"));
        world.run(MOMENT);
        first.breakLine();
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(3, 4, 5));
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        b.disk = new io.mooring.server.restore.MemoryStorage(b.loop);
        b.start();
        world.run(SECOND);
        world.new Publisher().connect(b).register(instance(1, "second"));
        world.run(SECOND);
        a.start(); // which remembers why the first one left
        world.run(Duration.ofSeconds(3));
        b.crash();
        b.start();
        for (int i = 0; i < 150; i++) { // it has heard enough, and shows it
            world.run(MOMENT);
            assertEquals(Standing.RESTORED, b.standing(1));
            assertEquals(List.of(1, 3, 4, 5), a.ports());
        }
    }

    /** Starts with an empty disk; it has heard nobody yet. */
    private static void startEmpty(ClusterWorld.Machine machine) {
        machine.disk = new io.mooring.server.restore.MemoryStorage(machine.loop);
        machine.start();
    }

    @Test
    void e6WhatIsPutAtANodeWithAnEmptyDiskIsLaterThanWhatItHearsWhenItStarts() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        for (String version : List.of("1", "2", "3")) {
            a.outcome(reply -> a.node.put(instance(1, version), terms, reply));
        }
        c.crash();
        world.run(Duration.ofSeconds(5));
        startEmpty(c);
        c.outcome(reply -> c.node.put(instance(1, "later"), terms, reply));
        for (int i = 0; i < 50; i++) {
            assertEquals("later", c.version(1), "after " + i + " tenths of a second");
            world.run(MOMENT);
        }
        assertEquals("later", a.version(1));
        assertEquals(List.of(), b.renew(id(1)));
        world.run(Duration.ofSeconds(12)); // the lease where it was before is over
        everywhere(List.of(1));
        assertEquals("later", b.version(1));
    }

    @Test
    void a8WhatIsRegisteredAtANodeWithAnEmptyDiskIsNotTakenByAnEarlierGoodbyeThatItHearsThen() {
        ClusterWorld.Publisher first =
                world.new Publisher().connect(a).connect(c).connect(b).register(instance(1, "first"));
        first.deregister(id(1));
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(15));
        b.outcome(reply -> b.node.put(instance(2, "first"), terms, reply));
        b.outcome(reply -> b.node.put(instance(2, "second"), terms, reply));
        b.outcome(reply -> b.node.remove(id(2), false, "http", reply));
        c.crash();
        world.run(Duration.ofSeconds(5));
        startEmpty(c);
        world.new Publisher().connect(c).register(instance(1, "later"));
        c.outcome(reply -> c.node.put(instance(2, "later"), terms, reply));
        world.run(Duration.ofSeconds(5));
        everywhere(List.of(1, 2));
    }

    @Test
    void c10WhatAnOperatorRemovedAtANodeThatIsLostLeavesWhereThatWasNotHeard() {
        ClusterWorld.Publisher other = world.new Publisher().connect(a).register(instance(3, "x"));
        world.new Publisher().connect(c).register(instance(1, "x"), instance(2, "x"));
        world.run(MOMENT);
        world.cut(1, 3);
        a.outcome(reply -> a.node.remove(id(1), true, "operator", reply));
        world.run(MOMENT);
        a.crash();
        world.run(MOMENT);
        other.connect(b).deregister(id(3)); // so that what b has of a is not as a left it, and it tells nobody
        world.run(SECOND);
        world.heal();
        world.run(Duration.ofSeconds(60));
        everywhere(List.of(2));
    }

    @Test
    void c10WhatAnOperatorRemovedAtANodeThatIsLostLeavesOnTheOtherSideOfAPartition() {
        ClusterWorld.Publisher other = world.new Publisher().connect(a).register(instance(3, "x"));
        world.new Publisher().connect(c).register(instance(1, "x"), instance(2, "x"));
        world.run(MOMENT);
        world.cut(1, 3);
        world.cut(2, 3);
        world.run(Duration.ofSeconds(10));
        a.outcome(reply -> a.node.remove(id(1), true, "operator", reply));
        world.run(MOMENT);
        a.crash();
        other.connect(b).deregister(id(3));
        world.run(Duration.ofSeconds(2));
        world.heal();
        world.run(Duration.ofSeconds(60));
        everywhere(List.of(2));
    }

    @Test
    void a13WhatWasGrantedBelowARemovalThatItsOwnNodeForgotIsGrantedAboveIt() {
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(60));
        for (String version : List.of("1", "2", "3")) {
            c.outcome(reply -> c.node.put(instance(1, version), terms, reply));
        }
        world.run(MOMENT);
        c.outcome(reply -> c.node.remove(id(1), false, "http", reply));
        world.run(MOMENT);
        long removed = a.node.view(ClusterWorld.ORDERS).removals().get(0).generation();
        c.crash();
        startEmpty(c);
        world.run(Duration.ofSeconds(10));
        c.outcome(reply -> c.node.put(instance(1, "later"), terms, reply));
        world.run(SECOND);
        everywhere(List.of(1));
        for (ClusterWorld.Machine machine : List.of(a, b, c)) { // or what lies over it passes for that of before
            long generation =
                    machine.node.view(ClusterWorld.ORDERS).instances().get(0).generation();
            assertTrue(generation > removed, generation + " at " + machine.name + ", not above " + removed);
        }
    }

    @Test
    void b2WhatADiskHadDoesNotTakeThePlaceOfWhatALostNodeLeftOfTheSameGeneration() {
        registeredByAnother();
        ClusterWorld.Publisher others = world.new Publisher().connect(c);
        for (int port = 2; port <= 7; port++) { // so that protection holds nobody
            others.register(instance(port, "x"));
        }
        ClusterWorld.Publisher publisher = world.new Publisher().connect(a).register(instance(1, "first"));
        world.run(SECOND);
        world.cut(1, 2);
        world.cut(1, 3);
        publisher.register(instance(1, "second")); // only its disk has that
        world.run(MOMENT);
        a.crash();
        world.heal();
        publisher.connect(b).register(instance(1, "third"));
        world.run(SECOND);
        a.start();
        world.run(Duration.ofSeconds(10));
        assertEquals("third", a.version(1));
        publisher.powerOff();
        b.crash();
        for (int i = 0; i < 600; i++) {
            world.run(MOMENT);
            assertFalse(a.version(1).equals("second"), "after " + i + " tenths of a second");
        }
        assertEquals("none", a.version(1));
    }

    private void restartAll() {
        List.of(a, b, c).forEach(ClusterWorld.Machine::crash);
        world.heal();
        List.of(a, b, c).forEach(ClusterWorld.Machine::start);
    }

    /** Who moved to a node, and the contents of instance 1 that it was told as all there is. */
    private static final class Moved implements Subscriber {
        final List<String> told = new ArrayList<>();
        final List<String> versions = new ArrayList<>();
        private final ClusterWorld.Machine to;

        Moved(ClusterWorld.Machine to) {
            this.to = to;
            to.in(() -> to.node.subscribe(this, ClusterWorld.ORDERS, OptionalLong.empty()));
        }

        @Override
        public void deliver(List<Update> updates) {
            boolean all = !updates.get(0).incomplete();
            told.add(all ? "complete" : "incomplete");
            if (all) {
                versions.add(to.version(1));
            }
            to.loop.execute(() -> to.node.ready(this));
        }
    }
}
