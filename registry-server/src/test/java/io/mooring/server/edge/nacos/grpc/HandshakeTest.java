package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Who a client is, and in which order it comes to be so. */
class HandshakeTest {
    @Test
    void theServerCheckComesBeforeEverythingAndNamesTheConnection() {
        Set<String> ids = new HashSet<>();
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port);
                TestClient other = new TestClient(end.port)) {
            for (TestClient each : List.of(client, other)) {
                Message answer = each.request("ServerCheckRequest", "{\"headers\":{},\"module\":\"internal\"}");
                assertEquals("ServerCheckResponse", answer.type());
                assertEquals(200, answer.json().get("resultCode").asInt());
                assertTrue(answer.json().get("supportAbilityNegotiation").asBoolean());
                ids.add(answer.json().get("connectionId").asString());
            }
            assertEquals(2, ids.size());
            assertFalse(ids.iterator().next().contains("127.0.0.1"), "made of chance, not of the address");
        }
    }

    @Test
    void aNodeThatStartsSendsClientsToTheNext() {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.awaitReady = false);
                TestClient client = new TestClient(end.port)) {
            Message first = client.request("ServerCheckRequest", "{}");
            if (!end.node.status().ready()) {
                assertEquals("ErrorResponse", first.type());
                assertEquals(300, first.json().get("errorCode").asInt());
            }
            TestEndpoint.await(() -> end.node.status().ready());
            assertEquals(
                    "ServerCheckResponse",
                    client.request("ServerCheckRequest", "{}").type());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}", // 2.3 to 2.5
                "{\"agent\":true,\"fuzzyWatch\":true,\"lock\":true,\"mcp\":true}" // 3.2
            })
    void abilitiesAreToldToThoseWhoAsk(String asked) {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port)) {
            client.setUp(TestClient.SET_UP.replace("\"abilityTable\":{}", "\"abilityTable\":" + asked));

            Message ack = client.next();

            assertEquals("SetupAckRequest", ack.type());
            assertFalse(ack.json().has("requestId"), "nobody is to answer it");
            JsonNode table = ack.json().get("abilityTable");
            assertTrue(table.get("supportPersistentInstanceByGrpc").asBoolean());
            assertTrue(table.get("fuzzyWatch").asBoolean());
            assertFalse(table.get("lock").asBoolean());
            assertFalse(table.get("mcp").asBoolean());
            assertFalse(table.get("agent").asBoolean());
        }
    }

    /** Trap: clients before 2.3 and Go's do not know the type, and would fall over it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                TestClient.OLD_SET_UP,
                "{\"clientVersion\":\"Nacos-Go-Client:v2.3.5\",\"labels\":{\"module\":\"naming\",\"source\":\"sdk\"},"
                        + "\"clientAbilities\":{\"remoteAbility\":{}}}"
            })
    void setupAckOnlyOnNonNullAbilityTable(String setUp) {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port)) {
            client.setUp(setUp);
            TestEndpoint.await(() -> end.node.status().sessions() == 1);

            client.assertNothing();
            assertEquals("InstanceResponse", client.register("orders", 1).type());
        }
    }

    @Test
    void aSecondSetUpIsAcknowledgedAgainAndChangesNothing() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = TestClient.connected(end.port)) {
            client.register("orders", 1);

            for (String module : List.of("config", "naming")) {
                client.say("ConnectionSetupRequest", TestClient.SET_UP.replace("naming", module));
                assertEquals("SetupAckRequest", client.next().type());
            }

            assertEquals(1, client.query("orders").hosts().size());
            client.deregister("orders", 1);
            assertEquals(0, client.query("orders").hosts().size(), "it is who had registered it");
            client.assertNothing();
        }
    }

    /** Trap: it makes a client connect anew; everything else lets it believe that it is registered. */
    @Test
    void healthCheckOfAnUnknownConnectionIs301() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port)) {
            Message answer = client.request("HealthCheckRequest", "{}");
            assertEquals("ErrorResponse", answer.type());
            assertEquals(301, answer.json().get("errorCode").asInt());

            client.setUp(TestClient.SET_UP);
            client.next();
            assertEquals(
                    "HealthCheckResponse",
                    client.request("HealthCheckRequest", "{}").type());
        }
    }

    @Test
    void requestsBeforeTheSetUpAre301AndChangeNothing() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port)) {
            for (Message answer :
                    List.of(client.register("orders", 1), client.query("orders"), client.subscribe("orders"))) {
                assertEquals("ErrorResponse", answer.type());
                assertEquals(301, answer.json().get("errorCode").asInt());
                assertEquals(500, answer.json().get("resultCode").asInt());
            }
            assertEquals(0, end.view("orders").instances().size());
        }
    }

    @Test
    void aConnectionForConfigurationIsToldThatThereIsNone() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = new TestClient(end.port)) {
            client.setUp(TestClient.SET_UP.replace("\"naming\"", "\"config\""));
            assertEquals("SetupAckRequest", client.next().type());
            assertEquals(
                    "HealthCheckResponse",
                    client.request("HealthCheckRequest", "{}").type());

            Message query = client.request("ConfigQueryRequest", "{\"dataId\":\"d\",\"group\":\"g\"}");
            Message listen = client.request("ConfigBatchListenRequest", "{\"listen\":true}");

            // By its own name: over an ErrorResponse the client would reconnect for ever.
            assertEquals("ConfigQueryResponse", query.type());
            assertEquals("ConfigChangeBatchListenResponse", listen.type());
            assertEquals(302, query.json().get("errorCode").asInt());
            assertTrue(query.json().get("message").asString().startsWith("Mooring keeps no configuration"));
            assertEquals(0, end.node.status().sessions());
        }
    }

    @Test
    void theConnectionIsTheClient() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient other = TestClient.connected(end.port)) {
            try (TestClient client = TestClient.connected(end.port)) {
                client.register("orders", 1);
                other.register("orders", 2);
            }
            TestEndpoint.await(() -> end.view("orders").instances().stream()
                    .anyMatch(listed -> listed.standing().inDoubt()));
            other.deregister("orders", 1); // what it says of the port does not count: its own goes
            assertEquals(
                    List.of(1),
                    end.view("orders").instances().stream()
                            .map(listed -> listed.instance().port())
                            .toList());
        }
    }
}
