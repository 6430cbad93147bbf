package io.mooring.server.web;

/** A request's body that is not taken. Carries no stack trace: it tells of the sender's doing, not ours. */
public final class BodyRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why. */
    public enum Reason {
        TOO_LARGE,
        TOO_SLOW,
        /** It ends early, or is not encoded as its headers say. */
        BROKEN,
        /** So many bodies are being read already. */
        FULL
    }

    private final Reason reason;

    BodyRefusedException(Reason reason, String sentence) {
        super(sentence, null, false, false);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** For people: what is wrong and what to do. */
    public String sentence() {
        return String.valueOf(getMessage());
    }
}
