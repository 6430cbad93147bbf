package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.server.durable.InterfaceKey;
import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The part of Nacos' configuration that Dubbo needs to find applications by interface. */
class InterfacesTest {
    private static final String GREETER = "com.example.Greeter";
    private static final String MD5_OF_BANK_AND_SHOP = "12d1fd63e3bd565d171a82f34333f5ce";

    private TestEndpoint end;
    private TestClient provider;
    private TestClient consumer;

    @BeforeEach
    void start() {
        end = new TestEndpoint(wishes -> {
            wishes.disk = true;
            wishes.subscriptions = 3;
        });
        provider = config();
        consumer = config();
    }

    @AfterEach
    void stop() {
        provider.close();
        consumer.close();
        end.close();
    }

    private TestClient config() {
        TestClient client = new TestClient(end.port);
        client.setUp(TestClient.SET_UP.replace("\"naming\"", "\"config\""));
        assertEquals("SetupAckRequest", client.next().type());
        return client;
    }

    private static String named(String dataId) {
        return "\"dataId\":\"" + dataId + "\",\"group\":\"mapping\",\"tenant\":\"\"";
    }

    private Message publish(String dataId, String content) {
        return provider.request(
                "ConfigPublishRequest", "{" + named(dataId) + ",\"content\":\"" + content + "\",\"casMd5\":\"0\"}");
    }

    private Message query(String dataId) {
        return consumer.request("ConfigQueryRequest", "{" + named(dataId) + ",\"notify\":false}");
    }

    private Message listen(boolean listen, String... contexts) {
        return consumer.request(
                "ConfigBatchListenRequest",
                "{\"listen\":" + listen + ",\"configListenContexts\":[" + String.join(",", contexts) + "]}");
    }

    private static String context(String dataId, String md5) {
        return "{" + named(dataId) + ",\"md5\":\"" + md5 + "\"}";
    }

    private static void assertWell(String type, Message answer) {
        assertEquals(type, answer.type());
        assertEquals(200, answer.json().get("resultCode").asInt(), answer.text());
        assertEquals(0, answer.json().get("errorCode").asInt());
        assertTrue(answer.json().get("success").asBoolean());
    }

    private static void assertRefused(int code, Message answer) {
        assertEquals(code, answer.json().get("errorCode").asInt(), answer.text());
        assertEquals(500, answer.json().get("resultCode").asInt());
        assertFalse(answer.json().get("success").asBoolean());
    }

    @Test
    void whatWasPublishedIsReadBackWithItsHash() {
        Message nothing = query(GREETER);
        assertEquals("ConfigQueryResponse", nothing.type());
        assertRefused(300, nothing); // so clients are told that there is none; all else they take for a failure
        assertWell("ConfigPublishResponse", publish(GREETER, "shop"));
        assertWell("ConfigPublishResponse", publish(GREETER, "bank,shop"));
        Message answer = query(GREETER);
        assertWell("ConfigQueryResponse", answer);
        assertEquals("bank,shop", answer.json().get("content").asString());
        assertEquals(MD5_OF_BANK_AND_SHOP, answer.json().get("md5").asString());
        assertEquals(List.of("bank", "shop"), end.node.applications(new InterfaceKey("public", GREETER)));
        assertEquals(0, end.node.status().sessions());
    }

    @Test
    void aWriterThatDidNotKnowOfAnotherDisplacesNobody() {
        publish(GREETER, "bank");
        assertWell("ConfigPublishResponse", publish(GREETER, "shop"));
        assertEquals("bank,shop", query(GREETER).json().get("content").asString());
    }

    @Test
    void whoListensHearsOfAChangeByTheNameItUsesAndAsks() {
        Message first = listen(true, context(GREETER, ""));
        assertWell("ConfigChangeBatchListenResponse", first);
        assertEquals(0, first.json().get("changedConfigs").size());

        publish(GREETER, "bank");
        Message told = consumer.next();
        assertEquals("ConfigChangeNotifyRequest", told.type());
        assertEquals(GREETER, told.json().get("dataId").asString());
        assertEquals("mapping", told.json().get("group").asString());
        assertEquals("", told.json().get("tenant").asString());
        consumer.ack(told, "ConfigChangeNotifyResponse");

        publish(GREETER, "shop");
        assertEquals("ConfigChangeNotifyRequest", consumer.next().type());
        publish(GREETER, "shop");
        consumer.assertNothing();
    }

    @Test
    void whoComparesIsToldWhatDiffers() {
        publish(GREETER, "bank,shop");
        publish("Other", "bank");
        JsonNode changed = listen(
                        true, context(GREETER, MD5_OF_BANK_AND_SHOP), context("Other", "1234"), context("None", ""))
                .json()
                .get("changedConfigs");
        assertEquals(1, changed.size());
        assertEquals("Other", changed.get(0).get("dataId").asString());
        assertEquals("mapping", changed.get(0).get("group").asString());
    }

    @Test
    void whoListensNoMoreHearsNothing() {
        listen(true, context(GREETER, ""), context("Other", ""));
        assertWell("ConfigChangeBatchListenResponse", listen(false, context(GREETER, "")));
        publish(GREETER, "bank");
        publish("Other", "bank");
        assertEquals("Other", consumer.next().json().get("dataId").asString());
        consumer.assertNothing();
    }

    @Test
    void whatElseIsListenedToHasNothingToChange() {
        String other = "{\"dataId\":\"app.configurators\",\"group\":\"dubbo\",\"tenant\":\"\",\"md5\":\"77\"}";
        assertRefused(302, listen(true, other));
        Message both = listen(true, other, context(GREETER, ""));
        assertWell("ConfigChangeBatchListenResponse", both);
        assertEquals(0, both.json().get("changedConfigs").size());
    }

    @Test
    void oneConnectionListensToSoManyAtMost() {
        assertWell("ConfigChangeBatchListenResponse", listen(true, context("a", ""), context("b", "")));
        assertWell("ConfigChangeBatchListenResponse", listen(true, context("a", ""), context("c", "")));
        assertRefused(500, listen(true, context("d", "")));
        assertWell("ConfigChangeBatchListenResponse", listen(false, context("a", "")));
        assertWell("ConfigChangeBatchListenResponse", listen(true, context("d", "")));
    }

    @Test
    void aMappingCanBeRemoved() {
        publish(GREETER, "bank,shop");
        assertWell("ConfigRemoveResponse", provider.request("ConfigRemoveRequest", "{" + named(GREETER) + "}"));
        assertRefused(300, query(GREETER));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",bank", "a b", "caf\u00e9"})
    void namesThatCouldNotBeReadBackAreRefused(String content) {
        Message answer = publish(GREETER, content);
        assertEquals("ConfigPublishResponse", answer.type());
        assertRefused(400, answer);
        assertRefused(300, query(GREETER));
    }

    @Test
    void allOtherConfigurationIsRefused() {
        for (String type : List.of("ConfigPublishRequest", "ConfigQueryRequest", "ConfigRemoveRequest")) {
            Message answer = provider.request(
                    type, "{\"dataId\":\"app.yaml\",\"group\":\"DEFAULT_GROUP\",\"tenant\":\"\",\"content\":\"a\"}");
            assertEquals(type.replace("Request", "Response"), answer.type());
            assertRefused(302, answer);
            assertTrue(answer.json().get("message").asString().startsWith("Mooring keeps no configuration"));
        }
    }

    @Test
    void beforeTheSetUpThereIsNothing() {
        try (TestClient client = new TestClient(end.port)) {
            Message answer = client.request("ConfigQueryRequest", "{" + named(GREETER) + "}");
            assertEquals("ErrorResponse", answer.type());
            assertRefused(301, answer);
        }
    }

    @Test
    void aNodeWithoutADiskTakesNone() {
        try (TestEndpoint diskless = new TestEndpoint();
                TestClient client = TestClient.connected(diskless.port)) {
            assertRefused(503, client.request("ConfigPublishRequest", "{" + named(GREETER) + ",\"content\":\"bank\"}"));
        }
    }
}
