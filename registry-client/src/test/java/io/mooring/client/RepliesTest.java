package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.ServerMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** D2, D3, and what a registry may do wrong. */
class RepliesTest {
    private final Stage stage = new Stage(99);

    private static boolean isRegister(ClientMessage message) {
        return message instanceof ClientMessage.Register;
    }

    /** The connection is dropped, and the next one works. */
    private void assertDoubted(Mooring mooring, long doubts) {
        stage.run(Duration.ofSeconds(5));
        assertEquals(doubts, mooring.status().doubts());
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
        assertTrue(stage.registry.conversations.get(0).aborted);
        assertEquals(0, mooring.status().internalFailures());
    }

    @Test
    void aReplyOfTheWrongKindEndsTheConnectionAndConfirmsNothing() {
        stage.registry.tamper = (request, answer) -> isRegister(request) && stage.registry.opened.size() == 1
                ? List.of(new ServerMessage.Renewed(((ClientMessage.Register) request).id()))
                : answer;
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(10);
        assertFalse(me.whenRegistered().isDone());
        assertDoubted(mooring, 1);
        assertTrue(me.whenRegistered().isDone());
    }

    @Test
    void aViewOfAnotherServiceEndsTheConnection() {
        stage.registry.put(Stage.instances(3));
        stage.registry.tamper = (request, answer) ->
                request instanceof ClientMessage.Subscribe subscribe && stage.registry.opened.size() == 1
                        ? List.of(stage.registry.view(OptionalLong.of(subscribe.id()), Stage.ORDERS))
                        : answer;
        Mooring mooring = stage.client();
        Service payments = mooring.service("payments");
        assertDoubted(mooring, 1);
        assertEquals(0, payments.instances().size());
        assertEquals(Source.LIVE, payments.view().source());
    }

    @Test
    void anAnswerToWhatWasNeverAskedEndsTheConnection() {
        Mooring mooring = stage.client();
        stage.runMillis(10);
        stage.registry.latest().say(new ServerMessage.Done(1_000_000));
        assertDoubted(mooring, 1);
    }

    @Test
    void anIdOfAnEarlierConnectionEndsTheConnection() {
        Mooring mooring = stage.client();
        mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(10);
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(3));
        assertEquals(2, stage.registry.opened.size());
        stage.registry.latest().say(new ServerMessage.Done(1)); // the register of the first connection
        assertDoubted2(mooring);
    }

    @Test
    void anAnswerToTheSameRequestOnAnEarlierConnectionConfirmsNothing() {
        stage.registry.tamper = (request, answer) -> isRegister(request) ? List.of() : answer;
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(10);
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(3));
        assertEquals(
                2, stage.registry.heard.stream().filter(RepliesTest::isRegister).count());
        stage.registry.latest().say(new ServerMessage.Done(1)); // late, by way of a confused proxy
        stage.runMillis(2);
        assertFalse(me.whenRegistered().isDone());
        assertDoubted2(mooring);
    }

    private void assertDoubted2(Mooring mooring) {
        stage.run(Duration.ofSeconds(5));
        assertEquals(1, mooring.status().doubts());
        assertTrue(stage.registry.conversations.get(1).aborted);
    }

    @Test
    void framesThatAreNoFramesEndTheConnection() {
        List<byte[]> bad = List.of(
                "{}".getBytes(StandardCharsets.UTF_8),
                "[{\"type\":\"done\"}]".getBytes(StandardCharsets.UTF_8),
                "[{\"type\":\"done\",\"id\":1}".getBytes(StandardCharsets.UTF_8),
                "[{\"type\":\"view\",\"service\":\"orders\",\"revision\":1,\"digest\":\"x\",\"instances\":[]}]"
                        .getBytes(StandardCharsets.UTF_8),
                new byte[] {'[', (byte) 0xc3, 0x28, ']'},
                new byte[0]);
        Mooring mooring = stage.client();
        long doubts = 0;
        for (byte[] frame : bad) {
            stage.run(Duration.ofSeconds(40));
            assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
            stage.registry.latest().sayRaw(frame);
            stage.runMillis(2);
            assertEquals(++doubts, mooring.status().doubts(), new String(frame, StandardCharsets.UTF_8));
        }
    }

    @Test
    void unknownMessagesAndFieldsAreIgnored() {
        Mooring mooring = stage.client();
        stage.runMillis(10);
        stage.registry
                .latest()
                .sayRaw("[{\"type\":\"weather\",\"sun\":[1,{\"a\":null}]}]".getBytes(StandardCharsets.UTF_8));
        stage.runMillis(10);
        assertEquals(0, mooring.status().doubts());
        assertEquals(1, stage.registry.opened.size());
    }

    @Test
    void aTimedOutRequestsLateReplyReachesNobody() {
        List<ServerMessage> delayed = new ArrayList<>();
        stage.registry.tamper = (request, answer) -> {
            if (isRegister(request) && delayed.isEmpty()) {
                delayed.addAll(answer);
                return List.of();
            }
            return answer;
        };
        Mooring mooring = stage.client();
        RegisteredInstance one = mooring.register("orders", "10.0.0.1", 8080);
        stage.run(Duration.ofSeconds(9));
        assertFalse(one.whenRegistered().isDone());
        stage.run(Duration.ofSeconds(2)); // given up at 10 s, and made again under another id
        assertTrue(one.whenRegistered().isDone());
        RegisteredInstance two = mooring.register("orders", "10.0.0.2", 8080);
        stage.registry.tamper = (request, answer) -> isRegister(request) ? List.of() : answer;
        stage.registry.latest().say(delayed.toArray(new ServerMessage[0]));
        stage.run(Duration.ofSeconds(5));
        assertEquals(1, mooring.status().lateReplies());
        assertFalse(two.whenRegistered().isDone());
        assertEquals(1, stage.registry.opened.size());
    }

    @Test
    void cancellingAFutureChangesNothingElse() {
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 8080);
        assertTrue(me.whenRegistered().cancel(true));
        stage.runMillis(20);
        assertTrue(me.whenRegistered().isDone());
        assertFalse(me.whenRegistered().isCancelled());
        CompletableFuture<Void> update = me.updateWeight(3);
        update.cancel(true);
        stage.runMillis(20);
        assertEquals(
                3,
                stage.registry
                        .view(OptionalLong.empty(), Stage.ORDERS)
                        .instances()
                        .get(0)
                        .instance()
                        .weight());
    }

    /** Many requests, cut, delayed, dropped and answered twice; every future must get what its own request led to. */
    @Test
    void everyReplyGoesToItsOwnRequest() throws Exception {
        long requests = 0;
        for (long seed = 0; seed < 40; seed++) {
            Stage one = new Stage(seed);
            Random random = new Random(seed);
            List<ServerMessage> pool = new ArrayList<>();
            one.registry.tamper = (request, answer) -> {
                if (request instanceof ClientMessage.Hello || random.nextInt(3) > 0) {
                    return answer;
                }
                if (request instanceof ClientMessage.Register register
                        && register.instances().get(0).port() % 2 == 1) {
                    return List.of(refusal(
                            register.id(), "port " + register.instances().get(0).port()));
                }
                pool.addAll(answer); // comes later, if ever
                List<ServerMessage> out = new ArrayList<>();
                if (random.nextBoolean()
                        && pool.size() > 1
                        && one.registry.live().size() == 1) {
                    out.add(pool.remove(0));
                }
                return out;
            };
            Mooring mooring = one.client(builder -> builder.requestTimeout(Duration.ofMillis(300)));
            List<RegisteredInstance> handles = new ArrayList<>();
            for (int i = 1; i <= 300; i++) {
                handles.add(mooring.register("s" + i % 7, "10.0.0.1", i));
                if (random.nextInt(10) == 0) {
                    one.runMillis(random.nextInt(40));
                }
                if (random.nextInt(60) == 0) {
                    one.registry.live().forEach(c -> c.end("cut"));
                    pool.clear();
                }
            }
            one.registry.tamper = (request, answer) -> answer;
            one.run(Duration.ofSeconds(90));
            requests += one.registry.heard.size();
            for (RegisteredInstance handle : handles) {
                CompletableFuture<Void> future = handle.whenRegistered();
                assertTrue(future.isDone(), "seed " + seed);
                if (future.isCompletedExceptionally()) {
                    ExecutionException e = assertThrows(ExecutionException.class, future::get);
                    RefusedException refused = assertInstanceOf(RefusedException.class, e.getCause());
                    assertEquals("invalid: port " + handle.id().port(), refused.getMessage(), "seed " + seed);
                }
            }
            assertEquals(300, one.confirmed(), "seed " + seed);
            assertEquals(300, mooring.status().confirmedRegistrations(), "seed " + seed);
            assertEquals(0, mooring.status().internalFailures(), "seed " + seed);
        }
        assertTrue(requests > 3_000, "requests: " + requests);
    }

    private static ServerMessage.Refused refusal(long id, String message) {
        return new ServerMessage.Refused(id, "invalid", "", "", "", message, Duration.ZERO);
    }

    @Test
    void oneBadInstanceDoesNotSpoilItsBatch() {
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Register register
                        && register.instances().stream().anyMatch(i -> i.port() == 13)
                ? List.of(refusal(register.id(), "port 13"))
                : answer;
        // The registry must not have taken what it refused.
        List<Instance> batch = new ArrayList<>();
        for (int port = 1; port <= 20; port++) {
            batch.add(Instance.of(Stage.ORDERS, "10.0.0.1", port));
        }
        Mooring mooring = stage.client();
        List<RegisteredInstance> handles = mooring.register(batch);
        stage.runMillis(200);
        for (RegisteredInstance handle : handles) {
            assertTrue(handle.whenRegistered().isDone());
            assertEquals(handle.id().port() == 13, handle.whenRegistered().isCompletedExceptionally());
        }
        assertEquals(19, mooring.status().confirmedRegistrations());
        stage.registry.tamper = (request, answer) -> answer;
        stage.run(Duration.ofSeconds(31)); // it is tried again
        assertEquals(20, mooring.status().confirmedRegistrations());
    }

    @Test
    void whatIsRefusedAfterAReconnectIsTriedAgainThoughItWasConfirmedBefore() {
        Mooring mooring = stage.client(builder -> builder.servers("a"));
        mooring.register("billing", "10.9.9.9", 80);
        stage.runMillis(20);
        assertEquals(1, mooring.status().confirmedRegistrations());
        stage.registry.forget(ServiceKey.of("billing"));
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Register register
                ? List.of(new ServerMessage.Refused(
                        register.id(), "overloaded", "", "", "", "full", Duration.ofSeconds(5)))
                : answer;
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(3));
        stage.registry.forget(ServiceKey.of("billing")); // it must not have taken what it refused
        assertEquals(0, mooring.status().confirmedRegistrations(), "the registry has said that it does not hold it");
        stage.registry.tamper = (request, answer) -> answer;
        stage.run(Duration.ofSeconds(6));
        assertEquals(1, stage.confirmed());
        assertEquals(1, mooring.status().confirmedRegistrations());
    }

    @Test
    void aBatchIsOneStep() {
        List<Instance> batch = List.of(Stage.instances(500));
        stage.client().register(batch);
        stage.runMillis(20);
        ClientMessage.Register register = (ClientMessage.Register) stage.registry.heard.stream()
                .filter(RepliesTest::isRegister)
                .findFirst()
                .orElseThrow();
        assertEquals(500, register.instances().size());
    }

    @Test
    void framesKeepToTheRegistrysLimits() {
        stage.registry.limits = new ProtocolLimits(20_000, 50, 7, 100_000, 10_000);
        Mooring mooring = stage.client();
        stage.runMillis(10);
        List<Instance> batch = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            batch.add(Stage.instance(i).withMetadata(Map.of("blob", "x".repeat(8_000))));
        }
        mooring.register(batch);
        for (int i = 0; i < 200; i++) {
            mooring.service("service-" + i);
        }
        stage.run(Duration.ofSeconds(5));
        assertEquals(200, mooring.status().confirmedRegistrations());
        assertEquals(1, stage.registry.opened.size());
        stage.registry.heard.stream()
                .filter(RepliesTest::isRegister)
                .forEach(
                        r -> assertTrue(((ClientMessage.Register) r).instances().size() <= 7));
    }

    @Test
    void anInstanceLargerThanAFrameIsRefusedHere() {
        stage.registry.limits = new ProtocolLimits(2_000, 1, 7, 100_000, 10_000);
        Mooring mooring = stage.client();
        stage.runMillis(10);
        RegisteredInstance large = mooring.register(Stage.instance(1).withMetadata(Map.of("blob", "x".repeat(3_000))));
        RegisteredInstance small = mooring.register(Stage.instance(2));
        stage.run(Duration.ofSeconds(40));
        assertTrue(large.whenRegistered().isCompletedExceptionally());
        assertTrue(small.whenRegistered().isDone());
        assertFalse(small.whenRegistered().isCompletedExceptionally());
        assertEquals(1, stage.registry.opened.size());
    }

    @Test
    void aDeltaThatDoesNotFitAsksForTheWholeList() {
        stage.registry.put(Stage.instances(5));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        ListedInstance odd = new ListedInstance(Stage.instance(77), Standing.LIVE);
        stage.registry
                .latest()
                .say(new ServerMessage.Delta(
                        Stage.ORDERS, 999_999, 1_000_000, 1, List.of(odd), List.of(), false, false));
        stage.runMillis(20);
        assertEquals(5, orders.instances().size());
        assertEquals(1, mooring.status().repairs());
        assertEquals(Source.LIVE, orders.view().source());
        long revision = stage.registry.latest().streams.getOrDefault(Stage.ORDERS, 0L);
        stage.registry
                .latest()
                .say(new ServerMessage.Delta(
                        Stage.ORDERS,
                        revision,
                        revision + 1,
                        1,
                        List.of(odd),
                        List.of(),
                        false,
                        false)); // a wrong digest
        stage.runMillis(20);
        assertEquals(5, orders.instances().size());
        assertEquals(2, mooring.status().repairs());
        assertEquals(1, stage.registry.opened.size());
    }

    @Test
    void aDeltaOvertakenByALaterListIsNoReasonToAskAgain() {
        stage.registry.put(Stage.instances(5));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        ListedInstance odd = new ListedInstance(Stage.instance(77), Standing.LIVE);
        stage.registry
                .latest()
                .say(new ServerMessage.Delta(Stage.ORDERS, 1, 2, 1, List.of(odd), List.of(), false, false));
        stage.runMillis(20);
        assertEquals(5, orders.instances().size());
        assertEquals(0, mooring.status().repairs());
    }

    @Test
    void aListThatNeverFitsEndsTheConnection() {
        stage.registry.put(Stage.instances(5));
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Subscribe subscribe
                ? List.of(new ServerMessage.View(
                        OptionalLong.of(subscribe.id()),
                        subscribe.service(),
                        1,
                        12345,
                        List.of(),
                        List.of(),
                        false,
                        false))
                : answer;
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(60));
        assertTrue(mooring.status().doubts() > 1);
        assertTrue(stage.registry.opened.size() < 40, "attempts: " + stage.registry.opened.size());
        assertEquals(Source.NONE, orders.view().source());
    }

    @Test
    void aPushForWhatWasNotAskedEndsTheConnection() {
        Mooring mooring = stage.client();
        stage.runMillis(10);
        stage.registry.latest().say(stage.registry.view(OptionalLong.empty(), ServiceKey.of("secret")));
        assertDoubted(mooring, 1);
    }

    @Test
    void pushesBehindAnUnsubscribeAreIgnored() {
        stage.registry.put(Stage.instances(5));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        orders.close();
        stage.registry.put(Stage.instance(6));
        stage.runMillis(20);
        assertEquals(0, mooring.status().doubts());
        assertTrue(stage.registry.latest().streams.isEmpty());
        stage.registry.put(Stage.instance(7));
        Service again = mooring.service("orders");
        stage.runMillis(20);
        assertEquals(7, again.instances().size());
    }

    @Test
    void aSilentRegistryIsLeftForTheNext() {
        stage.registry.put(Stage.instances(3));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(1));
        stage.registry.latest().answers = false;
        stage.run(Duration.ofSeconds(15));
        assertEquals(2, stage.registry.opened.size());
        assertEquals(Set.of("a:9847", "b:9847"), Set.copyOf(stage.registry.opened));
        assertEquals(Source.LIVE, orders.view().source());
        assertTrue(stage.registry.conversations.get(0).aborted);
    }

    @Test
    void aRegistryThatPushesButDoesNotHearIsLeftToo() {
        Mooring mooring = stage.client();
        mooring.service("orders");
        stage.run(Duration.ofSeconds(1));
        stage.registry.latest().answers = false;
        for (int second = 0; second < 20 && stage.registry.opened.size() == 1; second++) {
            stage.registry.put(Stage.instance(second));
            stage.run(Duration.ofSeconds(1));
        }
        assertEquals(2, stage.registry.opened.size());
    }

    @Test
    void aLineThatStaysBusyIsGivenUpWithoutSpinning() {
        Mooring mooring = stage.client();
        stage.run(Duration.ofSeconds(1));
        stage.registry.latest().deaf = true;
        mooring.register("orders", "10.0.0.1", 80);
        stage.run(Duration.ofSeconds(15));
        assertEquals(2, stage.registry.opened.size());
        assertEquals(1, mooring.status().confirmedRegistrations());
    }

    @Test
    void hangingAndSwallowedConnectionsAreGivenUp() {
        stage.registry.modes.put("a:9847", FakeRegistry.Mode.HANGS);
        stage.registry.modes.put("b:9847", FakeRegistry.Mode.SWALLOWS);
        Mooring mooring = stage.client();
        stage.run(Duration.ofSeconds(60));
        assertTrue(mooring.status().attempts() >= 3);
        stage.registry.conversations.subList(0, 2).forEach(c -> assertTrue(c.aborted));
        stage.registry.modes.clear();
        stage.run(Duration.ofSeconds(40));
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void whatAnAbandonedConnectionSaysCountsForNothing() {
        stage.registry.mode = FakeRegistry.Mode.SWALLOWS;
        stage.registry.put(Stage.instances(3));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(1));
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofSeconds(11));
        assertEquals(2, stage.registry.opened.size());
        MooringPorts.LinkListener late = stage.registry.conversations.get(0).listener;
        late.opened();
        late.sent();
        late.received("[{\"type\":\"done\",\"id\":1}]".getBytes(StandardCharsets.UTF_8));
        late.closed("at last");
        stage.run(Duration.ofSeconds(12));
        assertEquals(2, stage.registry.opened.size());
        assertEquals(0, mooring.status().doubts());
        assertEquals(0, mooring.status().lateReplies());
        assertEquals(Source.LIVE, orders.view().source());
    }

    @Test
    void movesWhenAsked() {
        stage.registry.peers = List.of("c:1234", "not an address");
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
        stage.runMillis(20);
        stage.registry.latest().say(new ServerMessage.Move(Duration.ofSeconds(10), List.of("c:1234")));
        stage.run(Duration.ofSeconds(12));
        assertEquals(2, stage.registry.opened.size());
        assertEquals("c:1234", stage.registry.opened.get(1));
        assertTrue(me.whenRegistered().isDone());
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void absurdWelcomesDoNoHarm() {
        stage.registry.tamper = (request, answer) -> request instanceof ClientMessage.Hello
                ? List.of(new ServerMessage.Welcome(
                        1,
                        "x",
                        "e",
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ofDays(300),
                        false,
                        List.of("::::", "x".repeat(3_000)),
                        new ProtocolLimits(1, 1, 1, 1, 1)))
                : answer;
        stage.registry.limits = ProtocolLimits.DEFAULTS;
        Mooring mooring = stage.client();
        mooring.register("orders", "10.0.0.1", 80);
        mooring.service("orders");
        stage.run(Duration.ofSeconds(30));
        assertEquals(1, mooring.status().confirmedRegistrations());
        assertTrue(stage.registry.heard.size() < 1_000, "messages: " + stage.registry.heard.size());
    }

    @Test
    void aCopyOfThisProcessMakesItTakeAnotherName() {
        Mooring mooring = stage.client();
        stage.runMillis(20);
        String name = stage.registry.latest().session;
        for (int i = 0; i < 2; i++) {
            stage.registry.latest().say(new ServerMessage.Closing("replaced", "elsewhere"));
            stage.run(Duration.ofSeconds(3));
        }
        assertFalse(name.equals(stage.registry.latest().session));
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }

    @Test
    void deregisteredWhileAwayIsDeregisteredAfterwards() {
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
        RegisteredInstance other = mooring.register("orders", "10.0.0.2", 80);
        stage.runMillis(20);
        stage.registry.crash();
        stage.run(Duration.ofSeconds(1));
        CompletableFuture<Void> gone = me.deregister();
        stage.run(Duration.ofSeconds(1));
        assertFalse(gone.isDone());
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofSeconds(31));
        assertTrue(gone.isDone());
        assertEquals(1, stage.confirmed());
        assertTrue(stage.registry.holders.containsKey(other.id()));
    }

    @Test
    void registeredTwiceAndClosedOnceStaysRegistered() {
        Mooring mooring = stage.client();
        RegisteredInstance first = mooring.register("orders", "10.0.0.1", 80);
        stage.runMillis(20);
        RegisteredInstance second = mooring.register("orders", "10.0.0.1", 80);
        first.close();
        stage.runMillis(20);
        assertEquals(1, stage.confirmed());
        assertTrue(second.whenRegistered().isDone());
        second.close();
        stage.runMillis(20);
        assertEquals(0, stage.confirmed());
        assertEquals(0, mooring.status().registrations());
    }

    @Test
    void drainAnnouncesWaitsAndLeaves() {
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
        RegisteredInstance other = mooring.register("orders", "10.0.0.2", 80);
        stage.runMillis(20);
        CompletableFuture<Void> left = me.drain(Duration.ofSeconds(3));
        stage.runMillis(20);
        assertEquals(
                List.of(other.id()),
                orders.instances().stream().map(Instance::id).toList());
        assertEquals(2, orders.view().instances().size());
        assertFalse(left.isDone());
        stage.run(Duration.ofMillis(2_900));
        assertFalse(left.isDone());
        stage.run(Duration.ofMillis(200));
        assertTrue(left.isDone());
        assertEquals(1, orders.view().instances().size());
    }

    @Test
    void drainEndsWithoutARegistryToo() {
        Mooring mooring = stage.client();
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
        stage.runMillis(20);
        stage.registry.crash();
        stage.run(Duration.ofSeconds(1));
        CompletableFuture<Void> left = me.drain(Duration.ofSeconds(2));
        stage.run(Duration.ofSeconds(5));
        assertFalse(left.isDone());
        assertEquals(0, mooring.status().registrations());
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofSeconds(31));
        assertTrue(left.isDone());
        assertEquals(0, stage.confirmed());
    }

    @Test
    void twoThousandRegistrationsSurviveFlapping() {
        Mooring mooring = stage.client();
        List<Instance> all = List.of(Stage.instances(2_000));
        List<RegisteredInstance> handles = mooring.register(all);
        Random random = new Random(1);
        List<CompletableFuture<Void>> updates = new ArrayList<>();
        for (int flap = 0; flap < 60; flap++) {
            stage.runMillis(random.nextInt(1_500));
            if (random.nextInt(4) == 0) {
                stage.registry.forget(Stage.ORDERS);
            }
            stage.registry.live().forEach(c -> c.end("flap"));
            if (random.nextInt(5) == 0) {
                updates.add(handles.get(random.nextInt(2_000)).updateWeight(random.nextInt(100)));
            }
        }
        stage.run(Duration.ofSeconds(40));
        assertEquals(2_000, stage.confirmed());
        updates.forEach(update -> assertTrue(update.isDone()));
        assertEquals(2_000, mooring.status().confirmedRegistrations());
    }

    @Test
    void explainedLossesAreBelievedAtOnce() {
        stage.registry.put(Stage.instances(4));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        stage.registry.remove(RemovalCause.PROBE_FAILED, Stage.ids(0, 2));
        stage.registry.remove(RemovalCause.OPERATOR, Stage.ids(2, 3));
        stage.registry.remove(RemovalCause.DEREGISTERED, Stage.ids(3, 4));
        stage.runMillis(20);
        assertEquals(0, orders.view().instances().size());
        assertEquals(0, mooring.status().guardHolds());
    }

    @Test
    void whatTheRegistryItselfHeldBackIsBelievedWhenItLetsGo() {
        stage.registry.put(Stage.instances(4));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        List<ListedInstance> held = new ArrayList<>();
        for (Instance instance : Stage.instances(4)) {
            held.add(new ListedInstance(instance, Standing.HELD));
        }
        stage.registry.list(held);
        stage.runMillis(20);
        assertEquals(4, orders.instances().size()); // in doubt, but there are no others
        stage.registry.remove(RemovalCause.LEASE_EXPIRED, Stage.ids(0, 4));
        stage.runMillis(20);
        assertEquals(0, orders.view().instances().size());
    }

    @Test
    void theWindowMustBeOfOnePiece() {
        stage.registry.put(Stage.instances(4));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        stage.registry.remove(RemovalCause.LEASE_EXPIRED, Stage.ids(0, 4));
        stage.run(Duration.ofSeconds(50));
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(50));
        assertEquals(4, orders.instances().size());
        assertEquals(1, mooring.status().protectedServices());
        stage.run(Duration.ofSeconds(22));
        assertEquals(0, orders.instances().size());
    }

    @Test
    void whatIsHeldLeavesWithAWordOfTheRegistryAndNotLater() {
        stage.registry.put(Stage.instances(4));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        stage.registry.remove(RemovalCause.LEASE_EXPIRED, Stage.ids(0, 4));
        long[] renewedAt = {0};
        stage.registry.tamper = (request, answer) -> {
            renewedAt[0] = request instanceof ClientMessage.Renew ? stage.loop.now() : renewedAt[0];
            return answer;
        };
        for (int millis = 0; millis < 72_000 && !orders.view().instances().isEmpty(); millis++) {
            stage.runMillis(1);
        }
        assertEquals(0, orders.view().instances().size());
        Duration ago = Duration.ofNanos(stage.loop.now() - renewedAt[0]);
        assertTrue(ago.compareTo(FakeRegistry.LATENCY.multipliedBy(2)) < 0, "let go " + ago + " after the last word");
    }

    @Test
    void aRestartedRegistryThatKnowsNobodyYetEmptiesNothing() {
        stage.registry.put(Stage.instances(10));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        stage.registry.crash();
        stage.run(Duration.ofSeconds(5));
        stage.registry.forget(Stage.ORDERS);
        stage.registry.incomplete = true;
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofMinutes(2));
        assertEquals(Source.LIVE, orders.view().source());
        assertTrue(orders.view().incomplete());
        assertEquals(10, orders.instances().size());
        stage.registry.put(Stage.instances(9)); // nine come back
        stage.registry.incomplete = false;
        stage.registry.latest().say(stage.registry.same(OptionalLong.empty(), Stage.ORDERS));
        stage.runMillis(20);
        assertEquals(9, orders.instances().size());
        assertFalse(orders.view().incomplete());
        assertFalse(orders.view().underProtection());
        assertEquals(ClientStatus.State.CONNECTED, mooring.status().state());
    }
}
