package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.config.RunningServer;
import io.mooring.server.durable.InstanceOverride;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import io.mooring.server.node.RegistryNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What outlives publishers, as it is said and shown over HTTP, on a node with a disk. */
@Timeout(60)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NacosEntriesTest {
    private static final RunningServer SERVER =
            RunningServer.start("--mooring.checks.enabled=false").ready();
    private final NacosCalls nacos = new NacosCalls(SERVER);
    private final RegistryNode node = SERVER.node();

    @AfterAll
    static void stop() {
        SERVER.close();
    }

    private static InstanceId id(String service) {
        return new InstanceId(ServiceKey.of(service), "DEFAULT", "10.0.0.1", 80);
    }

    private String registered(String service) throws Exception {
        String query = "serviceName=" + service + "&ip=10.0.0.1&port=80";
        nacos.register(query + "&metadata=a%3D1");
        return query;
    }

    // ---- instances

    @Test
    void putLaysAllOfItOver() throws Exception {
        String instance = registered("put");

        Answer answer = nacos.call("PUT", "/v1/ns/instance?" + instance, "enabled=false&metadata=b%3D2");

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(node.overrideOf(id("put")))
                .contains(
                        new InstanceOverride(OptionalDouble.of(1), Optional.of(false), Metadata.of(Map.of("b", "2"))));
        assertThat(nacos.list("serviceName=put").at("/hosts"))
                .as("out of rotation")
                .isEmpty();
    }

    @Test
    void patchLaysOverWhatItNames() throws Exception {
        String instance = registered("patch");

        nacos.call("PATCH", "/v1/ns/instance?" + instance + "&weight=3");
        Answer v2 = nacos.call("PATCH", "/v2/ns/instance?" + instance + "&metadata=b%3D2");

        assertThat(v2.body()).as("without an envelope").isEqualTo("ok");
        assertThat(node.overrideOf(id("patch")))
                .contains(new InstanceOverride(OptionalDouble.of(3), Optional.empty(), Metadata.of(Map.of("b", "2"))));
        assertThat(nacos.list("serviceName=patch").at("/hosts/0/metadata").toString())
                .isEqualTo("{\"a\":\"1\",\"b\":\"2\"}");
        assertThat(nacos.list("serviceName=patch").at("/hosts/0/weight").asDouble())
                .isEqualTo(3);
    }

    @Test
    void labelsOfManyAreChangedAtOnce() throws Exception {
        registered("batch");
        nacos.register("serviceName=batch&ip=10.0.0.2&port=80");
        String path = "/v1/ns/instance/metadata/batch?serviceName=batch";
        String one = "instances=" + NacosCalls.encoded("[{\"ip\":\"10.0.0.1\",\"port\":\"80\"}]");

        Answer all = nacos.call("PUT", path, "metadata=" + NacosCalls.encoded("{\"x\":\"1\",\"y\":\"2\"}"));
        Answer less = nacos.call("DELETE", path + "&metadata=x%3D1&" + one);

        assertThat(all.body())
                .isEqualTo("{\"updated\":[\"10.0.0.1:80:unknown:DEFAULT:ephemeral\","
                        + "\"10.0.0.2:80:unknown:DEFAULT:ephemeral\"]}");
        assertThat(less.body()).isEqualTo("{\"updated\":[\"10.0.0.1:80:unknown:DEFAULT:ephemeral\"]}");
        assertThat(node.overrideOf(id("batch")).orElseThrow().metadata()).isEqualTo(Map.of("y", "2"));
        assertThat(nacos.list("serviceName=batch").at("/hosts/0/metadata").toString())
                .isEqualTo("{\"a\":\"1\",\"y\":\"2\"}");
    }

    @Test
    void nobodyIsChangedWhoIsNotThere() throws Exception {
        registered("there");

        Answer noService = nacos.call("PUT", "/v1/ns/instance?serviceName=absent&ip=10.0.0.1&port=80");
        Answer noInstance = nacos.call("PUT", "/v1/ns/instance?serviceName=there&ip=10.0.0.9&port=80");
        Answer v2 = nacos.call("PATCH", "/v2/ns/instance?serviceName=there&ip=10.0.0.9&port=80&weight=1");

        assertThat(noService.status()).isEqualTo(400);
        assertThat(noService.body()).startsWith("service not found");
        assertThat(noInstance.status()).isEqualTo(400);
        assertThat(v2.status()).isEqualTo(404);
        assertThat(v2.at("/code").asInt()).isEqualTo(21_003);
        InstanceId another = new InstanceId(ServiceKey.of("there"), "DEFAULT", "10.0.0.9", 80);
        assertThat(node.overrideOf(id("absent"))).isEmpty();
        assertThat(node.overrideOf(another)).isEmpty();
        assertThat(node.persistent()).doesNotContain(id("absent"), another);
    }

    @Test
    void persistentInstancesAreShownAsSuchUntilTheyAreRemoved() throws Exception {
        String instance = "serviceName=kept&ip=10.0.0.1&port=80";
        nacos.register(instance + "&ephemeral=false&weight=2");
        nacos.register("serviceName=kept&ip=10.0.0.2&port=80&ephemeral=false");

        assertThat(nacos.list("serviceName=kept").at("/hosts/0/ephemeral").asBoolean())
                .isFalse();
        assertThat(nacos.get("/v2/ns/service?serviceName=kept")
                        .at("/data/ephemeral")
                        .asBoolean())
                .isFalse();
        nacos.call("PATCH", "/v1/ns/instance?" + instance + "&weight=7");
        assertThat(nacos.list("serviceName=kept").at("/hosts/0/weight").asDouble())
                .isEqualTo(7);
        assertThat(nacos.call("DELETE", "/v1/ns/instance?" + instance).body())
                .as("one that is persistent need not be called so")
                .isEqualTo("ok");
        assertThat(nacos.call("DELETE", "/v1/ns/instance?" + instance + "&ephemeral=false")
                        .body())
                .as("one that is not there is gone")
                .isEqualTo("ok");
        assertThat(nacos.list("serviceName=kept").at("/hosts")).hasSize(1);
    }

    @Test
    void anybodySaysHowAnInstanceIsThatNobodyChecks() throws Exception {
        nacos.register("serviceName=said&ip=10.0.0.1&port=80&ephemeral=false");
        nacos.register("serviceName=said&ip=10.0.0.2&port=80&ephemeral=false");
        String health = "/v1/ns/health/instance?serviceName=said&ip=10.0.0.1&port=80&healthy=false";

        Answer checked = nacos.call("PUT", health);
        nacos.call(
                "PUT",
                "/v1/ns/cluster?serviceName=said&clusterName=DEFAULT&healthChecker="
                        + NacosCalls.encoded("{\"type\":\"NONE\"}"));
        Answer said = nacos.call("PUT", health);

        assertThat(checked.status()).isEqualTo(400);
        assertThat(checked.body()).startsWith("health check is still working");
        assertThat(said.body()).isEqualTo("ok");
        assertThat(nacos.list("serviceName=said").at("/hosts/0/healthy").asBoolean())
                .isFalse();
        assertThat(nacos.call("PUT", "/v1/ns/health/instance?" + registered("beats") + "&healthy=false")
                        .status())
                .as("a publisher's beats say how it is")
                .isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({"v1, false", "v2, false", "v1, true", "v2, true"})
    void aServiceHasInstancesOfOneKind(String generation, boolean persistentFirst) throws Exception {
        String service = "kind-" + generation + persistentFirst;
        nacos.register("serviceName=" + service + "&ip=10.0.0.1&port=80&ephemeral=" + !persistentFirst);

        Answer answer = nacos.call(
                "POST",
                "/" + generation + "/ns/instance?serviceName=" + service + "&ip=10.0.0.2&port=80&ephemeral="
                        + persistentFirst);

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).contains("service: public/DEFAULT_GROUP/" + service + " has");
        if (generation.equals("v2")) {
            assertThat(answer.at("/code").asInt()).isEqualTo(20_002);
        }
        assertThat(nacos.list("serviceName=" + service).at("/hosts")).hasSize(1);
    }

    // ---- services

    @Test
    void aServiceIsMadeChangedAndDeleted() throws Exception {
        String service = "/v1/ns/service?serviceName=made";

        Answer made = nacos.call("POST", service + "&protectThreshold=0.6&metadata=a%3D1");
        Answer again = nacos.call("POST", service);
        Answer shown = nacos.get(service);
        Answer noThreshold = nacos.call("PUT", service);
        Answer changed = nacos.call("PUT", service + "&protectThreshold=0.2");
        Answer listed = nacos.get("/v1/ns/service/list?pageNo=1&pageSize=1000");
        double after = nacos.get(service).at("/protectThreshold").asDouble();
        Answer deleted = nacos.call("DELETE", service);
        Answer gone = nacos.call("DELETE", service);

        assertThat(List.of(made.body(), changed.body(), deleted.body())).containsOnly("ok");
        assertThat(again.status()).isEqualTo(400);
        assertThat(again.body()).startsWith("specified service already exists");
        assertThat(shown.at("/protectThreshold").asDouble()).isEqualTo(0.6);
        assertThat(shown.at("/metadata/a").asString()).isEqualTo("1");
        assertThat(shown.at("/selector/type").asString()).isEqualTo("none");
        assertThat(noThreshold.body()).isEqualTo("Param 'protectThreshold' is required.");
        assertThat(listed.body()).contains("\"made\"");
        assertThat(after).isEqualTo(0.2);
        assertThat(gone.status()).isEqualTo(400);
    }

    @Test
    void aServiceWithInstancesIsNotDeleted() throws Exception {
        registered("used");

        Answer answer = nacos.call("DELETE", "/v2/ns/service?serviceName=used");

        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.at("/code").asInt()).isEqualTo(21_009);
    }

    @Test
    void aServiceMaySayThatItsInstancesDoNotBeat() throws Exception {
        String soon = "{\"preserved.heart.beat.timeout\":\"1000\",\"preserved.ip.delete.timeout\":\"1000\"}";
        String beat = "{\"ip\":\"10.0.0.2\",\"port\":80,\"metadata\":" + soon + "}";
        for (int steady = 3; steady <= 6; steady++) {
            nacos.register("serviceName=silent&port=80&ip=10.0.0." + steady); // nor losing most of them
        }
        nacos.call("PUT", "/v1/ns/service?serviceName=silent&protectThreshold=0", "metadata=enableClientBeat%3Dfalse");

        nacos.register("serviceName=silent&ip=10.0.0.1&port=80&metadata=" + NacosCalls.encoded(soon));
        nacos.call("PUT", "/v1/ns/instance/beat?serviceName=silent", "beat=" + NacosCalls.encoded(beat));
        nacos.register("serviceName=loud&ip=10.0.0.1&port=80&metadata=" + NacosCalls.encoded(soon));

        nacos.register("serviceName=loud&ip=10.0.0.2&port=80"); // losing all at once would not be believed
        while (nacos.list("serviceName=loud").get("hosts").size() == 2) {
            Thread.onSpinWait(); // each look is a request
        }
        assertThat(nacos.list("serviceName=silent").get("hosts")).hasSize(6);
    }

    @Test
    void theThresholdOfAServiceProtectsIt() throws Exception {
        registered("guarded");
        nacos.call("PUT", "/v1/ns/service?serviceName=guarded&protectThreshold=1");

        assertThat(nacos.list("serviceName=guarded")
                        .get("reachProtectionThreshold")
                        .asBoolean())
                .isTrue();
    }

    @Test
    void theCheckOfAClusterIsSettledAndShown() throws Exception {
        registered("checked");
        String checker = "{\"type\":\"HTTP\",\"path\":\"/up\",\"headers\":\"a:b\",\"expectedResponseCode\":204}";
        String cluster = "/v1/ns/cluster?serviceName=checked&clusterName=DEFAULT&checkPort=81"
                + "&useInstancePort4Check=false&metadata=a%3D1&healthChecker=";

        Answer mysql = nacos.call("PUT", cluster + NacosCalls.encoded("{\"type\":\"MYSQL\",\"user\":\"u\"}"));
        Answer path = nacos.call("PUT", cluster + NacosCalls.encoded("{\"type\":\"HTTP\",\"path\":\"/a b\"}"));
        Answer settled = nacos.call("PUT", cluster + NacosCalls.encoded(checker));

        assertThat(mysql.status()).isEqualTo(400);
        assertThat(mysql.body()).contains("TCP, HTTP or NONE; Mooring does not log in to databases");
        assertThat(path.status()).isEqualTo(400);
        assertThat(path.body()).startsWith("Param 'healthChecker.path' is illegal");
        assertThat(settled.body()).isEqualTo("ok");
        assertThat(node.settings(ServiceKey.of("checked")).orElseThrow().cluster("DEFAULT"))
                .isEqualTo(
                        new ClusterSettings(Check.HTTP, "/up", "a:b", 204, 81, false, Metadata.of(Map.of("a", "1"))));
        assertThat(nacos.get("/v1/ns/service?serviceName=checked")
                        .at("/clusters/0/healthChecker")
                        .toString())
                .isEqualTo(checker);
        assertThat(nacos.get("/v1/ns/catalog/service?serviceName=checked")
                        .at("/clusters/0")
                        .toString())
                .isEqualTo(
                        "{\"serviceName\":\"DEFAULT_GROUP@@checked\",\"name\":\"DEFAULT\",\"healthChecker\":" + checker
                                + ",\"defaultPort80\":80,\"defaultCheckPort80\":81,\"useIpPort4Check\":false,"
                                + "\"metadata\":{\"a\":\"1\"}}");
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/ns/instance?serviceName=nd&ip=10.0.0.1&port=80&ephemeral=false",
        "POST, /v1/ns/service?serviceName=nd",
    })
    void aNodeWithoutADiskSaysSo(String method, String path) throws Exception {
        try (RunningServer without =
                RunningServer.start("--mooring.restore.enabled=false").ready()) {
            Answer answer = new NacosCalls(without).call(method, path);

            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.body()).contains("mooring.restore.enabled");
        }
    }

    /** Last, for the node does not come back from it. */
    @Test
    @Order(Integer.MAX_VALUE)
    void aNodeThatLeavesSendsClientsElsewhere() throws Exception {
        SERVER.node().loop().execute(() -> SERVER.node().drain(Duration.ZERO, Duration.ofHours(1), () -> {}));
        Answer answer = nacos.get("/v1/ns/instance/list?serviceName=s");
        while (answer.status() == 200) { // until the node's state, a second old at most, says so
            answer = nacos.get("/v1/ns/instance/list?serviceName=s");
        }

        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.body()).startsWith("server is DOWN now");
        assertThat(nacos.get("/v1/ns/operator/metrics").body()).isEqualTo("{\"status\":\"DOWN\"}");
        assertThat(nacos.get("/v1/console/health/readiness").status()).isEqualTo(500);
        assertThat(nacos.get("/v1/console/health/liveness").status()).isEqualTo(200);
        assertThat(nacos.call("POST", "/v1/auth/login", "username=a&password=b").status())
                .isEqualTo(200);
    }
}
