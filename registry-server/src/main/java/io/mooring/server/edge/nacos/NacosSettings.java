package io.mooring.server.edge.nacos;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The settings of services in the words of Nacos clients. Stateless; any thread. */
public final class NacosSettings {
    private static final String NO_SELECTOR = "{\"type\":\"none\",\"contextType\":\"NONE\"}";

    private NacosSettings() {}

    /**
     * What is settled for a cluster.
     *
     * @param healthChecker a JSON object, {@code {"type":"HTTP","path":"/up","headers":"a:b|c:d","expectedResponseCode":200}};
     *     empty for a check by TCP
     * @param port that is checked where not the instance's own is
     * @param ofInstance whether the instance's own port is checked
     * @throws InvalidValueException when that is no such object, or says what cannot be done here
     */
    public static ClusterSettings cluster(String healthChecker, int port, boolean ofInstance, Metadata metadata) {
        Checker checker = new Checker();
        if (!healthChecker.isEmpty()) {
            try {
                TolerantJson.object(healthChecker.getBytes(StandardCharsets.UTF_8), checker);
            } catch (IOException e) {
                throw new InvalidValueException("healthChecker", healthChecker, "a JSON object");
            }
        }
        if (!checker.path.isEmpty()
                && !(checker.path.startsWith("/") && checker.path.chars().allMatch(c -> c > ' ' && c < 0x7f))) {
            throw new InvalidValueException(
                    "healthChecker.path", checker.path, "visible ASCII that begins with a slash");
        }
        if (port < 0 || port > 65_535) {
            throw new InvalidValueException("checkPort", port, "0-65535");
        }
        return new ClusterSettings(
                checker.check(), checker.path, checker.headers, checker.expectedCode, port, ofInstance, metadata);
    }

    private static final class Checker implements TolerantJson.Field {
        private String type = "TCP";
        private String path = ClusterSettings.DEFAULTS.path();
        private String headers = ClusterSettings.DEFAULTS.headers();
        private int expectedCode = ClusterSettings.DEFAULTS.expectedCode();

        @Override
        public void read(String name, JsonParser json) throws IOException {
            switch (name) {
                case "type" -> type = TolerantJson.text(name, json);
                case "path" -> path = TolerantJson.text(name, json);
                case "headers" -> headers = TolerantJson.text(name, json);
                case "expectedResponseCode" -> expectedCode = TolerantJson.whole(name, json);
                default -> {}
            }
        }

        Check check() {
            return switch (type.toUpperCase(Locale.ROOT)) {
                case "TCP" -> Check.TCP;
                case "HTTP" -> Check.HTTP;
                case "NONE" -> Check.NONE;
                case "MYSQL" ->
                    throw new InvalidValueException(
                            "healthChecker.type",
                            type,
                            "TCP, HTTP or NONE; Mooring does not log in to databases, so let TCP look whether it listens");
                default -> throw new InvalidValueException("healthChecker.type", type, "TCP, HTTP or NONE");
            };
        }
    }

    /** The field {@code healthChecker}. */
    public static void writeChecker(JsonGenerator json, ClusterSettings cluster) throws IOException {
        json.writeObjectFieldStart("healthChecker");
        json.writeStringField("type", cluster.check().name());
        if (cluster.check() == Check.HTTP) {
            json.writeStringField("path", cluster.path());
            json.writeStringField("headers", cluster.headers());
            json.writeNumberField("expectedResponseCode", cluster.expectedCode());
        }
        json.writeEndObject();
    }

    /**
     * Checks what somebody sends for a selector; no server reads more of it.
     *
     * @param text empty for none
     * @throws InvalidValueException when it is no JSON object, or too long
     */
    public static String selector(String text) {
        if (text.length() > ServiceSettings.LONGEST_SELECTOR) {
            throw new InvalidValueException(
                    "selector", text, "at most " + ServiceSettings.LONGEST_SELECTOR + " characters");
        }
        if (!text.isEmpty()) {
            try {
                TolerantJson.object(text.getBytes(StandardCharsets.UTF_8), (name, json) -> {});
            } catch (IOException e) {
                throw new InvalidValueException("selector", text, "a JSON object");
            }
        }
        return text;
    }

    /** The share of a service that is to be healthy, as it is settled now. Any thread. */
    public static double threshold(RegistryNode node, ServiceKey service) {
        return node.settings(service).orElse(ServiceSettings.DEFAULTS).protectThreshold();
    }

    /** The field {@code selector}. */
    public static void writeSelector(JsonGenerator json, ServiceSettings settings) throws IOException {
        json.writeFieldName("selector");
        // JSON, checked when it came; a node that took it by another way might not have
        json.writeRawValue(settings.selector().startsWith("{") ? settings.selector() : NO_SELECTOR);
    }
}
