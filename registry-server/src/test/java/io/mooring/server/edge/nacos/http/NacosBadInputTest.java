package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.edge.nacos.LogLines;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that are wrong in some way: the sentence and status that Nacos clients understand, and no change of state. */
class NacosBadInputTest {
    private static final String OK = "serviceName=bad&ip=10.0.0.1&port=80";
    private final NacosCalls nacos = NacosCalls.SHARED;
    private LogLines log;

    /** @param says how the text of v1 begins */
    record Row(String name, String method, String path, String form, int status, String says) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final class Rows {
        private final List<Row> rows = new ArrayList<>();

        void post(String name, String query, String says) {
            add(name, "POST", "/v1/ns/instance?" + query, "", 400, says);
        }

        void post(String name, String with, String value, String says) {
            post(name, OK + "&" + with + "=" + NacosCalls.encoded(value), says);
        }

        void add(String name, String method, String path, String form, int status, String says) {
            rows.add(new Row(name, method, path, form, status, says));
        }
    }

    static Stream<Row> rows() {
        Rows r = new Rows();
        r.post("no service", "ip=10.0.0.1&port=80", "Param 'serviceName' is required.");
        r.post("an empty service", "serviceName=&ip=10.0.0.1&port=80", "Param 'serviceName' is required.");
        r.post("no ip", "serviceName=bad&port=80", "Param 'ip' is required.");
        r.post("no port", "serviceName=bad&ip=10.0.0.1", "Param 'port' is required.");
        r.post("a service of a group alone", "serviceName=G1@@&ip=h&port=1", "Param 'serviceName' is illegal, ");
        r.post("a service with two groups", "serviceName=a@@b@@c&ip=h&port=1", "Param 'serviceName' is illegal, ");
        r.post("a service with a space", "serviceName=a+b&ip=h&port=1", "Param 'serviceName' is illegal, ");
        r.post("a service in Chinese", "serviceName=%E6%9C%8D&ip=h&port=1", "Param 'serviceName' is illegal, ");
        r.post(
                "a service too long",
                "serviceName=" + "a".repeat(513) + "&ip=h&port=1",
                "Param 'serviceName' is illegal, ");
        r.post("a group with a slash", OK + "&groupName=a/b", "Param 'groupName' is illegal, a/b");
        r.post("a namespace too long", OK + "&namespaceId=" + "n".repeat(65), "Param 'namespaceId' is illegal, ");
        r.post("a cluster with a space", OK + "&clusterName=a+b", "Param 'clusterName' is illegal, a b");
        r.post("an ip with a space", "serviceName=bad&ip=1+2&port=1", "Param 'ip' is illegal, 1 2");
        r.post("an ip too long", "serviceName=bad&port=1&ip=" + "1".repeat(254), "Param 'ip' is illegal, ");
        r.post("a port too high", "serviceName=bad&ip=h&port=65536", "Param 'port' is illegal, 65536");
        r.post("a port below 0", "serviceName=bad&ip=h&port=-1", "Param 'port' is illegal, -1");
        r.post("a port in words", "serviceName=bad&ip=h&port=http", "Param 'port' is illegal, http");
        r.post("a port beyond numbers", "serviceName=bad&ip=h&port=99999999999", "Param 'port' is illegal, ");
        r.post("a weight too high", "weight", "10001", "Param 'weight' is illegal, 10001");
        r.post("a weight below 0", "weight", "-1", "Param 'weight' is illegal, -1");
        r.post("a weight that is no number", "weight", "NaN", "Param 'weight' is illegal, NaN");
        r.post("a weight in words", "weight", "heavy", "Param 'weight' is illegal, heavy");
        r.post("an unclear truth", "enabled", "perhaps", "Param 'enabled' is illegal, perhaps");
        r.post("an unclear ephemeral", "ephemeral", "2", "Param 'ephemeral' is illegal, 2");
        r.post("labels without =", "metadata", "a,b", "Param 'metadata' is illegal, a,b");
        r.post("labels without a key", "metadata", "=b", "Param 'metadata' is illegal, =b");
        r.post("labels cut off", "metadata", "{\"a\":", "Param 'metadata' is illegal, {");
        r.post("labels that are lists", "metadata", "{\"a\":[1]}", "Param 'metadata.a' is illegal, a list");
        r.post("too many labels", "metadata", many(), "Param 'metadata' is illegal, ");
        r.post("a label too long", "metadata", "a=" + "v".repeat(8_193), "Param 'metadata.a' is illegal, ");
        r.add("a form cut off", "POST", "/v1/ns/instance?" + OK, "metadata=%4", 400, "form: ");
        r.add("a form that is no UTF-8", "POST", "/v1/ns/instance?" + OK, "metadata=a%3D%ff", 400, "form: ");
        r.add("too many parameters", "POST", "/v1/ns/instance?" + OK, "a=b&".repeat(300), 400, "form: more than 256");
        r.add(
                "too long a form",
                "POST",
                "/v1/ns/instance?" + OK,
                "a=" + "b".repeat(1 << 20),
                400,
                "the body is longer");
        r.add(
                "a beat that is no JSON",
                "PUT",
                "/v1/ns/instance/beat?" + OK,
                "beat=x",
                400,
                "Param 'beat' is illegal, x");
        r.add("a beat of nobody", "PUT", "/v1/ns/instance/beat?" + OK, "beat=%7B%7D", 400, "Param 'ip' is illegal, ");
        r.add(
                "a beat with an odd port",
                "PUT",
                "/v1/ns/instance/beat?" + OK,
                "beat=" + NacosCalls.encoded("{\"ip\":\"h\",\"port\":\"x\"}"),
                400,
                "Param 'port' is illegal, x");
        r.add(
                "a light beat without ip",
                "PUT",
                "/v1/ns/instance/beat?serviceName=bad&port=1",
                "",
                400,
                "Param 'ip' is required.");
        r.add("a list of nothing", "GET", "/v1/ns/instance/list", "", 400, "Param 'serviceName' is required.");
        r.add(
                "an odd healthyOnly",
                "GET",
                "/v1/ns/instance/list?serviceName=bad&healthyOnly=x",
                "",
                400,
                "Param 'healthyOnly' is illegal, x");
        r.add(
                "an odd udpPort",
                "GET",
                "/v1/ns/instance/list?serviceName=bad&udpPort=70000",
                "",
                400,
                "Param 'udpPort' is illegal, 70000");
        r.add(
                "a page of nothing",
                "GET",
                "/v1/ns/service/list?pageNo=1&pageSize=0",
                "",
                400,
                "Param 'pageSize' is illegal, 0");
        r.add(
                "a page in words",
                "GET",
                "/v1/ns/service/list?pageNo=one&pageSize=1",
                "",
                400,
                "Param 'pageNo' is illegal, one");
        r.add(
                "a threshold of 2",
                "POST",
                "/v1/ns/service?serviceName=bad&protectThreshold=2",
                "",
                400,
                "Param 'protectThreshold' is illegal, 2.0");
        r.add(
                "a selector that is no JSON",
                "POST",
                "/v1/ns/service?serviceName=bad&selector=x",
                "",
                400,
                "Param 'selector' is illegal, x");
        r.add("statuses of nothing", "GET", "/v1/ns/instance/statuses", "", 400, "Param 'key' is required.");
        r.add(
                "a batch without labels",
                "PUT",
                "/v1/ns/instance/metadata/batch?serviceName=bad",
                "",
                400,
                "Param 'metadata' is required.");
        r.add(
                "a batch of no list",
                "PUT",
                "/v1/ns/instance/metadata/batch?serviceName=bad&metadata=a%3Db&instances=x",
                "",
                400,
                "Param 'instances' is illegal, x");
        r.add(
                "a batch cut off",
                "PUT",
                "/v1/ns/instance/metadata/batch?serviceName=bad&metadata=a%3Db",
                "instances=" + NacosCalls.encoded("[{\"ip\":\"h\""),
                400,
                "Param 'instances' is illegal, ");
        r.add(
                "a batch of lists",
                "PUT",
                "/v1/ns/instance/metadata/batch?serviceName=bad&metadata=a%3Db&instances=%5B%5B%5D%5D",
                "",
                400,
                "Param 'instances' is illegal, ");
        r.add(
                "a check that nobody knows",
                "PUT",
                "/v1/ns/cluster?serviceName=bad&clusterName=c",
                "healthChecker=" + NacosCalls.encoded("{\"type\":\"GUESS\"}"),
                400,
                "Param 'healthChecker.type' is illegal, GUESS");
        r.add(
                "a check that is no JSON",
                "PUT",
                "/v1/ns/cluster?serviceName=bad&clusterName=c",
                "healthChecker=TCP",
                400,
                "Param 'healthChecker' is illegal, TCP");
        r.add("health without a word", "PUT", "/v1/ns/health/instance?" + OK, "", 400, "Param 'healthy' is required.");
        r.add(
                "a beat of an object without end",
                "PUT",
                "/v1/ns/instance/beat?" + OK,
                "beat=" + NacosCalls.encoded("{\"a\":" + "[".repeat(50_000)),
                400,
                "Param 'beat' is illegal, ");
        r.add("a namespace with a space", "GET", "/v1/ns/service/names?namespaceId=a+b", "", 400, "Param 'namespace");
        return r.rows.stream();
    }

    private static String many() {
        StringBuilder labels = new StringBuilder();
        for (int i = 0; i < 129; i++) {
            labels.append(i).append("=v,");
        }
        return labels.toString();
    }

    @BeforeEach
    void start() {
        log = new LogLines();
    }

    @AfterEach
    void oneLineAtMost() {
        log.close();
        assertThat(log.lines()).hasSizeLessThanOrEqualTo(1);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void isRefusedInTheWordsOfTheContract(Row row) throws Exception {
        Answer answer = nacos.call(row.method(), row.path(), row.form());

        assertThat(answer.status()).as(answer.body()).isEqualTo(row.status());
        assertThat(answer.type()).startsWith("text/plain");
        assertThat(answer.body()).startsWith(row.says());
        assertThat(nacos.list("serviceName=bad").get("hosts")).isEmpty();
    }

    /** Later generations say the same in their envelope, with a number for each kind of mistake. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "POST   | /v2/ns/instance           | ip=h&port=1                                 | 10000 | Param 'serviceName' is required.",
                "DELETE | /v2/ns/instance           | serviceName=bad&port=1                      | 10000 | Param 'ip' is required.",
                "POST   | /v2/ns/instance           | serviceName=a+b&ip=h&port=1                 | 20002 | Param 'serviceName' is illegal, a b",
                "POST   | /v2/ns/instance           | serviceName=bad&ip=h&port=65536             | 20002 | Param 'port' is illegal, 65536",
                "POST   | /v2/ns/instance           | serviceName=bad&ip=h&port=1&weight=10001    | 20002 | Param 'weight' is illegal, 10001",
                "POST   | /v3/client/ns/instance    | serviceName=bad&ip=h&port=1&heartBeat=maybe | 20002 | Param 'heartBeat' is illegal, maybe",
                "POST   | /v3/admin/ns/instance     | serviceName=bad&ip=h&port=1&metadata=x      | 20002 | Param 'metadata' is illegal, x",
                "POST   | /v2/ns/service            | serviceName=bad&protectThreshold=2          | 20002 | Param 'protectThreshold' is illegal, 2.0",
                "GET    | /v2/ns/service/list       | pageSize=0                                  | 20002 | Param 'pageSize' is illegal, 0",
                "GET    | /v3/client/ns/instance/list |                                           | 10000 | Param 'serviceName' is required."
            })
    void isRefusedByNumberInLaterGenerations(String method, String path, String query, int code, String says)
            throws Exception {
        Answer answer = nacos.call(method, path + "?" + (query == null ? "" : query));

        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.at("/code").asInt()).as(answer.body()).isEqualTo(code);
        assertThat(answer.data().asString()).startsWith(says);
        assertThat(nacos.list("serviceName=bad").get("hosts")).isEmpty();
    }

    @Test
    void aBodyThatIsNoFormIsRefused() throws Exception {
        HttpRequest.Builder request = nacos.request("POST", "/v1/ns/instance?" + OK, "{}");
        Answer v1 = nacos.send(request.setHeader("Content-Type", "application/json"));
        HttpRequest.Builder later = nacos.request("POST", "/v2/ns/instance?" + OK, "{}");
        Answer v2 = nacos.send(later.setHeader("Content-Type", "application/json"));

        assertThat(v1.status()).isEqualTo(400);
        assertThat(v2.status()).isEqualTo(415);
        assertThat(v2.at("/code").asInt()).isEqualTo(20_003);
    }

    @Test
    void aPageFromElsewhereChangesNothing() throws Exception {
        HttpRequest.Builder request = nacos.request("POST", "/v1/ns/instance?" + OK, "");

        Answer answer = nacos.send(request.header("Origin", "https://elsewhere.example"));

        assertThat(answer.status()).isEqualTo(403);
        assertThat(nacos.list("serviceName=bad").get("hosts")).isEmpty();
        String own = "http://127.0.0.1:" + nacos.server().port();
        HttpRequest.Builder same = nacos.request("POST", "/v1/ns/instance?serviceName=own&ip=h&port=1", "");
        assertThat(nacos.send(same.header("Origin", own)).status()).isEqualTo(200);
    }
}
