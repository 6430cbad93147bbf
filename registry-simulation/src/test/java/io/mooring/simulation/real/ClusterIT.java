package io.mooring.simulation.real;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.simulation.history.Bounds;
import io.mooring.simulation.real.Trial.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A1, A2, A7, A11, B2, B7, E1, E2, E4, E6, E12 on three real processes: each fault once, on a cluster that lives through all
 * of them. {@code cluster-drill.jar} does it for longer, and with more kinds.
 */
class ClusterIT {
    /** Loose, for machines that do other things too; the drill's are as promised. */
    private static final Bounds BOUNDS =
            new Bounds(Duration.ofSeconds(10), Duration.ofSeconds(40), Duration.ofSeconds(40), Duration.ofSeconds(60));

    @TempDir
    Path home;

    @Test
    void threeNodesLoseAndInventNothingWhateverHappensToThem() throws IOException {
        long seed = Long.getLong("seed", System.nanoTime());
        Random random = new Random(seed);
        List<String> told = new ArrayList<>();
        Path stories = Files.createDirectories(Path.of("target", "cluster-it"));
        try (Cluster cluster = new Cluster(
                home, Path.of("../registry-server/target/registry-server.jar"), 3, false, seed, List.of())) {
            cluster.startAll(random);
            for (Trial trial : Trial.SHORT) {
                Workload.Size size = new Workload.Size(3, 6, 3, 4, 20);
                Outcome outcome =
                        trial.run(cluster, size, BOUNDS, random.nextLong(), stories.resolve(trial + ".history"));
                told.add(outcome.toString());
                System.out.println(outcome);
                assertTrue(outcome.holds(), "seed " + seed + "\n" + String.join("\n", told));
            }
        }
    }
}
