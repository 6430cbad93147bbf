package io.mooring.server.edge.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.RefusalCode;
import io.mooring.protocol.StrictJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bodies of requests. What is not JSON in UTF-8 is {@code malformed}; a field of the wrong type or given
 * twice is {@code invalid} and named; unknown fields are passed over, whatever their shape. Null is no value: leave
 * the field out.
 */
final class JsonBody {
    static final int MOST_INSTANCES = 1_000;

    private JsonBody() {}

    /** What a publisher says about an instance; null where it says nothing. */
    record Publication(
            @Nullable String ttl,
            @Nullable Double weight,
            @Nullable Boolean enabled,
            @Nullable Metadata metadata) {
        static final Publication NOTHING = new Publication(null, null, null, null);

        boolean changesNothing() {
            return weight == null && enabled == null && metadata == null;
        }
    }

    private interface Fields {
        void read(JsonParser json) throws IOException;
    }

    /** @throws ProblemException when it is not acceptable; an empty body says nothing and is fine */
    static Publication publication(byte[] body) {
        if (body.length == 0) {
            return Publication.NOTHING;
        }
        PublicationFields fields = new PublicationFields();
        read(body, fields);
        return new Publication(fields.ttl, fields.weight, fields.enabled, fields.metadata);
    }

    /** @throws ProblemException when it is not acceptable */
    static List<InstanceId> instances(byte[] body) {
        InstancesFields fields = new InstancesFields();
        read(body, fields);
        if (fields.instances == null) {
            throw new ProblemException(Problem.missing("instances", "a list of 1-" + MOST_INSTANCES + " instances"));
        }
        if (fields.listed > MOST_INSTANCES) {
            throw new ProblemException(Problem.limit("instances", fields.listed, MOST_INSTANCES));
        }
        if (fields.instances.isEmpty()) {
            throw new InvalidValueException("instances", "0 entries", "1-" + MOST_INSTANCES + " entries");
        }
        return fields.instances;
    }

    private static void read(byte[] body, Fields fields) {
        try (JsonParser json = StrictJson.FACTORY.createParser(text(body))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw malformed("the body must be a JSON object");
            }
            fields.read(json);
            if (json.nextToken() != null) {
                throw malformed("text behind the JSON object");
            }
        } catch (IOException e) {
            String why = e instanceof JsonProcessingException problem ? problem.getOriginalMessage() : e.getMessage();
            throw malformed("the body is not acceptable JSON: " + InvalidValueException.shown(String.valueOf(why)));
        }
    }

    /** Decoded here: the parser would guess UTF-16 and UTF-32 too. */
    private static char[] text(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(body))
                    .toString()
                    .toCharArray();
        } catch (CharacterCodingException e) {
            throw malformed("the body is not UTF-8");
        }
    }

    private static ProblemException malformed(String why) {
        return new ProblemException(Problem.of(RefusalCode.MALFORMED, why));
    }

    private static final class PublicationFields implements Fields {
        private @Nullable String ttl;
        private @Nullable Double weight;
        private @Nullable Boolean enabled;
        private @Nullable Metadata metadata;

        @Override
        public void read(JsonParser json) throws IOException {
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                JsonToken token = json.nextToken();
                switch (name) {
                    case "ttl" -> ttl = once(name, ttl, string(json, token, name, "a duration such as \"15s\""));
                    case "weight" -> weight = once(name, weight, number(json, token));
                    case "enabled" -> enabled = once(name, enabled, flag(json, token));
                    case "metadata" -> metadata = once(name, metadata, metadata(json, token));
                    default -> json.skipChildren();
                }
            }
        }
    }

    private static final class InstancesFields implements Fields {
        private @Nullable List<InstanceId> instances;
        private int listed;

        @Override
        public void read(JsonParser json) throws IOException {
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                JsonToken token = json.nextToken();
                if (name.equals("instances")) {
                    instances = once(name, instances, list(json, token));
                } else {
                    json.skipChildren();
                }
            }
        }

        private List<InstanceId> list(JsonParser json, JsonToken token) throws IOException {
            if (token != JsonToken.START_ARRAY) {
                throw wrongType(json, token, "instances", "a list of instances");
            }
            List<InstanceId> list = new ArrayList<>();
            for (JsonToken next = json.nextToken(); next != JsonToken.END_ARRAY; next = json.nextToken(), listed++) {
                if (listed >= MOST_INSTANCES) {
                    json.skipChildren();
                    continue;
                }
                String at = "instances[" + listed + "]";
                if (next != JsonToken.START_OBJECT) {
                    throw wrongType(json, next, at, "an object");
                }
                try {
                    list.add(address(json, at));
                } catch (InvalidValueException e) {
                    throw e.inside(at);
                }
            }
            return list;
        }

        private static InstanceId address(JsonParser json, String at) throws IOException {
            String namespace = null;
            String group = null;
            String service = null;
            String cluster = null;
            String host = null;
            Integer port = null;
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                JsonToken token = json.nextToken();
                switch (name) {
                    case "namespace" -> namespace = once(name, namespace, string(json, token, name, "text"));
                    case "group" -> group = once(name, group, string(json, token, name, "text"));
                    case "service" -> service = once(name, service, string(json, token, name, "text"));
                    case "cluster" -> cluster = once(name, cluster, string(json, token, name, "text"));
                    case "host" -> host = once(name, host, string(json, token, name, "text"));
                    case "port" -> port = once(name, port, port(json, token));
                    default -> json.skipChildren();
                }
            }
            if (service == null) {
                throw new ProblemException(Problem.missing(at + ".service", "the name of a service"));
            }
            if (host == null) {
                throw new ProblemException(Problem.missing(at + ".host", "an IP address or host name"));
            }
            if (port == null) {
                throw new ProblemException(Problem.missing(at + ".port", "1-65535"));
            }
            ServiceKey key = new ServiceKey(
                    namespace == null ? ServiceKey.DEFAULT_NAMESPACE : namespace,
                    group == null ? ServiceKey.DEFAULT_GROUP : group,
                    service);
            return new InstanceId(key, cluster == null ? InstanceId.DEFAULT_CLUSTER : cluster, host, port);
        }
    }

    private static <T> T once(String field, @Nullable Object before, T value) {
        if (before != null) {
            throw new InvalidValueException(field, "given twice", "each field once");
        }
        return value;
    }

    private static String string(JsonParser json, JsonToken token, String field, String expected) throws IOException {
        if (token != JsonToken.VALUE_STRING) {
            throw wrongType(json, token, field, expected);
        }
        return json.getText();
    }

    private static Double number(JsonParser json, JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
            throw wrongType(json, token, "weight", "a number from 0 to 10000");
        }
        return json.getDoubleValue();
    }

    private static Integer port(JsonParser json, JsonToken token) throws IOException {
        boolean number = token == JsonToken.VALUE_NUMBER_INT && json.getNumberType() == JsonParser.NumberType.INT;
        if (!number || json.getIntValue() == 0) {
            throw wrongType(json, token, "port", "1-65535");
        }
        return json.getIntValue();
    }

    private static Boolean flag(JsonParser json, JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            throw wrongType(json, token, "enabled", "true or false");
        }
        return token == JsonToken.VALUE_TRUE;
    }

    private static Metadata metadata(JsonParser json, JsonToken token) throws IOException {
        if (token != JsonToken.START_OBJECT) {
            throw wrongType(json, token, "metadata", "an object of texts");
        }
        @Nullable String[] flat = new @Nullable String[2 * (Metadata.MAX_ENTRIES + 1)];
        int length = 0;
        int entries = 0;
        for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
            JsonToken value = json.nextToken();
            if (value != JsonToken.VALUE_STRING) {
                throw wrongType(json, value, "metadata." + key, "text");
            }
            entries++;
            if (length < flat.length) {
                flat[length++] = key;
                flat[length++] = json.getText();
            }
        }
        if (entries > Metadata.MAX_ENTRIES) {
            throw new InvalidValueException(
                    "metadata", entries + " entries", "at most " + Metadata.MAX_ENTRIES + " entries");
        }
        return Metadata.ofFlat(flat, length);
    }

    private static InvalidValueException wrongType(
            JsonParser json, @Nullable JsonToken token, String field, String expected) throws IOException {
        String given = token == JsonToken.START_ARRAY
                ? "a list"
                : token == JsonToken.START_OBJECT ? "an object" : String.valueOf(json.getText());
        return new InvalidValueException(InvalidValueException.shown(field), given, expected);
    }
}
