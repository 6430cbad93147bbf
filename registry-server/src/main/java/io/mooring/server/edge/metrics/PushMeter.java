package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** What edges tell about pushes. Any thread. */
public final class PushMeter {
    private final Timer latency;
    private final Counter bytes;
    private final Counter tooSlow;

    public PushMeter(MeterRegistry registry) {
        latency = Timer.builder("mooring.push.latency")
                .description("From a change to handing it to a subscriber's connection")
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
        bytes = Counter.builder("mooring.push.bytes")
                .description("Bytes handed to subscribers' connections")
                .register(registry);
        tooSlow = Counter.builder("mooring.push.dropped")
                .description("Subscribers given up because they did not read")
                .register(registry);
    }

    /**
     * One push was handed to one subscriber's connection.
     *
     * @param nanos since the change
     * @param length of what was handed over
     */
    public void pushed(long nanos, int length) {
        latency.record(nanos, TimeUnit.NANOSECONDS);
        bytes.increment(length);
    }

    /** A subscriber was given up because it did not read. */
    public void gaveUp() {
        tooSlow.increment();
    }
}
