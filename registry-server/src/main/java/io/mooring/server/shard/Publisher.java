package io.mooring.server.shard;

import java.time.Duration;

/**
 * Who keeps a registration alive. Shared by all registrations of a session.
 *
 * @param id the session's id, or that of an instance's own lease by HTTP; a secret, the same on whatever node it turns up
 * @param isSession whether it is a session
 * @param ttl how long it may be silent
 */
public record Publisher(String id, boolean isSession, Duration ttl) {
    public static Publisher ofSession(String session, Duration ttl) {
        return new Publisher(session, true, ttl);
    }

    public static Publisher ofLease(String id, Duration ttl) {
        return new Publisher(id, false, ttl);
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return isSession ? "a session" : "a lease of " + ttl;
    }
}
