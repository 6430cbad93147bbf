package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Registering, deregistering and asking, as v1, v2 and v3 have it. */
class NacosInstancesTest {
    private final NacosCalls nacos = NacosCalls.SHARED;

    @Test
    void whatIsRegisteredIsInTheNextAnswer() throws Exception {
        nacos.register("serviceName=first&groupName=G1&ip=10.0.0.1&port=80&weight=2.5&clusterName=c1" + "&metadata="
                + NacosCalls.encoded("{\"zone\":\"a\"}"));

        JsonNode list = nacos.list("serviceName=first&groupName=G1");

        JsonNode host = list.at("/hosts/0");
        assertThat(list.at("/hosts")).hasSize(1);
        assertThat(host.get("ip").asString()).isEqualTo("10.0.0.1");
        assertThat(host.get("port").asInt()).isEqualTo(80);
        assertThat(host.get("weight").asDouble()).isEqualTo(2.5);
        assertThat(host.get("clusterName").asString()).isEqualTo("c1");
        assertThat(host.get("healthy").asBoolean()).isTrue();
        assertThat(host.get("ephemeral").asBoolean()).isTrue();
        assertThat(host.get("instanceId").asString()).isEqualTo("10.0.0.1#80#c1#G1@@first");
        assertThat(host.get("serviceName").asString()).isEqualTo("G1@@first");
        assertThat(host.at("/metadata/zone").asString()).isEqualTo("a");
    }

    @Test
    void parametersMayComeInTheQueryOrInAFormInAnyMix() throws Exception {
        Answer form = nacos.call("POST", "/v1/ns/instance", "serviceName=mixed&ip=10.0.0.1&port=80");
        Answer both =
                nacos.call("POST", "/v1/ns/instance?serviceName=mixed&ip=10.0.0.2", "port=81&metadata=a%3Db,c%3Dd");
        Answer twice = nacos.call("POST", "/v1/ns/instance?serviceName=mixed&ip=10.0.0.3&port=82", "port=83");

        assertThat(List.of(form.body(), both.body(), twice.body())).containsOnly("ok");
        JsonNode hosts = nacos.list("serviceName=mixed").get("hosts");
        assertThat(hosts).hasSize(3);
        assertThat(hosts.at("/1/metadata").toString()).isEqualTo("{\"a\":\"b\",\"c\":\"d\"}");
        assertThat(hosts.at("/2/port").asInt()).as("the first counts").isEqualTo(82);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "serviceName=named&groupName=DEFAULT_GROUP&namespaceId=public",
                "serviceName=DEFAULT_GROUP%40%40named&namespaceId=",
                "serviceName=DEFAULT_GROUP@@named&groupName=other",
                "serviceName=named"
            })
    void bareAndGroupedNamesAndDefaultsMeanTheSame(String query) throws Exception {
        nacos.register("serviceName=named&ip=10.0.0.1&port=80");

        assertThat(nacos.list(query).get("hosts")).hasSize(1);
    }

    @Test
    void namespacesAndGroupsKeepApart() throws Exception {
        nacos.register("serviceName=apart&ip=10.0.0.1&port=80&namespaceId=team-a");

        assertThat(nacos.list("serviceName=apart").get("hosts")).isEmpty();
        assertThat(nacos.list("serviceName=apart&namespaceId=team-a&groupName=G1")
                        .get("hosts"))
                .isEmpty();
        assertThat(nacos.list("serviceName=apart&namespaceId=team-a").get("hosts"))
                .hasSize(1);
    }

    @Test
    void whoRegistersAgainReplacesWhatItSaid() throws Exception {
        nacos.register("serviceName=again&ip=10.0.0.1&port=80&metadata=a%3D1");
        nacos.register("serviceName=again&ip=10.0.0.1&port=80&weight=7&metadata=b%3D2");

        JsonNode hosts = nacos.list("serviceName=again").get("hosts");
        assertThat(hosts).hasSize(1);
        assertThat(hosts.at("/0/weight").asDouble()).isEqualTo(7);
        assertThat(hosts.at("/0/metadata").toString()).isEqualTo("{\"b\":\"2\"}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"enabled", "enable"})
    void whatIsOutOfRotationIsNotInAnswersButInConsoles(String synonym) throws Exception {
        String name = "disabled-" + synonym;
        nacos.register("serviceName=" + name + "&ip=10.0.0.1&port=80");
        nacos.register("serviceName=" + name + "&ip=10.0.0.2&port=80&" + synonym + "=false");

        assertThat(nacos.list("serviceName=" + name).get("hosts")).hasSize(1);
        JsonNode all = nacos.get(
                        "/v1/ns/catalog/instances?serviceName=" + name + "&clusterName=DEFAULT&pageNo=1&pageSize=10")
                .json();
        assertThat(all.get("count").asInt()).isEqualTo(2);
        assertThat(all.at("/list/1/enabled").asBoolean()).isFalse();
    }

    @Test
    void clustersSelect() throws Exception {
        nacos.register("serviceName=clustered&ip=10.0.0.1&port=80&cluster=c1");
        nacos.register("serviceName=clustered&ip=10.0.0.2&port=80&clusterName=c2");
        nacos.register("serviceName=clustered&ip=10.0.0.3&port=80");

        assertThat(nacos.list("serviceName=clustered").get("hosts")).hasSize(3);
        assertThat(nacos.list("serviceName=clustered&clusters=c1,c2").get("hosts"))
                .hasSize(2);
        assertThat(nacos.list("serviceName=clustered&clusters=c3").get("hosts")).isEmpty();
        assertThat(nacos.get("/v2/ns/instance/list?serviceName=clustered&clusterName=c2")
                        .data()
                        .get("hosts"))
                .hasSize(1);
        assertThat(nacos.get("/v3/client/ns/instance/list?serviceName=clustered")
                        .data())
                .as("v3 means the default cluster when none is named")
                .hasSize(1);
    }

    @Test
    void aDeregisteredInstanceIsGoneAndOneThatWasNeverThereToo() throws Exception {
        nacos.register("serviceName=leaving&ip=10.0.0.1&port=80");

        assertThat(nacos.call("DELETE", "/v1/ns/instance?serviceName=leaving&ip=10.0.0.1&port=80")
                        .body())
                .isEqualTo("ok");
        assertThat(nacos.list("serviceName=leaving").get("hosts")).isEmpty();
        Answer never = nacos.call("DELETE", "/v1/ns/instance?serviceName=leaving&ip=10.0.0.9&port=80");
        assertThat(never.status()).isEqualTo(200);
        assertThat(never.body()).isEqualTo("ok");
    }

    @Test
    void oneInstanceIsShownByItself() throws Exception {
        nacos.register("serviceName=detail&ip=10.0.0.1&port=80&weight=2&metadata=a%3D1");

        Answer v1 = nacos.get("/v1/ns/instance?serviceName=detail&ip=10.0.0.1&port=80");
        Answer v2 = nacos.get("/v2/ns/instance?serviceName=detail&ip=10.0.0.1&port=80");

        assertThat(v1.body())
                .isEqualTo("{\"service\":\"DEFAULT_GROUP@@detail\",\"ip\":\"10.0.0.1\",\"port\":80,"
                        + "\"clusterName\":\"DEFAULT\",\"weight\":2.0,\"healthy\":true,"
                        + "\"instanceId\":\"10.0.0.1#80#DEFAULT#DEFAULT_GROUP@@detail\",\"metadata\":{\"a\":\"1\"}}");
        assertThat(v2.data().get("serviceName").asString()).isEqualTo("DEFAULT_GROUP@@detail");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/ns/instance?serviceName=absent&ip=10.0.0.1&port=80, no ips found for cluster DEFAULT in service DEFAULT_GROUP@@absent",
        "/v1/ns/instance?serviceName=present&ip=10.0.0.9&port=80, no matched ip found!"
    })
    void anAbsentInstanceIsNotFound(String path, String text) throws Exception {
        nacos.register("serviceName=present&ip=10.0.0.1&port=80");

        Answer answer = nacos.get(path);

        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.type()).startsWith("text/plain");
        assertThat(answer.body()).isEqualTo(text);
    }

    @Test
    void statusesAreListed() throws Exception {
        nacos.register("serviceName=status&groupName=G1&ip=10.0.0.1&port=80");

        assertThat(nacos.get("/v1/ns/instance/statuses?key=public%23%23G1@@status")
                        .body())
                .isEqualTo("{\"ips\":[\"10.0.0.1:80_true\"]}");
    }

    @Test
    void whatASessionHoldsIsNotTakenAwayInItsName() throws Exception {
        Instance held = Instance.of(ServiceKey.of("nacos-held"), "10.0.0.1", 80);
        RegistryNode node = nacos.server().node();
        String session = "fedcba9876543210fedcba9876543210";
        CompletableFuture<Outcome> registered = new CompletableFuture<>();
        node.loop().execute(() -> {
            node.open(session, 0, (code, message) -> {}, OptionalLong.empty(), welcome -> {}, refused -> {});
            node.register(session, List.of(held), registered::complete);
        });
        assertThat(registered.get(10, TimeUnit.SECONDS)).isEqualTo(Outcome.ACCEPTED);

        Answer v1 = nacos.call("DELETE", "/v1/ns/instance?serviceName=nacos-held&ip=10.0.0.1&port=80");
        Answer v2 = nacos.call("DELETE", "/v2/ns/instance?serviceName=nacos-held&ip=10.0.0.1&port=80");

        assertThat(v1.status()).isEqualTo(400);
        assertThat(v2.status()).isEqualTo(409);
        assertThat(v2.json().get("code").asInt()).isEqualTo(20_005);
        assertThat(nacos.list("serviceName=nacos-held").get("hosts")).hasSize(1);
    }

    @Test
    void whoDoesNotHearOfChangesIsToldToAskOften() throws Exception {
        assertThat(nacos.list("serviceName=polled").get("cacheMillis").asLong()).isEqualTo(3_000);
        assertThat(nacos.list("serviceName=polled&udpPort=40000&clientIP=10.9.9.9")
                        .get("cacheMillis")
                        .asLong())
                .isEqualTo(10_000);
    }
}
