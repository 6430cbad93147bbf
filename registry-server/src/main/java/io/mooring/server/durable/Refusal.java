package io.mooring.server.durable;

import java.time.Duration;

/**
 * Why something was not written; nothing has changed.
 *
 * @param code {@code not_durable}, {@code limit}, {@code overloaded}, or what who asked gives as a reason of its own
 * @param message a sentence: what, its value, what is expected, what to do
 * @param retryAfter when trying again makes sense; zero: not without a change
 */
public record Refusal(String code, String message, Duration retryAfter) {
    public static Refusal of(String code, String message) {
        return new Refusal(code, message, Duration.ZERO);
    }
}
