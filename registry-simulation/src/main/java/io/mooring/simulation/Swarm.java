package io.mooring.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What one seed tries: how large, how fast, and which faults, so that one kind of fault does not hide another in every
 * run.
 *
 * @param nodes of the registry
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
 * @param jitter what comes on top, at most, between processes and nodes
 * @param peerJitter the same between nodes
 * @param peerBandwidth bytes a second between two nodes
 * @param peerWindow bytes that fit into the kernel's buffers between two nodes
 * @param peerWeight by how much what waits between two nodes counts
 * @param diskDelay of the nodes' disks
 * @param evictionFloor of the nodes
 * @param probing whether the nodes probe addresses
 * @param guardWindow of the SDK
 * @param secondAddress whether clients know an address where nobody is, too
 * @param window frames that fit into the kernel's buffers
 * @param secret of the cluster; empty for none
 * @param origin of the clock
 */
record Swarm(
        int nodes,
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
        Duration peerJitter,
        int peerBandwidth,
        int peerWindow,
        int peerWeight,
        Duration diskDelay,
        int evictionFloor,
        boolean probing,
        Duration guardWindow,
        boolean secondAddress,
        int window,
        String secret,
        long origin) {

    private static final int[] NODES = {1, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 5, 5, 6, 7};

    /** @param nodes how many, if that is not to be drawn */
    static Swarm draw(SplittableRandom random, OptionalInt nodes) {
        int drawn = NODES[random.nextInt(NODES.length)];
        int count = nodes.orElse(drawn);
        Set<Fault> faults = EnumSet.noneOf(Fault.class);
        double share = 0.05 + 0.45 * random.nextDouble();
        for (Fault fault : Fault.values()) {
            if (random.nextDouble() < share && fault.nodes() <= count) {
                faults.add(fault);
            }
        }
        List<Duration> jitters =
                List.of(Duration.ofMillis(1), Duration.ofMillis(10), Duration.ofMillis(100), Duration.ofMillis(600));
        List<Duration> peerJitters = List.of(Duration.ofMillis(1), Duration.ofMillis(10), Duration.ofMillis(100));
        List<Duration> diskDelays = List.of(Duration.ZERO, Duration.ofMillis(1), Duration.ofMillis(15));
        List<Duration> phases = new ArrayList<>(List.of(
                Duration.ofSeconds(60), Duration.ofSeconds(120), Duration.ofSeconds(240), Duration.ofSeconds(480)));
        int[] bandwidths = {100_000_000, 1_000_000, 50_000};
        int[] windows = {65_536, 65_536, 4_096};
        int[] weights = {1, 1, 1_000, 20_000};
        return new Swarm(
                count,
                clients(random),
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
                peerJitters.get(random.nextInt(peerJitters.size())),
                bandwidths[random.nextInt(bandwidths.length)],
                windows[random.nextInt(windows.length)],
                weights[random.nextInt(weights.length)],
                diskDelays.get(random.nextInt(diskDelays.size())),
                random.nextInt(3) == 0 ? 2 : 10,
                random.nextInt(4) != 0,
                random.nextBoolean() ? Duration.ofSeconds(60) : Duration.ofSeconds(20),
                random.nextInt(4) == 0,
                1 + random.nextInt(8),
                random.nextBoolean() ? "a secret" : "",
                random.nextInt(3) == 0 ? Long.MAX_VALUE - random.nextLong(600_000_000_000L) : random.nextLong());
    }

    private static int clients(SplittableRandom random) {
        int dice = random.nextInt(200);
        if (dice == 0) {
            return 100 + random.nextInt(150);
        }
        return dice < 8 ? 20 + random.nextInt(20) : 2 + random.nextInt(8);
    }

    /** Nothing goes wrong: to see how fast the simulation is. */
    Swarm calm(int newClients) {
        return new Swarm(
                nodes,
                newClients,
                3,
                3,
                4,
                Set.of(),
                Duration.ofSeconds(10),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofMinutes(20),
                Duration.ofMillis(1),
                Duration.ofMillis(1),
                Duration.ofMillis(1),
                100_000_000,
                65_536,
                1,
                Duration.ofMillis(1),
                10,
                true,
                Duration.ofSeconds(60),
                false,
                8,
                secret,
                origin);
    }

    /** In how long what is said by a process has arrived, though several messages go back and forth. */
    long slowest() {
        return latency.plus(jitter).multipliedBy(6).toNanos();
    }
}
