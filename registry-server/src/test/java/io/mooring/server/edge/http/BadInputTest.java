package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.config.SharedServer;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.node.ServiceSummary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Bytes that are wrong in some way: always a documented refusal, never a 5xx, a trace, or a change of state. */
class BadInputTest {
    private static final String PUT = "/v1/services/bad/instances/h:1";
    private static final RegistryNode NODE = SharedServer.get().node();

    /** @param field that the problem must name; empty for any */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Row(String name, byte[] bytes, int status, String code, String field) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final class Rows {
        private final List<Row> rows = new ArrayList<>();

        void line(String name, String lineAndHeaders, int status, String code) {
            bytes(name, (lineAndHeaders + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1), status, code, "");
        }

        void get(String name, String target, int status, String code, String field) {
            String text = "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
            bytes(name, text.getBytes(StandardCharsets.ISO_8859_1), status, code, field);
        }

        void put(String name, String body, String code, String field) {
            body(name, "PUT", PUT, "application/json", body.getBytes(StandardCharsets.UTF_8), 400, code, field);
        }

        void renew(String name, String body, int status, String code, String field) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            body(name, "POST", "/v1/renew", "application/json", bytes, status, code, field);
        }

        void body(
                String name,
                String method,
                String path,
                String type,
                byte[] body,
                int status,
                String code,
                String field) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.writeBytes((method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + type
                            + "\r\nContent-Length: " + body.length + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            out.writeBytes(body);
            bytes(name, out.toByteArray(), status, code, field);
        }

        void bytes(String name, byte[] bytes, int status, String code, String field) {
            rows.add(new Row(name, bytes, status, code, field));
        }
    }

    static Stream<Row> rows() {
        Rows r = new Rows();
        // the container's part
        r.bytes("a TLS hello", new byte[] {22, 3, 1, 2, 0, 1, 0, 1, 13, 10, 13, 10}, 400, "malformed", "");
        r.line("no request line", "hello", 400, "malformed");
        r.line("no such version", "GET / HTTP/9.9\r\nHost: x", 400, "malformed");
        r.line("no host", "GET /v1/node HTTP/1.1", 400, "malformed");
        r.line("two hosts", "GET /v1/node HTTP/1.1\r\nHost: x\r\nHost: y", 400, "malformed");
        r.line("a host with a space", "GET /v1/node HTTP/1.1\r\nHost: a b", 400, "malformed");
        r.line("a header without a name", "GET /v1/node HTTP/1.1\r\nHost: x\r\nBad Header: y", 400, "malformed");
        r.line("a header with NUL", "GET /v1/node HTTP/1.1\r\nHost: x\r\nA: b\0c", 400, "malformed");
        r.line("a huge header", "GET /v1/node HTTP/1.1\r\nHost: x\r\nA: " + "a".repeat(40_000), 400, "malformed");
        r.line("many headers", "GET /v1/node HTTP/1.1\r\nHost: x" + "\r\nA: b".repeat(500), 400, "malformed");
        r.line(
                "two lengths",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3",
                400,
                "malformed");
        r.line("a negative length", "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nContent-Length: -1", 400, "malformed");
        r.line("a length in words", "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nContent-Length: two", 400, "malformed");
        r.line(
                "an unknown transfer coding",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip",
                400,
                "malformed");
        r.line(
                "a broken chunk",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz",
                400,
                "malformed");
        r.line(
                "an unknown expectation",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 0",
                400,
                "malformed");
        r.line("TRACE", "TRACE /v1/node HTTP/1.1\r\nHost: x", 405, "method_not_allowed");
        r.line("CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: x", 400, "malformed");
        // paths, methods, media types
        r.get("the root", "/", 404, "unknown", "");
        r.get("an unknown path", "/v2/services", 404, "unknown", "");
        r.get("a path that climbs", "/v1/services/../node", 404, "unknown", "");
        r.get("a path that climbs out", "/v1/../../etc/passwd", 400, "malformed", "");
        r.get("double slashes", "//v1//node", 404, "unknown", "");
        r.get("path parameters", "/v1/services/a;x=1", 400, "invalid", "path");
        r.get("bad percent-encoding", "/v1/services/%zz", 400, "malformed", "");
        r.get("bad UTF-8", "/v1/services/%ff", 400, "malformed", "");
        r.get("bare UTF-8", "/v1/services/\u00c3\u00a9", 400, "malformed", "");
        r.get("NUL", "/v1/services/a%00b", 400, "malformed", "");
        r.get("an encoded slash", "/v1/services/a%2Fb", 400, "malformed", "");
        r.get("an encoded line break", "/v1/services/a%0Ab", 400, "invalid", "service");
        r.get("a long URL", "/v1/services/" + "a".repeat(20_000), 400, "malformed", "");
        r.line(
                "a known path's unknown method",
                "POST /v1/node HTTP/1.1\r\nHost: x\r\nContent-Length: 0",
                405,
                "method_not_allowed");
        r.line("a method nobody knows", "BREW /v1/node HTTP/1.1\r\nHost: x", 405, "method_not_allowed");
        r.line(
                "an answer nobody makes",
                "GET /v1/node HTTP/1.1\r\nHost: x\r\nAccept: text/html",
                406,
                "not_acceptable");
        r.line("an Accept of nonsense", "GET /v1/node HTTP/1.1\r\nHost: x\r\nAccept: ///", 400, "invalid");
        byte[] braces = {'{', '}'};
        r.body("text", "PUT", PUT, "text/plain", braces, 415, "unsupported_media_type", "");
        r.body(
                "a form",
                "POST",
                "/v1/renew",
                "application/x-www-form-urlencoded",
                braces,
                415,
                "unsupported_media_type",
                "");
        r.body("parts", "PUT", PUT, "multipart/form-data; boundary=x", braces, 415, "unsupported_media_type", "");
        r.body("no media type at all", "PUT", PUT, ";;/", braces, 415, "unsupported_media_type", "");
        r.body(
                "another charset",
                "PUT",
                PUT,
                "application/json; charset=latin1",
                braces,
                415,
                "unsupported_media_type",
                "");
        r.line(
                "a compressed body",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
                415,
                "unsupported_media_type");
        // bodies
        r.body("too large", "PUT", PUT, "application/json", new byte[(1 << 20) + 1], 413, "too_large", "");
        r.line(
                "too large in chunks",
                "PUT " + PUT + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + ("10000\r\n" + " ".repeat(65_536) + "\r\n").repeat(17) + "0",
                413,
                "too_large");
        r.put("no JSON", "{nope", "malformed", "");
        r.put("half of it", "{\"weight\":", "malformed", "");
        r.put("a list", "[]", "malformed", "");
        r.put("two objects", "{} {}", "malformed", "");
        r.put("NaN", "{\"weight\":NaN}", "malformed", "");
        r.put("a number of 100 digits", "{\"weight\":" + "9".repeat(100) + "}", "malformed", "");
        r.put("too deep", "{\"x\":" + "[".repeat(17) + "]".repeat(17) + "}", "malformed", "");
        r.put("a byte order mark", "\ufeff{}", "malformed", "");
        r.body(
                "bad UTF-8 in a body",
                "PUT",
                PUT,
                "application/json",
                "{\"metadata\":{\"a\":\"\u00ff\"}}".getBytes(StandardCharsets.ISO_8859_1),
                400,
                "malformed",
                "");
        r.body("UTF-16", "PUT", PUT, "application/json", "{}".getBytes(StandardCharsets.UTF_16), 400, "malformed", "");
        r.put("a field given twice", "{\"weight\":1,\"weight\":2}", "invalid", "weight");
        r.put("a label given twice", "{\"metadata\":{\"a\":\"1\",\"a\":\"2\"}}", "invalid", "metadata.a");
        r.put("null", "{\"weight\":null}", "invalid", "weight");
        r.put("a weight in words", "{\"weight\":\"1\"}", "invalid", "weight");
        r.put("a negative weight", "{\"weight\":-1}", "invalid", "weight");
        r.put("a weight without end", "{\"weight\":1e999}", "invalid", "weight");
        r.put("enabled in words", "{\"enabled\":\"true\"}", "invalid", "enabled");
        r.put("a ttl without unit", "{\"ttl\":\"15\"}", "invalid", "ttl");
        r.put("a ttl of nothing", "{\"ttl\":\"0s\"}", "invalid", "ttl");
        r.put("a ttl of ages", "{\"ttl\":\"999999999999h\"}", "invalid", "ttl");
        r.put("a ttl as a number", "{\"ttl\":15}", "invalid", "ttl");
        r.put("labels in a list", "{\"metadata\":[]}", "invalid", "metadata");
        r.put("a label of a number", "{\"metadata\":{\"a\":1}}", "invalid", "metadata.a");
        r.put("half a surrogate", "{\"metadata\":{\"a\":\"\\ud800\"}}", "invalid", "metadata.a");
        r.put("a label of 20 kB", "{\"metadata\":{\"a\":\"" + "v".repeat(20_000) + "\"}}", "invalid", "metadata.a");
        StringBuilder many = new StringBuilder("{\"metadata\":{\"k\":\"v\"");
        for (int i = 0; i < 200; i++) {
            many.append(",\"k").append(i).append("\":\"v\"");
        }
        r.put("200 labels", many.append("}}").toString(), "invalid", "metadata");
        // addresses, names, parameters
        byte[] none = {};
        r.body("port 0", "PUT", "/v1/services/bad/instances/h:0", "application/json", none, 400, "invalid", "port");
        r.body(
                "port 65536",
                "PUT",
                "/v1/services/bad/instances/h:65536",
                "application/json",
                none,
                400,
                "invalid",
                "port");
        r.body("no port", "PUT", "/v1/services/bad/instances/h", "application/json", none, 400, "invalid", "instance");
        r.body(
                "IPv6 without brackets",
                "PUT",
                "/v1/services/bad/instances/::1:80",
                "application/json",
                none,
                400,
                "invalid",
                "instance");
        r.body(
                "a host of 10 kB",
                "PUT",
                "/v1/services/bad/instances/" + "h".repeat(10_000) + ":1",
                "application/json",
                none,
                400,
                "invalid",
                "host");
        r.body("a bad cluster", "PUT", PUT + "?cluster=a%2Fb", "application/json", none, 400, "invalid", "cluster");
        r.body(
                "two clusters",
                "PUT",
                PUT + "?cluster=a&cluster=b",
                "application/json",
                none,
                400,
                "invalid",
                "cluster");
        r.get("a name of 10 kB", "/v1/services/" + "a".repeat(10_000), 400, "invalid", "service");
        r.get("a bad namespace", "/v1/services/a?namespace=a%20b", 400, "invalid", "namespace");
        r.get("an empty group", "/v1/services/a?group=", 400, "invalid", "group");
        r.get("page 0", "/v1/services?page=0", 400, "invalid", "page");
        r.get("a page without end", "/v1/services?page=99999999999999999999", 400, "invalid", "page");
        r.get("a negative size", "/v1/services?size=-1", 400, "invalid", "size");
        r.get("a selector without value", "/v1/services/a?metadata=zone", 400, "invalid", "metadata");
        r.get("a switch of maybe", "/v1/services/a?healthyOnly=maybe", 400, "invalid", "healthyOnly");
        r.get("a bad encoding in the query", "/v1/services?search=%zz", 400, "malformed", "");
        r.get("bad UTF-8 in the query", "/v1/services?search=%ff", 400, "malformed", "");
        r.get("a bare bar in the query", "/v1/services?search=|", 400, "malformed", "");
        r.get("a thousand parameters", "/v1/services?" + "search=a&".repeat(1_000), 422, "limit", "query");
        r.get("a bad digest", "/v1/services/a/watch?digest=xyz", 400, "invalid", "digest");
        r.get(
                "digest and revision",
                "/v1/services/a/watch?digest=0000000000000000&revision=0",
                400,
                "invalid",
                "digest");
        r.get("a wait of ages", "/v1/services/a/watch?wait=6m", 400, "invalid", "wait");
        // renewals
        r.renew("nothing to renew", "{}", 400, "missing", "instances");
        r.renew("nobody to renew", "{\"instances\":[]}", 400, "invalid", "instances");
        r.renew(
                "a renewal without port",
                "{\"instances\":[{\"service\":\"a\",\"host\":\"h\"}]}",
                400,
                "missing",
                "instances[0].port");
        r.renew(
                "a renewal of a number",
                "{\"instances\":[{\"service\":\"a\",\"host\":\"h\",\"port\":1},7]}",
                400,
                "invalid",
                "instances[1]");
        r.renew(
                "a renewal of port 1.5",
                "{\"instances\":[{\"service\":\"a\",\"host\":\"h\",\"port\":1.5}]}",
                400,
                "invalid",
                "instances[0].port");
        String one = "{\"service\":\"a\",\"host\":\"h\",\"port\":1}";
        r.renew(
                "1001 renewals",
                "{\"instances\":[" + (one + ",").repeat(1_000) + one + "]}",
                422,
                "limit",
                "instances");
        r.renew("no body", "", 400, "malformed", "");
        // what is not there
        r.body("a change of nothing", "PATCH", PUT, "application/json", braces, 400, "missing", "");
        r.body(
                "a change of nobody",
                "PATCH",
                PUT,
                "application/json",
                "{\"weight\":2}".getBytes(StandardCharsets.US_ASCII),
                404,
                "unknown",
                "");
        r.body("the end of nobody", "DELETE", PUT, "application/json", none, 404, "unknown", "");
        return r.rows.stream();
    }

    @BeforeAll
    static void somebodyIsThere() throws Exception {
        HttpCalls.call("PUT", "/v1/services/good/instances/h:1", "{\"ttl\":\"1h\"}");
    }

    @ParameterizedTest
    @MethodSource("rows")
    void isRefusedWithAProblem(Row row) throws Exception {
        String before = fingerprint();

        String answer = exchange(row.bytes());

        assertThat(answer).as(row.name()).startsWith("HTTP/1.1 " + row.status() + " ");
        int headEnd = answer.indexOf("\r\n\r\n");
        assertThat(answer.substring(0, headEnd).toLowerCase(Locale.ROOT))
                .contains("content-type: application/problem+json")
                .doesNotContain("server:");
        JsonNode problem = JsonMapper.shared().readTree(answer.substring(headEnd + 4));
        assertThat(problem.at("/code").asString()).as(answer).isEqualTo(row.code());
        assertThat(problem.at("/type").asString()).isEqualTo("urn:mooring:problem:" + row.code());
        assertThat(problem.at("/status").asInt()).isEqualTo(row.status());
        assertThat(problem.at("/detail").asString()).isNotEmpty().hasSizeLessThan(500);
        assertThat(Problem.CODES).contains(row.code());
        if (!row.field().isEmpty()) {
            assertThat(problem.at("/field").asString()).isEqualTo(row.field());
            assertThat(problem.at("/expected").asString() + problem.at("/value").asString())
                    .isNotEmpty();
        }
        assertThat(answer).doesNotContain("\tat ", "Exception", "Tomcat", "org.");
        assertThat(fingerprint()).isEqualTo(before);
    }

    /** Of everything registered: changes with every change, whoever renews. */
    private static String fingerprint() {
        StringBuilder all = new StringBuilder();
        for (ServiceSummary summary : NODE.services(ServiceKey.DEFAULT_NAMESPACE)) {
            if (summary.service().name().matches("good|bad|a")) {
                ServiceView view = NODE.view(summary.service());
                all.append(view.service())
                        .append(view.revision())
                        .append(':')
                        .append(view.digest())
                        .append(' ');
            }
        }
        return all.toString();
    }

    /** Sends the bytes and reads one answer, or all there is until the connection ends. */
    private static String exchange(byte[] bytes) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), SharedServer.get().port())) {
            socket.setSoTimeout(15_000);
            try {
                socket.getOutputStream().write(bytes);
            } catch (SocketException e) {
                assertThat(e).hasMessageContaining("roken pipe"); // it answers before it has read all
            }
            return answer(socket.getInputStream());
        }
    }

    private static String answer(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[8_192];
        while (!complete(all.toString(StandardCharsets.UTF_8))) {
            int read = in.read(buffer);
            if (read < 0) {
                break;
            }
            all.write(buffer, 0, read);
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    private static boolean complete(String answer) {
        int headEnd = answer.indexOf("\r\n\r\n");
        int at = answer.toLowerCase(Locale.ROOT).indexOf("content-length: ");
        if (headEnd < 0 || at < 0 || at > headEnd) {
            return false;
        }
        int length = Integer.parseInt(answer.substring(at + 16, answer.indexOf("\r\n", at)));
        return answer.substring(headEnd + 4).getBytes(StandardCharsets.UTF_8).length >= length;
    }
}
