package io.mooring.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * The real cores under faults, in virtual time: one node or up to seven, and their clients. {@code -Dseeds=N} runs more,
 * {@code -Dseed=S} exactly that one; both also work on the packaged {@code simulation.jar}, with more, as
 * {@code --seeds=N} and {@code --seed=S}.
 */
class SimulationTest {
    private static final int SEEDS = Integer.getInteger("seeds", 400);
    private static final long FROM = Long.getLong("from", 0);
    private static final int ENOUGH = 400;

    /** A1, A3, A5, A7-A12, B1-B11, B13, C1-C3, C6, C7, C10, C11, D2, E1, E2, E4, E6, E7, E9, E12, E14: see docs/reliability.md. */
    @Test
    void whateverGoesWrongNothingIsSeenThatShouldNotBeAndAllIsWellInTheEnd() throws Exception {
        Long one = Long.getLong("seed");
        if (one != null) {
            Simulation.run(one).failure().ifPresent(SimulationTest::fail);
            return;
        }
        Coverage coverage = new Coverage();
        Duration simulated = Duration.ZERO;
        for (World.Result result : run()) {
            result.failure().ifPresent(failure -> fail(failure + "\n" + Scenario.shorten(result, World.Options.DRAWN)));
            coverage.add(result.coverage());
            simulated = simulated.plus(result.simulated());
        }
        System.out.println(coverage.table() + SEEDS + " seeds from " + FROM + ", " + simulated + " simulated");
        if (SEEDS >= ENOUGH) {
            assertEquals("", coverage.holes(), "what was not tried was not checked");
        }
    }

    /** On two threads: seeds share nothing. */
    private static List<World.Result> run() throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<World.Result>> running = new ArrayList<>();
            for (long seed = FROM; seed < FROM + SEEDS; seed++) {
                long each = seed;
                running.add(threads.submit(() -> Simulation.run(each)));
            }
            List<World.Result> results = new ArrayList<>();
            for (Future<World.Result> result : running) {
                results.add(result.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    private static void fail(String report) {
        throw new AssertionError(report);
    }

    @Test
    void theSameSeedIsTheSameRun() {
        for (long seed = 0; seed < 40; seed++) {
            assertEquals(Simulation.run(seed).traceHash(), Simulation.run(seed).traceHash(), "seed " + seed);
        }
        assertNotEquals(Simulation.run(1).traceHash(), Simulation.run(2).traceHash());
    }

    /** A scenario without some of its faults is the same run every time, too. */
    @Test
    void theSameScenarioIsTheSameRun() {
        World.Options options =
                World.Options.DRAWN.withNodes(3).without(Set.of(0, 2)).withHorizon(Duration.ofSeconds(40));
        for (long seed = 0; seed < 5; seed++) {
            assertEquals(
                    new World(seed, options).run().traceHash(),
                    new World(seed, options).run().traceHash(),
                    "seed " + seed);
        }
    }

    /** E5: jumps of any process's wall clock, by seconds, hours and years, change not one message. */
    @Test
    void wallClocksDecideNothing() {
        int jumped = 0;
        for (long seed = 0; seed < 60; seed++) {
            World.Result result = Simulation.run(seed);
            Optional<Long> without = Simulation.traceWithoutWallJumps(seed);
            assertEquals(Optional.of(result.traceHash()), without, "seed " + seed);
            jumped += result.coverage().tookEffectTimes(Fault.WALL_CLOCK_JUMP) > 0 ? 1 : 0;
        }
        assertTrue(jumped >= 5, "clocks jumped in " + jumped + " seeds only");
    }
}
