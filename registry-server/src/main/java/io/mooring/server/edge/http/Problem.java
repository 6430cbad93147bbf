package io.mooring.server.edge.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InvalidValueException;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.lease.Outcome;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Why a request was refused, as RFC 9457 has it. The code decides the status, so there is one place that says which
 * status a code has; {@code type} is a URN because nothing is to be fetched from it.
 *
 * @param code stable, for programs
 * @param detail a sentence for people: what, its value, what is expected, what to do
 * @param field the field or parameter at fault
 * @param value what was given, shortened and printable
 * @param expected the rule it breaks
 * @param retryAfter when trying again makes sense; zero: not without a change
 * @param allow the methods that the path knows, for {@link #METHOD_NOT_ALLOWED}
 */
record Problem(
        String code,
        String detail,
        @Nullable String field,
        @Nullable String value,
        @Nullable String expected,
        Duration retryAfter,
        List<String> allow) {
    static final String METHOD_NOT_ALLOWED = "method_not_allowed";
    static final String UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type";
    static final String NOT_ACCEPTABLE = "not_acceptable";
    static final String TOO_LARGE = "too_large";

    /** All there are. */
    static final Set<String> CODES = Set.of(
            RefusalCode.INVALID,
            RefusalCode.MISSING,
            RefusalCode.MALFORMED,
            RefusalCode.LIMIT,
            RefusalCode.UNKNOWN,
            RefusalCode.NOT_OWNER,
            RefusalCode.KIND,
            RefusalCode.OVERLOADED,
            RefusalCode.NOT_DURABLE,
            RefusalCode.STOPPING,
            RefusalCode.TOO_SLOW,
            RefusalCode.INTERNAL,
            METHOD_NOT_ALLOWED,
            UNSUPPORTED_MEDIA_TYPE,
            NOT_ACCEPTABLE,
            TOO_LARGE);

    static Problem of(String code, String detail) {
        return new Problem(code, detail, null, null, null, Duration.ZERO, List.of());
    }

    static Problem of(InvalidValueException e) {
        return new Problem(
                RefusalCode.INVALID,
                String.valueOf(e.getMessage()),
                e.field(),
                e.value(),
                e.expected(),
                Duration.ZERO,
                List.of());
    }

    static Problem of(Outcome.Refused refused) {
        return new Problem(refused.code(), refused.message(), null, null, null, refused.retryAfter(), List.of());
    }

    static Problem missing(String field, String expected) {
        return new Problem(
                RefusalCode.MISSING,
                field + ": missing (expected: " + expected + ")",
                field,
                null,
                expected,
                Duration.ZERO,
                List.of());
    }

    static Problem limit(String field, int given, int limit) {
        return new Problem(
                RefusalCode.LIMIT,
                field + ": " + given + " entries (expected: at most " + limit + "); send them in several requests",
                field,
                String.valueOf(given),
                "at most " + limit + " entries",
                Duration.ZERO,
                List.of());
    }

    static Problem overloaded(String detail) {
        return new Problem(RefusalCode.OVERLOADED, detail, null, null, null, Duration.ofSeconds(1), List.of());
    }

    static Problem methodNotAllowed(String method, List<String> allow) {
        String known = String.join(", ", allow);
        return new Problem(
                METHOD_NOT_ALLOWED,
                "method: " + InvalidValueException.shown(method) + " (expected: " + known + ")",
                null,
                null,
                null,
                Duration.ZERO,
                allow);
    }

    int status() {
        return switch (code) {
            case RefusalCode.INVALID, RefusalCode.MISSING, RefusalCode.MALFORMED -> 400;
            case RefusalCode.UNKNOWN -> 404;
            case METHOD_NOT_ALLOWED -> 405;
            case NOT_ACCEPTABLE -> 406;
            case RefusalCode.TOO_SLOW -> 408;
            case RefusalCode.NOT_OWNER, RefusalCode.KIND -> 409;
            case TOO_LARGE -> 413;
            case UNSUPPORTED_MEDIA_TYPE -> 415;
            case RefusalCode.LIMIT -> 422;
            case RefusalCode.OVERLOADED, RefusalCode.NOT_DURABLE, RefusalCode.STOPPING -> 503;
            default -> 500;
        };
    }

    private String title() {
        return switch (code) {
            case RefusalCode.INVALID -> "A value breaks its rule";
            case RefusalCode.MISSING -> "A required value is missing";
            case RefusalCode.MALFORMED -> "The request cannot be read";
            case RefusalCode.UNKNOWN -> "There is no such thing";
            case METHOD_NOT_ALLOWED -> "The path does not know that method";
            case NOT_ACCEPTABLE -> "The answer has another media type";
            case RefusalCode.TOO_SLOW -> "The request did not arrive in time";
            case RefusalCode.NOT_OWNER -> "Another publisher holds it";
            case RefusalCode.KIND -> "The service has instances of another kind";
            case TOO_LARGE -> "The request is too large";
            case UNSUPPORTED_MEDIA_TYPE -> "The body has another media type";
            case RefusalCode.LIMIT -> "A count is over its limit";
            case RefusalCode.OVERLOADED -> "The node is full or busy";
            case RefusalCode.NOT_DURABLE -> "The node cannot write to disk";
            case RefusalCode.STOPPING -> "The node stops";
            default -> "A bug in the registry";
        };
    }

    byte[] json() {
        return Json.written(this::write);
    }

    private void write(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", "urn:mooring:problem:" + code);
        json.writeStringField("title", title());
        json.writeNumberField("status", status());
        json.writeStringField("detail", detail);
        json.writeStringField("code", code);
        optional(json, "field", field);
        optional(json, "value", value);
        optional(json, "expected", expected);
        json.writeEndObject();
    }

    private static void optional(JsonGenerator json, String name, @Nullable String text) throws IOException {
        if (text != null) {
            json.writeStringField(name, text);
        }
    }
}
