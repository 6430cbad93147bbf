package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** What Nacos clients ask over gRPC, and whether they acknowledge what they are told. Any thread. */
public final class NacosMeters {
    private final Map<String, Counter> well = new TreeMap<>();
    private final Map<String, Counter> refused = new TreeMap<>();
    private final Counter acked;
    private final Counter unacked;

    /** @param types of requests; what is not among them counts as {@code other} */
    public NacosMeters(MeterRegistry registry, Collection<String> types) {
        types.forEach(type -> add(registry, type));
        add(registry, "other");
        acked = pushes(registry, "acked");
        unacked = pushes(registry, "unacked");
    }

    private void add(MeterRegistry registry, String type) {
        well.put(type, requests(registry, type, "ok"));
        refused.put(type, requests(registry, type, "refused"));
    }

    private static Counter requests(MeterRegistry registry, String type, String outcome) {
        return Counter.builder("mooring.nacos.requests")
                .description("Requests of Nacos clients over gRPC")
                .tag("type", type)
                .tag("outcome", outcome)
                .register(registry);
    }

    private static Counter pushes(MeterRegistry registry, String outcome) {
        return Counter.builder("mooring.nacos.pushes")
                .description("Pushes to Nacos clients over gRPC that were acknowledged, or not in time")
                .tag("outcome", outcome)
                .register(registry);
    }

    public void answered(String type, boolean ok) {
        Map<String, Counter> counters = ok ? well : refused;
        Counter counter = counters.getOrDefault(type, counters.get("other"));
        if (counter != null) {
            counter.increment();
        }
    }

    public void acked(boolean inTime) {
        (inTime ? acked : unacked).increment();
    }
}
