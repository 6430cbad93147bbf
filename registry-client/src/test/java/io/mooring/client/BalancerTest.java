package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BalancerTest {
    private static final long SEED = 20_261_120;

    private static Candidates candidates(double... weights) {
        Candidate[] all = new Candidate[weights.length];
        for (int i = 0; i < weights.length; i++) {
            Instance instance =
                    Stage.instance(i).withWeight(weights[i]).withMetadata(Map.of("zone", i % 3 == 0 ? "a" : "b"));
            all[i] = new Candidate(new ListedInstance(instance, Standing.LIVE), new Track());
        }
        return new Candidates(all, new Random(SEED));
    }

    private static int[] drawn(Balancer.Picker picker, int size, int draws) {
        int[] counts = new int[size];
        for (int i = 0; i < draws; i++) {
            counts[picker.pick("", 0)]++;
        }
        return counts;
    }

    @Test
    void weightedRandomKeepsToTheWeights() {
        double[][] cases = {{1}, {1, 1}, {1, 2, 7}, {10_000, 0.001, 5}, {3, 3, 3, 3, 1}, {0.1, 0.2, 0.3, 0.4}};
        for (double[] weights : cases) {
            double total = 0;
            for (double weight : weights) {
                total += weight;
            }
            int draws = 400_000;
            int[] counts = drawn(Balancer.weightedRandom().prepare(candidates(weights)), weights.length, draws);
            for (int i = 0; i < weights.length; i++) {
                double expected = draws * weights[i] / total;
                // Six standard deviations: a right implementation does not fail here in a lifetime.
                double tolerance = 6 * Math.sqrt(expected * (1 - weights[i] / total)) + 1e-6;
                assertEquals(expected, counts[i], tolerance, "seed " + SEED + ", " + i + " of " + weights.length);
            }
        }
    }

    @Test
    void aliasTableHoldsExactlyTheWeights() {
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            double[] weights = new double[1 + random.nextInt(40)];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = Math.exp(random.nextDouble() * 12 - 3);
            }
            WeightedRandom table = new WeightedRandom(candidates(weights));
            double total = 0;
            for (double weight : weights) {
                total += weight;
            }
            double[] shares = table.shares();
            for (int i = 0; i < weights.length; i++) {
                assertEquals(weights[i] / total, shares[i], 1e-8, "seed " + SEED + ", round " + round);
            }
        }
    }

    @Test
    void roundRobinVisitsAllInTurn() {
        Balancer.Picker picker = Balancer.roundRobin().prepare(candidates(1, 5, 1, 1));
        int first = picker.pick("", 0);
        for (int i = 1; i < 40; i++) {
            assertEquals((first + i) % 4, picker.pick("", 0));
        }
    }

    @Test
    void leastActivePrefersTheIdle() {
        Candidates all = candidates(1, 1);
        for (int i = 0; i < 100; i++) {
            all.at(0).track.begin();
        }
        int[] counts = drawn(Balancer.leastActive().prepare(all), 2, 10_000);
        assertEquals(7_500, counts[1], 300, "seed " + SEED); // the busy one only when drawn twice
    }

    @Test
    void consistentHashKeepsKeysAndMovesFew() {
        double[] weights = new double[50];
        java.util.Arrays.fill(weights, 1);
        Candidates before = candidates(weights);
        Balancer.Picker picker = Balancer.consistentHash().prepare(before);
        Balancer.Picker again = Balancer.consistentHash().prepare(before);
        Candidates after = before.where(instance -> !instance.host().equals("10.0.0.11"));
        Balancer.Picker smaller = Balancer.consistentHash().prepare(after);
        int moved = 0;
        Map<Integer, Integer> load = new HashMap<>();
        for (int key = 0; key < 20_000; key++) {
            int was = picker.pick("user-" + key, 0);
            assertEquals(was, again.pick("user-" + key, 0));
            load.merge(was, 1, Integer::sum);
            String is = after.instance(smaller.pick("user-" + key, 0)).host();
            if (was != 10 && !before.instance(was).host().equals(is)) {
                moved++;
            }
        }
        assertEquals(50, load.size());
        load.values().forEach(count -> assertEquals(400, count, 140));
        assertTrue(moved < 20_000 / 10, "moved without need: " + moved);
    }

    @Test
    void consistentHashKeepsToTheWeights() {
        Balancer.Picker picker = Balancer.consistentHash().prepare(candidates(1, 1, 2));
        int[] counts = new int[3];
        for (int key = 0; key < 40_000; key++) {
            counts[picker.pick("k" + key, 0)]++;
        }
        assertEquals(10_000, counts[0], 1_500);
        assertEquals(20_000, counts[2], 1_500);
    }

    @Test
    void zoneFirstStaysInTheZoneAndFallsBack() {
        Candidates all = candidates(1, 1, 1, 1, 1, 1);
        Balancer.Picker near =
                Balancer.zoneFirst("a", Balancer.weightedRandom()).prepare(all);
        Set<Integer> picked = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            picked.add(near.pick("", 0));
        }
        assertEquals(Set.of(0, 3), picked);
        Balancer.Picker far =
                Balancer.zoneFirst("nowhere", Balancer.weightedRandom()).prepare(all);
        picked.clear();
        for (int i = 0; i < 500; i++) {
            picked.add(far.pick("", 0));
        }
        assertEquals(6, picked.size());
    }

    @Test
    void metadataSelectorPicksOnlyMatchingOnes() {
        Candidates all = candidates(1, 1, 1, 1, 1, 1);
        Balancer.Picker some = Balancer.withMetadata(Map.of("zone", "b"), Balancer.roundRobin())
                .prepare(all);
        for (int i = 0; i < 50; i++) {
            assertTrue(some.pick("", i) % 3 != 0);
        }
        Balancer.Picker none = Balancer.withMetadata(Map.of("zone", "x"), Balancer.roundRobin())
                .prepare(all);
        assertEquals(-1, none.pick("", 0));
    }

    @Test
    void everyBuiltInPickerVisitsAllWhenAskedAgainAndAgain() {
        Candidates all = candidates(1, 9_999, 1, 1, 1);
        for (Balancer balancer : new Balancer[] {
            Balancer.weightedRandom(), Balancer.roundRobin(), Balancer.leastActive(), Balancer.consistentHash()
        }) {
            Set<Integer> picked = new HashSet<>();
            Balancer.Picker picker = balancer.prepare(all);
            for (int attempt = Lookup.DRAWS; attempt < Lookup.DRAWS + all.size(); attempt++) {
                picked.add(picker.pick("key", attempt));
            }
            assertEquals(5, picked.size());
        }
    }

    @Test
    void lookupsAllocateNothing() {
        Stage stage = new Stage(3);
        for (int i = 0; i < 100; i++) {
            stage.registry.put(Stage.instance(i).withWeight(1 + i % 7));
        }
        MooringPorts plain = stage.ports();
        Mooring mooring = Mooring.builder()
                .servers("a")
                .ports(new MooringPorts(
                        plain.loop(),
                        plain.random(),
                        () -> ThreadLocalRandom.current().nextLong(),
                        plain.wallClock(),
                        plain.connector(),
                        plain.cache(),
                        plain.cacheExecutor(),
                        plain.listenerExecutor(),
                        plain.released()))
                .build();
        Service orders = mooring.service("orders");
        stage.runMillis(50);
        assertEquals(100, orders.instances().size());
        Balancer[] all = {
            Balancer.weightedRandom(),
            Balancer.roundRobin(),
            Balancer.leastActive(),
            Balancer.consistentHash(),
            Balancer.zoneFirst("a", Balancer.weightedRandom())
        };
        // Kept as objects: a balancer made anew for each lookup is prepared anew.
        for (Balancer balancer : all) {
            orders.choose(balancer, "k");
        }
        stage.runMillis(1);
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (Balancer balancer : all) {
            lookUp(orders, balancer, 20_000);
            long before = threads.getCurrentThreadAllocatedBytes();
            lookUp(orders, balancer, 20_000);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < 20_000, "bytes in 20000 lookups: " + allocated); // less than one per lookup
        }
    }

    private static void lookUp(Service service, Balancer balancer, int times) {
        for (int i = 0; i < times; i++) {
            if (service.choose(balancer, "key").isEmpty() || service.choose().isEmpty()) {
                throw new AssertionError("nobody");
            }
        }
    }
}
