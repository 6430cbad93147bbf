package io.mooring.client;

import io.mooring.protocol.ServerMessage;
import java.time.Duration;

/** The registry answered, and the answer was no. The message is the registry's own sentence. */
public final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;
    private final Duration retryAfter;

    RefusedException(ServerMessage.Refused refusal) {
        super(refusal.code() + ": " + refusal.message());
        this.code = refusal.code();
        this.retryAfter = refusal.retryAfter();
    }

    /** For programs: one of {@link io.mooring.protocol.RefusalCode}. */
    public String code() {
        return code;
    }

    /** When trying again makes sense; zero when only a change would help. The client itself does try again. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
