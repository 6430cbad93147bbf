package io.mooring.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Looks for the least that still fails in the same way: faults are left out, half of them at a time and then one by
 * one, and the trouble ends earlier.
 */
final class Scenario {
    private static final int MOST_RUNS = 120;
    private static final long PATIENCE = Duration.ofSeconds(60).toNanos();

    private final long seed;
    private final String property;
    private final long began = System.nanoTime();
    private World.Options options;
    private World.Result shortest;
    private int runs;

    private Scenario(World.Result failed, World.Options options) {
        this.seed = failed.seed();
        this.property = failed.property();
        this.shortest = failed;
        this.options = options;
    }

    /** @return the scenario that is left, for people, and how to run it */
    static String shorten(World.Result failed, World.Options options) {
        Scenario scenario = new Scenario(failed, options);
        scenario.leaveOut();
        scenario.endEarlier();
        scenario.leaveOut();
        return scenario.text();
    }

    private boolean stillFails(World.Options candidate) {
        if (runs >= MOST_RUNS || System.nanoTime() - began > PATIENCE) {
            return false;
        }
        runs++;
        World.Result result = new World(seed, candidate).run();
        if (result.failure().isEmpty() || !result.property().equals(property)) {
            return false;
        }
        options = candidate;
        shortest = result;
        return true;
    }

    private static int number(String line) {
        return Integer.parseInt(line.substring(0, 4).trim());
    }

    private List<Integer> left() {
        return shortest.story().stream().map(Scenario::number).toList();
    }

    private void leaveOut() {
        for (int size = Math.max(1, left().size() / 2); size >= 1; size = size / 2) {
            for (int at = 0; at < left().size(); ) {
                List<Integer> numbers = left();
                Set<Integer> without = new TreeSet<>(options.without());
                without.addAll(numbers.subList(at, Math.min(numbers.size(), at + size)));
                if (!stillFails(options.without(without))) {
                    at += size;
                }
            }
        }
    }

    private void endEarlier() {
        long length = options.horizon()
                .map(Duration::toMillis)
                .orElse(shortest.simulated().toMillis());
        for (int part = 1; part < 8; part++) {
            if (stillFails(options.withHorizon(Duration.ofMillis(length * part / 8)))) {
                return;
            }
        }
    }

    private String text() {
        List<String> lines = new ArrayList<>();
        lines.add("the shortest scenario found in " + runs + " runs:");
        lines.addAll(shortest.story());
        lines.add(shortest.failure()
                .orElse("")
                .lines()
                .filter(line -> line.startsWith("seed "))
                .findFirst()
                .orElse(""));
        String without = options.without().stream().map(String::valueOf).collect(Collectors.joining(","));
        Optional<Duration> horizon = options.horizon();
        lines.add("--seed=" + seed
                + (options.nodes().isPresent() ? " --nodes=" + options.nodes().getAsInt() : "")
                + (without.isEmpty() ? "" : " --without=" + without)
                + horizon.map(length -> " --horizon=" + length.toMillis()).orElse(""));
        return String.join("\n", lines);
    }
}
