package io.mooring.compatibility;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A framework whose applications find one another in the registry.
 *
 * @param client how an application is started
 * @param words what its user says of himself beyond where the registry is
 */
record Framework(Client client, Words words) {
    /** As seen from this module's directory. */
    private static final Path APPLICATIONS = Path.of("../applications/target/classes");

    static final List<Framework> ALL = List.of(
            spring("2025.1.0.0", "Boot 4.0", "2025.1", true),
            spring("2025.0.0.0", "Boot 3.5", "2025.0", false),
            dubbo("by interface", "interface", true),
            dubbo("by application", "instance", true),
            dubbo("as it is by default", "", false));

    /** What the user of an application says. */
    interface Words {
        /** @param weight twice it gets twice the calls */
        Map<String, Object> provider(String service, int number, int weight);

        Map<String, Object> consumer(String service);
    }

    private static Framework spring(String version, String boot, String generation, boolean representative) {
        Words words = new Words() {
            @Override
            public Map<String, Object> provider(String service, int number, int weight) {
                return Map.of(
                        "application",
                        service,
                        "properties",
                        Map.of(
                                "spring.cloud.nacos.discovery.weight",
                                weight,
                                "spring.cloud.nacos.discovery.metadata.number",
                                number));
            }

            @Override
            public Map<String, Object> consumer(String service) {
                // Spring's load balancer remembers a list for 35 s by itself, wherever it is from, and knows no
                // weights.
                return Map.of(
                        "application",
                        service + "-caller",
                        "properties",
                        Map.of(
                                "spring.cloud.loadbalancer.cache.enabled",
                                false,
                                "spring.cloud.loadbalancer.nacos.enabled",
                                true));
            }
        };
        return new Framework(
                application(
                        "Spring Cloud Alibaba " + version + ", " + boot,
                        version,
                        representative,
                        "SpringApplicationProgram",
                        Path.of("../spring-cloud-alibaba/" + generation + "/target/lib")),
                words);
    }

    private static Framework dubbo(String how, String mode, boolean representative) {
        Words words = new Words() {
            @Override
            public Map<String, Object> provider(String service, int number, int weight) {
                return Map.of(
                        // Several applications offer one interface: a consumer has to find out which.
                        "application", service + "-" + number, "mode", mode, "provides", service, "weight", weight);
            }

            @Override
            public Map<String, Object> consumer(String service) {
                return Map.of("application", service + "-caller", "consumes", service);
            }
        };
        return new Framework(
                application(
                        "Dubbo 3.3.6, " + how,
                        "3.3.6",
                        representative,
                        "DubboProgram",
                        Path.of("../dubbo/3.3/target/lib")),
                words);
    }

    private static Client application(String name, String version, boolean representative, String main, Path library) {
        return new Client(
                name,
                version,
                representative,
                home -> Clients.java(home, "io.mooring.compatibility.application." + main, APPLICATIONS, library),
                Map.of(),
                () -> "");
    }

    /** With where the registry is. */
    static Map<String, Object> at(String servers, Map<String, Object> words) {
        Map<String, Object> out = new TreeMap<>(words);
        out.put("servers", servers);
        return out;
    }

    @Override
    public String toString() {
        return client.name();
    }
}
