package io.mooring.server.edge.nacos.http;

import io.mooring.server.config.RunningServer;
import io.mooring.server.config.SharedServer;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the tests say to a server, below {@code /nacos}. */
final class NacosCalls {
    static final NacosCalls SHARED = new NacosCalls(SharedServer.get());

    private static final HttpClient CLIENT =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    private final RunningServer server;

    NacosCalls(RunningServer server) {
        this.server = server;
    }

    record Answer(int status, String type, String body) {
        JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }

        JsonNode at(String pointer) {
            return json().at(pointer);
        }

        /** The value in an envelope. */
        JsonNode data() {
            return json().get("data");
        }
    }

    RunningServer server() {
        return server;
    }

    HttpRequest.Builder request(String method, String pathAndQuery, String form) {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + "/nacos" + pathAndQuery);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(30));
        return form.isEmpty()
                ? request.method(method, HttpRequest.BodyPublishers.noBody())
                : request.method(method, HttpRequest.BodyPublishers.ofString(form))
                        .header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8");
    }

    Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
        String type = response.headers().firstValue("Content-Type").orElse("");
        return new Answer(response.statusCode(), type, response.body());
    }

    Answer call(String method, String pathAndQuery, String form) throws IOException, InterruptedException {
        return send(request(method, pathAndQuery, form));
    }

    Answer call(String method, String pathAndQuery) throws IOException, InterruptedException {
        return call(method, pathAndQuery, "");
    }

    Answer get(String pathAndQuery) throws IOException, InterruptedException {
        return call("GET", pathAndQuery);
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** Registers an instance by v1. */
    void register(String query) throws IOException, InterruptedException {
        Answer answer = call("POST", "/v1/ns/instance?" + query);
        if (answer.status() != 200 || !answer.body().equals("ok")) {
            throw new AssertionError(query + ": " + answer);
        }
    }

    /** The list of a service by v1. */
    JsonNode list(String query) throws IOException, InterruptedException {
        return get("/v1/ns/instance/list?" + query).json();
    }
}
