package io.mooring.server.shard;

import java.time.Duration;

/**
 * Who keeps a registration alive. Shared by all registrations of a session.
 *
 * @param id the session's id, or that of an instance's own lease by HTTP; a secret, the same on whatever node it turns up
 * @param isSession whether it is a session
 * @param attempt the connection, as the session counts its connections over all nodes, with which it came to the node that
 *     granted this, 0-2^31-1; 0 unknown, and for leases by HTTP
 * @param terms how long it may be silent, and what comes then
 */
public record Publisher(String id, boolean isSession, long attempt, LeaseTerms terms) {
    public static Publisher ofSession(String session, long attempt, LeaseTerms terms) {
        return new Publisher(session, true, attempt, terms);
    }

    /** Of a session that does not count its connections. */
    public static Publisher ofSession(String session, LeaseTerms terms) {
        return ofSession(session, 0, terms);
    }

    public static Publisher ofLease(String id, LeaseTerms terms) {
        return new Publisher(id, false, 0, terms);
    }

    /** How long it may be silent. */
    public Duration ttl() {
        return terms.ttl();
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return isSession ? "a session" : "a lease of " + terms.ttl();
    }
}
