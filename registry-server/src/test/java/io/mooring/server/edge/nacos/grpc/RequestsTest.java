package io.mooring.server.edge.nacos.grpc;

import static io.mooring.server.edge.nacos.grpc.TestClient.host;
import static io.mooring.server.edge.nacos.grpc.TestClient.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.server.clock.HybridClock;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What can be asked, and what is answered. */
class RequestsTest {
    private TestEndpoint end;
    private TestClient client;

    @BeforeEach
    void start() {
        end = new TestEndpoint();
        client = TestClient.connected(end.port);
    }

    @AfterEach
    void stop() {
        client.close();
        end.close();
    }

    private static List<Integer> ports(Message list) {
        List<Integer> ports = new ArrayList<>();
        list.hosts().forEach(host -> ports.add(host.get("port").asInt()));
        return ports;
    }

    private static String batch(String service, int... ports) {
        List<String> hosts = new ArrayList<>();
        for (int port : ports) {
            hosts.add(host(port));
        }
        return instance(service, "batchRegisterInstance", 1)
                .replaceFirst("\"instance\":\\{.*}},", "\"instances\":[" + String.join(",", hosts) + "],");
    }

    /** Trap: Java looks at resultCode, Go at success, Python at errorCode. */
    @Test
    void allThreeSuccessFieldsAgree() {
        JsonNode well = client.register("orders", 1).json();
        JsonNode refused = client.register("not a name", 1).json();

        assertEquals(200, well.get("resultCode").asInt());
        assertEquals(0, well.get("errorCode").asInt());
        assertTrue(well.get("success").asBoolean());
        assertEquals("registerInstance", well.get("type").asString());
        assertEquals(500, refused.get("resultCode").asInt());
        assertEquals(400, refused.get("errorCode").asInt());
        assertFalse(refused.get("success").asBoolean());
    }

    /** The same in each kind of answer, for clients have one test for all of them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "ServerCheckRequest        | {}",
                "HealthCheckRequest        | {}",
                "InstanceRequest           | {'serviceName':'s','type':'deregisterInstance'}",
                "BatchInstanceRequest      | {'serviceName':'s','type':'batchRegisterInstance','instances':[]}",
                "PersistentInstanceRequest | {'serviceName':'p','type':'registerInstance','instance':{'ip':'h','port':1,'ephemeral':false}}",
                "ServiceQueryRequest       | {'serviceName':'s'}",
                "SubscribeServiceRequest   | {'serviceName':'s','subscribe':true}",
                "SubscribeServiceRequest   | {'serviceName':'s','subscribe':false}",
                "ServiceListRequest        | {}",
                "NamingFuzzyWatchRequest   | {'watchType':'WATCH','groupKeyPattern':'public>>g>>*'}",
                "NamingFuzzyWatchRequest   | {'watchType':'CANCEL_WATCH','groupKeyPattern':'public>>g>>*'}"
            })
    void allThreeSuccessFieldsAreInEveryAnswer(String type, String json) {
        try (TestEndpoint there = new TestEndpoint(wishes -> wishes.disk = true);
                TestClient asking = TestClient.connected(there.port)) {
            JsonNode well = asking.request(type, json.replace('\'', '"')).json();
            JsonNode refused = asking.request(type, "not JSON").json();

            assertEquals(
                    List.of("200", "0", "true"),
                    List.of(well.get("resultCode"), well.get("errorCode"), well.get("success")).stream()
                            .map(JsonNode::toString)
                            .toList());
            assertEquals(
                    List.of("500", "502", "false"),
                    List.of(refused.get("resultCode"), refused.get("errorCode"), refused.get("success")).stream()
                            .map(JsonNode::toString)
                            .toList());
        }
    }

    @Test
    void whatIsRegisteredIsReadAtOnceWithEverythingInIt() {
        client.request(
                "InstanceRequest",
                "{\"serviceName\":\"orders\",\"groupName\":\"G1\",\"type\":\"registerInstance\",\"requestId\":\"7\","
                        + "\"instance\":{\"ip\":\"10.0.0.1\",\"port\":9000,\"weight\":2.5,\"clusterName\":\"c1\","
                        + "\"metadata\":{\"zone\":\"z1\",\"preserved.heart.beat.timeout\":\"9000\"},\"unknown\":[{}]}}");

        Message answer = client.request(
                "ServiceQueryRequest",
                "{\"namespace\":\"\",\"serviceName\":\"orders\",\"groupName\":\"G1\",\"cluster\":\"c1\",\"requestId\":\"8\"}");

        assertEquals("QueryServiceResponse", answer.type());
        assertEquals("8", answer.json().get("requestId").asString(), "Go and Python want it back");
        assertEquals(
                "{\"instanceId\":\"10.0.0.1#9000#c1#G1@@orders\",\"ip\":\"10.0.0.1\",\"port\":9000,\"weight\":2.5,"
                        + "\"healthy\":true,\"enabled\":true,\"ephemeral\":true,\"clusterName\":\"c1\","
                        + "\"serviceName\":\"G1@@orders\",\"metadata\":{\"preserved.heart.beat.timeout\":\"9000\","
                        + "\"zone\":\"z1\"},\"instanceHeartBeatInterval\":5000,\"instanceHeartBeatTimeOut\":9000,"
                        + "\"ipDeleteTimeout\":30000}",
                answer.hosts().get(0).toString());
    }

    /** Trap: grouped, the client would file it under a name it never asks for. */
    @Test
    void nameIsBareOverGrpc() {
        client.register("orders", 1);

        JsonNode list = client.query("orders").json().get("serviceInfo");

        assertEquals("orders", list.get("name").asString());
        assertEquals("DEFAULT_GROUP", list.get("groupName").asString());
        assertEquals(
                "DEFAULT_GROUP@@orders",
                list.get("hosts").get(0).get("serviceName").asString());
    }

    /** Trap: old clients have the text of the clusters in the key of their cache. */
    @Test
    void clustersAreEchoedAsSent() {
        client.register("orders", 1);
        for (String clusters : List.of("", "DEFAULT", "DEFAULT,c2", "c2,DEFAULT", "c9")) {
            JsonNode list = client.subscribe("orders", clusters).json().get("serviceInfo");

            assertEquals(clusters, list.get("clusters").asString());
            assertEquals(clusters.equals("c9") ? 0 : 1, list.get("hosts").size(), clusters);
        }
    }

    /** Trap: null means an error to clients, and they keep what they have. */
    @Test
    void hostsAreNeverNull() {
        for (Message list : List.of(client.query("nobody"), client.subscribe("nobody"), client.unsubscribe("nobody"))) {
            assertTrue(list.hosts().isArray(), list.text());
            assertEquals(0, list.hosts().size());
        }
    }

    /** Trap: the client says what it once registered, which may be something else than is there. */
    @Test
    void deregisterIgnoresIpAndPort() {
        client.register("orders", 1);

        Message answer = client.deregister("orders", 4711);

        assertEquals(200, answer.json().get("resultCode").asInt());
        assertEquals(List.of(), ports(client.query("orders")));
        assertEquals(
                200, client.deregister("orders", 4711).json().get("resultCode").asInt(), "again is fine");
    }

    /** Trap: a client has one publication for each service. */
    @Test
    void sameConnectionReRegisterReplaces() {
        client.register("orders", 1);
        client.register("orders", 2);
        assertEquals(List.of(2), ports(client.query("orders")));

        client.request("BatchInstanceRequest", batch("orders", 2, 3, 4));
        assertEquals(List.of(2, 3, 4), ports(client.query("orders")));

        client.request("BatchInstanceRequest", batch("orders", 3));
        assertEquals(List.of(3), ports(client.query("orders")));

        client.register("other", 9);
        assertEquals(List.of(3), ports(client.query("orders")));

        client.request("BatchInstanceRequest", batch("orders"));
        assertEquals(List.of(), ports(client.query("orders")));
    }

    @Test
    void readersSeeAReplacementInOneStep() {
        try (TestClient reader = TestClient.connected(end.port)) {
            client.request("BatchInstanceRequest", batch("orders", 1, 2));
            reader.subscribe("orders");

            client.request("BatchInstanceRequest", batch("orders", 3, 4, 5));

            assertEquals(List.of(3, 4, 5), ports(reader.next()), "never the old and the new together, nor neither");
        }
    }

    @Test
    void aReplacementThatIsRefusedLeavesWhatIsThere() {
        client.request("BatchInstanceRequest", batch("orders", 1, 2));

        Message answer = client.request("BatchInstanceRequest", batch("orders", 3, 70_000));

        assertEquals("BatchInstanceResponse", answer.type());
        assertEquals(400, answer.json().get("errorCode").asInt());
        assertEquals(
                "instances[1].port: 70000 (expected: 0-65535)",
                answer.json().get("message").asString());
        assertEquals(List.of(1, 2), ports(client.query("orders")));
    }

    @Test
    void whoIsOutOfRotationIsNotListed() {
        client.request(
                "InstanceRequest",
                instance("orders", "registerInstance", 1).replace("\"enabled\":true", "\"enabled\":false"));

        assertEquals(1, end.view("orders").instances().size());
        assertEquals(List.of(), ports(client.query("orders")));
    }

    @Test
    void servicesAreListedByGroupAndPage() {
        for (String name : List.of("b", "a", "d", "c")) {
            client.register(name, 1);
        }
        client.request(
                "InstanceRequest",
                instance("x", "registerInstance", 1)
                        .replace("DEFAULT_GROUP", "G2")
                        .replace("public", "other"));

        JsonNode second = client.request(
                        "ServiceListRequest",
                        "{\"namespace\":\"public\",\"serviceName\":\"\",\"groupName\":\"DEFAULT_GROUP\",\"pageNo\":2,"
                                + "\"pageSize\":3,\"selector\":\"{}\"}")
                .json();
        JsonNode other = client.request(
                        "ServiceListRequest",
                        "{\"namespace\":\"other\",\"groupName\":\"G2\",\"pageNo\":0,\"pageSize\":9}")
                .json();

        assertEquals(4, second.get("count").asInt());
        assertEquals("[\"d\"]", second.get("serviceNames").toString());
        assertEquals("[\"x\"]", other.get("serviceNames").toString());
        client.deregister("a", 1);
        assertEquals(
                3,
                client.request("ServiceListRequest", "{\"pageNo\":9,\"pageSize\":10}")
                        .json()
                        .get("count")
                        .asInt());
    }

    @Test
    void withoutADiskPersistentInstancesAreRefusedInTheAnswerTheClientWaitsFor() {
        Message answer = client.request(
                "PersistentInstanceRequest",
                instance("orders", "registerInstance", 1).replace("true}", "false}"));

        assertEquals("InstanceResponse", answer.type());
        assertEquals(503, answer.json().get("errorCode").asInt(), answer::text);
        assertEquals(0, end.view("orders").instances().size());
    }

    /** Trap: they drop what is not younger than what they have, and the wall clock may be set back meanwhile. */
    @Test
    void equalLastRefTimeIsDroppedByGoAndPythonSoItNeverIs() {
        Stamps stamps = new Stamps(new HybridClock(() -> 0, () -> 1_900_000_000_000L));
        assertEquals(1_900_000_000_000L, stamps.next());
        assertEquals(1_900_000_000_001L, stamps.next(), "also in one and the same millisecond");
        AtomicLong wall = new AtomicLong(1_900_000_000_000L);
        try (TestEndpoint there = new TestEndpoint(wishes -> wishes.wall = wall::get);
                TestClient reader = TestClient.connected(there.port)) {
            reader.register("orders", 1);
            long last = 1_900_000_000_000L - 1;
            for (int i = 0; i < 100; i++) {
                wall.addAndGet(i == 50 ? -180_000 : 0);
                Message list = i % 2 == 0 ? reader.query("orders") : reader.subscribe("orders");
                long now = list.json().get("serviceInfo").get("lastRefTime").asLong();
                assertTrue(now > last, now + " after " + last);
                last = now;
            }
        }
    }
}
