package io.mooring.server.lease;

import java.time.Duration;

/** How a request ended. */
public sealed interface Outcome {
    /** It took effect and is visible to every later read on this node. */
    record Accepted() implements Outcome {}

    /**
     * It changed nothing.
     *
     * @param code stable, for programs; the codes of {@code docs/protocol.md}
     * @param message a sentence: what, its value, what is expected, what to do
     * @param retryAfter when trying again makes sense; zero: not without a change
     */
    record Refused(String code, String message, Duration retryAfter) implements Outcome {}

    Outcome ACCEPTED = new Accepted();

    static Outcome refused(String code, String message) {
        return new Refused(code, message, Duration.ZERO);
    }
}
