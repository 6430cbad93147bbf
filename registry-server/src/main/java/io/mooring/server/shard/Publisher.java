package io.mooring.server.shard;

import java.time.Duration;

/**
 * Who keeps a registration alive. Shared by all registrations of a session.
 *
 * @param session the session's id, a secret; empty for an instance that has a lease of its own, by HTTP
 * @param ttl how long it may be silent
 */
public record Publisher(String session, Duration ttl) {
    public static Publisher ofSession(String session, Duration ttl) {
        return new Publisher(session, ttl);
    }

    public static Publisher ofLease(Duration ttl) {
        return new Publisher("", ttl);
    }

    public boolean isSession() {
        return !session.isEmpty();
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return isSession() ? "a session" : "a lease of " + ttl;
    }
}
