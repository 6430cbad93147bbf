package io.mooring.server.edge.http;

import io.mooring.protocol.RefusalCode;
import java.io.IOException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The container's last word on requests that never reach a handler (broken request lines, bad encodings, TRACE):
 * a problem like any other instead of a page with a stack trace.
 */
public final class ProblemValve extends ErrorReportValve {
    private static final Logger log = LoggerFactory.getLogger(ProblemValve.class);

    /** For the container, which makes it by name. */
    public ProblemValve() {
        setShowReport(false);
        setShowServerInfo(false);
    }

    @Override
    protected void report(Request request, Response response, @Nullable Throwable thrown) {
        int status = response.getStatus();
        if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        Problem problem = problem(status);
        try {
            response.setStatus(problem.status());
            response.setContentType(Reply.PROBLEM);
            byte[] body = problem.json();
            response.setContentLength(body.length);
            response.getOutputStream().write(body);
            response.finishResponse();
        } catch (IOException | IllegalStateException e) {
            log.debug("A client went away before it could be told its error: {}", e.toString());
        }
    }

    private static Problem problem(int status) {
        return switch (status) {
            case 404 -> Problem.of(RefusalCode.UNKNOWN, "there is no such path; see /v1/openapi.yaml");
            case 405 -> Problem.of(Problem.METHOD_NOT_ALLOWED, "that method is not served here");
            case 408 -> Problem.of(RefusalCode.TOO_SLOW, "the request did not arrive in time");
            case 413 -> Problem.of(Problem.TOO_LARGE, "the request is too large");
            case 415 -> Problem.of(Problem.UNSUPPORTED_MEDIA_TYPE, "the body has a media type that is not served here");
            // Of these the container says 501 and 505: a method, coding or version that it does not know.
            case 501, 505 ->
                Problem.of(
                        RefusalCode.MALFORMED,
                        "not an acceptable HTTP request: check its version, method and encoding");
            case 503 -> Problem.overloaded("the node is busy or stops; try again or elsewhere");
            default ->
                status < 500
                        ? Problem.of(
                                RefusalCode.MALFORMED,
                                "not an acceptable HTTP request: check its line, headers and encoding")
                        : Problem.of(RefusalCode.INTERNAL, "a bug, logged on the node");
        };
    }
}
