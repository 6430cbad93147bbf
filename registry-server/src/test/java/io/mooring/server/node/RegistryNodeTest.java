package io.mooring.server.node;

import static io.mooring.server.node.NodeWorld.ORDERS;
import static io.mooring.server.node.NodeWorld.id;
import static io.mooring.server.node.NodeWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
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
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.push.Update;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The promises of one node, in virtual time. The letters are the properties' names in docs/reliability.md. */
class RegistryNodeTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final NodeWorld world = new NodeWorld(1);

    // ---- registering

    @Test
    void anAcknowledgedRegistrationIsVisibleToTheNextRead() {
        world.startWarm();
        world.session().connect().register(instance(1));
        assertEquals(List.of(1), world.ports());
        assertEquals(Standing.LIVE, world.standing(1));
    }

    @Test
    void a9RegisteringAgainChangesNothing() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1));
        NodeWorld.Session caller = world.session().connect().subscribe();
        world.run(SECOND);
        ServiceView before = world.view();
        int heard = caller.updates.size();
        for (int i = 0; i < 20; i++) {
            provider.register(instance(1));
        }
        world.run(Duration.ofSeconds(60)); // twice the time after which a false removal would show
        assertEquals(before, world.view());
        assertEquals(heard, caller.updates.size());
    }

    @Test
    void a12ABatchBecomesVisibleInOneStep() {
        world.startWarm();
        NodeWorld.Session caller = world.session().connect().subscribe();
        caller.lineDelay = Duration.ofNanos(1);
        List<Instance> batch = new ArrayList<>();
        for (int port = 1; port <= 100; port++) {
            batch.add(instance(port));
        }
        world.session().connect().register(batch.toArray(Instance[]::new));
        world.run(SECOND);
        for (Update update : caller.updates) {
            int size = update.view().instances().size();
            assertTrue(size == 0 || size == 100, "a part of the batch was seen: " + size);
        }
        assertEquals(100, caller.known.get(ORDERS).instances().size());
    }

    @Test
    void aBatchOverTheLimitChangesNothing() {
        world.lease = limits(3, 10);
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        Outcome outcome = provider.tryRegister(List.of(instance(3), instance(4)));
        Outcome.Refused refused = assertInstanceOf(Outcome.Refused.class, outcome);
        assertEquals("limit", refused.code());
        assertEquals(List.of(1, 2), world.ports());
        provider.register(instance(3)); // exactly full
        provider.register(instance(1, "v2")); // replacing is always possible
        assertEquals(List.of(1, 2, 3), world.ports());
    }

    @Test
    void aFullNodeStillTakesBackWhomItHadBeforeItsRestart() {
        world.lease = limits(3, 10);
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2), instance(3));
        world.crash();
        world.start();
        provider.connect().register(instance(1), instance(2), instance(3));
        assertEquals(Standing.LIVE, world.standing(3));
    }

    private static LeaseSettings limits(int instances, int services) {
        LeaseSettings d = LeaseSettings.DEFAULTS;
        return new LeaseSettings(
                d.ttl(),
                d.grace(),
                d.evictionWindow(),
                d.evictionShare(),
                d.evictionFloor(),
                instances,
                services,
                instances,
                instances,
                100);
    }

    @Test
    void nobodyTakesBackWhatAnotherHolds() {
        world.startWarm();
        world.session().connect().register(instance(1, "theirs"));
        world.session().connect().deregister(1);
        assertEquals(List.of(1), world.ports());
    }

    @Test
    void aPublishersGoodbyeEndsAHold() {
        world.startWarm();
        NodeWorld.Session publisher = world.session().connect().register(instance(1, "one"));
        publisher.breakLine();
        world.run(Duration.ofSeconds(10));
        assertEquals(Standing.HELD, world.standing(1));
        publisher.connect().deregister(1);
        assertEquals(List.of(), world.ports());
    }

    @Test
    void whatIsNotWrittenYetIsNotShownYet() {
        world.startWarm();
        world.disk.slow(Duration.ofMillis(20));
        NodeWorld.Session publisher = world.session().connect().register(instance(1, "one"), instance(2, "two"));
        publisher.subscribe();
        world.run(Duration.ofSeconds(1));
        world.refusing.add("10.0.0.1:1");
        world.in(() -> {
            world.node.forget(publisher);
            world.node.broken(publisher.id, publisher); // suspect: on its way to the disk for 20 ms
        });
        world.run(Duration.ofMillis(21)); // the probe's verdict came after 5 ms
        assertEquals(Standing.SUSPECT, world.standing(1), "its removal is not written yet");
        world.run(Duration.ofMillis(21));
        assertEquals(List.of(2), world.ports());
        assertEquals(RemovalCause.PROBE_FAILED, world.view().removals().get(0).cause());
    }

    @Test
    void theLastOneToRegisterHoldsTheInstance() {
        world.startWarm();
        NodeWorld.Session old = world.session().connect().register(instance(1, "old"));
        NodeWorld.Session replacement = world.session().connect().register(instance(1, "new"));
        old.bye(); // must not take away what it holds no more
        assertEquals(List.of(1), world.ports());
        assertEquals(
                "new", world.view().instances().get(0).instance().metadata().get("version"));
        replacement.bye();
        assertEquals(List.of(), world.ports());
    }

    // ---- leaving

    @Test
    void goodbyeRemovesAtOnceEvenTheLast() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        NodeWorld.Session caller = world.session().connect().subscribe();
        provider.deregister(1, 2);
        world.run(Duration.ofMillis(10));
        assertEquals(List.of(), world.ports());
        assertEquals(List.of(), caller.known.get(ORDERS).instances());
        assertEquals(
                List.of(
                        new Removal(id(1), RemovalCause.DEREGISTERED, 1),
                        new Removal(id(2), RemovalCause.DEREGISTERED, 1)),
                world.view().removals());
    }

    @Test
    void aBrokenConnectionIsSuspectAtOnceAndGoneAfterTheGrace() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = world.session().connect().register(instance(4));
        dying.breakLine();
        world.run(Duration.ofMillis(10));
        assertEquals(Standing.SUSPECT, world.standing(4));
        world.run(Duration.ofMillis(2_900));
        assertEquals(List.of(1, 2, 3, 4), world.ports());
        world.run(Duration.ofMillis(1_000));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(
                List.of(new Removal(id(4), RemovalCause.CONNECTION_LOST, 1)),
                world.view().removals());
    }

    @Test
    void aRefusedConnectionIsEvidence() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = world.session().connect().register(instance(4));
        world.refusing.add("10.0.0.1:4");
        dying.breakLine();
        world.run(Duration.ofMillis(100));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(RemovalCause.PROBE_FAILED, world.view().removals().get(0).cause());
    }

    @Test
    void aSessionThatIsBackWithinTheGraceNeverLeft() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session flapping = world.session().connect().register(instance(4));
        flapping.breakLine();
        world.run(Duration.ofSeconds(2));
        long holds = new ListedInstance(instance(4), Standing.LIVE).fingerprint();
        flapping.connect(OptionalLong.of(holds));
        world.run(Duration.ofMillis(10));
        assertEquals(true, flapping.held.orElseThrow());
        assertEquals(Standing.LIVE, world.standing(4));
        world.run(Duration.ofSeconds(60));
        assertEquals(List.of(1, 2, 3, 4), world.ports());
    }

    @Test
    void silenceForALeaseEndsASession() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = world.session().connect().register(instance(4));
        dying.fallSilent();
        world.run(Duration.ofSeconds(14));
        assertEquals(Standing.LIVE, world.standing(4));
        world.run(Duration.ofSeconds(3));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals("too_slow", dying.closed.orElseThrow());
    }

    @Test
    void a10LateWordsOfAReplacedConnectionCountForNothing() {
        world.startWarm();
        NodeWorld.Session first = world.session().connect().register(instance(1));
        NodeWorld.Session second = world.session(first.id).connect();
        assertEquals("replaced", first.closed.orElseThrow());
        world.run(SECOND);
        world.in(() -> world.node.broken(first.id, first)); // the old connection's end arrives late
        world.run(Duration.ofSeconds(10));
        assertEquals(Standing.LIVE, world.standing(1));
        second.bye();
        assertEquals(List.of(), world.ports());
    }

    @Test
    void a10ARenewalNeverCreates() {
        world.startWarm();
        world.assertAccepted(reply -> world.node.put(instance(1), LeaseTerms.of(Duration.ofSeconds(15)), reply));
        world.assertAccepted(reply -> world.node.remove(id(1), false, "test", reply));
        world.in(() -> world.node.renew(List.of(id(1)), unknown -> assertEquals(List.of(id(1)), unknown)));
        world.run(SECOND);
        assertEquals(List.of(), world.ports());
    }

    // ---- leases by HTTP

    @Test
    void aLeaseByHttpLivesAsLongAsItIsRenewed() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        world.assertAccepted(reply -> world.node.put(instance(4), LeaseTerms.of(Duration.ofSeconds(6)), reply));
        for (int i = 0; i < 10; i++) {
            world.run(Duration.ofSeconds(4));
            world.in(() -> world.node.renew(List.of(id(4)), unknown -> assertEquals(List.of(), unknown)));
        }
        assertEquals(Standing.LIVE, world.standing(4));
        world.run(Duration.ofSeconds(7));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(RemovalCause.LEASE_EXPIRED, world.view().removals().get(0).cause());
    }

    @Test
    void aLeaseWithAGraceIsSuspectBeforeItEnds() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(15), Duration.ofSeconds(15));
        world.assertAccepted(reply -> world.node.put(instance(4), terms, reply));
        world.run(Duration.ofSeconds(14));
        assertEquals(Standing.LIVE, world.standing(4));
        world.run(Duration.ofSeconds(2));
        assertEquals(Standing.SUSPECT, world.standing(4));
        world.in(() -> world.node.renew(List.of(id(4)), unknown -> assertEquals(List.of(), unknown)));
        world.run(SECOND);
        assertEquals(Standing.LIVE, world.standing(4));
        world.run(Duration.ofSeconds(28));
        assertEquals(Standing.SUSPECT, world.standing(4), "its grace runs anew, too");
        world.run(Duration.ofSeconds(3));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(RemovalCause.LEASE_EXPIRED, world.view().removals().get(0).cause());
    }

    @Test
    void aSessionMayHaveALongerGrace() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(20), Duration.ofSeconds(10));
        String session = "0".repeat(32);
        SessionLine line = (code, message) -> {};
        world.in(() -> world.node.open(session, 0, terms, line, OptionalLong.empty(), held -> {}, refused -> {}));
        world.assertAccepted(reply -> world.node.register(session, List.of(instance(4)), reply));
        world.run(Duration.ofSeconds(19));
        assertEquals(Standing.LIVE, world.standing(4));
        world.in(() -> world.node.broken(session, line));
        world.run(Duration.ofSeconds(9));
        assertEquals(Standing.SUSPECT, world.standing(4));
        world.run(Duration.ofSeconds(2));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(
                RemovalCause.CONNECTION_LOST, world.view().removals().get(0).cause());
    }

    @Test
    void theClockGoesOnOverARestartThoughTheTimeOfDayIsSetBack() {
        world.startWarm();
        long before = world.node.clock().millis();
        world.crash();
        world.wall -= 3_600_000;
        world.start();
        assertTrue(world.node.clock().millis() >= before, world.node.clock().millis() + " after " + before);
    }

    @Test
    void changingAnInstanceKeepsItsLeaseAndPublisher() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1));
        world.assertAccepted(
                reply -> world.node.amend(id(1), i -> i.withWeight(5).withEnabled(false), reply));
        assertEquals(5, world.view().instances().get(0).instance().weight());
        Outcome refused = world.outcome(reply -> world.node.amend(id(9), i -> i, reply));
        assertEquals("unknown", ((Outcome.Refused) refused).code());
        provider.bye();
        assertEquals(List.of(), world.ports());
    }

    @Test
    void onlyAnOperatorRemovesWhatASessionHolds() {
        world.startWarm();
        world.session().connect().register(instance(1));
        Outcome refused = world.outcome(reply -> world.node.remove(id(1), false, "somebody", reply));
        assertEquals("not_owner", ((Outcome.Refused) refused).code());
        assertEquals(List.of(1), world.ports());
        world.assertAccepted(reply -> world.node.remove(id(1), true, "operator", reply));
        assertEquals(RemovalCause.OPERATOR, world.view().removals().get(0).cause());
    }

    // ---- protection

    @Test
    void b7SuddenEmptinessIsHeldAndMarked() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        NodeWorld.Session caller = world.session().connect().subscribe();
        provider.breakLine();
        world.run(Duration.ofSeconds(30));
        assertEquals(List.of(1, 2), world.ports());
        assertEquals(Standing.HELD, world.standing(1));
        assertTrue(world.view().underProtection());
        for (Update update : caller.updates) {
            assertEquals(2, update.view().instances().size(), "a caller saw a shrunk list");
        }
    }

    @Test
    void b8ProtectionEndsByTime() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        provider.breakLine();
        world.run(Duration.ofSeconds(70));
        assertEquals(List.of(), world.ports());
        assertFalse(world.view().underProtection());
    }

    @Test
    void b8ProtectionEndsWhenThePublisherReturns() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        provider.breakLine();
        world.run(Duration.ofSeconds(20));
        assertTrue(world.view().underProtection());
        provider.connect().register(instance(1), instance(2));
        assertEquals(Standing.LIVE, world.standing(2));
        assertFalse(world.view().underProtection());
        world.run(Duration.ofSeconds(120));
        assertEquals(List.of(1, 2), world.ports());
    }

    @Test
    void b8ProtectionEndsByEvidence() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        provider.breakLine();
        world.run(Duration.ofSeconds(10));
        assertEquals(List.of(1, 2), world.ports());
        world.refusing.addAll(List.of("10.0.0.1:1", "10.0.0.1:2"));
        world.run(Duration.ofSeconds(6));
        assertEquals(List.of(), world.ports());
    }

    @Test
    void b8AnOperatorAndThePublisherPassThroughProtection() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        provider.breakLine();
        world.run(Duration.ofSeconds(10));
        world.assertAccepted(reply -> world.node.remove(id(1), true, "operator", reply));
        assertEquals(List.of(2), world.ports());
        world.assertAccepted(reply -> world.node.remove(id(2), false, "publisher", reply));
        assertEquals(List.of(), world.ports());
        assertFalse(world.view().underProtection());
    }

    @Test
    void b8AGoodbyeOfASessionThatIsBackPassesThroughProtection() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        provider.breakLine();
        world.run(Duration.ofSeconds(20));
        assertTrue(world.view().underProtection());
        provider.connect().deregister(1);
        world.run(Duration.ofMillis(100));
        assertEquals(List.of(2), world.ports());
    }

    @Test
    void b9SilenceTakesAtMostAShareOfTheRegistryInAWindow() {
        world.startWarm();
        List<NodeWorld.Session> half = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            ServiceKey service = ServiceKey.of("service-" + i);
            NodeWorld.Session a = world.session().connect();
            a.register(
                    Instance.of(service, "10.0.0.1", 1),
                    Instance.of(service, "10.0.0.1", 2),
                    Instance.of(service, "10.0.0.1", 3));
            NodeWorld.Session b = world.session().connect();
            b.register(Instance.of(service, "10.0.0.1", 4)); // one of four: not for protection
            half.add(b);
        }
        half.forEach(NodeWorld.Session::fallSilent);
        world.run(Duration.ofSeconds(20));
        int total = world.node.status().instances();
        assertEquals(1_600 - 240, total, "15 % of 1600 may go in the first window");
        assertEquals(160, world.node.status().expiryBacklog());
        assertEquals(160, world.node.status().suspect());
        world.run(Duration.ofSeconds(61));
        assertEquals(1_200, world.node.status().instances());
        assertEquals(0, world.node.status().expiryBacklog());
    }

    // ---- freeze, restart, disk

    @Test
    void e6APausedNodeRemovesNobody() {
        world.startWarm();
        List<NodeWorld.Session> providers = new ArrayList<>();
        for (int port = 1; port <= 10; port++) {
            providers.add(world.session().connect().register(instance(port)));
        }
        world.loop.pause();
        world.run(Duration.ofSeconds(120));
        world.loop.resume();
        world.run(SECOND);
        assertTrue(world.node.status().frozen().orElseThrow().startsWith("paused for"));
        assertEquals(10, world.ports().size());
        world.run(Duration.ofSeconds(60));
        assertEquals(10, world.ports().size());
        assertEquals(10, world.node.status().live());
        assertTrue(world.node.status().frozen().isEmpty());
    }

    @Test
    void e6AfterAPauseTheSilentStillLeave() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = world.session().connect().register(instance(4));
        dying.fallSilent();
        world.loop.pause();
        world.run(Duration.ofSeconds(60));
        world.loop.resume();
        world.run(Duration.ofSeconds(14));
        assertEquals(4, world.ports().size());
        world.run(Duration.ofSeconds(3));
        assertEquals(List.of(1, 2, 3), world.ports());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MAX_VALUE - 30_000_000_000L, Long.MIN_VALUE, 123_456_789_012_345L})
    void e5TheClocksOriginMeansNothing(long origin) {
        NodeWorld elsewhere = new NodeWorld(1, origin);
        elsewhere.startWarm();
        elsewhere.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = elsewhere.session().connect().register(instance(4));
        elsewhere.run(Duration.ofSeconds(20));
        dying.fallSilent();
        elsewhere.run(Duration.ofSeconds(10));
        assertEquals(List.of(1, 2, 3, 4), elsewhere.ports());
        elsewhere.run(Duration.ofSeconds(8));
        assertEquals(List.of(1, 2, 3), elsewhere.ports());
    }

    @Test
    void aRestartServesTheLastViewUntilPublishersAreBack() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1, "v1"), instance(2, "v1"));
        long digest = world.view().digest();
        long revision = world.view().revision();
        world.crash();
        world.start();
        assertEquals(List.of(1, 2), world.ports());
        assertEquals(Standing.RESTORED, world.standing(1));
        assertEquals(digest, world.view().digest(), "subscribers need not hear of a restart");
        assertTrue(world.view().revision() > revision);
        assertTrue(world.node.status().incomplete());
        provider.connect(OptionalLong.empty()).register(instance(1, "v1"), instance(2, "v1"));
        assertEquals(Standing.LIVE, world.standing(1));
        assertEquals(digest, world.view().digest());
        world.run(Duration.ofSeconds(200));
        assertEquals(List.of(1, 2), world.ports());
    }

    @Test
    void aSessionWhoseWordTheDiskKeptNeedNotRepeatIt() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1), instance(2));
        world.crash();
        world.start();
        long holds = new ListedInstance(instance(1), Standing.LIVE).fingerprint()
                + new ListedInstance(instance(2), Standing.LIVE).fingerprint();
        provider.connect(OptionalLong.of(holds));
        world.run(Duration.ofMillis(10));
        assertEquals(true, provider.held.orElseThrow());
        assertEquals(Standing.LIVE, world.standing(1));
        provider.breakLine();
        world.crash();
        world.start();
        provider.connect(OptionalLong.of(holds + 1)); // it has changed its mind meanwhile
        world.run(Duration.ofMillis(10));
        assertEquals(false, provider.held.orElseThrow());
        assertEquals(Standing.RESTORED, world.standing(1));
    }

    @Test
    void aRestoredInstanceNobodyComesBackForLeavesInTheEnd() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2), instance(3));
        world.session().connect().register(instance(4));
        world.crash();
        world.start();
        world.session().connect().register(instance(1), instance(2), instance(3));
        world.run(Duration.ofSeconds(29));
        assertEquals(Standing.RESTORED, world.standing(4));
        world.run(Duration.ofSeconds(3));
        assertEquals(List.of(1, 2, 3), world.ports());
        assertEquals(RemovalCause.ORPHANED, world.view().removals().get(0).cause());
    }

    @Test
    void aRestoredInstanceWhoseAddressRefusesLeavesAfterTheFreeze() {
        world.startWarm();
        world.session().connect().register(instance(1), instance(2));
        world.crash();
        world.refusing.addAll(List.of("10.0.0.1:1", "10.0.0.1:2"));
        world.start();
        world.run(Duration.ofSeconds(14));
        assertEquals(List.of(1, 2), world.ports());
        world.run(Duration.ofSeconds(7));
        assertEquals(List.of(), world.ports());
    }

    @Test
    void b10AStartingNodeSaysThatItMayNotKnowEverybody() {
        world.start();
        NodeWorld.Session caller = world.session().connect().subscribe();
        world.run(SECOND);
        assertTrue(caller.updates.get(0).incomplete());
        assertTrue(world.node.status().incomplete());
        world.run(Duration.ofSeconds(15));
        Update last = caller.updates.get(caller.updates.size() - 1);
        assertFalse(last.incomplete());
        assertTrue(last.sameContent());
    }

    @Test
    void aStartingNodeRemovesNobodyButByTheirOwnWord() {
        world.start();
        world.session().connect().register(instance(1), instance(2), instance(3));
        NodeWorld.Session dying = world.session().connect().register(instance(4));
        NodeWorld.Session leaving = world.session().connect().register(instance(5));
        world.refusing.add("10.0.0.1:4");
        dying.breakLine();
        leaving.bye();
        world.run(Duration.ofSeconds(14));
        assertEquals(List.of(1, 2, 3, 4), world.ports());
        world.run(Duration.ofSeconds(7));
        assertEquals(List.of(1, 2, 3), world.ports());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void a3WhatWasSeenToGoNeverComesBackByARestart(long seed) {
        NodeWorld random = new NodeWorld(seed);
        Random dice = new Random(seed);
        random.disk.slow(Duration.ofNanos(1_000L * dice.nextInt(3_000)));
        random.startWarm();
        NodeWorld.Session provider = random.session().connect();
        for (int round = 0; round < 30; round++) {
            int port = 1 + dice.nextInt(5);
            if (dice.nextBoolean()) {
                provider.register(instance(port, "r" + round));
            } else {
                provider.deregister(port);
            }
            ServiceView told = random.view();
            random.run(Duration.ofNanos(dice.nextInt(2_000_000)));
            random.crash();
            random.start();
            assertEquals(
                    told.instances().stream().map(ListedInstance::instance).toList(),
                    random.view().instances().stream()
                            .map(ListedInstance::instance)
                            .toList(),
                    "seed " + seed + ", round " + round);
            provider.connect();
        }
    }

    @Test
    void aDiskThatHangsDelaysTellingButDoesNotStopIt() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect();
        world.disk.hang(true);
        provider.register(instance(1));
        assertEquals(List.of(1), world.ports());
        for (int i = 0; i < 50; i++) {
            provider.register(instance(1, "v" + i));
        }
        world.run(SECOND);
        assertTrue(world.node.status().diskAge().orElseThrow().toMillis() >= 900);
        world.disk.hang(false);
        world.run(SECOND);
        assertEquals(Duration.ZERO, world.node.status().diskAge().orElseThrow());
        world.crash();
        world.start();
        assertEquals(
                "v49", world.view().instances().get(0).instance().metadata().get("version"));
    }

    @Test
    void aFullDiskIsSaidAndDiscoveryGoesOn() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1));
        world.disk.capacity(world.disk.used() + 20);
        provider.register(instance(2));
        assertTrue(world.disk.failures > 0, "the fault must have taken effect");
        assertEquals(List.of(1, 2), world.ports());
        world.run(SECOND);
        assertTrue(world.node.status().diskProblem().orElseThrow().contains("No space left"));
        world.disk.capacity(Long.MAX_VALUE);
        world.run(Duration.ofSeconds(12));
        assertTrue(world.node.status().diskProblem().isEmpty());
        world.crash();
        world.start();
        assertEquals(List.of(1, 2), world.ports());
    }

    @Test
    void a14ANodeToldToBeDurableRefusesWhatItCannotWrite() {
        world.durableOnly = true;
        world.startWarm();
        NodeWorld.Session provider = world.session().connect().register(instance(1));
        world.disk.capacity(world.disk.used() + 20);
        provider.register(instance(2)); // finds out
        world.run(SECOND);
        Outcome.Refused refused = assertInstanceOf(Outcome.Refused.class, provider.tryRegister(List.of(instance(3))));
        assertEquals("not_durable", refused.code());
        provider.deregister(1); // leaving is always possible
        assertEquals(List.of(2), world.ports());
        world.disk.capacity(Long.MAX_VALUE);
        world.run(Duration.ofSeconds(12));
        provider.register(instance(3));
        assertEquals(List.of(2, 3), world.ports());
    }

    // ---- subscribers

    @Test
    void b4ASlowReaderGetsTheLatestLaterAndCostsNoQueue() {
        world.startWarm();
        NodeWorld.Session provider = world.session().connect();
        NodeWorld.Session slow = world.session().connect().subscribe();
        NodeWorld.Session quick = world.session().connect().subscribe();
        slow.reads = false;
        for (int i = 0; i < 500; i++) {
            provider.register(instance(1 + i % 7, "v" + i));
            world.run(Duration.ofMillis(2));
        }
        assertTrue(slow.updates.size() <= 2, "one in its hands, no second: " + slow.updates.size());
        assertTrue(quick.updates.size() > 400);
        slow.reads = true;
        world.run(SECOND);
        assertEquals(world.view(), slow.known.get(ORDERS));
        assertEquals(List.of(), slow.problems);
        assertEquals(List.of(), quick.problems);
    }

    @Test
    void aSubscriberThatHasTheListAlreadyIsToldSo() {
        world.startWarm();
        world.session().connect().register(instance(1));
        NodeWorld.Session caller = world.session().connect();
        world.in(() -> world.node.subscribe(
                caller, ORDERS, OptionalLong.of(world.view().digest())));
        assertTrue(caller.updates.get(0).sameContent());
        NodeWorld.Session stranger = world.session().connect();
        world.in(() -> world.node.subscribe(stranger, ORDERS, OptionalLong.of(42)));
        assertEquals(null, stranger.updates.get(0).known());
    }

    /** B1-B6, A5: whatever happens in whatever order, readers see whole states, in order, and the last one. */
    @Test
    void everySubscriberFollowsWhateverHappens() {
        for (long seed = 1; seed <= 60; seed++) {
            follow(seed);
        }
    }

    private static void follow(long seed) {
        Random dice = new Random(seed);
        NodeWorld random = new NodeWorld(seed);
        random.disk.slow(Duration.ofNanos(1_000L * dice.nextInt(2_000)));
        random.startWarm();
        List<NodeWorld.Session> providers = new ArrayList<>();
        List<NodeWorld.Session> callers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            providers.add(random.session().connect());
            NodeWorld.Session caller = random.session().connect();
            caller.lineDelay = Duration.ofNanos(1_000L * dice.nextInt(20_000));
            callers.add(caller);
        }
        for (int step = 0; step < 200; step++) {
            NodeWorld.Session provider = providers.get(dice.nextInt(4));
            NodeWorld.Session caller = callers.get(dice.nextInt(4));
            int port = 1 + dice.nextInt(8);
            int kind = dice.nextInt(12);
            String version = "s" + step;
            random.in(() -> {
                switch (kind) {
                    case 0, 1, 2, 3 -> random.node.register(provider.id, List.of(instance(port, version)), o -> {});
                    case 4, 5 -> random.node.deregister(provider.id, List.of(id(port)), o -> {});
                    case 6 -> random.node.amend(id(port), i -> i.withWeight(port), o -> {});
                    case 7 -> caller.subscribe();
                    case 8 -> {
                        random.node.unsubscribe(caller, ORDERS);
                        caller.known.clear();
                    }
                    case 9 -> caller.reads = !caller.reads;
                    case 10 -> random.node.remove(id(port), true, "operator", o -> {});
                    default -> random.node.put(instance(port, version), LeaseTerms.of(Duration.ofSeconds(30)), o -> {});
                }
            });
            if (dice.nextInt(3) == 0) {
                random.run(Duration.ofNanos(1_000L * dice.nextInt(5_000)));
            }
        }
        callers.forEach(caller -> {
            caller.reads = true;
            caller.subscribe();
        });
        random.run(Duration.ofSeconds(2));
        ServiceView last = random.view();
        assertEquals(Digest.of(last.instances()), last.digest(), "seed " + seed);
        for (NodeWorld.Session caller : callers) {
            assertEquals(List.of(), caller.problems, "seed " + seed);
            assertEquals(last.instances(), caller.known.get(ORDERS).instances(), "seed " + seed);
        }
        random.crash();
        random.start();
        List<InstanceId> before =
                last.instances().stream().map(ListedInstance::id).toList();
        assertEquals(
                before,
                random.view().instances().stream().map(ListedInstance::id).toList(),
                "seed " + seed);
    }
}
