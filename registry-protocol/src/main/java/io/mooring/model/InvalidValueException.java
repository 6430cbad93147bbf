package io.mooring.model;

import org.jspecify.annotations.Nullable;

/**
 * A value that breaks its rule, told so that a person can mend it: which field, what was given, what was expected.
 *
 * <p>The given value is shortened and its control characters are made visible, so the message is safe to log
 * and to send back.
 */
public final class InvalidValueException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;
    private static final int LONGEST_SHOWN = 64;

    private final String field;
    private final String value;
    private final String expected;

    /**
     * @param field the name of the field as the sender knows it; made printable too, for a sender may choose it
     * @param value what was given; anything printable
     * @param expected the rule, in words that fit behind "expected: "
     */
    public InvalidValueException(String field, @Nullable Object value, String expected) {
        this(shown(field), shown(String.valueOf(value)), expected, true);
    }

    private InvalidValueException(String field, String shown, String expected, boolean alreadyShown) {
        this.field = field;
        this.value = shown;
        this.expected = expected;
        assert alreadyShown;
    }

    /** The same complaint about a field inside {@code container}, as in {@code instances[3].port}. */
    public InvalidValueException inside(String container) {
        return new InvalidValueException(container + "." + field, value, expected, true);
    }

    /** All of it as one sentence. */
    @Override
    public String getMessage() {
        return field + ": " + value + " (expected: " + expected + ")";
    }

    public String field() {
        return field;
    }

    public String value() {
        return value;
    }

    public String expected() {
        return expected;
    }

    /** A printable form of untrusted text, at most {@value #LONGEST_SHOWN} characters and a note of the rest. */
    public static String shown(String text) {
        StringBuilder out = new StringBuilder(Math.min(text.length(), LONGEST_SHOWN) + 24);
        int end = Math.min(text.length(), LONGEST_SHOWN);
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            boolean visible = c >= ' '
                    && c != 0x7f
                    && !Character.isSurrogate(c)
                    && Character.isDefined(c)
                    && Character.getType(c) != Character.FORMAT
                    && Character.getType(c) != Character.CONTROL;
            if (visible) {
                out.append(c);
            } else {
                out.append(String.format("\\u%04x", (int) c));
            }
        }
        if (text.length() > end) {
            out.append("… (").append(text.length()).append(" characters)");
        }
        return out.toString();
    }
}
