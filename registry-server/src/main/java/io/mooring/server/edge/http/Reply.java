package io.mooring.server.edge.http;

import io.mooring.model.Digest;
import io.mooring.model.ServiceView;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A finished answer.
 *
 * @param contentType null when there is no body
 */
@SuppressWarnings("ArrayRecordComponent") // bytes on their way out: never compared, never changed
record Reply(int status, @Nullable String contentType, byte[] body, Map<String, String> headers) {
    static final String JSON = "application/json";
    static final String PROBLEM = "application/problem+json";
    private static final byte[] NOTHING = new byte[0];

    static Reply json(int status, byte[] body) {
        return new Reply(status, JSON, body, Map.of());
    }

    static Reply empty(int status) {
        return new Reply(status, null, NOTHING, Map.of());
    }

    static Reply of(Problem problem) {
        Map<String, String> headers = new LinkedHashMap<>();
        if (!problem.allow().isEmpty()) {
            headers.put("Allow", String.join(", ", problem.allow()));
        }
        if (!problem.retryAfter().isZero()) {
            Duration wait = problem.retryAfter();
            headers.put(
                    "Retry-After",
                    String.valueOf(Math.max(1, wait.plusMillis(999).toSeconds())));
        }
        return new Reply(problem.status(), PROBLEM, problem.json(), headers);
    }

    /** The view under its entity tag, which covers everything that can change in the answer to one URL. */
    static Reply view(ServiceView view, boolean incomplete, byte[] body) {
        return new Reply(200, JSON, body, Map.of("ETag", tag(view, incomplete), "Cache-Control", "no-cache"));
    }

    static Reply notModified(ServiceView view, boolean incomplete) {
        return new Reply(304, null, NOTHING, Map.of("ETag", tag(view, incomplete), "Cache-Control", "no-cache"));
    }

    static String tag(ServiceView view, boolean incomplete) {
        return "\"" + Digest.format(view.digest()) + "-" + Long.toHexString(view.revision())
                + (incomplete ? "i\"" : "\"");
    }

    /** Sets everything but the body. */
    void head(HttpServletResponse response) {
        response.setStatus(status);
        headers.forEach(response::setHeader);
        response.setHeader("X-Content-Type-Options", "nosniff");
        if (contentType != null) {
            response.setContentType(contentType);
            response.setContentLength(body.length);
        }
    }
}
