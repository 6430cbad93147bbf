package io.mooring.simulation;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs seeds. Each is a whole world of its own in virtual time; a seed that fails prints what was wrong, the last
 * messages and a shortened scenario, and can be run again exactly so.
 */
public final class Simulation {
    private static final String OPTIONS = """
            --seeds=N        how many seeds (200)
            --from=S         the first one (0)
            --seed=S         just that one
            --without=1,5    leave out those faults, by their numbers in the scenario
            --horizon=MS     make trouble for so many milliseconds only
            --nodes=N        always so many nodes, instead of 1-7
            --minutes=M      go on for that long instead of a number of seeds
            --threads=T      so many seeds at once (1)
            --keep-going     do not stop at the first failure
            --no-shortening  do not look for a shorter scenario of a failure
            --pairs          fail if two faults never fell together, as every long run should
            --ledger=FILE    append to FILE what was run
            --commit=ID      what the ledger says was run (unknown)
            --measure        how fast it goes: 3 nodes (or --nodes) and 30 processes, in peace
            """;

    /** What others do on the machine is not ours to measure. */
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

    private final PrintStream out;
    private final Coverage coverage = new Coverage();
    private Duration simulated = Duration.ZERO;
    private long steps;
    private long ran;
    private int failures;

    private long seeds = 200;
    private long from;
    private long minutes;
    private int threads = 1;
    private boolean keepGoing;
    private boolean shortening = true;
    private boolean pairs;
    private boolean measure;
    private Optional<Path> ledger = Optional.empty();
    private String commit = "unknown";
    private World.Options drawn = World.Options.DRAWN;

    private Simulation(PrintStream out) {
        this.out = out;
    }

    /** Prints what options there are when it is given one that is none. */
    public static void main(String[] arguments) throws InterruptedException {
        // Before the first logger is made: the cores' words would hide the story.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", System.getProperty("log", "off"));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Simulation simulation = new Simulation(out);
        for (String argument : arguments) {
            if (!simulation.takes(argument)) {
                out.println(argument + ": no such option (expected one of these)\n" + OPTIONS);
                System.exit(2);
            }
        }
        System.exit(simulation.run() ? 0 : 1);
    }

    private boolean takes(String argument) {
        int equals = argument.indexOf('=');
        String name = equals < 0 ? argument : argument.substring(0, equals);
        String value = argument.substring(equals + 1);
        switch (name) {
            case "--seeds" -> seeds = Long.parseLong(value);
            case "--from" -> from = Long.parseLong(value);
            case "--seed" -> {
                from = Long.parseLong(value);
                seeds = 1;
            }
            case "--minutes" -> {
                minutes = Long.parseLong(value);
                seeds = Long.MAX_VALUE;
            }
            case "--threads" -> threads = Integer.parseInt(value);
            case "--nodes" -> drawn = drawn.withNodes(Integer.parseInt(value));
            case "--horizon" -> drawn = drawn.withHorizon(Duration.ofMillis(Long.parseLong(value)));
            case "--without" -> {
                Set<Integer> without = new LinkedHashSet<>();
                for (String number : value.split(",")) {
                    without.add(Integer.parseInt(number));
                }
                drawn = drawn.without(without);
            }
            case "--keep-going" -> keepGoing = true;
            case "--no-shortening" -> shortening = false;
            case "--pairs" -> pairs = true;
            case "--measure" -> measure = true;
            case "--ledger" -> ledger = Optional.of(Path.of(value));
            case "--commit" -> commit = value;
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean run() throws InterruptedException {
        long began = System.nanoTime();
        if (measure) {
            return measure();
        }
        long limit = minutes == 0
                ? Duration.ofDays(365).toNanos()
                : Duration.ofMinutes(minutes).toNanos();
        AtomicLong next = new AtomicLong(from);
        Runnable work = () -> {
            while (System.nanoTime() - began < limit && !enough()) {
                long seed = next.getAndIncrement();
                if (seed - from >= seeds) {
                    return;
                }
                ended(new World(seed, drawn).run());
            }
        };
        List<Thread> others = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            Thread other = new Thread(work, "seeds-" + i);
            other.start();
            others.add(other);
        }
        work.run();
        for (Thread other : others) {
            other.join();
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        out.print(coverage.table());
        out.printf(
                Locale.ROOT,
                "%d seeds from %d, %.1f simulated hours, %d steps, in %.1f s, %.0f x real time; %d failed%n",
                ran,
                from,
                hours(),
                steps,
                seconds,
                hours() * 3_600 / seconds,
                failures);
        boolean complete =
                !pairs || coverage.pairHoles().isEmpty() && coverage.holes().isEmpty();
        if (!complete) {
            out.print(coverage.holes() + coverage.pairHoles());
        }
        ledger.ifPresent(this::enter);
        return failures == 0 && complete;
    }

    private double hours() {
        return simulated.toMillis() / 3_600_000.0;
    }

    private synchronized boolean enough() {
        return failures > 0 && !keepGoing;
    }

    private synchronized void ended(World.Result result) {
        ran++;
        coverage.add(result.coverage());
        simulated = simulated.plus(result.simulated());
        steps += result.steps();
        if (result.failure().isPresent()) {
            failures++;
            out.println(result.failure().get());
            if (shortening) {
                out.println(Scenario.shorten(result, drawn));
            }
        }
        if (seeds == 1) {
            out.println("seed " + from + ": trace " + Long.toHexString(result.traceHash()));
        }
    }

    /** One line more: who looks at the ledger sums it. */
    private void enter(Path file) {
        try {
            if (!Files.exists(file)) {
                Files.writeString(file, "date,commit,from,seeds,simulated hours,failures\n");
            }
            Files.writeString(
                    file,
                    String.format(
                            Locale.ROOT,
                            "%s,%s,%d,%d,%.1f,%d%n",
                            LocalDate.now(ZoneOffset.UTC),
                            commit,
                            from,
                            ran,
                            hours(),
                            failures),
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException("ledger: cannot write to " + file, e);
        }
    }

    private boolean measure() {
        boolean right = true;
        for (int round = 0; round < 4; round++) {
            int nodes = drawn.nodes().orElse(3);
            World world = new World(round, World.Options.DRAWN.withNodes(nodes).calmWith(30));
            long began = CLOCK.getCurrentThreadCpuTime();
            World.Result result = world.run();
            double seconds = (CLOCK.getCurrentThreadCpuTime() - began) / 1e9;
            out.printf(
                    Locale.ROOT,
                    "%d nodes, 30 processes: %.0f simulated seconds in %.2f s of a core, %.0f x real time, %.0f steps/s%s%n",
                    nodes,
                    result.simulated().toMillis() / 1e3,
                    seconds,
                    result.simulated().toMillis() / 1e3 / seconds,
                    result.steps() / seconds,
                    result.failure().map(failure -> "\n" + failure).orElse(""));
            right &= result.failure().isEmpty();
        }
        return right;
    }

    /** Runs one seed. */
    static World.Result run(long seed) {
        return new World(seed).run();
    }

    /** Runs one seed with so many nodes. */
    static World.Result run(long seed, OptionalInt nodes) {
        return new World(
                        seed, nodes.isPresent() ? World.Options.DRAWN.withNodes(nodes.getAsInt()) : World.Options.DRAWN)
                .run();
    }

    /** Runs one seed with wall clocks that are right. @return its trace */
    static Optional<Long> traceWithoutWallJumps(long seed) {
        World.Result result = new World(seed, World.Options.DRAWN.withoutWallJumps()).run();
        return result.failure().isPresent() ? Optional.empty() : Optional.of(result.traceHash());
    }
}
