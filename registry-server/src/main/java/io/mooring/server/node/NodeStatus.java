package io.mooring.server.node;

import io.mooring.server.membership.PeerStatus;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A node's state at one moment, for people and meters.
 *
 * @param name as configured
 * @param incarnation raised by every start
 * @param revision of the node's own shard
 * @param ready whether it takes part: what was on disk and its peers' shards are loaded, or were waited for, and it does not drain
 * @param incomplete whether the node started less than a lease ago and may not know everybody yet
 * @param frozen why nothing is removed but by its publisher; empty in the normal state
 * @param services services with at least one listed instance
 * @param instances listed instances
 * @param live of these, not in doubt and confirmed
 * @param restored of these, read from disk and not confirmed yet
 * @param suspect of these, in doubt
 * @param held of these, kept by protection
 * @param protectedServices services under protection
 * @param sessions open sessions
 * @param leases leases by HTTP
 * @param subscriptions subscribed services, summed over subscribers
 * @param waitingSubscribers subscribers that have something to hear once their line is free
 * @param refused requests refused since the start, by the core
 * @param expiryBacklog registrations whose lease is over and that wait because too many are
 * @param probesWaiting instances in doubt whose address is to be probed
 * @param orphans registrations of lost nodes that wait for a verdict
 * @param draining whether the node is about to go
 * @param peers the other nodes as this one sees them
 * @param cluster what it has of theirs
 * @param uptime since the start
 * @param diskAge how far the disk lags behind what was told; empty when nothing is written to disk
 * @param diskProblem what is wrong with the disk; empty when nothing
 */
public record NodeStatus(
        String name,
        long incarnation,
        long revision,
        boolean ready,
        boolean incomplete,
        Optional<String> frozen,
        int services,
        int instances,
        int live,
        int restored,
        int suspect,
        int held,
        int protectedServices,
        int sessions,
        int leases,
        int subscriptions,
        int waitingSubscribers,
        long refused,
        int expiryBacklog,
        int probesWaiting,
        int orphans,
        boolean draining,
        List<PeerStatus> peers,
        ClusterStatus cluster,
        Duration uptime,
        Optional<Duration> diskAge,
        Optional<String> diskProblem) {}
