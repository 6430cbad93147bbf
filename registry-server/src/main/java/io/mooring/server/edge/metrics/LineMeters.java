package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.TreeMap;

/** What goes over the lines between nodes, and which were refused before anything could be said. Any thread. */
public final class LineMeters {
    static final String REFUSED = "mooring.replication.refused";
    static final String REFUSED_SAYS = "Lines between nodes that were refused or given up";

    private final Counter sent;
    private final Counter received;
    private final Map<String, Counter> refused = new TreeMap<>();

    public LineMeters(MeterRegistry registry) {
        sent = bytes(registry, "out");
        received = bytes(registry, "in");
        for (String code : new String[] {"too_slow", "overloaded", "tls"}) {
            refused.put(
                    code,
                    Counter.builder(REFUSED)
                            .description(REFUSED_SAYS)
                            .tag("code", code)
                            .register(registry));
        }
    }

    private static Counter bytes(MeterRegistry registry, String direction) {
        return Counter.builder("mooring.replication.bytes")
                .description("Bytes of messages between nodes, as they travel")
                .tag("direction", direction)
                .register(registry);
    }

    public void sent(int bytes) {
        sent.increment(bytes);
    }

    public void received(int bytes) {
        received.increment(bytes);
    }

    /** @param code one of those known here; others are not counted */
    public void refused(String code) {
        Counter counter = refused.get(code);
        if (counter != null) {
            counter.increment();
        }
    }
}
