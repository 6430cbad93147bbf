package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.config.PasswordLine;
import io.mooring.server.config.RunningServer;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A whole server with a disk, told things over HTTP, and clients over gRPC that hear of them. */
@Timeout(120)
class BothEdgesTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static final InstanceId ID = new InstanceId(ServiceKey.of("orders"), "DEFAULT", "10.0.0.1", 1);

    @TempDir
    Path directory;

    private RunningServer server;

    @BeforeEach
    void start() {
        start("--mooring.checks.enabled=false");
    }

    private void start(String... properties) {
        String[] all = new String[properties.length + 1];
        System.arraycopy(properties, 0, all, 0, properties.length);
        all[properties.length] = "--mooring.data-directory=" + directory.resolve("data");
        server = RunningServer.start(all).ready();
    }

    private void restart() {
        server.close();
        start("--mooring.checks.enabled=false");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private HttpResponse<String> http(String method, String pathAndQuery) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + "/nacos" + pathAndQuery);
        return HTTP.send(
                HttpRequest.newBuilder(uri)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .timeout(Duration.ofSeconds(30))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private void ok(String method, String pathAndQuery) throws IOException, InterruptedException {
        assertEquals("ok", http(method, pathAndQuery).body(), pathAndQuery);
    }

    private TestClient client() {
        return TestClient.connected(server.nacosPort());
    }

    private static String persistent(String service, String type, int port) {
        return TestClient.instance(service, type, port).replace("\"ephemeral\":true", "\"ephemeral\":false");
    }

    private static Message put(TestClient client, String service, int port) {
        return client.request("PersistentInstanceRequest", persistent(service, "registerInstance", port));
    }

    private static void assertRefused(int code, String sentence, Message answer) {
        assertEquals(500, answer.json().get("resultCode").asInt(), answer::text);
        assertEquals(code, answer.json().get("errorCode").asInt(), answer::text);
        assertTrue(answer.json().get("message").asString().contains(sentence), answer::text);
    }

    private static void assertWeight(double weight, Message list) {
        assertEquals(1, list.hosts().size(), list::text);
        assertEquals(weight, list.hosts().get(0).get("weight").asDouble(), list::text);
    }

    @Test
    void aPersistentInstanceOutlivesItsConnectionAndTheNode() {
        try (TestClient client = client()) {
            Message answer = put(client, "orders", 1);
            assertEquals("InstanceResponse", answer.type());
            assertEquals("registerInstance", answer.json().get("type").asString());
            assertEquals(200, put(client, "orders", 2).json().get("resultCode").asInt());
            assertEquals(2, client.query("orders").hosts().size(), "each has its own address, as nobody's publication");
        }

        restart();

        try (TestClient client = client()) {
            Message list = client.query("orders");
            assertEquals(2, list.hosts().size(), list::text);
            assertFalse(list.hosts().get(0).get("ephemeral").asBoolean());
            assertTrue(list.hosts().get(0).get("healthy").asBoolean());
            client.request("PersistentInstanceRequest", persistent("orders", "deregisterInstance", 1));
            assertEquals(2, client.query("orders").hosts().get(0).get("port").asInt());
        }

        restart();

        try (TestClient client = client()) {
            assertEquals(1, client.query("orders").hosts().size(), "the other one stays removed");
        }
    }

    @Test
    void whatIsLaidOverAnInstanceStaysWhenItsClientOrTheNodeComesBack() throws Exception {
        String instance = "serviceName=orders&ip=10.0.0.1&port=1";
        try (TestClient consumer = client()) {
            try (TestClient provider = client()) {
                provider.register("orders", 1);
                consumer.subscribe("orders");
                ok("PATCH", "/v1/ns/instance?" + instance + "&weight=7");
                Message push = consumer.next();
                assertWeight(7, push);
                consumer.ack(push);
                ok("PUT", "/v1/ns/instance?" + instance + "&weight=5&metadata=a%3D1");
                push = consumer.next();
                assertWeight(5, push);
                assertEquals("1", push.hosts().get(0).at("/metadata/a").asString());
                consumer.ack(push);
            }
            try (TestClient provider = client()) {
                provider.register("orders", 1);
                assertWeight(5, consumer.query("orders"));

                restart();
            }
        }
        try (TestClient consumer = client();
                TestClient provider = client()) {
            assertWeight(5, consumer.query("orders"));
            provider.register("orders", 1);
            assertWeight(5, consumer.query("orders"));
            provider.deregister("orders", 1);
            TestEndpoint.await(() -> server.node().overrideOf(ID).isEmpty());
            provider.register("orders", 1);
            assertWeight(1, consumer.query("orders"));
        }
    }

    @Test
    void aServiceHasInstancesOfOneKind() throws Exception {
        try (TestClient client = client()) {
            client.register("e", 1);
            assertRefused(400, "has instances that their publishers keep alive", put(client, "e", 2));
            put(client, "p", 1);
            assertRefused(400, "has persistent instances", client.register("p", 2));
            assertEquals(
                    400,
                    http("POST", "/v1/ns/instance?serviceName=p&ip=10.0.0.2&port=1")
                            .statusCode());
            assertEquals(
                    400,
                    http("POST", "/v2/ns/instance?serviceName=e&ip=10.0.0.2&port=1&ephemeral=false")
                            .statusCode());
            assertEquals(1, client.query("e").hosts().size());
            assertEquals(1, client.query("p").hosts().size());
        }
    }

    @Test
    void theThresholdOfAServiceIsToldWhenItChanges() throws Exception {
        try (TestClient client = client()) {
            put(client, "orders", 1);
            put(client, "orders", 2);
            ok(
                    "PUT",
                    "/v1/ns/cluster?serviceName=orders&clusterName=DEFAULT&healthChecker=%7B%22type%22:%22NONE%22%7D");
            ok("PUT", "/v1/ns/health?serviceName=orders&ip=10.0.0.1&port=1&healthy=false");
            Message before = client.subscribe("orders");
            assertFalse(before.hosts().get(0).get("healthy").asBoolean());
            assertFalse(protectedBy(before));

            ok("PUT", "/v1/ns/service?serviceName=orders&protectThreshold=0.5");
            Message push = client.next();
            assertTrue(protectedBy(push), "half of them is not enough");
            assertTrue(push.hosts().get(0).get("healthy").asBoolean());
            assertFalse(push.hosts().get(0).get("ephemeral").asBoolean());
            client.ack(push);
            assertTrue(protectedBy(client.query("orders")), "though the view is the same");

            ok("PUT", "/v1/ns/service?serviceName=orders&protectThreshold=0.5&metadata=a%3D1");
            ok("PUT", "/v1/ns/service?serviceName=orders&protectThreshold=0.4");
            push = client.next();
            assertFalse(protectedBy(push), "labels of the service alone are not worth telling");
            client.ack(push);
        }
    }

    private static boolean protectedBy(Message list) {
        return list.json().get("serviceInfo").get("reachProtectionThreshold").asBoolean();
    }

    @Test
    void servicesOfWhichSomethingIsSettledAreListedOverGrpcToo() throws Exception {
        try (TestClient client = client()) {
            client.register("b", 1);
            ok("POST", "/v1/ns/service?serviceName=a");
            ok("POST", "/v1/ns/service?serviceName=b-of-others&groupName=G2");
            ok("PUT", "/v1/ns/service?serviceName=b&protectThreshold=0.5");

            Message all = client.request(
                    "ServiceListRequest",
                    "{\"namespace\":\"public\",\"serviceName\":\"\",\"pageNo\":1,\"pageSize\":10}");

            assertEquals(2, all.json().get("count").asInt(), all::text);
            assertEquals("[\"a\",\"b\"]", all.json().get("serviceNames").toString());
        }
    }

    @Test
    void whoSubscribesOverGrpcIsShownOverHttp() throws Exception {
        try (TestClient client = client()) {
            client.subscribe("orders", "c1");

            JsonNode shown = JsonMapper.shared()
                    .readTree(http("GET", "/v1/ns/service/subscribers?serviceName=orders")
                            .body());

            assertEquals(1, shown.get("count").asInt());
            assertEquals("127.0.0.1", shown.at("/subscribers/0/ip").asString());
            assertEquals(
                    "Nacos-Java-Client:v2.5.1", shown.at("/subscribers/0/agent").asString());
            assertEquals("c1", shown.at("/subscribers/0/cluster").asString());
        }
    }

    @Test
    void withUsersRequestsOverGrpcNeedAToken() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
        ByteArrayInputStream in = new ByteArrayInputStream("s3cret\n".getBytes(StandardCharsets.UTF_8));
        assertEquals(Optional.of(0), PasswordLine.run(new String[] {"--hash-password=alice"}, in, printed, printed));
        Path users = Files.write(directory.resolve("users"), out.toByteArray());
        server.close();
        start("--mooring.nacos.users-file=" + users);
        String token = JsonMapper.shared()
                .readTree(http("POST", "/v1/auth/users/login?username=alice&password=s3cret")
                        .body())
                .get("accessToken")
                .asString();

        try (TestClient client = client()) {
            String instance = TestClient.instance("orders", "registerInstance", 1);
            assertRefused(403, "log in", client.register("orders", 1));
            assertRefused(
                    403,
                    "log in",
                    client.request(
                            TestClient.payload("InstanceRequest", instance, Map.of("accessToken", token + "x"))));
            assertRefused(403, "log in", put(client, "orders", 1));
            assertEquals(
                    200,
                    client.request(TestClient.payload("InstanceRequest", instance, Map.of("accessToken", token)))
                            .json()
                            .get("resultCode")
                            .asInt());
        }
    }
}
