package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.web.UrlText;
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
        int parameters;
        try {
            parameters = UrlText.pairs("query", raw, (name, value) -> {
                if (known.contains(name)) {
                    values.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
                }
            });
        } catch (InvalidValueException e) {
            throw new ProblemException(Problem.of(RefusalCode.MALFORMED, String.valueOf(e.getMessage())));
        }
        if (parameters > UrlText.MOST) {
            throw new ProblemException(Problem.limit("query", parameters, UrlText.MOST));
        }
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
