package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What edges tell about pushes. Any thread. */
public final class PushMeter {
    private final Timer latency;

    public PushMeter(MeterRegistry registry) {
        latency = Timer.builder("mooring.push.latency")
                .description("From a push being decided to handing it to a subscriber's connection")
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(3),
                        Duration.ofMillis(5),
                        Duration.ofMillis(12),
                        Duration.ofMillis(30),
                        Duration.ofMillis(100),
                        Duration.ofMillis(200),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5))
                .register(registry);
    }

    /** One push was handed to one subscriber's connection, {@code nanos} after it was decided. */
    public void pushed(long nanos) {
        latency.record(nanos, TimeUnit.NANOSECONDS);
    }
}
