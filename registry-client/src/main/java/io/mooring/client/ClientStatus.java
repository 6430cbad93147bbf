package io.mooring.client;

import io.mooring.client.ServiceSnapshot.Source;
import java.time.Duration;
import java.util.Map;

/**
 * How a client is doing, for health pages and people. Counts are since the client was built.
 *
 * @param state of the connection
 * @param node the registry node connected to last; empty before
 * @param address where the last attempt went, {@code host:port}; empty before
 * @param lastFailure why there is no connection; empty when there is
 * @param disconnectedFor zero while connected
 * @param withoutAttempt without a connection and without an attempt to get one; stays below 30 s, and is zero while
 *     connected
 * @param sinceLastHeard since the registry last said anything
 * @param attempts attempts to connect
 * @param connections attempts that ended with a welcome
 * @param watchdogRestarts times the watchdog had to start an attempt; anything but 0 is a bug
 * @param internalFailures exceptions that cost a connection at most; anything but 0 is a bug, the client's or a port's
 * @param doubts connections closed because the registry's words did not fit together
 * @param lateReplies answers that came after their request had been given up, and were dropped
 * @param refused requests the registry refused
 * @param registrations instances this process wants registered
 * @param confirmedRegistrations those of them that the registry has confirmed as they are now, on its present connection or
 *     on one before which it still knows
 * @param services open services by where their list comes from
 * @param oldestList age of the oldest list among the open services
 * @param protectedServices open services with instances held back by the guard or the registry
 * @param guardHolds times the guard held instances back
 * @param repairs times a list had to be asked for again because a change did not fit
 * @param ejectedInstances instances ejected now
 * @param ejections ejections so far
 * @param diskFailures writes and reads of the disk cache that failed, corrupt files included
 * @param listenerFailures exceptions from listeners
 */
public record ClientStatus(
        State state,
        String node,
        String address,
        String lastFailure,
        Duration disconnectedFor,
        Duration withoutAttempt,
        Duration sinceLastHeard,
        long attempts,
        long connections,
        long watchdogRestarts,
        long internalFailures,
        long doubts,
        long lateReplies,
        long refused,
        int registrations,
        int confirmedRegistrations,
        Map<Source, Integer> services,
        Duration oldestList,
        int protectedServices,
        long guardHolds,
        long repairs,
        int ejectedInstances,
        long ejections,
        long diskFailures,
        long listenerFailures) {

    /** The state of the connection. */
    public enum State {
        /** Between two attempts. */
        WAITING,
        CONNECTING,
        CONNECTED,
        CLOSED
    }
}
