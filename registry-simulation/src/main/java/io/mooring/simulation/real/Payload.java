package io.mooring.simulation.real;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.simulation.history.Entry;
import java.io.IOException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** What instances carry so that views can be judged: a version, and a checksum over it and who they are. */
final class Payload {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String VERSION = "version";
    private static final String CHECK = "check";

    private Payload() {}

    static String name(String service, String host, int port) {
        return service + "@" + host + ":" + port;
    }

    static Map<String, String> of(String instance, long version) {
        return Map.of(VERSION, Long.toString(version), CHECK, check(instance, version));
    }

    private static String check(String instance, long version) {
        return String.format(Locale.ROOT, "%08x", (instance + "/" + version).hashCode());
    }

    /** The version of the content, or {@link Entry#FABRICATED}. */
    static long version(String instance, Map<String, String> metadata) {
        try {
            long version = Long.parseLong(metadata.getOrDefault(VERSION, ""));
            return check(instance, version).equals(metadata.get(CHECK)) ? version : Entry.FABRICATED;
        } catch (NumberFormatException e) {
            return Entry.FABRICATED;
        }
    }

    /** A view as REST tells it. */
    record View(boolean incomplete, int twice, Map<String, Long> versions) {}

    static View parse(String service, String body) throws IOException {
        boolean incomplete = false;
        int twice = 0;
        Map<String, Long> versions = new HashMap<>();
        try (JsonParser json = JSON.createParser(body)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                JsonToken token = json.nextToken();
                if (field.equals("incomplete")) {
                    incomplete = json.getBooleanValue();
                } else if (field.equals("instances") && token == JsonToken.START_ARRAY) {
                    while (json.nextToken() == JsonToken.START_OBJECT) {
                        twice += instance(service, json, versions) ? 0 : 1;
                    }
                } else {
                    json.skipChildren();
                }
            }
        }
        return new View(incomplete, twice, versions);
    }

    /** Whether it is the first of its name. */
    private static boolean instance(String service, JsonParser json, Map<String, Long> versions) throws IOException {
        String host = "";
        int port = 0;
        Map<String, String> metadata = new HashMap<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken token = json.nextToken();
            if (field.equals("host")) {
                host = json.getText();
            } else if (field.equals("port")) {
                port = json.getIntValue();
            } else if (field.equals("metadata") && token == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String key = json.currentName();
                    json.nextToken();
                    metadata.put(key, json.getText());
                }
            } else {
                json.skipChildren();
            }
        }
        String name = name(service, host, port);
        return versions.put(name, version(name, metadata)) == null;
    }
}
