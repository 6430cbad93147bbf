package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mooring.server.config.RunningServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Alerts and the dashboard against what a real node of a cluster says when it is scraped, and against the handbook. */
class MonitoringTest {
    private static final Path ALERTS = Chart.DIRECTORY.resolve("alerts").resolve("mooring.yaml");
    private static final Path DASHBOARD = Chart.DIRECTORY.resolve("dashboards").resolve("mooring.json");
    private static final Path HANDBOOK = Path.of("..", "docs", "operations.md");

    private static final Pattern SAMPLE = Pattern.compile("(?m)^([a-z_]+)(?:\\{(.*)\\})? [^ ]+$");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"([^\"]*)\"");
    private static final Pattern METRIC =
            Pattern.compile("\\b((?:mooring|jvm|process|system)_[a-z_]+)(?:\\{([^}]*)\\})?");
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(=~|=|!=)\"([^\"]*)\"");

    private static String scrape = "";

    /** The values of each label of each metric. */
    private static final Map<String, Map<String, Set<String>>> REAL = new HashMap<>();

    @BeforeAll
    static void scrapeANode() throws IOException, InterruptedException {
        try (RunningServer server =
                RunningServer.start("--mooring.cluster.peers=127.0.0.1:9", "--mooring.cluster.start-patience=0s")) {
            URI uri = URI.create("http://127.0.0.1:" + server.operationsPort() + "/actuator/prometheus");
            scrape = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
        Matcher sample = SAMPLE.matcher(scrape);
        while (sample.find()) {
            Map<String, Set<String>> labels = REAL.computeIfAbsent(sample.group(1), name -> new HashMap<>());
            Matcher label = LABEL.matcher(sample.group(2) == null ? "" : sample.group(2));
            while (label.find()) {
                labels.computeIfAbsent(label.group(1), name -> new TreeSet<>()).add(label.group(2));
            }
        }
    }

    private static List<Map<String, Object>> alerts() {
        return Yamls.listAt(Yamls.listAt(Chart.yaml(ALERTS), "groups").get(0), "rules");
    }

    private static List<Map<String, Object>> panels() {
        return Yamls.listAt(Chart.yaml(DASHBOARD), "panels");
    }

    /** Where Prometheus itself, or its configuration, adds labels. */
    private static final Set<String> OF_THE_SCRAPE = Set.of("job", "instance", "le");

    private static void assertAsks(String expression, String where) {
        Matcher metric = METRIC.matcher(expression);
        int found = 0;
        while (metric.find()) {
            found++;
            assertThat(REAL).as("%s: %s", where, expression).containsKey(metric.group(1));
            Map<String, Set<String>> labels = REAL.getOrDefault(metric.group(1), Map.of());
            Matcher matcher = MATCHER.matcher(metric.group(2) == null ? "" : metric.group(2));
            while (matcher.find()) {
                if (OF_THE_SCRAPE.contains(matcher.group(1))) {
                    continue;
                }
                assertThat(labels).as("%s: %s", where, metric.group()).containsKey(matcher.group(1));
                for (String value : matcher.group(3).split("\\|")) {
                    assertThat(labels.get(matcher.group(1)))
                            .as("%s: %s of %s", where, matcher.group(1), metric.group(1))
                            .contains(value);
                }
            }
        }
        assertThat(found).as("metrics in %s", expression).isPositive();
    }

    @Test
    void alertsAskForWhatThereIs() {
        alerts().forEach(alert -> assertAsks((String) Yamls.get(alert, "expr"), (String) Yamls.get(alert, "alert")));
    }

    @Test
    void panelsAskForWhatThereIs() {
        for (Map<String, Object> panel : panels()) {
            if (!"row".equals(panel.get("type"))) {
                Yamls.listAt(panel, "targets")
                        .forEach(target ->
                                assertAsks((String) Yamls.get(target, "expr"), (String) Yamls.get(panel, "title")));
            }
        }
    }

    /** Every bound that has a gauge beside it is watched. */
    @Test
    void everyBoundIsWatched() {
        String near = (String) Yamls.get(
                alerts().stream()
                        .filter(alert -> "MooringNearLimit".equals(alert.get("alert")))
                        .findFirst()
                        .orElseThrow(),
                "expr");
        Set<String> bounds =
                new TreeSet<>(REAL.getOrDefault("mooring_limit", Map.of()).getOrDefault("bound", Set.of()));
        bounds.remove("http_connections"); // Tomcat's own, which it does not count for us

        assertThat(bounds).isNotEmpty().allSatisfy(bound -> assertThat(near).contains("{bound=\"" + bound + "\"}"));
    }

    /** An entry for each alert in the handbook, and no entry for others. */
    @Test
    void everyAlertHasAnEntryInTheHandbook() throws IOException {
        List<String> entries = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(HANDBOOK)) {
            if (line.startsWith("## ")) {
                inside = line.equals("## Alerts");
            } else if (inside && line.startsWith("### ")) {
                entries.add(line.substring(4));
            }
        }
        List<String> names = alerts().stream()
                .map(alert -> (String) Yamls.get(alert, "alert"))
                .toList();
        assertThat(entries).containsExactlyElementsOf(names);
        for (Map<String, Object> alert : alerts()) {
            String name = (String) Yamls.get(alert, "alert");
            assertThat(Yamls.get(alert, "annotations.runbook"))
                    .isEqualTo("docs/operations.md#" + name.toLowerCase(Locale.ROOT));
            assertThat((String) Yamls.get(alert, "annotations.summary")).endsWith(".");
            assertThat(Yamls.get(alert, "labels.severity")).isIn("critical", "warning");
        }
    }

    @Test
    void theDashboardFitsAnyGrafana() throws IOException {
        Map<String, Object> dashboard = Chart.yaml(DASHBOARD);
        Set<Object> ids = new HashSet<>();

        assertThat(dashboard).containsEntry("uid", "mooring").doesNotContainKey("id");
        for (Map<String, Object> panel : panels()) {
            assertThat(ids.add(panel.get("id"))).as("%s", panel.get("title")).isTrue();
            assertThat(Yamls.find(panel, "datasource.uid").orElse("${datasource}"))
                    .isEqualTo("${datasource}");
        }
        assertThat(panels().stream().filter(panel -> "row".equals(panel.get("type"))))
                .extracting(panel -> panel.get("title"))
                .containsExactly("Alive", "Doing", "Wrong");
        Rendered rendered = Chart.rendered("monitoring.dashboard.enabled=true");
        Map<String, Object> map = rendered.get("ConfigMap", "mooring-dashboard");
        assertThat(Yamls.mapAt(map, "metadata.labels")).containsEntry("grafana_dashboard", "1");
        assertThat((String) Yamls.map(Yamls.get(map, "data")).get("mooring.json"))
                .isEqualTo(Files.readString(DASHBOARD).strip());
    }

    @Test
    void theRuleObjectHoldsTheFileOfRules() {
        Map<String, Object> rule =
                Chart.rendered("monitoring.alerts.enabled=true").get("PrometheusRule", "mooring");

        assertThat(Yamls.get(rule, "spec")).isEqualTo(Chart.yaml(ALERTS));
    }

    @Test
    void promtoolAgrees() throws IOException, InterruptedException {
        assumeTrue(isInstalled(), "promtool is not installed");
        String alerts = ALERTS.toString();

        run("", "check", "rules", alerts);
        run("", "test", "rules", alerts.replace("mooring.yaml", "mooring_test.yaml"));
        // 3: it has something to say about names, which the libraries choose
        assertThat(run(scrape, "check", "metrics")).doesNotContain("error while linting");
    }

    private static String promtool() {
        return System.getProperty("promtool", "promtool");
    }

    private static boolean isInstalled() throws InterruptedException {
        try {
            return new ProcessBuilder(promtool(), "--version").start().waitFor() == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    private static String run(String input, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(arguments));
        command.add(0, promtool());
        Path output = Files.createTempFile(Path.of("target"), "promtool", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try (var in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
        String said = Files.readString(output);
        assertThat(process.exitValue()).as("%s: %s", command, said).isIn(input.isEmpty() ? List.of(0) : List.of(0, 3));
        return said;
    }
}
