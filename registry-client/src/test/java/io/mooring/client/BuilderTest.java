package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class BuilderTest {
    private static void refused(String message, Executable attempt) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, attempt).getMessage());
    }

    @Test
    void addressesAreUnderstood() {
        Map<String, String> good = Map.of(
                "10.0.0.1", "10.0.0.1:9847",
                "registry:1", "registry:1",
                "::1", "[::1]:9847",
                "[::1]", "[::1]:9847",
                "[fe80::1%eth0]:65535", "[fe80::1%eth0]:65535",
                "a-b.c_d.example", "a-b.c_d.example:9847");
        good.forEach((text, address) ->
                assertEquals(Optional.of(address), ServerAddress.parse(text).map(ServerAddress::toString), text));
        for (String bad : List.of(
                "",
                ":",
                "a:",
                ":1",
                "a:0",
                "a:65536",
                "a:99999999999",
                "a:-1",
                "a:1x",
                "http://a",
                "a/b",
                "a b",
                "[::1",
                "[::1]x",
                "[::1]:",
                "[a]",
                "ä",
                "a:1:",
                "x".repeat(254),
                "a\u0000",
                "a:１")) {
            boolean looksLikeIpv6 = bad.equals("a:1:"); // several colons: taken for an IPv6 address, fails to connect
            assertEquals(looksLikeIpv6, ServerAddress.parse(bad).isPresent(), bad);
        }
        assertTrue(new ServerAddress("1.2.3.4", 1).literal());
        assertTrue(new ServerAddress("::1", 1).literal());
        assertEquals(false, new ServerAddress("1.2.3.400", 1).literal());
        assertEquals(false, new ServerAddress("1.2.3", 1).literal());
        assertEquals(false, new ServerAddress("host", 1).literal());
    }

    @Test
    void badValuesAreToldWithNameValueAndExpectation() {
        Mooring.Builder builder = Mooring.builder();
        refused(
                "servers: none (expected: at least one session address, as in servers(\"10.0.0.1:9847\"))",
                builder::build);
        refused(
                "servers: http://x (expected: host or host:port, with brackets around an IPv6 address)",
                () -> builder.servers("http://x"));
        refused(
                "namespace: a/b (expected: 1-64 characters: letters, digits, '_', '-', '.')",
                () -> builder.namespace("a/b"));
        refused("connectTimeout: PT0S (expected: PT0.001S to PT15S)", () -> builder.connectTimeout(Duration.ZERO));
        refused(
                "requestTimeout: PT-1S (expected: PT0.001S to PT10M)",
                () -> builder.requestTimeout(Duration.ofSeconds(-1)));
        refused("guardWindow: PT2H (expected: PT0S to PT1H)", () -> builder.guardWindow(Duration.ofHours(2)));
        refused("clientName:  (expected: 1-64 characters)", () -> builder.clientName(""));
        refused(
                "failureShare: NaN (expected: above 0)",
                () -> builder.outlierEjection(1, Double.NaN, Duration.ofSeconds(1)));
        refused(
                "consecutiveFailures: -1 (expected: 0 or more)",
                () -> builder.outlierEjection(-1, 1, Duration.ofSeconds(1)));
    }

    @Test
    void foreignNamespacesAndClosedClientsAreRefused() {
        Stage stage = new Stage(1);
        Mooring mooring = stage.client(builder -> builder.namespace("shop"));
        String expected =
                "namespace: public (expected: shop, the client's; use Mooring.key(name), or a client for that namespace)";
        refused(expected, () -> mooring.service(ServiceKey.of("orders")));
        refused(expected, () -> mooring.register(Instance.of(ServiceKey.of("orders"), "10.0.0.1", 80)));
        assertThrows(InvalidValueException.class, () -> mooring.register("orders", "10.0.0.1", 65_536));
        assertThrows(InvalidValueException.class, () -> mooring.register("orders", "10.0.0.1", 0));
        assertThrows(InvalidValueException.class, () -> mooring.service("a b"));
        Service orders = mooring.service("orders");
        RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
        stage.runMillis(20);
        assertThrows(InvalidValueException.class, () -> me.updateWeight(Double.NaN));
        assertThrows(InvalidValueException.class, () -> me.updateMetadata(Map.of("", "x")));
        assertEquals(1, orders.instances().size());
        var closing = mooring.closeAsync();
        stage.runMillis(20);
        assertTrue(closing.isDone());
        assertThrows(IllegalStateException.class, () -> mooring.service("orders"));
        assertThrows(IllegalStateException.class, () -> mooring.register("orders", "10.0.0.1", 80));
        assertTrue(mooring.closeAsync().isDone());
    }

    /** The real ports, and nobody there: no exception, no waiting, and a clean end. */
    @Test
    void buildsAndClosesWithoutServersResolverOrDisk(@TempDir Path directory) throws IOException {
        Path inTheWay = Files.write(directory.resolve("file"), new byte[1]);
        try (Mooring mooring = Mooring.builder()
                .servers("127.0.0.1:1", "no-such-host.invalid")
                .cacheDirectory(inTheWay.resolve("cache"))
                .build()) {
            RegisteredInstance me = mooring.register("orders", "10.0.0.1", 80);
            Service orders = mooring.service("orders");
            assertEquals(Optional.empty(), orders.choose());
            assertEquals(ServiceSnapshot.Source.NONE, orders.view().source());
            assertEquals(false, me.whenRegistered().isDone());
        }
    }

    @Test
    void servicesAreSharedAndCounted() {
        Stage stage = new Stage(1);
        stage.registry.put(Stage.instances(2));
        Mooring mooring = stage.client();
        Service one = mooring.service("orders");
        Service two = mooring.service("orders");
        stage.runMillis(20);
        one.close();
        one.close();
        stage.runMillis(20);
        assertEquals(1, stage.registry.latest().streams.size());
        stage.registry.put(Stage.instance(2));
        stage.runMillis(20);
        assertEquals(3, two.instances().size());
        two.close();
        stage.runMillis(20);
        assertEquals(0, stage.registry.latest().streams.size());
        assertEquals(3, two.instances().size()); // the last list, for whoever still asks
        assertTrue(mooring.status().services().isEmpty());
    }

    @Test
    void oddBalancersHurtNobody() {
        Stage stage = new Stage(1);
        stage.registry.put(Stage.instances(2));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        Balancer broken = candidates -> {
            throw new IllegalStateException("planted");
        };
        assertTrue(orders.choose(broken).isPresent());
        Balancer outside = candidates -> (key, attempt) -> 99;
        assertEquals(Optional.empty(), orders.choose(outside));
        for (int i = 0; i < 100; i++) { // a new one each time is slow, but bounded
            int number = i;
            assertTrue(orders.choose(candidates -> (key, attempt) -> number % candidates.size())
                    .isPresent());
            stage.runMillis(1);
        }
        stage.registry.put(Stage.instance(2));
        stage.runMillis(20);
        assertTrue(orders.choose(broken).isPresent());
        assertEquals(0, mooring.status().internalFailures());
    }

    @Test
    void diskFailuresAreCountedAndTriedAgain() {
        Stage stage = new Stage(1);
        stage.disk.fails = true;
        stage.registry.put(Stage.instances(2));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.run(Duration.ofSeconds(70));
        assertEquals(2, orders.instances().size());
        assertEquals(3, mooring.status().diskFailures());
        stage.disk.fails = false;
        stage.run(Duration.ofSeconds(31));
        assertEquals(1, stage.disk.files.size());
        assertEquals(1, stage.registry.opened.size());
    }

    @Test
    void writesToDiskAreSpacedAndTheLastStateIsKept() {
        Stage stage = new Stage(1);
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        for (int i = 0; i < 200; i++) {
            stage.registry.put(Stage.instance(i));
            stage.runMillis(50);
        }
        assertTrue(stage.disk.writes <= 12, "writes in 10 s: " + stage.disk.writes);
        stage.run(Duration.ofSeconds(1));
        int before = stage.disk.writes;
        stage.run(Duration.ofHours(1)); // confirmed on disk every quarter of an hour, so that its age means something
        assertEquals(before + 4, stage.disk.writes, 1);
        assertEquals(200, orders.instances().size());
        stage.wallClockBack(Duration.ofDays(3_650));
        ServiceSnapshot restarted = stage.client().service("orders").view();
        assertEquals(200, restarted.instances().size());
        assertEquals(Duration.ZERO, restarted.age());
    }
}
