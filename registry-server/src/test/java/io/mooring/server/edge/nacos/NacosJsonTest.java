package io.mooring.server.edge.nacos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names and JSON as Nacos clients have them. */
class NacosJsonTest {
    private static final ServiceKey ORDERS = new ServiceKey("public", "G1", "orders");

    private static String text(NacosJson.Body body) {
        return new String(NacosJson.bytes(body), StandardCharsets.UTF_8);
    }

    @Test
    void aListHasTheNameAsAskedForAndStopsWhereItsStampBelongs() {
        HealthView nobody = new HealthView(List.of(), true);
        String common = "\"groupName\":\"G1\",\"clusters\":\"a,b\",\"cacheMillis\":3000,\"allIps\":false,"
                + "\"checksum\":\"\",\"reachProtectionThreshold\":true,\"valid\":true,\"hosts\":[]";

        String bare = text(json -> NacosJson.beginList(json, ORDERS, NacosJson.NameForm.BARE, "a,b", nobody, 3_000));
        String grouped =
                text(json -> NacosJson.beginList(json, ORDERS, NacosJson.NameForm.GROUPED, "a,b", nobody, 3_000));

        assertEquals("{\"name\":\"orders\"," + common, bare);
        assertEquals("{\"name\":\"G1@@orders\"," + common, grouped);
    }

    @Test
    void anInstanceHasTheNumbersItsLabelsSay() {
        Instance plain = Instance.of(ORDERS, "10.0.0.1", 0);
        Instance labelled = new Instance(
                new InstanceId(ORDERS, "c1", "::1", 80),
                0.5,
                true,
                Metadata.of(Map.of(
                        "preserved.heart.beat.interval", "1000",
                        "preserved.ip.delete.timeout", "soon",
                        "preserved.instance.id.generator", "snowflake",
                        "ö", "\"\n")));

        assertEquals(
                "{\"instanceId\":\"10.0.0.1#0#DEFAULT#G1@@orders\",\"ip\":\"10.0.0.1\",\"port\":0,\"weight\":1.0,"
                        + "\"healthy\":false,\"enabled\":true,\"ephemeral\":false,\"clusterName\":\"DEFAULT\","
                        + "\"serviceName\":\"G1@@orders\",\"metadata\":{},\"instanceHeartBeatInterval\":5000,"
                        + "\"instanceHeartBeatTimeOut\":15000,\"ipDeleteTimeout\":30000,"
                        + "\"instanceIdGenerator\":\"simple\"}",
                text(json -> NacosJson.instance(json, new HealthView.Host(plain, false, true))));
        assertEquals(
                "{\"instanceId\":\"::1#80#c1#G1@@orders\",\"ip\":\"::1\",\"port\":80,\"weight\":0.5,\"healthy\":true,"
                        + "\"enabled\":true,\"ephemeral\":true,\"clusterName\":\"c1\",\"serviceName\":\"G1@@orders\","
                        + "\"metadata\":{\"preserved.heart.beat.interval\":\"1000\","
                        + "\"preserved.instance.id.generator\":\"snowflake\","
                        + "\"preserved.ip.delete.timeout\":\"soon\",\"ö\":\"\\\"\\n\"},"
                        + "\"instanceHeartBeatInterval\":1000,\"instanceHeartBeatTimeOut\":15000,"
                        + "\"ipDeleteTimeout\":30000,\"instanceIdGenerator\":\"snowflake\"}",
                text(json -> NacosJson.instance(json, new HealthView.Host(labelled, true, false))));
    }

    @ParameterizedTest
    @CsvSource({
        "'', '', a, public/DEFAULT_GROUP/a",
        "n, g, a, n/g/a",
        "n, g, h@@a, n/h/a",
        ", , h@@a, public/h/a",
        "n, , providers:com.x.Y:1.0:, n/DEFAULT_GROUP/providers:com.x.Y:1.0:",
    })
    void namesHaveTheirDefaults(String namespace, String group, String name, String service) {
        assertEquals(service, NacosNames.service(namespace, group, name).toString());
    }

    @ParameterizedTest
    @CsvSource({
        "'', serviceName",
        "a b, serviceName",
        "@@a, ok",
        "g@@, serviceName",
        "g@@a@@b, serviceName",
        "ö, serviceName"
    })
    void badNamesAreCalledAsTheClientKnowsThem(String name, String field) {
        if (field.equals("ok")) {
            assertEquals(
                    "public/DEFAULT_GROUP/a", NacosNames.service("", "", name).toString());
            return;
        }
        InvalidValueException e = assertThrows(InvalidValueException.class, () -> NacosNames.service("", "", name));
        assertEquals(field, e.field());
    }

    @Test
    void clustersComeAsOneText() {
        assertEquals(Set.of(), NacosNames.clusters(null));
        assertEquals(Set.of(), NacosNames.clusters(""));
        assertEquals(Set.of("a", "b"), NacosNames.clusters("a, b,,"));
    }

    @Test
    void jsonIsReadAsTheirServersDo() throws IOException {
        List<String> seen = new ArrayList<>();

        TolerantJson.object(
                "{\"skip\":{\"deep\":[1,{}]},\"null\":null,\"n\":\"7\",\"t\":\"TRUE\",\"x\":1.0,\"list\":[\"a\",null,2]}"
                        .getBytes(StandardCharsets.UTF_8),
                (name, json) -> {
                    switch (name) {
                        case "n", "x" -> seen.add(name + TolerantJson.whole(name, json));
                        case "t" -> seen.add(name + TolerantJson.truth(name, json));
                        case "list" -> seen.add(name + TolerantJson.list(name, json));
                        case "null" -> seen.add("null is to be as good as absent");
                        default -> {}
                    }
                });

        assertEquals(List.of("n7", "ttrue", "x1", "list[a, 2]"), seen);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[]", "{", "{\"a\":1", "{} 1", "{\"a\":[1}", "nonsense", "{\"a\":\"\\ud800\"", "{\"a\" 1}"})
    void whatIsNotOneObjectIsNotRead(String text) {
        assertThrows(
                IOException.class,
                () -> TolerantJson.object(text.getBytes(StandardCharsets.UTF_8), (name, json) -> {}));
        byte[] notUtf8 = {'{', '"', (byte) 0xc3, '"', ':', '1', '}'};
        assertThrows(IOException.class, () -> TolerantJson.object(notUtf8, (name, json) -> {}));
    }
}
