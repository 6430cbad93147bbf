package io.mooring.server.edge.nacos.http;

import io.mooring.model.InvalidValueException;
import io.mooring.server.edge.nacos.NacosJson;
import jakarta.servlet.http.HttpServletResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Puts what handlers say into the form of their generation of the interface. */
final class Answers {
    private static final String JSON = "application/json;charset=UTF-8";
    private static final String TEXT = "text/plain;charset=UTF-8";

    private Answers() {}

    /** A finished answer. */
    @SuppressWarnings("ArrayRecordComponent") // bytes on their way out: never compared, never changed
    record Reply(int status, String contentType, byte[] body) {
        void head(HttpServletResponse out) {
            out.setStatus(status);
            out.setHeader("X-Content-Type-Options", "nosniff");
            out.setHeader("Cache-Control", "no-store");
            out.setContentType(contentType);
            out.setContentLength(body.length);
            if (status == 503) {
                out.setHeader("Retry-After", "1");
            }
        }
    }

    static Reply reply(Route route, Answer answer) {
        boolean bare = route.generation() == Generation.V1 || route.is(Route.Trait.BARE);
        if (answer instanceof Answer.Notice notice) {
            return envelope(200, notice.code(), notice.words(), json -> json.writeNull());
        }
        if (answer instanceof Answer.Text text) {
            return bare ? plain(200, text.text()) : envelope(200, 0, "success", json -> json.writeString(text.text()));
        }
        NacosJson.Body value = ((Answer.Json) answer).value();
        return bare ? json(200, value) : envelope(200, 0, "success", value);
    }

    /**
     * @param path below {@code /nacos}
     * @param shown the whole path, for people
     */
    static Reply fault(String path, String shown, FaultException e) {
        Fault fault = e.fault();
        Generation generation = Generation.of(path);
        if (fault == Fault.FORBIDDEN) {
            return forbidden(shown, e.sentence());
        }
        return generation == Generation.V1
                ? plain(fault.status(generation), e.sentence())
                : envelope(
                        fault.status(generation), fault.code(), fault.words(), json -> json.writeString(e.sentence()));
    }

    private static Reply forbidden(String path, String sentence) {
        return json(403, json -> {
            json.writeStartObject();
            json.writeStringField(
                    "timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
            json.writeNumberField("status", 403);
            json.writeStringField("error", "Forbidden");
            json.writeStringField("message", "Code: 401, Message: " + sentence);
            json.writeStringField("path", InvalidValueException.shown(path));
            json.writeEndObject();
        });
    }

    /** Clients take 501 and 404 for a server that is too old or too new. */
    static Reply nothingThere(String method, String path) {
        String shown = InvalidValueException.shown(path);
        if (path.startsWith("/nacos/v1/cs") || path.startsWith("/nacos/v2/cs") || path.contains("/cs/")) {
            return plain(501, "no such api:" + method + ":" + shown + " (Mooring keeps no configuration)");
        }
        boolean api = path.matches("/nacos/v[0-9]/(ns|core|auth|admin|client)(/.*)?");
        return api ? plain(501, "no such api:" + method + ":" + shown) : plain(404, "nothing is served at " + shown);
    }

    static Reply plain(int status, String text) {
        return new Reply(status, TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    private static Reply json(int status, NacosJson.Body value) {
        return new Reply(status, JSON, NacosJson.bytes(value));
    }

    private static Reply envelope(int status, int code, String message, NacosJson.Body data) {
        return json(status, json -> {
            json.writeStartObject();
            json.writeNumberField("code", code);
            json.writeStringField("message", message);
            json.writeFieldName("data");
            data.writeTo(json);
            json.writeEndObject();
        });
    }
}
