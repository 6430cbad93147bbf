package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as people write them: {@code 1500ms}, {@code 15s}, {@code 2m}, {@code 1h}, or ISO 8601 as in {@code PT15S}. */
final class DurationText {
    private static final Pattern SIMPLE = Pattern.compile("([0-9]{1,12})(ms|s|m|h)");

    private DurationText() {}

    static Duration parse(String field, String text, Duration least, Duration most) {
        String expected = "a duration from " + of(least) + " to " + of(most) + ", such as 15s, 1500ms or PT15S";
        Duration duration = parsed(text);
        if (duration == null || duration.compareTo(least) < 0 || duration.compareTo(most) > 0) {
            throw new InvalidValueException(field, text, expected);
        }
        return duration;
    }

    private static @Nullable Duration parsed(String text) {
        Matcher simple = SIMPLE.matcher(text);
        if (simple.matches()) {
            long amount = Long.parseLong(simple.group(1));
            return switch (simple.group(2)) {
                case "ms" -> Duration.ofMillis(amount);
                case "s" -> Duration.ofSeconds(amount);
                case "m" -> Duration.ofMinutes(amount);
                default -> Duration.ofHours(amount);
            };
        }
        if (text.length() > 32 || !text.startsWith("P")) {
            return null;
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException | ArithmeticException e) {
            return null; // the caller says what is expected
        }
    }

    /** The shortest simple form that is exact to the millisecond. */
    static String of(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1_000 != 0) {
            return millis + "ms";
        }
        long seconds = millis / 1_000;
        if (seconds == 0 || seconds % 60 != 0) {
            return seconds + "s";
        }
        return seconds % 3_600 == 0 ? seconds / 3_600 + "h" : seconds / 60 + "m";
    }
}
