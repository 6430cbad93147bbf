package io.mooring.compatibility;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What was acknowledged as durable is there after the death of all nodes, at each of them. Real processes, real disks. */
@Timeout(600)
class DurableIT {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path SERVER = Path.of(
            System.getProperty("mooring.compatibility.server", "../../registry-server/target/registry-server.jar"));
    private static final Duration AGREED = Duration.ofSeconds(60);
    private static final int ALONE = 20;

    @TempDir
    Path home;

    private static Map<String, String> of(String service, Map<String, String> more) {
        Map<String, String> all = new TreeMap<>(more);
        all.put("serviceName", service);
        all.put("namespaceId", "lasting");
        return all;
    }

    private static Map<String, String> at(String service, int port, Map<String, String> more) {
        Map<String, String> all = of(service, more);
        all.put("ip", "127.9.8.1");
        all.put("port", "" + port);
        return all;
    }

    private static void write(NodeProcess node, String method, String path, Map<String, String> words)
            throws Exception {
        assertEquals("ok", node.request(method, "/nacos/v1/ns/" + path, words), "acknowledged");
    }

    /** All that was written, as a node shows it. */
    private static String shown(NodeProcess node) {
        try {
            JsonNode paid = JSON.readTree(node.request("GET", "/nacos/v1/ns/instance/list", of("paid", Map.of())));
            JsonNode service = JSON.readTree(node.request("GET", "/nacos/v1/ns/service", of("paid", Map.of())));
            JsonNode alone = JSON.readTree(node.request("GET", "/nacos/v1/ns/instance/list", of("alone", Map.of())));
            JsonNode beating =
                    JSON.readTree(node.request("GET", "/nacos/v1/ns/instance/list", of("beating", Map.of())));
            return "paid " + paid.at("/hosts/0/port") + " " + paid.at("/hosts/0/ephemeral") + " "
                    + paid.at("/hosts/0/metadata/kept") + ", weight " + paid.at("/hosts/0/weight") + ", threshold "
                    + service.path("protectThreshold") + " " + service.at("/metadata/tier") + ", alone "
                    + alone.path("hosts").size() + ", beating " + beating.at("/hosts/0/weight");
        } catch (Exception e) {
            return e.toString(); // not yet
        }
    }

    @Test
    void whatWasAcknowledgedIsThereAfterAllNodesAreKilled() throws Exception {
        try (Registry registry = new Registry(SERVER, home, 3, 0, List.of("--mooring.checks.enabled=false"))) {
            registry.startAll();
            NodeProcess one = registry.node(0);
            NodeProcess two = registry.node(1);
            NodeProcess three = registry.node(2);
            String long_ = "preserved.heart.beat.timeout=900000,preserved.ip.delete.timeout=900000";
            write(one, "POST", "instance", at("paid", 1, Map.of("ephemeral", "false", "metadata", "kept=yes")));
            write(one, "POST", "instance", at("beating", 1, Map.of("metadata", long_)));
            Await.until("the third node lists it", AGREED, () -> shown(three), all -> all.contains("beating 1.0"));
            Await.until(
                    "the second node has the service",
                    AGREED,
                    () -> shown(two),
                    all -> all.contains("kept") || all.contains("yes"));
            write(two, "PUT", "service", of("paid", Map.of("protectThreshold", "0.5", "metadata", "tier=gold")));
            write(three, "PATCH", "instance", at("beating", 1, Map.of("weight", "7")));
            write(three, "PATCH", "instance", at("paid", 1, Map.of("weight", "5")));
            one.kill();
            two.kill();
            for (int port = 1; port <= ALONE; port++) { // from here on nobody else could have it
                write(three, "POST", "instance", at("alone", port, Map.of("ephemeral", "false")));
            }
            three.kill();

            for (NodeProcess node : registry.nodes()) {
                node.start();
            }
            registry.awaitReady();

            String expected =
                    "paid 1 false \"yes\", weight 5.0, threshold 0.5 \"gold\", alone " + ALONE + ", beating 7.0";
            for (NodeProcess node : registry.nodes()) {
                assertEquals(
                        expected,
                        Await.until(node + " has it all", AGREED, () -> shown(node), all -> all.equals(expected)));
            }
        }
    }
}
