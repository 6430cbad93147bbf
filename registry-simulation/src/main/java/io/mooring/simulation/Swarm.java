package io.mooring.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What one seed tries: how large, how fast, and which faults, so that one kind of fault does not hide another in every
 * run.
 *
 * @param clients processes with the SDK
 * @param services how many different
 * @param leases instances with a lease of their own, by HTTP
 * @param largestBatch registrations made in one call, at most
 * @param faults which kinds
 * @param faultEvery mean time between two faults
 * @param operationEvery mean time between two operations
 * @param callEvery time between two calls of a process
 * @param faultPhase how long things go wrong
 * @param latency least time on the way
 * @param jitter what comes on top, at most
 * @param diskDelay of the node's disk
 * @param evictionFloor of the node
 * @param probing whether the node probes addresses
 * @param guardWindow of the SDK
 * @param secondAddress whether clients know an address where nobody is, too
 * @param window frames that fit into the kernel's buffers
 * @param origin of the clock
 */
record Swarm(
        int clients,
        int services,
        int leases,
        int largestBatch,
        Set<Fault> faults,
        Duration faultEvery,
        Duration operationEvery,
        Duration callEvery,
        Duration faultPhase,
        Duration latency,
        Duration jitter,
        Duration diskDelay,
        int evictionFloor,
        boolean probing,
        Duration guardWindow,
        boolean secondAddress,
        int window,
        long origin) {

    static Swarm draw(SplittableRandom random) {
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        double share = 0.1 + 0.5 * random.nextDouble();
        for (Fault fault : Fault.values()) {
            if (random.nextDouble() < share) {
                faults.add(fault);
            }
        }
        List<Duration> jitters =
                List.of(Duration.ofMillis(1), Duration.ofMillis(10), Duration.ofMillis(100), Duration.ofMillis(600));
        List<Duration> diskDelays = List.of(Duration.ZERO, Duration.ofMillis(1), Duration.ofMillis(15));
        List<Duration> phases = new ArrayList<>(List.of(
                Duration.ofSeconds(60), Duration.ofSeconds(120), Duration.ofSeconds(240), Duration.ofSeconds(480)));
        return new Swarm(
                2 + random.nextInt(7),
                1 + random.nextInt(3),
                random.nextInt(4),
                random.nextInt(10) == 0 ? 60 : 1 + random.nextInt(6),
                faults,
                Duration.ofMillis(2_000 + random.nextInt(30_000)),
                Duration.ofMillis(200 + random.nextInt(6_000)),
                Duration.ofMillis(500 + random.nextInt(3_000)),
                phases.get(random.nextInt(phases.size())),
                Duration.ofNanos(50_000 + random.nextInt(3_000_000)),
                jitters.get(random.nextInt(jitters.size())),
                diskDelays.get(random.nextInt(diskDelays.size())),
                random.nextInt(3) == 0 ? 2 : 10,
                random.nextInt(4) != 0,
                random.nextBoolean() ? Duration.ofSeconds(60) : Duration.ofSeconds(20),
                random.nextInt(4) == 0,
                1 + random.nextInt(8),
                random.nextInt(3) == 0 ? Long.MAX_VALUE - random.nextLong(600_000_000_000L) : random.nextLong());
    }
}
