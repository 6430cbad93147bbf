package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.FakeRegistry.Conversation;
import io.mooring.client.FakeRegistry.Mode;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.InstanceId;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.ServerMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** A client among several nodes: where it goes first, next and when asked to move. */
class ClusterTest {
    private static final String[] THREE = {"a:9847", "b:9847", "c:9847"};

    private static Mooring amongThree(Stage stage) {
        return stage.client(builder -> builder.servers(THREE));
    }

    private static void kill(Stage stage, String address) {
        stage.registry.modes.put(address, Mode.REFUSES);
        stage.registry.live().stream().filter(c -> c.address.equals(address)).forEach(c -> c.end("reset"));
    }

    private static Conversation only(Stage stage) {
        List<Conversation> live = stage.registry.live();
        assertEquals(1, live.size(), "seed " + stage.seed);
        return live.get(0);
    }

    // ---- where to begin

    @Test
    void clientsWithTheSameListBeginAllOverIt() {
        Map<String, Integer> first = new TreeMap<>();
        for (long seed = 0; seed < 900; seed++) {
            Stage stage = new Stage(seed);
            amongThree(stage);
            stage.runMillis(10);
            first.merge(stage.registry.opened.get(0), 1, Integer::sum);
        }
        assertEquals(3, first.size());
        first.values().forEach(count -> assertTrue(count > 220 && count < 380, first.toString()));
    }

    @Test
    void everyHelloCountsOneMoreWhateverBecameOfIt() {
        Stage stage = new Stage(3);
        stage.registry.tamper = (request, answer) ->
                request instanceof ClientMessage.Hello && stage.registry.conversations.size() % 3 == 2 ? null : answer;
        Mooring mooring = amongThree(stage);
        for (int i = 0; i < 12; i++) {
            stage.run(Duration.ofSeconds(15));
            stage.registry
                    .live()
                    .forEach(c -> c.say(
                            stage.registry.opened.size() % 2 == 0
                                    ? new ServerMessage.Closing(
                                            "replaced", "elsewhere") // another name: the count goes on
                                    : new ServerMessage.Move(Duration.ZERO, List.of())));
        }
        stage.run(Duration.ofSeconds(15));
        List<Long> attempts = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ClientMessage message : stage.registry.heard) {
            if (message instanceof ClientMessage.Hello hello) {
                attempts.add(hello.attempt());
                names.add(hello.session());
            }
        }
        assertTrue(attempts.size() > 12, "hellos: " + attempts);
        for (int i = 0; i < attempts.size(); i++) {
            assertEquals(i + 1, attempts.get(i), attempts.toString());
        }
        assertTrue(names.size() > 1);
        assertEquals(0, mooring.status().internalFailures());
    }

    // ---- a node dies

    @Test
    void whoseNodeIsKilledIsElsewhereWithinASecondAndHasEverything() {
        List<Long> times = new ArrayList<>();
        for (long seed = 0; seed < 400; seed++) {
            Stage stage = new Stage(seed);
            stage.registry.put(Stage.instances(5));
            Mooring mooring = amongThree(stage);
            Service orders = mooring.service("orders");
            mooring.register("billing", "10.9.9.9", 80);
            stage.run(Duration.ofSeconds(60));
            String lost = only(stage).address;
            stage.registry.modes.put(other(lost), Mode.REFUSES); // and another one is dead already
            kill(stage, lost);
            long millis = 0;
            while (stage.registry.live().isEmpty()
                    || stage.registry.live().get(0).registered.isEmpty()
                    || orders.view().source() != Source.LIVE) {
                stage.runMillis(1);
                assertTrue(++millis < 5_000, "seed " + seed);
            }
            assertNotEquals(lost, only(stage).address, "seed " + seed);
            assertEquals(5, orders.instances().size(), "seed " + seed);
            times.add(millis);
        }
        times.sort(null);
        assertTrue(times.get(times.size() * 99 / 100) < 600, "p99 " + times.get(times.size() * 99 / 100) + " ms");
        assertTrue(times.get(times.size() / 2) > 20, "a crowd of them must not come in one moment");
    }

    private static String other(String address) {
        return address.equals("a:9847") ? "b:9847" : "a:9847";
    }

    @Test
    void theOnlyNodesClientsSpreadOverTheWindowItNamed() {
        List<Long> times = new ArrayList<>();
        for (long seed = 0; seed < 100; seed++) {
            Stage stage = new Stage(seed);
            stage.client(builder -> builder.servers("a"));
            stage.run(Duration.ofSeconds(60));
            only(stage).end("reset");
            long lostAt = stage.loop.now();
            stage.run(Duration.ofSeconds(2));
            times.add((stage.registry.openedAt.get(1) - lostAt) / 1_000_000);
        }
        times.sort(null);
        assertTrue(times.get(99) > 800 && times.get(99) <= 1_002, times.toString());
        assertTrue(times.get(50) > 300, times.toString());
    }

    @Test
    void theDeadAreTriedLast() {
        Stage stage = new Stage(5);
        stage.registry.modes.put("a:9847", Mode.REFUSES);
        stage.registry.modes.put("b:9847", Mode.REFUSES);
        Mooring mooring = stage.client(builder -> builder.servers("a", "b", "c", "d"));
        for (int round = 0; round < 30; round++) {
            stage.run(Duration.ofSeconds(11));
            only(stage).end("reset");
        }
        stage.run(Duration.ofSeconds(11));
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
        long dead = stage.registry.opened.stream()
                .filter(address -> address.startsWith("a") || address.startsWith("b"))
                .count();
        // Each at the beginning, perhaps, and again when ten minutes have passed.
        assertTrue(dead <= 4, "tried the dead " + dead + " times in " + stage.registry.opened);
    }

    @Test
    void whoLostUsAMomentAgoIsTriedBeforeWhoRefusedUs() {
        int tried = 0;
        for (long seed = 0; seed < 30; seed++) {
            Stage stage = new Stage(seed * 0x9e3779b97f4a7c15L); // neighbouring seeds begin alike
            stage.registry.modes.put("a:9847", Mode.REFUSES);
            stage.client();
            stage.run(Duration.ofSeconds(20));
            boolean refused = stage.registry.opened.contains("a:9847");
            int before = stage.registry.opened.size();
            only(stage).end("reset"); // but it is still there
            stage.run(Duration.ofSeconds(4));
            String next = stage.registry.opened.get(before);
            assertEquals(refused ? "b:9847" : "a:9847", next, "seed " + seed);
            tried += refused ? 1 : 0;
        }
        assertTrue(tried > 5, "tried: " + tried);
    }

    @Test
    void aNodeThatAcceptsAndSaysNothingIsLeftForAnotherSoon() {
        for (long seed = 0; seed < 20; seed++) {
            Stage stage = new Stage(seed);
            stage.registry.modes.put("a:9847", Mode.HANGS);
            stage.registry.modes.put("b:9847", Mode.SWALLOWS);
            Mooring mooring = amongThree(stage);
            stage.run(Duration.ofMillis(4_700)); // two seconds each, and what lies between
            assertEquals(ClientStatus.State.CONNECTED, mooring.status().state(), "seed " + seed);
        }
    }

    @Test
    void whenAllAreDownTheAttemptsBackOffOverAllOfThem() {
        Stage stage = new Stage(8);
        stage.registry.mode = Mode.REFUSES;
        amongThree(stage);
        stage.run(Duration.ofMinutes(10));
        int attempts = stage.registry.opened.size();
        assertTrue(attempts > 60 && attempts < 250, "attempts in ten minutes: " + attempts);
        for (String address : THREE) {
            assertTrue(
                    stage.registry.opened.stream().filter(address::equals).count() > attempts / 5,
                    stage.registry.opened.toString());
        }
    }

    // ---- other addresses

    @Test
    void anotherListMovesNobodyAndIsUsedWhenItIsNeeded() {
        Stage stage = new Stage(4);
        Mooring mooring = stage.client(builder -> builder.servers("a"));
        stage.run(Duration.ofSeconds(20));
        only(stage).say(new ServerMessage.Peers(List.of("x:1", "not an address", "y:2")));
        stage.run(Duration.ofMinutes(5));
        only(stage).say(new ServerMessage.Peers(List.of("z:3")));
        stage.run(Duration.ofMinutes(5));
        assertEquals(List.of("a:9847"), stage.registry.opened);

        kill(stage, "a:9847");
        stage.run(Duration.ofSeconds(1));
        assertEquals("z:3", stage.registry.opened.get(1));
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void aProcessThatStartsWhenNoConfiguredAddressWorksUsesThoseRemembered() {
        Stage stage = new Stage(4);
        stage.registry.peers = List.of("10.0.0.2:9847", "10.0.0.3:9847");
        Mooring first = amongThree(stage);
        stage.run(Duration.ofSeconds(20));
        stage.registry.peers = List.of();
        only(stage).say(new ServerMessage.Peers(List.of("10.0.0.3:9847", "10.0.0.2:9847", "10.0.0.4:9847")));
        stage.runMillis(10);
        first.close(); // what was not written yet is written now
        stage.runMillis(100);

        for (String address : THREE) {
            stage.registry.modes.put(address, Mode.REFUSES);
        }
        stage.registry.modes.put("10.0.0.2:9847", Mode.REFUSES);
        stage.registry.modes.put("10.0.0.3:9847", Mode.REFUSES);
        int before = stage.registry.opened.size();
        Mooring second = amongThree(stage);
        stage.run(Duration.ofSeconds(2));
        assertEquals(ClientStatus.State.CONNECTED, second.status().state());
        List<String> tried = stage.registry.opened.subList(before, stage.registry.opened.size());
        assertEquals(Set.of(THREE), Set.copyOf(tried.subList(0, 3)), "the configured ones first: " + tried);
        assertEquals("10.0.0.4:9847", only(stage).address);
        second.close();

        Mooring other = stage.client(builder -> builder.servers("elsewhere"));
        stage.registry.modes.put("elsewhere:9847", Mode.REFUSES);
        before = stage.registry.opened.size();
        stage.run(Duration.ofMinutes(2));
        assertEquals(
                Set.of("elsewhere:9847"),
                Set.copyOf(stage.registry.opened.subList(before, stage.registry.opened.size())),
                "nobody ends up in the cluster of somebody else's list");
        assertEquals(0, other.status().internalFailures());
    }

    @Test
    void whatIsRememberedIsBoundedAndRubbishIsPassedOver() {
        Stage stage = new Stage(4);
        stage.registry.mode = Mode.REFUSES;
        StringBuilder lines = new StringBuilder("::::\n\0\n\n" + "x".repeat(1_000) + "\n");
        for (int i = 0; i < 1_000; i++) {
            lines.append("10.0.").append(i / 250).append('.').append(i % 250).append(":9847\n");
        }
        String name = CacheNames.peers(List.of("a:9847", "b:9847", "c:9847"));
        stage.disk.files.put(name, lines.toString().getBytes(StandardCharsets.UTF_8));
        Mooring mooring = amongThree(stage);
        stage.run(Duration.ofHours(1));
        assertEquals(
                3 + AddressBook.MOST_FORMER, Set.copyOf(stage.registry.opened).size());
        assertTrue(stage.registry.opened.contains("10.0.3.249:9847"), "the latest");
        long configured = stage.registry.opened.stream()
                .filter(address -> List.of(THREE).contains(address))
                .count();
        assertTrue(configured * 2 > stage.registry.opened.size(), "the configured ones must not have to wait");

        stage.disk.files.put(name, new byte[1 << 20]);
        stage.client(builder -> builder.servers(THREE));
        stage.run(Duration.ofMinutes(1));
        assertEquals(0, mooring.status().internalFailures());
    }

    @Test
    void listsThatKeepChangingAreWrittenSeldomAndNeverGrow() {
        Stage stage = new Stage(4);
        Mooring mooring = stage.client(builder -> builder.servers("a"));
        stage.run(Duration.ofSeconds(20));
        for (int i = 0; i < 600; i++) {
            List<String> now = new ArrayList<>();
            for (int j = 0; j < 100; j++) {
                now.add("10." + i % 250 + "." + j + ".1:9847");
            }
            only(stage).say(new ServerMessage.Peers(now));
            stage.run(Duration.ofSeconds(1));
        }
        assertTrue(stage.disk.writes >= 50 && stage.disk.writes <= 65, "writes: " + stage.disk.writes);
        byte[] kept = stage.disk.files.get(CacheNames.peers(List.of("a:9847")));
        long lines = new String(kept, StandardCharsets.UTF_8).lines().count();
        assertTrue(lines <= AddressBook.MOST + AddressBook.MOST_FORMER, "lines: " + lines);

        stage.disk.fails = true;
        only(stage).say(new ServerMessage.Peers(List.of("b:1")));
        stage.run(Duration.ofMinutes(5));
        long failures = mooring.status().diskFailures();
        assertTrue(failures >= 8 && failures <= 12, "failures: " + failures);
        stage.disk.fails = false;
        stage.run(Duration.ofMinutes(1));
        String text = new String(stage.disk.files.get(CacheNames.peers(List.of("a:9847"))), StandardCharsets.UTF_8);
        assertTrue(text.endsWith("b:1\n"), text);
    }

    // ---- moving

    /** Runs in small steps; at each of them somebody must have our registration, and callers a live list. */
    private static void runWithoutAGap(Stage stage, Service orders, InstanceId mine, int listed, Duration time) {
        for (long step = 0; step < time.toNanos() / 250_000; step++) {
            stage.run(Duration.ofNanos(250_000));
            String when = "seed " + stage.seed + ", " + step / 4.0 + " ms";
            assertTrue(
                    stage.registry.live().stream().anyMatch(c -> !c.aborted && c.registered.contains(mine)),
                    "no connection whose node has the registration: " + when);
            assertEquals(Source.LIVE, orders.view().source(), when);
            assertEquals(listed, orders.instances().size(), when);
        }
    }

    @Test
    void aMoveMakesBeforeItBreaks() {
        for (long seed = 0; seed < 40; seed++) {
            Stage stage = new Stage(seed);
            stage.registry.put(Stage.instances(20));
            Mooring mooring = amongThree(stage);
            Service orders = mooring.service("orders");
            Service others = mooring.service("others");
            RegisteredInstance me = mooring.register("billing", "10.9.9.9", 80);
            stage.run(Duration.ofSeconds(20));
            Conversation before = only(stage);
            String target = other(before.address);
            before.say(new ServerMessage.Move(Duration.ofMillis(50), List.of(target)));
            runWithoutAGap(stage, orders, me.id(), 20, Duration.ofMillis(80));

            Conversation after = only(stage);
            assertEquals(target, after.address, "seed " + seed);
            assertTrue(before.aborted, "seed " + seed);
            assertEquals(before.session, after.session);
            assertEquals(before.attempt + 1, after.attempt);
            assertEquals(Set.of(orders.key(), others.key()), after.streams.keySet());
            assertEquals(target, mooring.status().address());
            assertEquals(
                    0,
                    stage.registry.heard.stream()
                            .filter(ClientMessage.Bye.class::isInstance)
                            .count());

            stage.registry.put(Stage.instance(77)); // it is the new one that is listened to
            stage.runMillis(10);
            assertEquals(21, orders.instances().size());
            assertEquals(0, mooring.status().doubts());
            assertEquals(0, mooring.status().repairs());
        }
    }

    @Test
    void theOldConnectionStaysUntilTheNewOneHasAnsweredEverything() {
        Stage stage = new Stage(1);
        Mooring mooring = stage.client(builder -> builder.servers(THREE).requestTimeout(Duration.ofMinutes(1)));
        Service orders = mooring.service("orders");
        mooring.register("billing", "10.9.9.9", 80);
        stage.run(Duration.ofSeconds(20));
        Conversation before = only(stage);
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Register ? List.of() : answer;
        before.say(new ServerMessage.Move(Duration.ZERO, List.of()));
        stage.run(Duration.ofSeconds(5));
        assertFalse(before.aborted, "the registration is not confirmed there yet");
        assertEquals(2, stage.registry.live().size());
        stage.run(Duration.ofSeconds(6));
        assertTrue(before.aborted, "but it does not stay for ever");
        assertEquals(Source.LIVE, orders.view().source());
    }

    @Test
    void aMoveToWhereNobodyAnswersLeavesEverythingAsItIs() {
        Stage stage = new Stage(1);
        stage.registry.put(Stage.instances(3));
        Mooring mooring = amongThree(stage);
        Service orders = mooring.service("orders");
        RegisteredInstance me = mooring.register("billing", "10.9.9.9", 80);
        stage.run(Duration.ofSeconds(20));
        Conversation before = only(stage);
        stage.registry.mode = Mode.REFUSES;
        before.say(new ServerMessage.Move(Duration.ZERO, List.of("gone:1", other(before.address))));
        runWithoutAGap(stage, orders, me.id(), 3, Duration.ofSeconds(3));
        stage.run(Duration.ofMinutes(1));
        assertFalse(before.aborted);
        int attempts = stage.registry.opened.size() - 1;
        assertTrue(attempts > 8 && attempts < 60, "attempts: " + attempts);
        assertTrue(stage.registry.opened.contains("gone:1"));
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());

        stage.registry.mode = Mode.UP;
        stage.run(Duration.ofSeconds(12));
        assertNotEquals(before.address, only(stage).address);
    }

    @Test
    void whoKnowsNoOtherNodeStaysUntilTheNodeCloses() {
        Stage stage = new Stage(1);
        Mooring mooring = stage.client(builder -> builder.servers("a"));
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(20));
        only(stage).say(new ServerMessage.Move(Duration.ZERO, List.of("a:9847")));
        stage.run(Duration.ofSeconds(15));
        assertEquals(1, stage.registry.opened.size());
        assertEquals(Source.LIVE, orders.view().source());
        only(stage).say(new ServerMessage.Closing("stopping", "bye"));
        stage.run(Duration.ofSeconds(2));
        assertEquals(2, stage.registry.opened.size());
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void aNodeThatClosesWhileWeMoveEndsNothingThatHasBegun() {
        Stage stage = new Stage(1);
        Mooring mooring = amongThree(stage);
        mooring.register("billing", "10.9.9.9", 80);
        stage.run(Duration.ofSeconds(20));
        Conversation before = only(stage);
        before.say(new ServerMessage.Move(Duration.ZERO, List.of()));
        stage.run(Duration.ofNanos(1_500_000));
        before.say(new ServerMessage.Closing("stopping", "bye"));
        before.end("1000");
        stage.runMillis(20);
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
        assertEquals(2, stage.registry.opened.size());
        assertFalse(only(stage).registered.isEmpty());
    }

    @Test
    void aNewNodeThatDiesAtOnceCostsNothingWhileTheOldOneIsThere() {
        for (long seed = 0; seed < 20; seed++) {
            Stage stage = new Stage(seed);
            Mooring mooring = amongThree(stage);
            RegisteredInstance me = mooring.register("billing", "10.9.9.9", 80);
            stage.run(Duration.ofSeconds(20));
            Conversation before = only(stage);
            String target = other(before.address);
            stage.registry.tamper = (request, answer) -> {
                if (request instanceof ClientMessage.Register) {
                    Conversation at = stage.registry.latest();
                    if (at.address.equals(target)) {
                        kill(stage, target);
                        at.registered.clear();
                        return List.of();
                    }
                }
                return answer;
            };
            before.say(new ServerMessage.Move(Duration.ZERO, List.of(target)));
            for (int ms = 0; ms < 1_000; ms++) {
                stage.runMillis(1);
                assertTrue(
                        stage.registry.live().stream().anyMatch(c -> c.registered.contains(me.id())),
                        "seed " + seed + ", " + ms + " ms");
            }
            assertEquals(1, stage.registry.live().size());
            assertNotEquals(target, only(stage).address);
            assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
        }
    }

    @Test
    void aListIsLiveOnlyWhileSomebodyTellsItAlsoBehindAMove() {
        Stage stage = new Stage(1);
        stage.registry.put(Stage.instances(3));
        Mooring mooring = amongThree(stage);
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(20));
        Conversation before = only(stage);
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Subscribe ? List.of() : answer;
        before.say(new ServerMessage.Move(Duration.ZERO, List.of()));
        stage.runMillis(20);
        assertEquals(2, stage.registry.live().size());
        stage.registry.crash(); // both, before the new one has answered
        stage.runMillis(20);
        assertEquals(Source.MEMORY, orders.view().source());
        assertEquals(3, orders.instances().size());
    }

    @Test
    void anAnswerOfTheOldConnectionOnTheNewOneIsDoubted() {
        Stage stage = new Stage(1);
        Mooring mooring = amongThree(stage);
        mooring.register("billing", "10.9.9.9", 80);
        stage.run(Duration.ofSeconds(20));
        only(stage).say(new ServerMessage.Move(Duration.ZERO, List.of()));
        stage.runMillis(50);
        only(stage).say(new ServerMessage.Done(1)); // the first registration
        stage.runMillis(10);
        assertEquals(1, mooring.status().doubts());
    }

    @Test
    void nodesThatSendUsToEachOtherDoNotKeepUsRunning() {
        Stage stage = new Stage(1);
        stage.registry.tamper = (request, answer) -> {
            if (request instanceof ClientMessage.Hello) {
                List<ServerMessage> more = new ArrayList<>(answer);
                more.add(new ServerMessage.Move(Duration.ZERO, List.of(THREE)));
                return more;
            }
            return answer;
        };
        Mooring mooring = amongThree(stage);
        Service orders = mooring.service("orders");
        stage.run(Duration.ofMinutes(1));
        assertTrue(stage.registry.opened.size() < 30, "connections: " + stage.registry.opened.size());
        assertEquals(Source.LIVE, orders.view().source());
    }

    @Test
    void oneNodeByTwoAddressesReplacesItsOwnConnectionOnly() {
        Stage stage = new Stage(1);
        Mooring mooring = amongThree(stage);
        RegisteredInstance me = mooring.register("billing", "10.9.9.9", 80);
        for (int i = 0; i < 5; i++) { // often enough to be taken for a copy of this process
            stage.run(Duration.ofSeconds(20));
            Conversation before = only(stage);
            stage.registry.tamper = (request, answer) -> {
                if (request instanceof ClientMessage.Hello) {
                    before.say(new ServerMessage.Closing("replaced", "the session connected again"));
                    before.end("1000");
                }
                return answer;
            };
            before.say(new ServerMessage.Move(Duration.ZERO, List.of(other(before.address))));
            stage.runMillis(100);
            assertEquals(before.session, only(stage).session);
            assertEquals(Set.of(me.id()), only(stage).registered);
            assertEquals(2 + i, stage.registry.opened.size());
        }
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void aLateHelloThatIsSentAwayChangesNothing() {
        Stage stage = new Stage(1);
        Mooring mooring = amongThree(stage);
        mooring.register("billing", "10.9.9.9", 80);
        List<Conversation> held = new ArrayList<>();
        stage.registry.tamper = (request, answer) -> {
            if (request instanceof ClientMessage.Hello && held.isEmpty()) {
                held.add(stage.registry.latest()); // its welcome never comes
                return List.of();
            }
            return answer;
        };
        stage.run(Duration.ofSeconds(10));
        String name = only(stage).session;
        for (int i = 0; i < 3; i++) {
            MooringPorts.LinkListener late = held.get(0).listener;
            late.received("[{\"type\":\"closing\",\"code\":\"replaced\"}]".getBytes(StandardCharsets.UTF_8));
            late.closed("1000");
            stage.run(Duration.ofSeconds(1));
        }
        assertEquals(2, stage.registry.opened.size());
        assertEquals(name, only(stage).session);
    }

    @Test
    void closingDuringAMoveSaysGoodbyeWhereWeAre() {
        for (int quarters = 0; quarters < 40; quarters++) {
            Stage stage = new Stage(quarters);
            Mooring mooring = amongThree(stage);
            mooring.register("billing", "10.9.9.9", 80);
            stage.run(Duration.ofSeconds(20));
            only(stage).say(new ServerMessage.Move(Duration.ZERO, List.of()));
            stage.run(Duration.ofNanos(250_000L * quarters));
            var done = mooring.closeAsync();
            stage.runMillis(20);
            String when = quarters / 4.0 + " ms after it was asked to move";
            assertTrue(done.isDone(), when);
            assertEquals(0, stage.confirmed(), when);
            stage.registry.conversations.forEach(c -> assertTrue(c.aborted, when));
            int connections = stage.registry.opened.size();
            stage.run(Duration.ofHours(1));
            assertEquals(0, stage.loop.timers(), when);
            assertEquals(connections, stage.registry.opened.size(), when);
        }
    }

    @Test
    void whatIsChangedDuringAMoveArrives() {
        for (long seed = 0; seed < 60; seed++) {
            Stage stage = new Stage(seed);
            Mooring mooring = amongThree(stage);
            RegisteredInstance kept = mooring.register("billing", "10.9.9.9", 80);
            RegisteredInstance gone = mooring.register("billing", "10.9.9.8", 80);
            stage.run(Duration.ofSeconds(20));
            only(stage).say(new ServerMessage.Move(Duration.ZERO, List.of()));
            stage.run(Duration.ofNanos(100_000 * (seed + 5)));
            var weight = kept.updateWeight(3);
            var left = gone.deregister();
            RegisteredInstance fresh = mooring.register("billing", "10.9.9.7", 80);
            Service late = mooring.service("late");
            stage.run(Duration.ofMillis(50));
            String when = "seed " + seed;
            assertTrue(
                    weight.isDone() && left.isDone() && fresh.whenRegistered().isDone(), when);
            assertEquals(Source.LIVE, late.view().source(), when);
            assertEquals(Set.of(kept.id(), fresh.id()), stage.registry.holders.keySet(), when);
            Set<InstanceId> there = new HashSet<>(only(stage).registered);
            assertTrue(there.containsAll(Set.of(kept.id(), fresh.id())), when);
            assertEquals(2, mooring.status().confirmedRegistrations(), when);
            assertEquals(0, mooring.status().doubts(), when);
        }
    }
}
