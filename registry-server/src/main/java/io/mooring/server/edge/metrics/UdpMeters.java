package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.TreeMap;

/** Counts pushes by UDP to Nacos clients, by how they ended. Any thread. */
public final class UdpMeters {
    private final Map<String, Counter> counters = new TreeMap<>();

    public UdpMeters(MeterRegistry registry) {
        for (String result : new String[] {"acked", "unacked", "too_large"}) {
            counters.put(
                    result,
                    Counter.builder("mooring.nacos.udp.pushes")
                            .description("Pushes by UDP to Nacos clients")
                            .tag("result", result)
                            .register(registry));
        }
    }

    /** @param result acked, unacked or too_large */
    public void pushed(String result) {
        Counter counter = counters.get(result);
        if (counter != null) {
            counter.increment();
        }
    }
}
