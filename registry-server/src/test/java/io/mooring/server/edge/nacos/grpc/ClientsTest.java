package io.mooring.server.edge.nacos.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.RunningServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The clients of a node, as tools see them over HTTP, and send them elsewhere. */
@Timeout(120)
class ClientsTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    Path directory;

    private RunningServer server;
    private TestClient client;

    @BeforeEach
    void start() {
        server = RunningServer.start("--mooring.checks.enabled=false", "--mooring.data-directory=" + directory)
                .ready();
        client = TestClient.connected(server.nacosPort());
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private JsonNode http(int status, String method, String pathAndQuery) throws Exception {
        String url = "http://127.0.0.1:" + server.port() + "/nacos" + pathAndQuery.replace("#", "%23");
        HttpResponse<String> answer = HTTP.send(
                HttpRequest.newBuilder(URI.create(url))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return answer.body().startsWith("{")
                ? JsonMapper.shared().readTree(answer.body())
                : JsonMapper.shared().createObjectNode();
    }

    private JsonNode data(String pathAndQuery) throws Exception {
        return http(200, "GET", pathAndQuery).get("data");
    }

    private List<String> ids(String base) throws Exception {
        List<String> ids = new ArrayList<>();
        data(base + "/list").forEach(id -> ids.add(id.asString()));
        return ids;
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v2/ns/client", "/v3/admin/ns/client"})
    void aConnectionIsAClientWithWhatItPublishesAndHears(String base) throws Exception {
        long before = System.currentTimeMillis();
        client.register("orders", 8);
        client.subscribe("stock");
        client.subscribe("stock", "c1");

        assertThat(ids(base)).hasSize(1);
        String id = ids(base).get(0);
        JsonNode shown = data(base + "?clientId=" + id);
        assertThat(shown.get("clientId").asString()).isEqualTo(id);
        assertThat(shown.get("ephemeral").asBoolean()).isTrue();
        assertThat(shown.get("clientType").asString()).isEqualTo("connection");
        assertThat(shown.get("connectType").asString()).isEqualTo("GRPC");
        assertThat(shown.get("appName").asString()).isEqualTo("unknown");
        assertThat(shown.get("version").asString()).isEqualTo("Nacos-Java-Client:v2.5.1");
        assertThat(shown.get("clientIp").asString()).isEqualTo("127.0.0.1");
        assertThat(shown.get("clientPort").asString()).matches("[1-9][0-9]{3,4}");
        assertThat(shown.get("lastUpdatedTime").asLong()).isGreaterThanOrEqualTo(before);
        assertThat(data(base + "/publish/list?clientId=" + id).toString())
                .isEqualTo("[{\"namespace\":\"public\",\"group\":\"DEFAULT_GROUP\",\"serviceName\":\"orders\","
                        + "\"registeredInstance\":{\"ip\":\"10.0.0.1\",\"port\":8,\"cluster\":\"DEFAULT\"}}]");
        JsonNode heard = data(base + "/subscribe/list?clientId=" + id);
        assertThat(heard).hasSize(2);
        assertThat(heard.get(0).get("serviceName").asString()).isEqualTo("stock");
        assertThat(heard.at("/0/subscriberInfo/agent").asString()).isEqualTo("Nacos-Java-Client:v2.5.1");
        assertThat(heard.at("/0/subscriberInfo/addr").asString())
                .isEqualTo("127.0.0.1:" + shown.get("clientPort").asString());
        assertThat(data(base + "/service/publisher/list?serviceName=orders")
                        .at("/0/clientId")
                        .asString())
                .as("by the id that leads on")
                .isEqualTo(id);
        assertThat(data(base + "/service/subscriber/list?serviceName=stock")
                        .at("/0/clientId")
                        .asString())
                .isEqualTo(id);
        assertThat(data(base + "/service/publisher/list?serviceName=orders&ip=10.0.0.2"))
                .isEmpty();

        client.deregister("orders", 8);
        assertThat(data(base + "/publish/list?clientId=" + id)).isEmpty();
        client.close();
        TestEndpoint.await(() -> {
            try {
                return ids(base).isEmpty();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertThat(http(404, "GET", base + "?clientId=" + id).get("code").asInt())
                .isEqualTo(20_004);
    }

    @Test
    void anAddressIsAClientWithItsInstances() throws Exception {
        client.close();
        http(200, "POST", "/v1/ns/instance?serviceName=a&ip=10.0.0.1&port=80");
        http(200, "POST", "/v1/ns/instance?serviceName=b&ip=10.0.0.1&port=80&clusterName=c1");
        http(200, "POST", "/v1/ns/instance?serviceName=p&ip=10.0.0.1&port=80&ephemeral=false");
        http(200, "POST", "/v1/ns/instance?serviceName=q&ip=10.0.0.1&port=80&ephemeral=false");
        http(200, "GET", "/v1/ns/instance/list?serviceName=a&udpPort=40002");
        TestEndpoint.await(() -> server.node().status().sessions() == 0);

        assertThat(ids("/v2/ns/client"))
                .containsExactlyInAnyOrder("10.0.0.1:80#true", "10.0.0.1:80#false", "127.0.0.1:40002#true");
        JsonNode shown = data("/v2/ns/client?clientId=10.0.0.1:80#false");
        assertThat(shown.toString())
                .isEqualTo("{\"clientId\":\"10.0.0.1:80#false\",\"ephemeral\":false,\"clientType\":\"ipPort\","
                        + "\"clientIp\":\"10.0.0.1\",\"clientPort\":\"80\"}");
        assertThat(data("/v2/ns/client?clientId=10.0.0.1:80#true")
                        .get("ephemeral")
                        .asBoolean())
                .isTrue();
        assertThat(data("/v2/ns/client/publish/list?clientId=10.0.0.1:80#true"))
                .extracting(one -> one.get("serviceName").asString() + " "
                        + one.at("/registeredInstance/cluster").asString())
                .containsExactlyInAnyOrder("a DEFAULT", "b c1");
        assertThat(data("/v2/ns/client/publish/list?clientId=10.0.0.1:80#false"))
                .hasSize(2);
        assertThat(data("/v2/ns/client/subscribe/list?clientId=127.0.0.1:40002#true")
                        .at("/0/serviceName")
                        .asString())
                .isEqualTo("a");
        JsonNode metrics = http(200, "GET", "/v1/ns/operator/metrics?onlyStatus=false");
        assertThat(metrics.get("persistentIpPortClientCount").asInt()).isEqualTo(1);
        for (String nobody : List.of("10.0.0.2:80#true", "10.0.0.1:80#false2", "nobody", "#true", "#false")) {
            http(404, "GET", "/v2/ns/client?clientId=" + nobody);
        }
        http(400, "GET", "/v2/ns/client");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /v2/core/loader", "POST /v3/admin/core/loader"})
    void oneIsSentElsewhereAndTheLoadIsShown(String way) throws Exception {
        String method = way.substring(0, way.indexOf(' '));
        String base = way.substring(way.indexOf(' ') + 1);
        String id = ids("/v2/ns/client").get(0);

        http(200, method, base + "/reloadClient?connectionId=" + id + "&redirectAddress=10.0.0.9:8848");

        TestClient.Message asked = client.next();
        assertThat(asked.type()).isEqualTo("ConnectResetRequest");
        assertThat(asked.json().get("serverIp").asString()).isEqualTo("10.0.0.9");
        http(404, method, base + "/reloadClient?connectionId=nobody");
        http(400, method, base + "/reloadClient");
        TestEndpoint.await(() -> server.node().status().cluster().ownSessions() == 1);
        JsonNode loads = data(base + "/cluster");
        assertThat(loads.at("/detail/0/sdkConCount").asInt()).isEqualTo(1);
        assertThat(loads.get("memberCount").asInt()).isEqualTo(1);
        assertThat(loads.get("completed").asBoolean()).isTrue();
        assertThat(loads.get("total").asInt()).isEqualTo(1);
        assertThat(http(501, method, base + "/reloadCurrent?count=1")
                        .get("code")
                        .asInt())
                .isEqualTo(40_001);
        http(501, method, base + "/smartReloadCluster");
        http(501, "GET", base + "/current");
    }

    @Test
    void whatAClientCallsItselfIsKeptShort() throws Exception {
        try (TestClient long_ = new TestClient(server.nacosPort())) {
            long_.setUp(TestClient.SET_UP.replace("v2.5.1", "v" + "2".repeat(100_000)));
            long_.next();
            long_.subscribe("named");
            JsonNode subscribers = http(200, "GET", "/v1/ns/service/subscribers?serviceName=named");
            assertThat(subscribers.at("/subscribers/0/agent").asString()).hasSize(256);
        }
    }
}
