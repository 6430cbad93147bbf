package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.protocol.RefusalCode;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Counts what one edge refused, by code. Codes beyond the known ones count as {@code other}. Any thread. */
public final class Refusals {
    private static final String OTHER = "other";
    private static final Set<String> CODES = Set.of(
            RefusalCode.INVALID,
            RefusalCode.MISSING,
            RefusalCode.LIMIT,
            RefusalCode.UNKNOWN,
            RefusalCode.NOT_OWNER,
            RefusalCode.KIND,
            RefusalCode.OVERLOADED,
            RefusalCode.NOT_DURABLE,
            RefusalCode.MALFORMED,
            RefusalCode.TOO_SLOW,
            RefusalCode.INTERNAL,
            "forbidden",
            "method_not_allowed",
            "not_acceptable",
            "unsupported_media_type",
            "too_large",
            "not_offered",
            OTHER);

    private final Map<String, Counter> counters = new TreeMap<>();

    /** @param edge as in "http" or "session" */
    public Refusals(MeterRegistry registry, String edge) {
        for (String code : CODES) {
            counters.put(
                    code,
                    Counter.builder("mooring.refused")
                            .description("Requests an edge refused")
                            .tag("edge", edge)
                            .tag("code", code)
                            .register(registry));
        }
    }

    public void count(String code) {
        Counter counter = counters.get(counters.containsKey(code) ? code : OTHER);
        if (counter != null) {
            counter.increment();
        }
    }
}
