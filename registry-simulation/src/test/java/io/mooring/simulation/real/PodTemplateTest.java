package io.mooring.simulation.real;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.simulation.real.ClusterNode.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the chart and the image say reaches the nodes of {@link PodDrill}, or is refused by name. */
class PodTemplateTest {
    private static final Map<String, String> FIELDS =
            Map.of("metadata.name", "mooring-1", "status.podIP", "10.77.0.11");
    private static final Map<String, Path> DIRECTORIES =
            Map.of("/var/lib/mooring", Path.of("/here/data"), "/etc/mooring/secret", Path.of("/here/secret"));

    private final String manifests;
    private final String image;

    PodTemplateTest() throws IOException {
        manifests = PodTemplate.resource("mooring.yaml");
        image = PodTemplate.resource("image/pom.xml");
    }

    private static String replaced(String text, String before, String after) {
        assertTrue(text.contains(before), before + " is not there any more");
        return text.replace(before, after);
    }

    @Test
    void aNodeGetsWhatTheChartAndTheImageSet() {
        PodTemplate template = PodTemplate.of(manifests, image);
        Map<String, String> environment = template.environment(FIELDS, DIRECTORIES);

        assertEquals(3, template.nodes());
        assertEquals("mooring-2", template.name(2));
        assertEquals(new Ports(8848, 9847, 8850, 9849), template.ports());
        assertEquals(512, template.memory());
        assertEquals(Duration.ofSeconds(40), template.grace(), "45 s, 5 of which pass before SIGTERM");
        assertEquals("mooring-1", environment.get("MOORING_NODE_NAME"));
        assertEquals("10.77.0.11", environment.get("MOORING_CLUSTER_ADDRESS"));
        assertEquals("mooring-peers:9849", environment.get("MOORING_CLUSTER_DNS"));
        assertEquals("/here/data", environment.get("MOORING_DATA_DIRECTORY"));
        assertEquals("/here/secret/secret", environment.get("MOORING_CLUSTER_SECRET_FILE"));
        assertTrue(
                environment.getOrDefault("JDK_JAVA_OPTIONS", "").contains("MaxRAMPercentage"), environment.toString());
    }

    @Test
    void aChangeOfTheChartOrTheImageReachesThem() {
        String changed = replaced(manifests, "value: \"15s\"", "value: \"20s\"");
        PodTemplate template = PodTemplate.of(
                replaced(
                        changed,
                        "          env:\n",
                        "          args: [--mooring.lease.ttl=9s]\n          env:\n"
                                + "            - {name: MALLOC_ARENA_MAX, value: 1}\n"),
                replaced(image, "-Xss512k", "-Xss300k"));
        Map<String, String> environment = template.environment(FIELDS, DIRECTORIES);

        assertEquals("20s", environment.get("MOORING_DRAIN_PATIENCE"));
        assertEquals("1", environment.get("MALLOC_ARENA_MAX"), "the chart's is over the image's");
        assertTrue(environment.getOrDefault("JDK_JAVA_OPTIONS", "").contains("-Xss300k"), environment.toString());
        assertEquals(List.of("--mooring.lease.ttl=9s"), template.arguments());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            fieldPath: status.podIP         | fieldPath: status.hostIP         | status.hostIP
            imagePullPolicy: IfNotPresent   | command: [sh]                    | command
            serviceAccountName: mooring     | hostNetwork: true                | hostNetwork
            publishNotReadyAddresses: true  | publishNotReadyAddresses: false  | publishNotReadyAddresses
            serviceName: mooring-peers      | serviceName: mooring             | serviceName
            path: /actuator/health/readiness | path: /actuator/health          | readinessProbe path
            mountPath: /tmp                 | mountPth: /tmp                   | mountPath is missing
            """)
    void whatTheDrillCannotDoIsRefused(String before, String after, String named) {
        String changed = replaced(manifests, before, after);
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class,
                () -> PodTemplate.of(changed, image).environment(FIELDS, DIRECTORIES));
        assertTrue(String.valueOf(refused.getMessage()).contains(named), refused.getMessage());
    }
}
