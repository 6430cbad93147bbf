package io.mooring.compatibility;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What became of a scenario with a client.
 *
 * @param lacking why the client's API cannot express it; else it was played
 * @param failure what went wrong, if something did
 */
record Result(
        String client,
        String scenario,
        @Nullable String lacking,
        @Nullable Throwable failure,
        Duration took) {
    boolean passed() {
        return lacking == null && failure == null;
    }

    @Override
    public String toString() {
        String what = lacking != null
                ? "not in this client: " + lacking
                : failure == null ? "passed" : "FAILED: " + failure.getMessage();
        return client + ": " + scenario + ": " + what + " (" + took.toMillis() + " ms)";
    }
}
