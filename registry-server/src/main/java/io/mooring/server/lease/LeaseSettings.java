package io.mooring.server.lease;

import java.time.Duration;

/**
 * How long silence is tolerated and how much a node takes.
 *
 * @param ttl lease of a session
 * @param grace how long a broken connection is waited for
 * @param evictionWindow the window of the cap on evictions
 * @param evictionShare at most this share of the registrations is evicted within the window, 0-1
 * @param evictionFloor but as many as this in any case
 * @param maxInstances registrations on this node
 * @param maxServices services on this node
 * @param maxInstancesPerService registrations of one service
 * @param maxInstancesPerSession registrations of one session
 * @param maxSessions open sessions
 */
public record LeaseSettings(
        Duration ttl,
        Duration grace,
        Duration evictionWindow,
        double evictionShare,
        int evictionFloor,
        int maxInstances,
        int maxServices,
        int maxInstancesPerService,
        int maxInstancesPerSession,
        int maxSessions) {
    public static final LeaseSettings DEFAULTS = new LeaseSettings(
            Duration.ofSeconds(15),
            Duration.ofSeconds(3),
            Duration.ofSeconds(60),
            0.15,
            10,
            2_000_000,
            200_000,
            50_000,
            100_000,
            20_000);
}
