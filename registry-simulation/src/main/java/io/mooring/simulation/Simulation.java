package io.mooring.simulation;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Runs seeds. Each is a whole world of its own in virtual time; a seed that fails prints what was wrong and the last
 * messages, and can be run again exactly so.
 */
public final class Simulation {
    private final PrintStream out;

    private Simulation(PrintStream out) {
        this.out = out;
    }

    /**
     * Options: {@code --seeds=N} how many (200), {@code --from=S} the first (0), {@code --seed=S} just that one,
     * {@code --minutes=M} go on for that long instead, {@code --keep-going} do not stop at the first failure.
     */
    public static void main(String[] arguments) {
        // Before the first logger is made: the cores' words would hide the story.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        long seeds = 200;
        long from = 0;
        long minutes = 0;
        boolean keepGoing = false;
        for (String argument : arguments) {
            String value = argument.substring(argument.indexOf('=') + 1);
            if (argument.startsWith("--seeds=")) {
                seeds = Long.parseLong(value);
            } else if (argument.startsWith("--from=")) {
                from = Long.parseLong(value);
            } else if (argument.startsWith("--seed=")) {
                from = Long.parseLong(value);
                seeds = 1;
            } else if (argument.startsWith("--minutes=")) {
                minutes = Long.parseLong(value);
                seeds = Long.MAX_VALUE;
            } else if (argument.equals("--keep-going")) {
                keepGoing = true;
            } else {
                System.err.println(argument + ": no such option (expected: --seeds=N, --from=S, --seed=S, --minutes=M,"
                        + " --keep-going)");
                System.exit(2);
            }
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Duration limit = minutes == 0 ? Duration.ofDays(365) : Duration.ofMinutes(minutes);
        System.exit(new Simulation(out).run(from, seeds, limit, keepGoing) == 0 ? 0 : 1);
    }

    private int run(long from, long seeds, Duration limit, boolean keepGoing) {
        long began = System.nanoTime();
        Coverage coverage = new Coverage();
        Duration simulated = Duration.ZERO;
        long steps = 0;
        long ran = 0;
        int failures = 0;
        while (ran < seeds && System.nanoTime() - began < limit.toNanos()) {
            World.Result result = run(from + ran);
            ran++;
            coverage.add(result.coverage());
            simulated = simulated.plus(result.simulated());
            steps += result.steps();
            if (result.failure().isPresent()) {
                failures++;
                out.println(result.failure().get());
                if (!keepGoing) {
                    break;
                }
            }
            if (seeds == 1) {
                out.println("seed " + from + ": trace " + Long.toHexString(result.traceHash()));
            }
        }
        double hours = simulated.toMillis() / 3_600_000.0;
        double seconds = (System.nanoTime() - began) / 1e9;
        out.print(coverage.table());
        out.printf(
                Locale.ROOT,
                "%d seeds from %d, %.1f simulated hours, %d steps, in %.1f s; %d failed%n",
                ran,
                from,
                hours,
                steps,
                seconds,
                failures);
        return failures;
    }

    /** Runs one seed. */
    static World.Result run(long seed) {
        return new World(seed).run();
    }

    /** Runs one seed with wall clocks that are right. @return its trace */
    static Optional<Long> traceWithoutWallJumps(long seed) {
        World.Result result = new World(seed, false).run();
        return result.failure().isPresent() ? Optional.empty() : Optional.of(result.traceHash());
    }
}
