package io.mooring.server.shard;

import java.time.Duration;

/**
 * How long a publisher is believed.
 *
 * @param ttl how long it may be silent
 * @param grace how long its instances stay, suspect, after that: for a session, after its connection broke (one that is
 *     silent for the whole ttl has no grace); for a lease by HTTP, after the ttl
 */
public record LeaseTerms(Duration ttl, Duration grace) {
    public LeaseTerms {
        if (ttl.isNegative() || grace.isNegative()) {
            throw new IllegalArgumentException("ttl " + ttl + ", grace " + grace + " (expected: not negative)");
        }
    }

    /** A lease whose end is the end. */
    public static LeaseTerms of(Duration ttl) {
        return new LeaseTerms(ttl, Duration.ZERO);
    }
}
