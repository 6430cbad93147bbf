package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The operations port: what it shows, and that it shows nothing else. */
class OperationsTest {
    private final RunningServer server = SharedServer.get();

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void readinessIsTheNodesAndLivenessIsTheProcesss() throws Exception {
        int port = server.operationsPort();

        HttpResponse<String> readiness = get(port, "/actuator/health/readiness");
        HttpResponse<String> liveness = get(port, "/actuator/health/liveness");

        assertThat(readiness.statusCode()).isEqualTo(200);
        assertThat(readiness.body()).contains("\"mooring\"", "\"incomplete\"");
        assertThat(liveness.statusCode()).isEqualTo(200);
        assertThat(liveness.body()).doesNotContain("mooring", "disk");
    }

    @Test
    void infoTellsTheVersion() throws Exception {
        HttpResponse<String> info = get(server.operationsPort(), "/actuator/info");

        assertThat(info.body()).contains("\"mooring\"", "\"version\"");
    }

    @Test
    void nothingElseIsExposed() throws Exception {
        for (String path : new String[] {"env", "beans", "heapdump", "threaddump", "loggers", "shutdown", "mappings"}) {
            assertThat(get(server.operationsPort(), "/actuator/" + path).statusCode())
                    .as(path)
                    .isEqualTo(404);
        }
        assertThat(get(server.port(), "/actuator/health").statusCode()).isEqualTo(404);
        assertThat(get(server.operationsPort(), "/v1/services").statusCode()).isEqualTo(404);
    }

    @Test
    void prometheusGetsTheNodesState() throws Exception {
        HttpResponse<String> metrics = get(server.operationsPort(), "/actuator/prometheus");

        assertThat(metrics.statusCode()).isEqualTo(200);
        assertThat(metrics.body())
                .contains("mooring_instances{standing=\"live\"}", "mooring_push_latency_seconds_bucket{le=\"0.012\"}");
    }

    /** The table of the handbook against the registry: every meter of ours, and its tags; what is new comes last. */
    @Test
    void everyMeterIsInTheHandbook() throws IOException {
        Map<String, Set<String>> tags = new TreeMap<>();
        for (Meter meter : server.bean(MeterRegistry.class).getMeters()) {
            if (meter.getId().getName().startsWith("mooring.")) {
                Set<String> known = tags.computeIfAbsent("`" + meter.getId().getName() + "`", name -> new TreeSet<>());
                meter.getId().getTags().forEach(tag -> known.add("`" + tag.getKey() + "`"));
            }
        }
        Set<String> inOrder = new LinkedHashSet<>(Handbook.names("Metrics"));
        inOrder.retainAll(tags.keySet());
        inOrder.addAll(tags.keySet());
        Map<String, String> rows = new LinkedHashMap<>();
        inOrder.forEach(name -> rows.put(name, String.join(", ", tags.getOrDefault(name, Set.of()))));
        Handbook.hasTable("Metrics", rows);
    }
}
