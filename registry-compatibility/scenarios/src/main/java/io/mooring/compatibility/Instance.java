package io.mooring.compatibility;

import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** An instance as clients tell and hear it. */
record Instance(
        String ip,
        int port,
        String cluster,
        double weight,
        boolean healthy,
        boolean enabled,
        boolean ephemeral,
        Map<String, String> metadata) {
    private static final String DEFAULT = "DEFAULT";

    Instance {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port: " + port + " (expected: 0-65535)");
        }
        metadata = Map.copyOf(metadata);
    }

    static Instance at(String ip, int port) {
        return new Instance(ip, port, DEFAULT, 1, true, true, true, Map.of());
    }

    static Instance of(JsonNode json) {
        Map<String, String> metadata = new TreeMap<>();
        json.path("metadata")
                .properties()
                .forEach(entry -> metadata.put(entry.getKey(), entry.getValue().asString("")));
        return new Instance(
                json.path("ip").asString(""),
                json.path("port").asInt(0),
                json.path("cluster").asString(DEFAULT),
                json.path("weight").asDouble(1),
                json.path("healthy").asBoolean(true),
                json.path("enabled").asBoolean(true),
                json.path("ephemeral").asBoolean(true),
                metadata);
    }

    Map<String, Object> words() {
        Map<String, Object> out = new TreeMap<>();
        out.put("ip", ip);
        out.put("port", port);
        if (!cluster.equals(DEFAULT)) { // most programs do not name it
            out.put("cluster", cluster);
        }
        out.put("weight", weight);
        out.put("enabled", enabled);
        out.put("ephemeral", ephemeral);
        out.put("metadata", metadata);
        return out;
    }

    String address() {
        return ip + ":" + port;
    }

    Instance cluster(String cluster) {
        return new Instance(ip, port, cluster, weight, healthy, enabled, ephemeral, metadata);
    }

    Instance weight(double weight) {
        return new Instance(ip, port, cluster, weight, healthy, enabled, ephemeral, metadata);
    }

    Instance enabled(boolean enabled) {
        return new Instance(ip, port, cluster, weight, healthy, enabled, ephemeral, metadata);
    }

    Instance metadata(Map<String, String> metadata) {
        return new Instance(ip, port, cluster, weight, healthy, enabled, ephemeral, metadata);
    }

    /** The same, to stay until it is deregistered. */
    Instance persistent() {
        return new Instance(ip, port, cluster, weight, healthy, enabled, false, metadata);
    }

    @Override
    public String toString() {
        return address()
                + (cluster.equals(DEFAULT) ? "" : " in " + cluster)
                + (weight == 1 ? "" : " weight " + weight)
                + (healthy ? "" : " unhealthy")
                + (enabled ? "" : " disabled")
                + (ephemeral ? "" : " persistent")
                + (metadata.isEmpty() ? "" : " " + new TreeMap<>(metadata));
    }
}
