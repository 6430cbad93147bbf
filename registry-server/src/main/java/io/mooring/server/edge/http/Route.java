package io.mooring.server.edge.http;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * One operation. The table of these is what {@code openapi.yaml} is compared with.
 *
 * @param path as OpenAPI and Spring write it, {@code /v1/services/{service}}
 * @param parameters of the query string; a handler cannot read others
 * @param produces media type of its answers
 * @param statuses what it may answer beside the problems that any path has
 */
record Route(
        String method, String path, Set<String> parameters, String produces, Set<Integer> statuses, Handler handler) {
    interface Handler {
        /** Answers, or arranges for a later answer and returns nothing. */
        Optional<Reply> handle(Call call) throws IOException;
    }
}
