package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Watching services by pattern. */
class WatchTest {
    private static final String ALL = "public>>DEFAULT_GROUP>>*";

    private TestEndpoint end;
    private TestClient provider;
    private TestClient watcher;

    @BeforeEach
    void start() {
        end = new TestEndpoint(wishes -> wishes.ackWithin = Duration.ofMillis(100)); // of the tests that withhold acks
        provider = TestClient.connected(end.port);
        watcher = TestClient.connected(end.port);
    }

    @AfterEach
    void stop() {
        provider.close();
        watcher.close();
        end.close();
    }

    private Message watch(String pattern, boolean initializing, String... received) {
        return watcher.request("NamingFuzzyWatchRequest", watching(pattern, initializing, received));
    }

    private static String watching(String pattern, boolean initializing, String... received) {
        String keys = received.length == 0 ? "" : "\"" + String.join("\",\"", received) + "\"";
        return "{\"namespace\":\"public\",\"groupKeyPattern\":\"" + pattern + "\",\"receivedGroupKeys\":[" + keys
                + "],\"watchType\":\"WATCH\",\"initializing\":" + initializing + "}";
    }

    private static void assertChange(String kind, String service, Message message) {
        assertEquals("NamingFuzzyWatchChangeNotifyRequest", message.type());
        assertEquals(
                "FUZZY_WATCH_RESOURCE_CHANGED", message.json().get("syncType").asString());
        assertEquals(kind, message.json().get("changedType").asString());
        assertEquals(
                "public@@DEFAULT_GROUP@@" + service,
                message.json().get("serviceKey").asString());
    }

    @Test
    void whatIsThereComesInBatchesAndTheEndIsSaidWhenAllAreAcknowledged() {
        for (int i = 0; i < 23; i++) {
            provider.register("s" + i, 1);
        }
        assertEquals("NamingFuzzyWatchResponse", watch(ALL, true).type());

        Set<String> services = new TreeSet<>();
        for (int batch = 1; batch <= 3; batch++) {
            Message message = watcher.next();
            JsonNode json = message.json();
            assertEquals("NamingFuzzyWatchSyncRequest", message.type());
            assertEquals("FUZZY_WATCH_INIT_NOTIFY", json.get("syncType").asString());
            assertEquals(ALL, json.get("groupKeyPattern").asString());
            assertEquals(3, json.get("totalBatch").asInt());
            assertEquals(batch, json.get("currentBatch").asInt());
            json.get("contexts").forEach(context -> {
                assertEquals("ADD_SERVICE", context.get("changedType").asString());
                services.add(context.get("serviceKey").asString());
            });
            watcher.ack(message, "NamingFuzzyWatchSyncResponse");
        }
        Message finish = watcher.next();
        assertEquals(
                "FINISH_FUZZY_WATCH_INIT_NOTIFY", finish.json().get("syncType").asString());
        assertEquals(0, finish.json().get("contexts").size());
        assertEquals(23, services.size());
        assertTrue(services.contains("public@@DEFAULT_GROUP@@s7"));
        watcher.assertNothing();
    }

    /** Trap: Java acknowledges these by the name of the other kind. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "NamingFuzzyWatchChangeNotifyResponse",
                "NamingFuzzyWatchSyncResponse",
                "NotifySubscriberResponse"
            })
    void ackOfAFuzzySyncMayHaveAnyName(String name) {
        try (TestEndpoint patient = new TestEndpoint(wishes -> wishes.ackWithin = Duration.ofDays(1));
                TestClient offering = TestClient.connected(patient.port);
                TestClient watching = TestClient.connected(patient.port)) {
            offering.register("orders", 1);
            watching.request("NamingFuzzyWatchRequest", watching(ALL, true));
            Message first = watching.next();
            assertEquals("FUZZY_WATCH_INIT_NOTIFY", first.json().get("syncType").asString());

            watching.ack(first, name);

            assertEquals(
                    "FINISH_FUZZY_WATCH_INIT_NOTIFY",
                    watching.next().json().get("syncType").asString(),
                    "which is said when all have been acknowledged");
        }
    }

    @Test
    void servicesThatComeAndGoAreToldAndOthersAreNot() {
        watch("public>>DEFAULT_GROUP>>or*", true);
        watcher.ack(watcher.next()); // the end of nothing

        provider.register("orders", 1);
        assertChange("ADD_SERVICE", "orders", watcher.next());
        provider.register("orders", 2);
        provider.register("stock", 1);
        watcher.assertNothing();
        provider.deregister("orders", 2);
        assertChange("DELETE_SERVICE", "orders", watcher.next());
    }

    @Test
    void aClientThatComparesIsToldWhatItsListLacksAndWhatIsGone() {
        for (String name : List.of("a", "b", "c")) {
            provider.register(name, 1);
        }

        watch(ALL, false, "public@@DEFAULT_GROUP@@b", "public@@DEFAULT_GROUP@@old", "nonsense", "public@@G9@@other");

        Message lacking = watcher.next();
        assertEquals(
                "FUZZY_WATCH_DIFF_SYNC_NOTIFY", lacking.json().get("syncType").asString());
        assertEquals(2, lacking.json().get("contexts").size());
        assertFalse(lacking.text().contains("@@b\""));
        // As a change: in a comparison, clients take everything for new.
        assertChange("DELETE_SERVICE", "old", watcher.next());
        watcher.assertNothing();
        watch(ALL, false, "public@@DEFAULT_GROUP@@a", "public@@DEFAULT_GROUP@@b", "public@@DEFAULT_GROUP@@c");
        watcher.assertNothing();
    }

    @Test
    void theEndIsSaidAlthoughNobodyAcknowledges() {
        provider.register("a", 1);
        watch(ALL, true);
        assertEquals(
                "FUZZY_WATCH_INIT_NOTIFY", watcher.next().json().get("syncType").asString());
        assertEquals(
                "FINISH_FUZZY_WATCH_INIT_NOTIFY",
                watcher.next().json().get("syncType").asString());
    }

    @Test
    void whoCancelsHearsNothing() {
        watch(ALL, true);
        watcher.next();
        watcher.request(
                "NamingFuzzyWatchRequest",
                "{\"groupKeyPattern\":\"" + ALL + "\",\"receivedGroupKeys\":[\"x\"],\"watchType\":\"CANCEL_WATCH\"}");
        provider.register("orders", 1);
        watcher.assertNothing();
    }

    @Test
    void patternsAndMatchesHaveLimits() {
        for (int i = 0; i < 30; i++) {
            provider.register("s" + i, 1);
        }
        JsonNode tooBroad = watch(ALL, true).json();
        assertEquals(50311, tooBroad.get("errorCode").asInt());
        assertEquals(500, tooBroad.get("resultCode").asInt());
        for (int batch = 0; batch < 3; batch++) {
            Message message = watcher.next();
            assertEquals(batch == 2 ? 5 : 10, message.json().get("contexts").size(), "25 of them");
            watcher.ack(message);
        }
        assertEquals(200, watch("public>>G1>>a", false).json().get("resultCode").asInt());
        assertEquals(200, watch("public>>G1>>b", false).json().get("resultCode").asInt());
        JsonNode tooMany = watch("public>>G1>>c", false).json();
        assertEquals(50310, tooMany.get("errorCode").asInt());
        assertEquals(
                "patterns: 3 (expected: at most 3); cancel some",
                tooMany.get("message").asString());
    }

    @ParameterizedTest
    @CsvSource({
        "public>>*>>*, true",
        "public>>G1>>*, true",
        "public>>G1>>orders, true",
        "public>>G1>>ord*, true",
        "public>>G1>>*ers, true",
        "public>>G1>>*rde*, true",
        "public>>G*>>**, true",
        "public>>G1>>order, false",
        "public>>G1>>*rde, false",
        "public>>G2>>*, false",
        "other>>*>>*, false",
        "public>>G1>>.*, false"
    })
    void patterns(String pattern, boolean matches) {
        assertEquals(matches, ServicePattern.parse(pattern).matches(new ServiceKey("public", "G1", "orders")), pattern);
    }

    @Test
    void aNamespaceEndsWhereTheNextBegins() {
        Services services = new Services(service -> {});
        String longest = "n".repeat(64);
        services.add(List.of(
                new ServiceKey("a", "-", "!"),
                new ServiceKey("a", "z", "z"),
                new ServiceKey("a-", "-", "x"),
                new ServiceKey("b", "g", "x"),
                new ServiceKey(longest, "g", "x")));

        assertEquals(2, count(services.ofNamespace("a")));
        assertEquals(1, count(services.ofNamespace("a-")));
        assertEquals(1, count(services.ofNamespace(longest)));
        assertEquals(0, count(services.ofNamespace("c")));
        assertEquals(List.of("!"), services.of("a", "-"));
    }

    private static int count(Iterable<ServiceKey> services) {
        int count = 0;
        for (ServiceKey ignored : services) {
            count++;
        }
        return count;
    }
}
