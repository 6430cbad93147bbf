package io.mooring.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * The real cores under faults, in virtual time. {@code -Dseeds=N} runs more, {@code -Dseed=S} exactly that one; both
 * also work on the packaged {@code simulation.jar} as {@code --seeds=N} and {@code --seed=S}.
 */
class SimulationTest {
    private static final long SEEDS = Long.getLong("seeds", 400);
    private static final long FROM = Long.getLong("from", 0);

    /** A3, A5, A9, A10, A12, B1-B11, B13, C1-C3, C6, C7, C10, C11, D2, E5, E6, E9: see docs/reliability.md. */
    @Test
    void whateverGoesWrongNothingIsSeenThatShouldNotBeAndAllIsWellInTheEnd() {
        Long one = Long.getLong("seed");
        if (one != null) {
            Simulation.run(one).failure().ifPresent(SimulationTest::fail);
            return;
        }
        Coverage coverage = new Coverage();
        Duration simulated = Duration.ZERO;
        for (long seed = FROM; seed < FROM + SEEDS; seed++) {
            World.Result result = Simulation.run(seed);
            result.failure().ifPresent(SimulationTest::fail);
            coverage.add(result.coverage());
            simulated = simulated.plus(result.simulated());
        }
        System.out.println(coverage.table() + SEEDS + " seeds from " + FROM + ", " + simulated + " simulated");
        if (SEEDS >= 400) {
            assertEquals("", coverage.holes(), "what was not tried was not checked");
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
