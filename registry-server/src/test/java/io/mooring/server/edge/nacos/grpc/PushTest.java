package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What subscribers hear, and when. */
class PushTest {
    private static List<Integer> ports(Message list) {
        List<Integer> ports = new ArrayList<>();
        list.hosts().forEach(host -> ports.add(host.get("port").asInt()));
        return ports;
    }

    private static long stamp(Message list) {
        return list.json().get("serviceInfo").get("lastRefTime").asLong();
    }

    @Test
    void aChangeIsPushedAndTheAnswerToTheSubscriptionIsNotRepeated() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            provider.register("orders", 1);

            Message answer = consumer.subscribe("orders");
            assertEquals("SubscribeServiceResponse", answer.type());
            assertEquals(List.of(1), ports(answer));
            provider.register("other", 2);
            consumer.assertNothing();

            provider.register("orders", 3);
            Message push = consumer.next();
            assertEquals("NotifySubscriberRequest", push.type());
            assertEquals(List.of(3), ports(push));
            assertEquals("orders", push.json().get("serviceInfo").get("name").asString());
            assertTrue(stamp(push) > stamp(answer));
            consumer.ack(push);

            provider.deregister("orders", 3);
            Message empty = consumer.next();
            assertEquals(
                    "[]", empty.hosts().toString(), "trap: null would be an error to clients, who keep what they have");
            assertTrue(stamp(empty) > stamp(push));
            consumer.ack(empty);
            provider.register("orders", 4);
            assertEquals(List.of(4), ports(consumer.next()));
        }
    }

    /** Java clients that have reconnected drop the answer to their subscription, and would go on with what they had before. */
    @Test
    void whoHasSubscribedIsPushedTheListOnce() {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.answerTakenWithin = Duration.ZERO);
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            provider.register("orders", 1);
            Message answer = consumer.subscribe("orders");

            Message push = consumer.next();

            assertEquals(List.of(1), ports(push));
            assertTrue(stamp(push) > stamp(answer));
        }
    }

    /** What a Java client believes: of what it has, the last that it took. When it has connected anew, it drops the answer. */
    private static final class Believer implements AutoCloseable {
        private final TestClient line;
        private List<Integer> list;

        Believer(int port, List<Integer> before) {
            this.line = TestClient.connected(port);
            this.list = before;
        }

        /** Of a client that asks for the first time, which gets to its answer when it has taken the pushes that came. */
        void subscribes(boolean takesTheAnswer, Runnable meanwhile) {
            Message answer = line.subscribe("orders");
            meanwhile.run();
            if (takesTheAnswer) {
                takesPush(); // on a thread of its own
                list = ports(answer);
            }
        }

        void takesPush() {
            Message push = line.next();
            assertEquals("NotifySubscriberRequest", push.type(), () -> "nothing is pushed, and it believes " + list);
            list = ports(push);
            line.ack(push);
        }

        void hears(List<Integer> expected) {
            while (!list.equals(expected)) {
                takesPush();
            }
        }

        @Override
        public void close() {
            line.close();
        }
    }

    /** As nacos-client does it, with the times of a node as it is run; nothing changes afterwards that could put it right. */
    @Test
    void whoReconnectsAndDropsTheAnswerHearsWhatChangedMeanwhile() {
        Duration asRun = NacosGrpcSettings.defaults(0).answerTakenWithin();
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.answerTakenWithin = asRun);
                TestClient provider = TestClient.connected(end.port)) {
            provider.register("orders", 1);
            List<Integer> before;
            try (Believer first = new Believer(end.port, List.of())) {
                before = ports(first.line.subscribe("orders"));
                assertEquals(List.of(1), before);
            }
            provider.register("orders", 2); // while it is away

            try (Believer again = new Believer(end.port, before)) {
                again.subscribes(false, () -> {});

                again.hears(List.of(2));
            }
        }
    }

    @Test
    void whoTakesAPushBeforeTheOlderAnswerHearsTheLatestAgain() {
        Duration asRun = NacosGrpcSettings.defaults(0).answerTakenWithin();
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.answerTakenWithin = asRun);
                TestClient provider = TestClient.connected(end.port);
                Believer consumer = new Believer(end.port, List.of())) {
            provider.register("orders", 1);

            consumer.subscribes(true, () -> provider.register("orders", 2));

            assertEquals(List.of(1), consumer.list, "it believes the answer, which is older");
            consumer.hears(List.of(2));
        }
    }

    @Test
    void whatChangesWhileAPushIsUnderWayIsMergedIntoTheNext() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders");
            provider.register("orders", 1);
            Message first = consumer.next();

            for (int port = 2; port <= 9; port++) {
                provider.register("orders", port);
            }
            consumer.assertNothing();
            consumer.ack(first);

            assertEquals(List.of(9), ports(consumer.next()), "the latest, and nothing in between");
            consumer.assertNothing();
        }
    }

    /** Trap: clients call their acks as they like; only the id counts. */
    @ParameterizedTest
    @ValueSource(strings = {"NotifySubscriberResponse", "NamingFuzzyWatchChangeNotifyResponse", "Response"})
    void ackTypeDoesNotMatter(String type) {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders");
            provider.register("orders", 1);

            consumer.ack(consumer.next(), type);

            provider.register("orders", 2);
            assertEquals(List.of(2), ports(consumer.next()));
            assertEquals(1, end.answered.get("acked"));
        }
    }

    @Test
    void whoDoesNotAcknowledgeHearsTheLatestAllTheSame() {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.ackWithin = Duration.ofMillis(100));
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders");
            provider.register("orders", 1);
            Message unacked = consumer.next();
            provider.register("orders", 2);
            provider.register("orders", 3);

            Message latest = consumer.next();

            assertEquals(List.of(3), ports(latest));
            assertEquals(1, end.answered.get("unacked"));
            consumer.ack(unacked); // late: means nothing
            consumer.ack(latest);
            provider.register("orders", 4);
            assertEquals(List.of(4), ports(consumer.next()));
        }
    }

    @Test
    void afterUnsubscribingNothingComes() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders");
            consumer.subscribe("orders", "c2");
            consumer.unsubscribe("orders");
            provider.register("orders", 1);
            Message forTheOther = consumer.next();
            assertEquals(
                    "c2", forTheOther.json().get("serviceInfo").get("clusters").asString());
            consumer.ack(forTheOther);

            consumer.request(
                    "SubscribeServiceRequest", "{\"serviceName\":\"orders\",\"subscribe\":false,\"clusters\":\"c2\"}");
            provider.register("orders", 2);

            consumer.assertNothing();
            TestEndpoint.await(() -> end.node.status().subscriptions() == 0);
        }
    }

    /** As clients of 2.0 do it: nacos-client 2.0.4 says the service's name for the group, and the other way round. */
    @Test
    void whoUnsubscribesWithGroupAndNameSwappedHearsNoMore() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("providers:org.example.Greeter/1.0");

            Message answer = consumer.request(
                    "SubscribeServiceRequest",
                    "{\"serviceName\":\"DEFAULT_GROUP\",\"groupName\":\"providers:org.example.Greeter/1.0\",\"subscribe\":false}");
            assertEquals(200, answer.json().get("resultCode").asInt());
            provider.register("providers:org.example.Greeter/1.0", 1);

            consumer.assertNothing();
            TestEndpoint.await(() -> end.node.status().subscriptions() == 0);
        }
    }

    /** An old client may have asked twice, for other clusters. */
    @Test
    void oneServiceIsPushedOncePerSelection() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders", "DEFAULT");
            consumer.subscribe("orders", "c2");
            provider.register("orders", 1);

            Message one = consumer.next();
            Message other = consumer.next();

            assertEquals(List.of(1), ports(one));
            assertEquals(
                    "DEFAULT", one.json().get("serviceInfo").get("clusters").asString());
            assertEquals(List.of(), ports(other));
        }
    }

    @Test
    void largeListsGoCompressedToThoseWhoTakeItAndPlainToOthers() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient provider = TestClient.connected(end.port);
                TestClient consumer = TestClient.connected(end.port);
                TestClient plain = new TestClient(end.port, false)) {
            plain.setUp(TestClient.SET_UP);
            plain.next();
            consumer.subscribe("orders");
            plain.subscribe("orders");
            List<String> hosts = new ArrayList<>();
            for (int port = 1; port <= 500; port++) {
                hosts.add(TestClient.host(port).replace("{}", "{\"k\":\"value-" + port + "\"}"));
            }
            provider.request(
                    "BatchInstanceRequest",
                    "{\"serviceName\":\"orders\",\"type\":\"batchRegisterInstance\",\"instances\":["
                            + String.join(",", hosts) + "]}");

            Message compressed = consumer.next();
            Message asIs = plain.next();

            assertEquals(500, compressed.hosts().size());
            assertEquals(compressed.hosts(), asIs.hosts());
            assertEquals(500, consumer.query("orders").hosts().size());
            assertEquals(500, plain.subscribe("orders").hosts().size());
        }
    }

    @Test
    void pushesWaitForRoom() {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.outgoingBytes = 1);
                TestClient provider = TestClient.connected(end.port);
                TestClient one = TestClient.connected(end.port);
                TestClient two = TestClient.connected(end.port)) {
            one.subscribe("orders");
            two.subscribe("orders");
            provider.register("orders", 1);
            TestEndpoint.await(() -> one.waiting() + two.waiting() == 1);
            TestClient first = one.waiting() == 1 ? one : two;
            TestClient second = first == one ? two : one;
            second.assertNothing();
            provider.register("orders", 2);

            first.ack(first.next());

            assertEquals(List.of(2), ports(second.next()), "the latest, as it is now");
        }
    }

    @Test
    void alsoWhileTheNodeGathersAnOperatorsWordIsTold() throws Exception {
        try (TestEndpoint end = new TestEndpoint();
                TestClient consumer = TestClient.connected(end.port)) {
            InstanceId silent =
                    Instance.of(ServiceKey.of("orders"), "10.0.0.1", 1).id();
            assertTrue(end.node.status().incomplete(), "it has started just now");
            CompletableFuture<Boolean> put = new CompletableFuture<>();
            end.loop.execute(() -> end.node.put(
                    new Instance(silent, 1, true, Metadata.of(Map.of())),
                    LeaseTerms.of(Duration.ofHours(1)),
                    outcome -> put.complete(true)));
            put.get(5, TimeUnit.SECONDS);
            assertEquals(List.of(1), ports(consumer.subscribe("orders")));

            end.loop.execute(() -> end.node.remove(silent, true, "test", outcome -> {}));

            assertEquals(List.of(), ports(consumer.next()));
        }
    }

    @Test
    void aBrokenConnectionMakesInstancesDoubtfulAndItsReturnMakesThemWell() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient consumer = TestClient.connected(end.port);
                TestClient steady = TestClient.connected(end.port)) {
            steady.register("orders", 2);
            consumer.subscribe("orders");
            try (TestClient first = TestClient.connected(end.port)) {
                first.register("orders", 1);
                consumer.ack(consumer.next());
            }
            Message doubtful = consumer.next();
            JsonNode hosts = doubtful.hosts();
            assertEquals(2, hosts.size());
            assertFalse(hosts.get(0).get("healthy").asBoolean());
            assertTrue(hosts.get(1).get("healthy").asBoolean());
            assertFalse(doubtful.json()
                    .get("serviceInfo")
                    .get("reachProtectionThreshold")
                    .asBoolean());
            consumer.ack(doubtful);

            try (TestClient again = TestClient.connected(end.port)) {
                again.register("orders", 1);
                Message well = consumer.next();
                assertTrue(well.hosts().get(0).get("healthy").asBoolean());
                assertEquals(2, well.hosts().size());
            }
        }
    }

    /** Traps 4.8 of Nacos: a mass of connections that break must not empty a list. */
    @Test
    void whenAllAreInDoubtAllAreCalledHealthyAndTheListSaysSo() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient consumer = TestClient.connected(end.port)) {
            consumer.subscribe("orders");
            try (TestClient only = TestClient.connected(end.port)) {
                only.register("orders", 1);
                consumer.ack(consumer.next());
            }
            Message push = consumer.next();

            assertEquals(List.of(1), ports(push));
            assertTrue(push.hosts().get(0).get("healthy").asBoolean());
            assertTrue(push.json()
                    .get("serviceInfo")
                    .get("reachProtectionThreshold")
                    .asBoolean());
            Message healthyOnly = consumer.request(
                    "ServiceQueryRequest", "{\"serviceName\":\"orders\",\"cluster\":\"\",\"healthyOnly\":true}");
            assertEquals(List.of(1), ports(healthyOnly), "who asks for the healthy needs it most");
        }
    }
}
