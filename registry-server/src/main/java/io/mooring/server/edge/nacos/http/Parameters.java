package io.mooring.server.edge.nacos.http;

import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosInstance;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.TolerantJson;
import io.mooring.server.web.UrlText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a request, from the query or a form in any mix; of one given twice the first counts. Empty is as good as
 * absent.
 */
final class Parameters {
    private final Map<String, String> values = new HashMap<>();

    /**
     * @param query as sent; null for none
     * @param form as sent; empty for none
     * @throws FaultException when they cannot be decoded
     */
    Parameters(@Nullable String query, byte[] form) {
        read("query", query == null ? "" : query);
        read("form", new String(form, StandardCharsets.ISO_8859_1)); // percent-encoded, so ASCII; the rest is refused
    }

    private void read(String what, String raw) {
        try {
            if (UrlText.pairs(what, raw, values::putIfAbsent) > UrlText.MOST) {
                throw new FaultException(Fault.TOO_LARGE, what + ": more than " + UrlText.MOST + " parameters");
            }
        } catch (InvalidValueException e) {
            throw new FaultException(Fault.UNREADABLE, String.valueOf(e.getMessage()));
        }
    }

    /** The first of these names that is there, or an empty text. */
    String text(String... names) {
        for (String name : names) {
            String value = values.getOrDefault(name, "");
            if (!value.isBlank()) {
                return value.strip();
            }
        }
        return "";
    }

    /** As it came, spaces too. */
    String raw(String name) {
        return values.getOrDefault(name, "");
    }

    boolean has(String... names) {
        return !text(names).isEmpty();
    }

    String required(String... names) {
        String text = text(names);
        if (text.isEmpty()) {
            throw FaultException.missing(names[0]);
        }
        return text;
    }

    boolean truth(boolean otherwise, String... names) {
        String text = text(names);
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "" -> otherwise;
            case "true", "yes", "on", "1" -> true;
            case "false", "no", "off", "0" -> false;
            default -> throw new InvalidValueException(names[0], text, "true or false");
        };
    }

    int whole(String name, int otherwise) {
        String text = text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new InvalidValueException(name, text, "a whole number");
        }
    }

    double number(String name, double otherwise) {
        String text = text(name);
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            return text.length() > 64 ? Double.NaN : Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new InvalidValueException(name, text, "a number");
        }
    }

    /** A JSON object of texts, or {@code k=v,k2=v2}. */
    Map<String, String> texts(String name) {
        String text = text(name);
        if (text.isEmpty()) {
            return Map.of();
        }
        Map<String, String> texts = new LinkedHashMap<>();
        if (text.startsWith("{")) {
            json(name, text, (key, json) -> texts.put(key, TolerantJson.text(name + "." + key, json)));
            return texts;
        }
        for (String pair : text.split(",")) {
            int equals = pair.indexOf('=');
            if (equals <= 0) {
                throw new InvalidValueException(name, text, "a JSON object of texts, or k=v,k2=v2");
            }
            texts.put(
                    pair.substring(0, equals).strip(),
                    pair.substring(equals + 1).strip());
        }
        return texts;
    }

    /** Reads the fields of a JSON object. @throws InvalidValueException when it is none */
    static void json(String name, String text, TolerantJson.Field field) {
        try {
            TolerantJson.object(text.getBytes(StandardCharsets.UTF_8), field);
        } catch (IOException e) {
            throw new InvalidValueException(name, text, "a JSON object");
        }
    }

    // ---- what they name

    String namespace() {
        return NacosNames.namespace(text("namespaceId", "namespace"));
    }

    ServiceKey service() {
        return NacosNames.service(namespace(), text("groupName"), required("serviceName"));
    }

    InstanceId instanceId() {
        ServiceKey service = service();
        String ip = required("ip");
        required("port");
        return NacosNames.instance(service, text("clusterName", "cluster"), ip, whole("port", -1));
    }

    /** What is registered, as far as the parameters say. */
    NacosInstance instance() {
        String ip = required("ip");
        required("port");
        return new NacosInstance(
                ip,
                whole("port", -1),
                number("weight", 1),
                truth(true, "enabled", "enable"),
                truth(true, "healthy"),
                truth(true, "ephemeral"),
                NacosNames.cluster(text("clusterName", "cluster")),
                Metadata.of(texts("metadata")));
    }

    /** The parts of an instance that are to be changed. */
    Optional<Boolean> enabled() {
        return has("enabled", "enable") ? Optional.of(truth(true, "enabled", "enable")) : Optional.empty();
    }
}
