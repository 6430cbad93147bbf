package io.mooring.protocol;

import org.jspecify.annotations.Nullable;

/** A frame that cannot be trusted, in whole or in its order: the connection must be closed. */
public final class MalformedFrameException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String code;

    public MalformedFrameException(String code, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** One of {@link RefusalCode}. */
    public String code() {
        return code;
    }
}
