package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.RemovalCause;
import io.mooring.protocol.ClientMessage;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SessionTest {
    private final Stage stage = new Stage(42);

    @Test
    void registersAndDiscoversOnOneConnection() {
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        RegisteredInstance me = mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(20);

        assertTrue(me.whenRegistered().isDone());
        assertEquals(1, orders.instances().size());
        assertEquals(Source.LIVE, orders.view().source());
        assertEquals("10.0.0.7", orders.choose().orElseThrow().host());
        assertEquals(1, stage.registry.opened.size());

        me.close();
        stage.runMillis(20);
        assertEquals(0, orders.instances().size());
    }

    @Test
    void servesFromMemoryForDaysAndComesBackByItself() {
        stage.registry.put(Stage.instances(10));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        RegisteredInstance me = mooring.register("billing", "10.9.9.9", 80);
        stage.runMillis(20);
        assertEquals(10, orders.instances().size());

        stage.registry.crash();
        for (int hour = 0; hour < 73; hour++) {
            stage.run(Duration.ofHours(1));
            assertEquals(10, orders.instances().size());
            assertEquals(Source.MEMORY, orders.view().source());
            assertTrue(
                    orders.view().age().toHours() >= hour,
                    "age " + orders.view().age());
            assertTrue(mooring.status().withoutAttempt().toSeconds() <= 30);
        }
        for (int i = 1; i < stage.registry.openedAt.size(); i++) {
            long gap = stage.registry.openedAt.get(i) - stage.registry.openedAt.get(i - 1);
            assertTrue(gap <= Duration.ofSeconds(31).toNanos(), "gap " + Duration.ofNanos(gap));
        }
        stage.registry.forget(Stage.ORDERS);
        stage.registry.holders.clear();
        stage.registry.put(Stage.instances(10));
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofSeconds(31));
        assertEquals(Source.LIVE, orders.view().source());
        assertEquals(1, stage.confirmed());
        assertTrue(me.whenRegistered().isDone());
        assertEquals(0, mooring.status().watchdogRestarts());
        assertEquals(0, mooring.status().internalFailures());
    }

    @Test
    void startsFromDiskDuringAnOutage() {
        stage.registry.put(Stage.instances(10));
        Mooring first = stage.client();
        Service before = first.service("orders");
        stage.run(Duration.ofSeconds(2));
        assertEquals(10, before.instances().size());
        stage.registry.crash();
        stage.run(Duration.ofHours(2));

        Mooring second = stage.client();
        Service orders = second.service("orders");
        assertEquals(10, orders.instances().size());
        assertEquals(Source.DISK, orders.view().source());
        assertTrue(orders.view().age().compareTo(Duration.ofHours(2)) >= 0);
        assertTrue(orders.whenReady().isDone());
        assertFalse(orders.whenLive().isDone());
    }

    @Test
    void repeatsOnlyWhatTheRegistryDoesNotHold() {
        Mooring mooring = stage.client(builder -> builder.servers("a"));
        mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(20);
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(3));
        assertEquals(2, stage.registry.opened.size());
        assertEquals("a:9847", stage.registry.opened.get(1));
        long registers = stage.registry.heard.stream()
                .filter(ClientMessage.Register.class::isInstance)
                .count();
        assertEquals(1, registers);

        stage.registry.forget(Stage.ORDERS);
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(3));
        assertEquals(1, stage.confirmed());
    }

    @Test
    void unexplainedEmptinessIsHeldAndReleased() {
        stage.registry.put(Stage.instances(10));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        stage.registry.remove(RemovalCause.LEASE_EXPIRED, Stage.ids(0, 10));
        stage.run(Duration.ofSeconds(59));
        assertEquals(10, orders.instances().size());
        assertTrue(orders.view().underProtection());
        stage.run(Duration.ofSeconds(12)); // the window counts up to the registry's last word
        assertEquals(0, orders.instances().size());
        assertFalse(orders.view().underProtection());
    }

    @Test
    void closesWithAGoodbye() {
        Mooring mooring = stage.client();
        mooring.register("orders", "10.0.0.7", 8080);
        stage.runMillis(20);
        var done = mooring.closeAsync();
        stage.runMillis(20);
        assertTrue(done.isDone());
        assertTrue(stage.released);
        assertEquals(0, stage.confirmed());
        stage.run(Duration.ofHours(1));
        assertEquals(0, stage.loop.timers());
    }
}
