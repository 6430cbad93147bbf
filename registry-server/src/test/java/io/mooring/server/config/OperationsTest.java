package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The operations port: what it shows, and that it shows nothing else. */
class OperationsTest {
    private static final Pattern ROW = Pattern.compile("\\| `(mooring\\.[a-z.]+)` \\| ([a-z_, `]*) \\| .+ \\|");
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

    /** The table of the handbook against the registry: every meter of ours, and its tags. */
    @Test
    void everyMeterIsInTheHandbook() throws IOException {
        Set<String> documented = new TreeSet<>();
        for (String line : Handbook.section("Metrics")) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                String tags = row.group(2).replaceAll("[` ]", "");
                documented.add(row.group(1) + (tags.isEmpty() ? "" : " " + tags));
            }
        }
        Set<String> real = new TreeSet<>();
        for (Meter meter : server.bean(MeterRegistry.class).getMeters()) {
            String name = meter.getId().getName();
            if (name.startsWith("mooring.")) {
                Set<String> tags = new TreeSet<>();
                meter.getId().getTags().forEach(tag -> tags.add(tag.getKey()));
                real.add(name + (tags.isEmpty() ? "" : " " + String.join(",", tags)));
            }
        }
        assertThat(documented).isEqualTo(real);
    }
}
