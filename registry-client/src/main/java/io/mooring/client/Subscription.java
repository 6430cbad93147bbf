package io.mooring.client;

/** A listener's registration. */
public interface Subscription extends AutoCloseable {
    /** Ends it. No call starts after this returned; the one already running, if any, is not waited for. Idempotent. */
    @Override
    void close();
}
