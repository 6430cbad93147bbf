package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The forms that clients tell servers by: envelopes, bare answers, names, and what is not there. */
class NacosShapesTest {
    private final NacosCalls nacos = NacosCalls.SHARED;

    @Test
    void namesAreGroupedOverHttp() throws Exception {
        JsonNode list = nacos.list("serviceName=shape&groupName=G1");

        assertThat(list.get("name").asString()).isEqualTo("G1@@shape");
        assertThat(list.get("groupName").asString()).isEqualTo("G1");
        assertThat(nacos.get("/v2/ns/instance/list?serviceName=shape&groupName=G1")
                        .data()
                        .get("name")
                        .asString())
                .isEqualTo("G1@@shape");
    }

    @Test
    void clustersAreEchoedAsTheyWereAskedFor() throws Exception {
        assertThat(nacos.list("serviceName=shape&clusters=b,a,").get("clusters").asString())
                .isEqualTo("b,a,");
        assertThat(nacos.list("serviceName=shape").get("clusters").asString()).isEmpty();
    }

    @Test
    void hostsOfAnUnknownServiceAreAnEmptyListAndNeverNull() throws Exception {
        Answer answer = nacos.get("/v1/ns/instance/list?serviceName=never-heard-of");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body()).contains("\"hosts\":[]").contains("\"valid\":true");
        assertThat(nacos.get("/v2/ns/instance/list?serviceName=never-heard-of")
                        .data()
                        .get("hosts")
                        .toString())
                .isEqualTo("[]");
        assertThat(nacos.get("/v3/client/ns/instance/list?serviceName=never-heard-of")
                        .data()
                        .toString())
                .isEqualTo("[]");
    }

    @Test
    void laterListsDoNotLookOlder() throws Exception {
        long first = nacos.list("serviceName=shape").get("lastRefTime").asLong();
        long second = nacos.list("serviceName=shape").get("lastRefTime").asLong();

        assertThat(second).isGreaterThanOrEqualTo(first);
        assertThat(String.valueOf(second)).hasSize(13);
    }

    @Test
    void writesOfV1AreAnsweredOkInPlainText() throws Exception {
        Answer answer = nacos.call("POST", "/v1/ns/instance?serviceName=plain&ip=10.0.0.1&port=80");

        assertThat(answer.body()).isEqualTo("ok");
        assertThat(answer.type()).startsWith("text/plain");
    }

    @Test
    void answersOfV2HaveAnEnvelope() throws Exception {
        Answer post = nacos.call("POST", "/v2/ns/instance?serviceName=enveloped&ip=10.0.0.1&port=80");
        Answer missing = nacos.get("/v2/ns/instance/list");
        Answer absent = nacos.get("/v2/ns/instance?serviceName=enveloped&ip=10.0.0.9&port=80");

        assertThat(post.body()).isEqualTo("{\"code\":0,\"message\":\"success\",\"data\":\"ok\"}");
        assertThat(missing.status()).isEqualTo(400);
        assertThat(missing.body())
                .isEqualTo("{\"code\":10000,\"message\":\"parameter missing\","
                        + "\"data\":\"Param 'serviceName' is required.\"}");
        assertThat(absent.status()).isEqualTo(404);
        assertThat(absent.at("/code").asInt()).isEqualTo(20_004);
    }

    @Test
    void statusesOfV2HaveNoEnvelope() throws Exception {
        assertThat(nacos.get("/v2/ns/instance/statuses/public%23%23DEFAULT_GROUP@@nobody")
                        .body())
                .isEqualTo("{\"ips\":[]}");
    }

    @Test
    void listsOfV3AreInstances() throws Exception {
        nacos.register("serviceName=v3&ip=10.0.0.1&port=80");

        assertThat(nacos.get("/v3/client/ns/instance/list?serviceName=v3")
                        .data()
                        .at("/0/ip")
                        .asString())
                .isEqualTo("10.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /v1/ns/unheard-of",
                "POST /v1/ns/instance/list",
                "GET /v1/ns/raft/leader",
                "PUT /v1/ns/distro/datum",
                "GET /v2/ns/unheard-of",
                "GET /v3/client/unheard-of",
                "GET /v1/cs/configs",
                "POST /v3/auth/user/admin"
            })
    void anUnknownApiIsAnswered501(String line) throws Exception {
        String method = line.substring(0, line.indexOf(' '));
        String path = line.substring(line.indexOf(' ') + 1);

        Answer answer = nacos.call(method, path);

        assertThat(answer.status()).isEqualTo(501);
        assertThat(answer.body()).startsWith("no such api:" + method + ":/nacos" + path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "/index.html", "/v1/console/unheard-of", "/v1", "/v9x/ns"})
    void whatIsNoApiIsAnswered404(String path) throws Exception {
        assertThat(nacos.get(path).status()).isEqualTo(404);
    }

    @Test
    void aSlashAtTheEndDoesNoHarm() throws Exception {
        assertThat(nacos.get("/v1/ns/operator/metrics/").body()).isEqualTo("{\"status\":\"UP\"}");
    }

    @Test
    void configurationIsRefusedInAClearSentence() throws Exception {
        assertThat(nacos.get("/v1/cs/configs?dataId=a&group=b").body()).contains("Mooring keeps no configuration");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/console/health/liveness, OK",
        "/v1/console/health/readiness, OK",
        "/v2/console/health/readiness, OK"
    })
    void probesAreAnswered(String path, String body) throws Exception {
        assertThat(nacos.get(path).body()).isEqualTo(body);
    }
}
