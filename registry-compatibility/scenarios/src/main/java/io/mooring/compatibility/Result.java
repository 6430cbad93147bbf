package io.mooring.compatibility;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What became of a scenario with a client.
 *
 * @param skipped why it was not played; null if it was
 * @param failure what went wrong; null if nothing did
 */
record Result(
        String client,
        String scenario,
        @Nullable String skipped,
        @Nullable Throwable failure,
        Duration took) {
    boolean passed() {
        return skipped == null && failure == null;
    }

    @Override
    public String toString() {
        String what = skipped != null ? skipped : failure == null ? "passed" : "FAILED: " + failure.getMessage();
        return client + ": " + scenario + ": " + what + " (" + took.toMillis() + " ms)";
    }
}
