package io.mooring.server.edge.nacos.grpc;

import io.mooring.server.clock.HybridClock;

/**
 * What every list sent over one connection is stamped with, {@code lastRefTime}: about the time, and larger each time, for
 * clients take a list that is not younger than the one they have for a mistake. And the ids of what the server asks. Confined
 * to the I/O thread.
 */
final class Stamps {
    private final HybridClock clock;
    private long last;
    private long lastId;

    Stamps(HybridClock clock) {
        this.clock = clock;
    }

    long next() {
        last = Math.max(last + 1, clock.millis());
        return last;
    }

    long nextId() {
        return ++lastId;
    }
}
