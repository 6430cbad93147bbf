package io.mooring.server.edge.nacos;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.protocol.StrictJson;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON as Nacos servers do: null is as good as absent, numbers and truth may come as text, unknown fields are passed
 * over, of a field given twice the last one counts. Each method stands on the value and leaves the parser at its end.
 */
public final class TolerantJson {
    /** Entries of a list; what comes behind is not kept. */
    private static final int MOST_TEXTS = 100_000;

    private TolerantJson() {}

    /** Reads one field, of which the parser stands on the value. */
    public interface Field {
        /** Whatever is not read is passed over. */
        void read(String name, JsonParser json) throws IOException;
    }

    /**
     * Reads one object.
     *
     * @throws IOException when it is not one JSON object in UTF-8
     * @throws InvalidValueException when a field is of no use, named
     */
    public static void object(byte[] bytes, Field field) throws IOException {
        try (JsonParser json = StrictJson.FACTORY.createParser(text(bytes))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("not a JSON object");
            }
            fields(json, field);
            if (json.nextToken() != null) {
                throw new IOException("text behind the JSON object");
            }
        }
    }

    /** Decoded here: the parser would guess UTF-16 and UTF-32 too. */
    private static String text(byte[] bytes) throws CharacterCodingException {
        for (byte b : bytes) {
            if (b < 0) {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            }
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The fields of the object on whose brace the parser stands. */
    public static void fields(JsonParser json, Field field) throws IOException {
        for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
            JsonToken token = json.nextToken();
            if (token != JsonToken.VALUE_NULL) {
                field.read(name, json);
                // Whoever does not want an object or a list leaves the parser on its opening.
                json.skipChildren();
            }
        }
        if (json.currentToken() != JsonToken.END_OBJECT) {
            throw new IOException("the object does not end");
        }
    }

    public static String text(String name, JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        if (token == null || !token.isScalarValue()) {
            throw wrong(name, json, "text");
        }
        return json.getText();
    }

    public static int whole(String name, JsonParser json) throws IOException {
        double value = number(name, json);
        if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
            throw new InvalidValueException(name, json.getText(), "a whole number");
        }
        return (int) value;
    }

    public static double number(String name, JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        if (token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT) {
            return json.getDoubleValue();
        }
        if (token == JsonToken.VALUE_STRING && json.getTextLength() <= 32) {
            try {
                return Double.parseDouble(json.getText().strip());
            } catch (NumberFormatException e) {
                throw wrong(name, json, "a number");
            }
        }
        throw wrong(name, json, "a number");
    }

    public static boolean truth(String name, JsonParser json) throws IOException {
        JsonToken token = json.currentToken();
        if (token == JsonToken.VALUE_TRUE || token == JsonToken.VALUE_FALSE) {
            return token == JsonToken.VALUE_TRUE;
        }
        String text = token == JsonToken.VALUE_STRING ? json.getText().strip() : "";
        if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
            return text.equalsIgnoreCase("true");
        }
        throw wrong(name, json, "true or false");
    }

    /** Numbers and truth count as text, null as absent. */
    public static Map<String, String> texts(String name, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw wrong(name, json, "an object of texts");
        }
        Map<String, String> texts = new LinkedHashMap<>();
        fields(json, (key, value) -> {
            if (texts.size() > MOST_TEXTS) {
                return;
            }
            texts.put(key, text(name + "." + key, value));
        });
        return texts;
    }

    /** An instance's labels, checked. */
    public static Metadata metadata(String name, JsonParser json) throws IOException {
        return Metadata.of(texts(name, json));
    }

    public static List<String> list(String name, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            throw wrong(name, json, "a list of texts");
        }
        List<String> texts = new ArrayList<>();
        for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (token == null) {
                throw new IOException("the list does not end");
            }
            if (token != JsonToken.VALUE_NULL && texts.size() < MOST_TEXTS) {
                texts.add(text(name, json));
            }
        }
        return texts;
    }

    /** The complaint about a value of the wrong kind. */
    public static InvalidValueException wrong(String name, JsonParser json, String expected) throws IOException {
        JsonToken token = json.currentToken();
        @Nullable
        String given = token == JsonToken.START_ARRAY
                ? "a list"
                : token == JsonToken.START_OBJECT ? "an object" : json.getText();
        return new InvalidValueException(name, given, expected);
    }
}
