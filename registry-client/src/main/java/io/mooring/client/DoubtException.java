package io.mooring.client;

/** What the registry said cannot be: the connection is not to be trusted any more. Ends in the session. */
final class DoubtException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DoubtException(String message) {
        super(message);
    }
}
