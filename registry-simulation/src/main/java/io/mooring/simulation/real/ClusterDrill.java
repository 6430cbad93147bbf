package io.mooring.simulation.real;

import io.mooring.simulation.history.Bounds;
import io.mooring.simulation.history.Verdict;
import io.mooring.simulation.real.Trial.Outcome;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Three nodes as real processes under one fault after the other, for as long as one likes: on loopback addresses behind
 * proxies, and where the machine allows it in network namespaces too, in turns. Exit code 0 only if everything held.
 */
public final class ClusterDrill {
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final String USAGE = """
            usage: java -jar cluster-drill.jar [--name=value …]
              --minutes=10        how long; or
              --rounds=N          how often everything
              --only=KILL_ONE,…   which trials
              --terrain=both      loopback, namespaces or both
              --seed=N            of the first round; printed with every trial
              --server-jar=FILE   the packaged registry
            """;
    private static final int NODES = 3;

    private final Options options;
    private final Path home;
    private final List<Outcome> outcomes = new ArrayList<>();
    private final long startedAt = System.nanoTime();

    private ClusterDrill(Options options, Path home) {
        this.options = options;
        this.home = home;
    }

    private record Options(
            Duration time, long rounds, List<Trial> trials, boolean loopback, boolean namespaces, long seed, Path jar) {

        /** @throws IllegalArgumentException when there is no such option, or it has no such value */
        static Options of(String[] arguments) throws URISyntaxException {
            Duration time = Duration.ofMinutes(10);
            long rounds = Long.MAX_VALUE;
            List<Trial> trials = Trial.ALL;
            String terrain = "both";
            long seed = 1;
            Path jar = beside("registry-server/target/registry-server.jar");
            for (String argument : arguments) {
                String value = argument.substring(argument.indexOf('=') + 1);
                switch (argument.substring(0, argument.length() - value.length())) {
                    case "--minutes=" -> time = Duration.ofMinutes(Long.parseLong(value));
                    case "--rounds=" -> {
                        rounds = Long.parseLong(value);
                        time = Duration.ofDays(365);
                    }
                    case "--only=" ->
                        trials = Stream.of(value.split(",")).map(Trial::valueOf).toList();
                    case "--terrain=" -> terrain = value;
                    case "--seed=" -> seed = Long.parseLong(value);
                    case "--server-jar=" -> jar = Path.of(value);
                    default -> throw new IllegalArgumentException("option: " + argument);
                }
            }
            return new Options(
                    time, rounds, trials, !terrain.equals("namespaces"), !terrain.equals("loopback"), seed, jar);
        }
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn"); // the clients' story is in the history
        Options options;
        try {
            options = Options.of(arguments);
        } catch (IllegalArgumentException e) {
            OUT.print(e.getMessage() + "\n" + USAGE);
            System.exit(2);
            return;
        }
        if (options.namespaces() && !Namespaces.available() && Namespaces.couldBe()) {
            System.exit(again(arguments));
        }
        if (Namespaces.available()) {
            Commands.run("ip", "link", "set", "lo", "up"); // a new namespace has it down
        }
        if (!Files.exists(options.jar())) {
            OUT.println("server jar: " + options.jar()
                    + " does not exist; run mvn -q -DskipTests package first, or name" + " it with --server-jar=FILE");
            System.exit(2);
        }
        Path home = Files.createTempDirectory("mooring-cluster");
        ClusterDrill drill = new ClusterDrill(options, home);
        drill.run();
        boolean held = drill.report();
        if (held) {
            delete(home);
        } else {
            OUT.println("What the nodes said, and the histories of trials that did not hold, are in " + home);
        }
        System.exit(held ? 0 : 1);
    }

    /** The same in namespaces of its own. */
    private static int again(String[] arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "unshare",
                "-n",
                "-m",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                ownJar().toString(),
                ClusterDrill.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put(Namespaces.ALONE, "yes");
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        return process.waitFor();
    }

    private static Path ownJar() throws URISyntaxException {
        return Path.of(ClusterDrill.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    /** Beside this jar in the build's layout. */
    private static Path beside(String path) throws URISyntaxException {
        Path root = ownJar().toAbsolutePath();
        for (int i = 0; i < 3 && root.getParent() != null; i++) {
            root = root.getParent();
        }
        return root.resolve(path);
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private void run() throws IOException {
        for (long round = 0; round < options.rounds() && !isOver(); round++) {
            if (options.loopback()) {
                round(options.seed() + round, false);
            }
            if (options.namespaces() && Namespaces.available()) {
                round(options.seed() + round, true);
            }
        }
    }

    private boolean isOver() {
        return System.nanoTime() - startedAt > options.time().toNanos();
    }

    private void round(long seed, boolean inNamespaces) throws IOException {
        Random random = new Random(seed);
        List<Trial> order = new ArrayList<>(options.trials());
        Collections.shuffle(order, random);
        Path place = Files.createDirectories(home.resolve((inNamespaces ? "namespaces-" : "loopback-") + seed));
        try (Cluster cluster = new Cluster(place, options.jar(), NODES, inNamespaces, seed, List.of())) {
            tell("round " + seed + ": " + NODES + " nodes, " + cluster.terrain().name());
            cluster.startAll(random);
            for (Trial trial : order) {
                if (isOver()) {
                    return;
                }
                long trialSeed = random.nextLong();
                Workload.Size size = new Workload.Size(3, 6 + random.nextInt(6), 3, 3 + random.nextInt(4), 20);
                Path story = place.resolve(trial + "-" + trialSeed + ".history");
                Outcome outcome = trial.run(cluster, size, Bounds.PROMISED, trialSeed, story);
                outcomes.add(outcome);
                tell(outcome.toString());
            }
        }
    }

    private void tell(String text) {
        OUT.println(String.format(Locale.ROOT, "%7.1f  %s", (System.nanoTime() - startedAt) / 1e9, text));
    }

    // ---- the verdict

    private boolean report() {
        OUT.println();
        OUT.println(row("trial", "valid", "invalid", "not here", "held", "equal p50", "longest", "unseen p99"));
        OUT.println("-".repeat(112));
        for (Trial trial : options.trials()) {
            List<Outcome> all = outcomes.stream()
                    .filter(outcome -> outcome.trial() == trial)
                    .toList();
            List<Outcome> valid =
                    all.stream().filter(outcome -> outcome.invalid().isEmpty()).toList();
            long away = all.stream()
                    .filter(outcome -> outcome.invalid().orElse("").startsWith("not available"))
                    .count();
            List<Double> healed =
                    valid.stream().map(Outcome::healedMillis).sorted().toList();
            OUT.println(row(
                    trial.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    Integer.toString(valid.size()),
                    Long.toString(all.size() - valid.size() - away),
                    Long.toString(away),
                    Long.toString(valid.stream().filter(Outcome::holds).count()),
                    healed.isEmpty() ? "" : millis(healed.get(healed.size() / 2)),
                    healed.isEmpty() ? "" : millis(healed.get(healed.size() - 1)),
                    valid.isEmpty()
                            ? ""
                            : millis(valid.stream()
                                    .mapToDouble(outcome ->
                                            outcome.verdict().stableMillis().p99())
                                    .max()
                                    .orElse(0))));
        }
        List<Outcome> valid =
                outcomes.stream().filter(outcome -> outcome.invalid().isEmpty()).toList();
        long acts = sum(valid, Verdict::acts);
        long views = sum(valid, Verdict::observations);
        OUT.println();
        zero("lost", sum(valid, Verdict::lost), acts, "acts");
        zero("missing when its bound was over", sum(valid, Verdict::missing), acts, "acts");
        zero("never read", sum(valid, Verdict::neverRead), acts, "acts");
        zero("vanished", sum(valid, Verdict::vanished), views, "views");
        zero("zombies", sum(valid, Verdict::zombies), acts, "acts");
        zero("returned", sum(valid, Verdict::returned), acts, "acts");
        zero("backwards", sum(valid, Verdict::backwards), views, "views");
        zero("fabricated", sum(valid, Verdict::fabricated), views, "views");
        zero("listed twice", sum(valid, Verdict::twice), views, "views");
        zero("empty lists", sum(valid, Verdict::empties), views, "views");
        long failed = valid.stream().filter(outcome -> !outcome.holds()).count();
        zero("trials that did not hold", failed, valid.size(), "trials");
        OUT.println(
                "equal: from the end of a fault until the digests of all shards are equal at all nodes; unseen: after its"
                        + " answer, how long an act was not yet shown by somebody (the fault included)");
        boolean held = failed == 0 && !valid.isEmpty();
        OUT.println(held ? "HELD" : "DID NOT HOLD");
        return held;
    }

    private static long sum(List<Outcome> outcomes, ToLongFunction<Verdict> count) {
        return outcomes.stream()
                .mapToLong(outcome -> count.applyAsLong(outcome.verdict()))
                .sum();
    }

    /** Beside a zero stands what it supports: with 95 % confidence, fewer than three in so many. */
    private static void zero(String what, long count, long of, String unit) {
        String bound = count == 0 && of > 0
                ? String.format(Locale.ROOT, " (95 %%: fewer than %.3g %% of %s)", 300.0 / of, unit)
                : "";
        OUT.println(String.format(Locale.ROOT, "%-34s %6d of %,d %s%s", what, count, of, unit, bound));
    }

    private static String row(String... cells) {
        return String.format("%-28s %6s %8s %9s %6s %12s %12s %12s", (Object[]) cells);
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, "%,.0f ms", millis);
    }
}
