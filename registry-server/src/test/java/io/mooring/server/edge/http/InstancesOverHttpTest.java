package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.server.config.SharedServer;
import io.mooring.server.edge.http.HttpCalls.Answer;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InstancesOverHttpTest {
    @Test
    void aNewInstanceIsCreatedAndAnEqualOneIsRenewed() throws Exception {
        String path = "/v1/services/put/instances/10.0.0.1:80";
        String body = "{\"ttl\":\"90s\",\"weight\":2.5,\"metadata\":{\"zone\":\"a\"},\"unheardOf\":[{}]}";

        Answer first = HttpCalls.call("PUT", path, body);
        Answer second = HttpCalls.call("PUT", path, body);

        assertThat(first.status()).isEqualTo(201);
        assertThat(second.status()).isEqualTo(200);
        assertThat(first.json().at("/lease/ttl").asString()).isEqualTo("90s");
        assertThat(first.json().at("/lease/renewEvery").asString()).isEqualTo("30s");
        Answer view = HttpCalls.get("/v1/services/put");
        assertThat(view.json().at("/instances/0/weight").asDouble()).isEqualTo(2.5);
        assertThat(view.json().at("/instances/0/metadata/zone").asString()).isEqualTo("a");
        assertThat(view.json().at("/instances/0/standing").asString()).isEqualTo("live");
    }

    @Test
    void anIpV6AddressIsWrittenInBrackets() throws Exception {
        Answer put = HttpCalls.call("PUT", "/v1/services/v6/instances/%5B::1%5D:80", "");

        assertThat(put.status()).isEqualTo(201);
        assertThat(put.json().at("/host").asString()).isEqualTo("::1");
    }

    @Test
    void namespaceGroupAndClusterComeFromTheQuery() throws Exception {
        Answer put =
                HttpCalls.call("PUT", "/v1/services/elsewhere/instances/h:1?namespace=team&group=blue&cluster=eu", "");

        assertThat(put.status()).isEqualTo(201);
        assertThat(HttpCalls.get("/v1/services/elsewhere")
                        .json()
                        .at("/instances")
                        .size())
                .isZero();
        Answer there = HttpCalls.get("/v1/services/elsewhere?namespace=team&group=blue");
        assertThat(there.json().at("/instances/0/cluster").asString()).isEqualTo("eu");
    }

    @Test
    void oneCallRenewsManyAndNamesThoseThatMustRegisterAgain() throws Exception {
        HttpCalls.call("PUT", "/v1/services/renewed/instances/h:1", "");
        String known = "{\"service\":\"renewed\",\"host\":\"h\",\"port\":1}";
        String unknown = "{\"service\":\"renewed\",\"host\":\"h\",\"port\":2}";

        Answer answer = HttpCalls.call("POST", "/v1/renew", "{\"instances\":[" + known + "," + unknown + "]}");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().at("/renewed").asInt()).isEqualTo(1);
        assertThat(answer.json().at("/unknown/0/port").asInt()).isEqualTo(2);
    }

    @Test
    void aChangeTouchesOnlyWhatItNames() throws Exception {
        String path = "/v1/services/amended/instances/h:1";
        HttpCalls.call("PUT", path, "{\"weight\":3,\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}");

        Answer disabled = HttpCalls.call("PATCH", path, "{\"enabled\":false}");
        Answer relabelled = HttpCalls.call("PATCH", path, "{\"metadata\":{\"c\":\"3\"}}");

        assertThat(disabled.status()).isEqualTo(200);
        assertThat(disabled.json().at("/weight").asInt()).isEqualTo(3);
        assertThat(relabelled.json().at("/enabled").asBoolean()).isFalse();
        assertThat(relabelled.json().at("/metadata").toString()).isEqualTo("{\"c\":\"3\"}");
        assertThat(HttpCalls.call("PATCH", "/v1/services/amended/instances/h:2", "{\"weight\":1}")
                        .status())
                .isEqualTo(404);
    }

    @Test
    void aDeregisteredInstanceIsGoneFromTheNextRead() throws Exception {
        String path = "/v1/services/removed/instances/h:1";
        HttpCalls.call("PUT", path, "");

        assertThat(HttpCalls.call("DELETE", path, "").status()).isEqualTo(204);
        assertThat(HttpCalls.get("/v1/services/removed").json().at("/instances").size())
                .isZero();
        Answer again = HttpCalls.call("DELETE", path, "");
        assertThat(again.status()).isEqualTo(404);
        assertThat(again.json().at("/code").asString()).isEqualTo("unknown");
    }

    @Test
    void whatASessionHoldsIsRemovedOnlyByForce() throws Exception {
        Instance held = Instance.of(ServiceKey.of("held"), "h", 1);
        RegistryNode node = SharedServer.get().node();
        String session = "0123456789abcdef0123456789abcdef";
        CompletableFuture<Outcome> registered = new CompletableFuture<>();
        node.loop().execute(() -> {
            node.open(session, 0, (code, message) -> {}, OptionalLong.empty(), welcome -> {}, refused -> {});
            node.register(session, List.of(held), registered::complete);
        });
        assertThat(registered.get(10, TimeUnit.SECONDS)).isEqualTo(Outcome.ACCEPTED);

        Answer polite = HttpCalls.call("DELETE", "/v1/services/held/instances/h:1", "");
        Answer forced = HttpCalls.call("DELETE", "/v1/services/held/instances/h:1?force=true", "");

        assertThat(polite.status()).isEqualTo(409);
        assertThat(polite.json().at("/code").asString()).isEqualTo("not_owner");
        assertThat(forced.status()).isEqualTo(204);
    }
}
