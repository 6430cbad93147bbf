package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MooringMetricsTest {
    @Test
    void tellsHowTheClientIsDoing() {
        Stage stage = new Stage(1);
        stage.registry.put(Stage.instances(2));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        new MooringMetrics(mooring).bindTo(meters);
        stage.runMillis(20);
        assertEquals(1, meters.get("mooring.client.connected").gauge().value());
        assertEquals(
                1,
                meters.get("mooring.client.services")
                        .tag("source", "live")
                        .gauge()
                        .value());
        assertEquals(0, meters.get("mooring.client.attempt.age").timeGauge().value());
        stage.registry.crash();
        stage.run(Duration.ofMinutes(10));
        assertEquals(0, meters.get("mooring.client.connected").gauge().value());
        assertEquals(
                1,
                meters.get("mooring.client.services")
                        .tag("source", "memory")
                        .gauge()
                        .value());
        assertTrue(meters.get("mooring.client.attempts").functionCounter().count() > 20);
        assertTrue(meters.get("mooring.client.attempt.age").timeGauge().value(TimeUnit.SECONDS) <= 30);
        assertEquals(600, meters.get("mooring.client.cache.age").timeGauge().value(TimeUnit.SECONDS), 11);
        assertEquals(2, orders.instances().size());
        for (Meter meter : meters.getMeters()) {
            assertTrue(
                    meter.getId().getName().matches("mooring\\.client\\.[a-z.]+"),
                    meter.getId().getName());
            meter.getId().getTags().forEach(tag -> assertEquals("source", tag.getKey()));
        }
    }
}
