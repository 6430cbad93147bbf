package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.config.RunningServer;
import io.mooring.server.edge.nacos.DurableEntries;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
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

/** What goes to the entries that outlive publishers, and what is said while there are none. */
@Timeout(60)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class NacosEntriesTest {
    private static final RunningServer SERVER = RunningServer.startWith(List.of(FakeEntries.Configuration.class));
    private final NacosCalls nacos = new NacosCalls(SERVER);
    private final FakeEntries entries = SERVER.bean(FakeEntries.class);

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

    @Test
    void putLaysAllOfItOver() throws Exception {
        String instance = registered("put");

        Answer answer = nacos.call("PUT", "/v1/ns/instance?" + instance, "enabled=false&metadata=b%3D2");

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(entries.overlays).containsEntry(id("put"), DurableEntries.Overlay.of(1, false, Map.of("b", "2")));
    }

    @Test
    void patchLaysOverWhatItNames() throws Exception {
        String instance = registered("patch");

        nacos.call("PATCH", "/v1/ns/instance?" + instance + "&weight=3");
        Answer v2 = nacos.call("PATCH", "/v2/ns/instance?" + instance + "&metadata=b%3D2");

        assertThat(v2.body()).as("without an envelope").isEqualTo("ok");
        assertThat(entries.overlays)
                .containsEntry(
                        id("patch"),
                        new DurableEntries.Overlay(OptionalDouble.of(3), Optional.empty(), Map.of("b", "2")));
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
        assertThat(entries.overlays.get(id("batch")).metadata()).isEqualTo(Map.of("y", "2"));
    }

    @Test
    void nobodyIsChangedWhoIsNotThere() throws Exception {
        registered("there");
        int before = entries.overlays.size();

        Answer noService = nacos.call("PUT", "/v1/ns/instance?serviceName=absent&ip=10.0.0.1&port=80");
        Answer noInstance = nacos.call("PUT", "/v1/ns/instance?serviceName=there&ip=10.0.0.9&port=80");
        Answer v2 = nacos.call("PATCH", "/v2/ns/instance?serviceName=there&ip=10.0.0.9&port=80&weight=1");

        assertThat(noService.status()).isEqualTo(400);
        assertThat(noService.body()).startsWith("service not found");
        assertThat(noInstance.status()).isEqualTo(400);
        assertThat(v2.status()).isEqualTo(404);
        assertThat(v2.at("/code").asInt()).isEqualTo(21_003);
        assertThat(entries.overlays).hasSize(before);
    }

    @Test
    void whatIsNotEphemeralGoesThere() throws Exception {
        String instance = "serviceName=kept&ip=10.0.0.1&port=80";

        assertThat(nacos.call("POST", "/v1/ns/instance?" + instance + "&ephemeral=false")
                        .body())
                .isEqualTo("ok");
        assertThat(nacos.call("DELETE", "/v1/ns/instance?" + instance + "&ephemeral=false")
                        .body())
                .as("one that is not there is gone")
                .isEqualTo("ok");
        assertThat(nacos.call("DELETE", "/v1/ns/instance?serviceName=kept&ip=10.9.9.9&port=80")
                        .body())
                .as("one that is known to be persistent need not be called so")
                .isEqualTo("ok");
        assertThat(nacos.call("PUT", "/v1/ns/health/instance?" + instance + "&healthy=false")
                        .body())
                .isEqualTo("ok");
        String name = "public/DEFAULT_GROUP/kept/DEFAULT/";
        assertThat(entries.asked)
                .contains(
                        "put " + name + "10.0.0.1:80",
                        "remove " + name + "10.0.0.1:80",
                        "remove " + name + "10.9.9.9:80",
                        "health " + name + "10.0.0.1:80 false");
    }

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
    void theThresholdOfAServiceProtectsIt() throws Exception {
        nacos.register("serviceName=guarded&ip=10.0.0.1&port=80");
        nacos.call("POST", "/v1/ns/service?serviceName=never");
        entries.settings.put(
                ServiceKey.of("guarded"), new DurableEntries.Settings(1, Map.of(), "{\"type\":\"none\"}", Map.of()));

        assertThat(nacos.list("serviceName=guarded")
                        .get("reachProtectionThreshold")
                        .asBoolean())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /v1/ns/instance?serviceName=n&ip=10.0.0.1&port=80&ephemeral=false, persistent instances",
        "PUT, /v1/ns/instance?serviceName=n&ip=10.0.0.1&port=80, changes made to instances by others",
        "PATCH, /v1/ns/instance?serviceName=n&ip=10.0.0.1&port=80&weight=2, changes made to instances by others",
        "POST, /v1/ns/service?serviceName=new, settings of services",
        "PUT, /v1/ns/health?serviceName=n&ip=10.0.0.1&port=80&healthy=true, persistent instances",
    })
    void whileNothingIsKeptThatIsSaid(String method, String path, String sentence) throws Exception {
        NacosCalls without = NacosCalls.SHARED;
        without.register("serviceName=n&ip=10.0.0.1&port=80");

        Answer answer = without.call(method, path);

        assertThat(answer.status()).isEqualTo(501);
        assertThat(answer.body()).contains("this node keeps no " + sentence);
        assertThat(without.list("serviceName=n").at("/hosts/0/weight").asDouble())
                .isEqualTo(1);
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
