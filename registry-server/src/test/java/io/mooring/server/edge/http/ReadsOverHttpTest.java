package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.SharedServer;
import io.mooring.server.edge.http.HttpCalls.Answer;
import io.mooring.server.web.WebPort;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReadsOverHttpTest {
    @Test
    void aServiceNeverSeenIsAnEmptyListOfRevisionZero() throws Exception {
        Answer answer = HttpCalls.get("/v1/services/nobody");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().at("/revision").asLong()).isZero();
        assertThat(answer.json().at("/digest").asString()).isEqualTo("0000000000000000");
        assertThat(answer.json().at("/instances").size()).isZero();
    }

    @Test
    void clustersAndMetadataSelect() throws Exception {
        HttpCalls.call(
                "PUT", "/v1/services/picked/instances/h:1?cluster=a", "{\"metadata\":{\"zone\":\"eu\",\"v\":\"1\"}}");
        HttpCalls.call("PUT", "/v1/services/picked/instances/h:2?cluster=b", "{\"metadata\":{\"zone\":\"eu\"}}");
        HttpCalls.call(
                "PUT", "/v1/services/picked/instances/h:3?cluster=c", "{\"metadata\":{\"zone\":\"us\",\"v\":\"1\"}}");

        assertThat(ports("/v1/services/picked?cluster=a,b")).containsExactly(1, 2);
        assertThat(ports("/v1/services/picked?cluster=a&cluster=c")).containsExactly(1, 3);
        assertThat(ports("/v1/services/picked?metadata=zone:eu")).containsExactly(1, 2);
        assertThat(ports("/v1/services/picked?metadata=zone:eu&metadata=v:1")).containsExactly(1);
        assertThat(ports("/v1/services/picked?healthyOnly=true")).containsExactly(1, 2, 3);
    }

    private static int[] ports(String path) throws Exception {
        Answer answer = HttpCalls.get(path);
        return IntStream.range(0, answer.json().at("/instances").size())
                .map(i -> answer.json().at("/instances/" + i + "/port").asInt())
                .toArray();
    }

    @Test
    void anUnchangedViewIsNotSentAgain() throws Exception {
        HttpCalls.call("PUT", "/v1/services/tagged/instances/h:1", "");
        String tag = HttpCalls.get("/v1/services/tagged").header("ETag");
        Answer same = HttpCalls.send(
                HttpCalls.request("GET", "/v1/services/tagged", "").header("If-None-Match", "\"other\", W/" + tag));
        if (same.status() == 200) { // the node stopped being incomplete in between, which is a change
            tag = same.header("ETag");
            same = HttpCalls.send(
                    HttpCalls.request("GET", "/v1/services/tagged", "").header("If-None-Match", tag));
        }
        assertThat(same.status()).isEqualTo(304);

        HttpCalls.call("PUT", "/v1/services/tagged/instances/h:2", "");
        Answer changed = HttpCalls.send(
                HttpCalls.request("GET", "/v1/services/tagged", "").header("If-None-Match", tag));
        assertThat(changed.status()).isEqualTo(200);
    }

    @Test
    void servicesAreSearchedAndPaged() throws Exception {
        for (int i = 0; i < 5; i++) {
            HttpCalls.call("PUT", "/v1/services/Paged-" + i + "/instances/h:1?namespace=paging", "");
        }
        HttpCalls.call("PUT", "/v1/services/other/instances/h:1?namespace=paging&group=g", "");

        Answer second = HttpCalls.get("/v1/services?namespace=paging&search=pAGED&page=2&size=2");
        Answer beyond = HttpCalls.get("/v1/services?namespace=paging&page=9");
        Answer group = HttpCalls.get("/v1/services?namespace=paging&group=g");

        assertThat(second.json().at("/total").asInt()).isEqualTo(5);
        assertThat(second.json().at("/services/0/service").asString()).isEqualTo("Paged-2");
        assertThat(second.json().at("/services").size()).isEqualTo(2);
        assertThat(beyond.json().at("/total").asInt()).isEqualTo(6);
        assertThat(beyond.json().at("/services").size()).isZero();
        assertThat(group.json().at("/services/0/service").asString()).isEqualTo("other");
    }

    @Test
    void aLongListArrivesWhole() throws Exception {
        String label = "x".repeat(500);
        for (int i = 1; i <= 60; i++) {
            HttpCalls.call("PUT", "/v1/services/long/instances/h:" + i, "{\"metadata\":{\"l\":\"" + label + "\"}}");
        }
        Answer answer = HttpCalls.get("/v1/services/long");

        assertThat(answer.response().body().length()).isGreaterThan(4 * WebPort.CHUNK);
        assertThat(answer.json().at("/instances").size()).isEqualTo(60);
    }

    @Test
    void theNodeTellsItsState() throws Exception {
        Answer answer = HttpCalls.get("/v1/node");

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().at("/ready").asBoolean()).isTrue();
        assertThat(answer.json().at("/instances/listed").isNumber()).isTrue();
    }

    @Test
    void headAnswersLikeGetWithoutABody() throws Exception {
        Answer head = HttpCalls.call("HEAD", "/v1/node", "");

        assertThat(head.status()).isEqualTo(200);
        assertThat(head.response().body()).isEmpty();
        assertThat(head.header("Content-Length")).isNotEmpty();
    }

    /** Sent raw: this client does not let us set Origin. */
    @Test
    void aPageFromElsewhereGetsNoLeave() throws Exception {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), SharedServer.get().port())) {
            socket.getOutputStream()
                    .write(("OPTIONS /v1/node HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n"
                                    + "Access-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);

            assertThat(answer).startsWith("HTTP/1.1 204 ").contains("Allow: GET, HEAD, OPTIONS");
            assertThat(answer).doesNotContainIgnoringCase("access-control");
        }
    }
}
