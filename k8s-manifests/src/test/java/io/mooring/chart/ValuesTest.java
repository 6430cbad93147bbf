package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.KnownProperties;
import io.mooring.server.config.MooringProperties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What values mean, one by one. */
class ValuesTest {
    /** Those that the chart sets itself, from values of their own. */
    private static final List<String> TAKEN = List.of(
            "mooring.data-directory",
            "mooring.bind",
            "mooring.insecure",
            "mooring.node.name",
            "mooring.http.port",
            "mooring.operations.port",
            "mooring.session.port",
            "mooring.nacos.grpc-port",
            "mooring.nacos.users-file",
            "mooring.cluster.name",
            "mooring.cluster.port",
            "mooring.cluster.peers",
            "mooring.cluster.peers-file",
            "mooring.cluster.dns",
            "mooring.cluster.address",
            "mooring.cluster.secret",
            "mooring.cluster.secret-file",
            "mooring.cluster.tls.certificate",
            "mooring.cluster.tls.key",
            "mooring.cluster.tls.trust",
            "mooring.drain.within",
            "mooring.drain.patience");

    @Test
    void portsAreTheServersOwn() {
        MooringProperties server = ServerProperties.defaults();

        assertThat(Yamls.mapAt(Chart.yaml(Chart.DIRECTORY.resolve("values.yaml")), "ports"))
                .isEqualTo(Map.of(
                        "http", server.http().port(),
                        "session", server.session().port(),
                        "peers", server.cluster().port(),
                        "operations", server.operations().port()));
    }

    @Test
    void drainIsTheServersOwn() {
        MooringProperties server = ServerProperties.defaults();

        assertThat(Yamls.mapAt(Chart.yaml(Chart.DIRECTORY.resolve("values.yaml")), "drain"))
                .containsEntry("within", (int) server.drain().within().toSeconds())
                .containsEntry("patience", (int) server.drain().patience().toSeconds());
    }

    /** Which properties the schema knows, against the server's. */
    @Test
    void everyPropertyMayBeSetButThoseThatTheChartSets() {
        Set<String> expected = new TreeSet<>(KnownProperties.names());
        assertThat(expected).containsAll(TAKEN);
        TAKEN.forEach(expected::remove);

        Map<String, Object> schema = Chart.yaml(Chart.DIRECTORY.resolve("values.schema.json"));

        assertThat(Yamls.mapAt(schema, "properties.properties.properties").keySet())
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    /** Every key of the file is in the schema and the other way round. */
    @Test
    void theSchemaKnowsEveryValueAndNoOther() {
        Map<String, Object> schema = Chart.yaml(Chart.DIRECTORY.resolve("values.schema.json"));
        Map<String, Object> values = Chart.yaml(Chart.DIRECTORY.resolve("values.yaml"));

        compare("", schema, values);
    }

    private static void compare(String path, Map<String, Object> schema, Map<String, Object> values) {
        if (!Boolean.FALSE.equals(schema.get("additionalProperties"))
                || List.of(".properties", ".resources").contains(path)) {
            return; // labels and the like
        }
        Map<String, Object> known = Yamls.mapAt(schema, "properties");
        known.remove("global");
        assertThat(values.keySet()).as("values%s", path).containsExactlyInAnyOrderElementsOf(known.keySet());
        known.forEach((name, each) -> {
            if (values.get(name) instanceof Map<?, ?> nested) {
                compare(path + "." + name, Yamls.map(each), Yamls.map(nested));
            }
        });
    }

    @Test
    void thereIsOneVersionOfAll() {
        Map<String, Object> chart = Chart.yaml(Chart.DIRECTORY.resolve("Chart.yaml"));
        String project = System.getProperty("project.version", "");

        assertThat(chart).containsEntry("version", project).containsEntry("appVersion", project);
        assertThat(Chart.rendered().container()).containsEntry("image", "mooring/registry-server:" + project);
    }

    /** Who pushes the image as the handbook says pulls it as the chart says. */
    @Test
    void theHandbookPushesTheImageThatTheChartPulls() throws IOException {
        String handbook = Files.readString(Path.of("..", "docs", "operations.md"));
        Set<String> tags = new TreeSet<>();
        Matcher matcher =
                Pattern.compile("mooring/registry-server:([A-Za-z0-9._-]+)").matcher(handbook);
        while (matcher.find()) {
            tags.add(matcher.group(1));
        }

        assertThat(tags).containsExactly(System.getProperty("project.version", ""));
    }

    @Test
    void numbersReachTheServerInDigits() {
        assertThat(Chart.rendered(
                                "properties.mooring\\.limits\\.instances=2000000",
                                "properties.mooring\\.protection\\.share=0.25")
                        .environment())
                .containsEntry("MOORING_LIMITS_INSTANCES", "2000000")
                .containsEntry("MOORING_PROTECTION_SHARE", "0.25");
        assertThat(Chart.renderedFrom(Path.of("src/test/resources/values/five-nodes.yaml"))
                        .environment())
                .containsEntry("MOORING_LIMITS_INSTANCES", "1000000")
                .containsEntry("MOORING_NACOS_ENABLED", "false");
    }

    @Test
    void nodesOnPortsOfHostsAreNeverTogether() {
        for (String mode : List.of("hostPort", "hostNetwork")) {
            Map<String, Object> pod = Chart.rendered("network.mode=" + mode).pod();

            assertThat(Yamls.find(pod, "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"))
                    .as(mode)
                    .isPresent();
            assertThat(Chart.rendered("network.mode=" + mode).environment())
                    .containsEntry("MOORING_CLUSTER_ADDRESS", "[status.hostIP]");
        }
        assertThat(Chart.rendered("network.mode=hostNetwork").pod())
                .containsEntry("hostNetwork", true)
                .containsEntry("dnsPolicy", "ClusterFirstWithHostNet");
        assertThat(Chart.rendered().pod()).doesNotContainKey("hostNetwork");
        assertThat(Chart.rendered().container().toString()).doesNotContain("hostPort");
    }

    @Test
    void aFixedAddressNeedsNoName() {
        Map<String, Object> service =
                Chart.rendered("service.clusterIP=10.96.0.50").get("Service", "mooring");

        assertThat(Yamls.get(service, "spec.clusterIP")).isEqualTo("10.96.0.50");
    }

    @Test
    void anAnnouncementNeedsAKubernetesThatKnowsSleep() {
        assertThat(Chart.textOn("1.29.5", Chart.SECRET)).doesNotContain("preStop");
        assertThat(Chart.textOn("1.30.0", Chart.SECRET)).contains("preStop");
        assertThat(Chart.text("drain.announce=0", Chart.SECRET)).doesNotContain("preStop");
    }

    @Test
    void peersByAddressNeedNoDns() {
        Map<String, String> variables = Chart.rendered("cluster.peers[0]=10.0.0.1", "cluster.peers[1]=10.0.0.2:9999")
                .environment();

        assertThat(variables).containsEntry("MOORING_CLUSTER_PEERS", "10.0.0.1,10.0.0.2:9999");
        assertThat(variables).doesNotContainKey("MOORING_CLUSTER_DNS");
    }

    @Test
    void theChartIsPacked() throws IOException {
        Path target = Files.createDirectories(Path.of("target"));
        Chart.helm().packageIt().withDestination(target.toAbsolutePath()).call();
        String version = System.getProperty("project.version", "");

        assertThat(target.resolve("mooring-" + version + ".tgz")).isNotEmptyFile();
    }
}
