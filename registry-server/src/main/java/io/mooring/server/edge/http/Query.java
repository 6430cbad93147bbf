package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import io.mooring.protocol.RefusalCode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The query string of a request, read strictly: the servlet's own parameters would mix in form fields of the body and
 * pass over bad encodings. Parameters that the route does not know are ignored.
 */
final class Query {
    private static final int MOST_PARAMETERS = 256;
    /** Larger numbers are not exact in every JSON implementation. */
    private static final long MAX_SAFE_INTEGER = (1L << 53) - 1;

    private final Set<String> known;
    private final Map<String, List<String>> values = new TreeMap<>();

    /** @throws ProblemException when it cannot be decoded */
    Query(@Nullable String raw, Set<String> known) {
        this.known = known;
        if (raw == null || raw.isEmpty()) {
            return;
        }
        int parameters = 0;
        int at = 0;
        while (at <= raw.length()) {
            int end = raw.indexOf('&', at);
            end = end < 0 ? raw.length() : end;
            if (end > at) {
                if (++parameters > MOST_PARAMETERS) {
                    throw new ProblemException(Problem.limit("query", parameters, MOST_PARAMETERS));
                }
                int equals = raw.indexOf('=', at);
                boolean bare = equals < 0 || equals > end;
                String name = decoded(raw.substring(at, bare ? end : equals));
                String value = bare ? "" : decoded(raw.substring(equals + 1, end));
                if (known.contains(name)) {
                    values.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
                }
            }
            at = end + 1;
        }
    }

    private static String decoded(String raw) {
        ByteBuffer bytes = ByteBuffer.allocate(raw.length() * 3);
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                int high = i + 2 < raw.length() ? hex(raw.charAt(i + 1)) : -1;
                int low = i + 2 < raw.length() ? hex(raw.charAt(i + 2)) : -1;
                if (high < 0 || low < 0) {
                    throw malformed(raw, "two hexadecimal digits behind %");
                }
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else if (c == '+') {
                bytes.put((byte) ' ');
            } else if (c < 0x80) {
                bytes.put((byte) c);
            } else {
                throw malformed(raw, "characters beyond ASCII percent-encoded");
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw malformed(raw, "UTF-8");
        }
    }

    private static int hex(char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }

    private static ProblemException malformed(String raw, String expected) {
        return new ProblemException(Problem.of(
                RefusalCode.MALFORMED, "query: " + InvalidValueException.shown(raw) + " (expected: " + expected + ")"));
    }

    List<String> all(String name) {
        if (!known.contains(name)) {
            throw new IllegalStateException(
                    "the route does not declare the parameter " + name); // nor would its OpenAPI
        }
        return values.getOrDefault(name, List.of());
    }

    /** Repeated parameters and comma-separated lists, together. */
    List<String> list(String name) {
        List<String> parts = new ArrayList<>();
        for (String value : all(name)) {
            for (String part : value.split(",", -1)) {
                if (!part.isEmpty()) {
                    parts.add(part);
                }
            }
        }
        return parts;
    }

    Optional<String> one(String name) {
        List<String> given = all(name);
        if (given.size() > 1) {
            throw new InvalidValueException(name, "given " + given.size() + " times", "at most once");
        }
        return given.stream().findFirst();
    }

    String one(String name, String fallback) {
        return one(name).orElse(fallback);
    }

    boolean flag(String name) {
        String text = one(name, "false");
        return switch (text) {
            case "true", "" -> true;
            case "false" -> false;
            default -> throw new InvalidValueException(name, text, "true or false");
        };
    }

    int number(String name, int fallback, int least, int most) {
        return (int) number(name, (long) least, most).orElse(fallback);
    }

    OptionalLong number(String name) {
        return number(name, 0, MAX_SAFE_INTEGER);
    }

    private OptionalLong number(String name, long least, long most) {
        Optional<String> given = one(name);
        if (given.isEmpty()) {
            return OptionalLong.empty();
        }
        String text = given.get();
        boolean digits = !text.isEmpty() && text.length() <= 16 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        long value = digits ? Long.parseLong(text) : -1;
        if (!digits || value < least || value > most) {
            throw new InvalidValueException(name, text, "a whole number from " + least + " to " + most);
        }
        return OptionalLong.of(value);
    }
}
