package io.mooring.compatibility;

import io.mooring.compatibility.Joint.Company;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Puts clients through scenarios: each through its own, all at the same time, and then all through those that are joint. */
public final class Compatibility {
    /** As seen from this module's directory; another build of it may be named. */
    private static final Path SERVER = Path.of(
            System.getProperty("mooring.compatibility.server", "../../registry-server/target/registry-server.jar"));

    private static final Path HOME = Path.of("target/compatibility");

    private final Registry registry;
    private final Registry guarded;
    private final List<Stage> stages = new ArrayList<>();
    private final Predicate<String> playing;
    private final List<Result> results = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    private Compatibility(Registry registry, Registry guarded, List<Client> clients, Predicate<String> playing) {
        this.registry = registry;
        this.guarded = guarded;
        this.playing = playing;
        for (Client client : clients) {
            stages.add(new Stage(client, registry, guarded, HOME.resolve(client.tag())));
        }
    }

    /**
     * Runs from this module's directory, once everything is built, without Maven.
     *
     * @param arguments parts of names of clients, then of scenarios, both separated by commas; empty or missing: all
     */
    public static void main(String[] arguments) throws Exception {
        Results results = run(true, arguments.length < 1 ? "" : arguments[0], arguments.length < 2 ? "" : arguments[1]);
        System.exit(results.failed() == 0 ? 0 : 1);
    }

    /**
     * Tries clients on registries of its own, and writes the table to {@code target/compatibility/results.md}.
     *
     * @param full all clients, or those that are representative
     * @param clients parts of their names, separated by commas; empty: all
     * @param scenarios parts of their names, separated by commas; empty: all
     */
    static Results run(boolean full, String clients, String scenarios) throws Exception {
        clear(HOME);
        List<Client> chosen = Clients.ALL.stream()
                .filter(client -> full || client.representative())
                .filter(client -> named(client.name(), clients))
                .toList();
        if (chosen.isEmpty()) {
            throw new IllegalArgumentException("clients: " + clients + " (expected: parts of names among "
                    + Clients.ALL.stream().map(Client::name).toList() + ")");
        }
        Path home = Files.createDirectories(HOME);
        Path users = Files.writeString(home.resolve("users"), users(), StandardCharsets.UTF_8);
        try (Registry registry = new Registry(SERVER, Files.createDirectories(home.resolve("nodes")), 3, 0, List.of());
                Registry guarded = new Registry(
                        SERVER,
                        Files.createDirectories(home.resolve("guarded")),
                        1,
                        3,
                        List.of("--mooring.nacos.users-file=" + users.toAbsolutePath()))) {
            // Drivers end with their input; nodes would go on when this process is stopped.
            Thread ending = new Thread(() -> {
                registry.endAll();
                guarded.endAll();
            });
            Runtime.getRuntime().addShutdownHook(ending);
            registry.startAll();
            guarded.startAll();
            Compatibility run = new Compatibility(registry, guarded, chosen, name -> named(name, scenarios));
            try {
                run.playAll();
            } finally {
                run.close();
            }
            Results results = Results.sorted(chosen, run.results);
            if (results.all().isEmpty()) {
                throw new IllegalArgumentException(
                        "scenarios: " + scenarios + " (expected: parts of names of scenarios; none matches)");
            }
            String table = results.markdown("Run of " + LocalDate.now(ZoneOffset.UTC) + " with commit " + commit()
                    + (full ? ", full matrix." : ", representative set."));
            Files.writeString(home.resolve("results.md"), table, StandardCharsets.UTF_8);
            System.out.println(table);
            return results;
        }
    }

    /** Removes what an earlier run has left there. */
    static void clear(Path home) throws IOException {
        if (Files.exists(home)) {
            try (Stream<Path> files = Files.walk(home)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    static boolean named(String name, String parts) {
        return parts.isBlank() || Stream.of(parts.split(",")).anyMatch(part -> name.contains(part.strip()));
    }

    private static String users() throws IOException, InterruptedException {
        StringBuilder out = new StringBuilder();
        for (String user : LoginScenarios.USERS) {
            out.append(said(
                    LoginScenarios.PASSWORD + "\n",
                    Registry.java(),
                    "-jar",
                    SERVER.toString(),
                    "--hash-password=" + user));
        }
        return out.toString();
    }

    static String commit() throws IOException, InterruptedException {
        try {
            return said("", "git", "rev-parse", "--short", "HEAD").strip();
        } catch (IOException e) {
            System.out.println("no commit to be named: " + e.getMessage()); // an archive, or no git
            return "unknown";
        }
    }

    /** What a program prints. */
    private static String said(String input, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = process.getOutputStream()) {
            out.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(String.join(" ", command) + " failed, and said: " + said);
        }
        return said;
    }

    private void playAll() throws Exception {
        together(stages, stage -> () -> {
            for (Scenario scenario : Scenarios.ALL) {
                if (playing.test(scenario.name())) {
                    play(stage, scenario);
                }
            }
            return true;
        });
        for (Joint joint : Joints.ALL) {
            if (playing.test(joint.name())) {
                play(joint);
            }
        }
    }

    private void play(Stage stage, Scenario scenario) {
        if (skips(stage, scenario.name(), scenario.needs())) {
            return;
        }
        long start = System.nanoTime();
        stage.begin(scenario.name());
        @Nullable
        Throwable failure = failure(() -> {
            scenario.story().play(stage);
            return true;
        });
        stage.end();
        add(stage, scenario.name(), failure, start);
    }

    private void play(Joint joint) throws Exception {
        List<Stage> able = stages.stream()
                .filter(stage -> !skips(stage, joint.name(), joint.needs()))
                .toList();
        if (able.isEmpty()) {
            return;
        }
        long start = System.nanoTime();
        Company company = new Company(registry, guarded);
        Map<Stage, Joint.Part> parts = new LinkedHashMap<>();
        Map<Stage, @Nullable Throwable> failures = together(able, stage -> () -> {
            stage.begin(joint.name());
            Joint.Part part = joint.casting().cast(stage, company);
            synchronized (parts) {
                parts.put(stage, part);
            }
            return true;
        });
        say(joint, "is about to happen", start);
        @Nullable
        Throwable happened = failure(() -> {
            joint.happening().happen(company);
            return true;
        });
        say(joint, "has happened", start);
        List<Stage> judged = List.copyOf(parts.keySet());
        if (happened == null) {
            failures.putAll(together(judged, stage -> () -> {
                part(parts, stage).judge();
                return true;
            }));
            say(joint, "is judged", start);
            together(judged, stage -> () -> {
                        part(parts, stage).leave();
                        return true;
                    })
                    .forEach((stage, failure) -> {
                        if (failures.get(stage) == null && failure != null) {
                            failures.put(stage, failure);
                        }
                    });
        }
        for (Stage stage : able) {
            stage.end();
            @Nullable Throwable failure = failures.get(stage);
            add(stage, joint.name(), failure != null ? failure : happened, start);
        }
    }

    private static void say(Joint joint, String what, long start) {
        System.out.println(joint.name() + " " + what + " (" + (System.nanoTime() - start) / 1_000_000 + " ms)");
    }

    private static Joint.Part part(Map<Stage, Joint.Part> parts, Stage stage) {
        Joint.Part part = parts.get(stage);
        if (part == null) {
            throw new IllegalStateException("no part for " + stage.client().name());
        }
        return part;
    }

    private interface Doing {
        Callable<Boolean> of(Stage stage);
    }

    /** Does it with each on a thread of its own, and waits for all; returns what went wrong with whom. */
    private Map<Stage, @Nullable Throwable> together(List<Stage> with, Doing doing) throws InterruptedException {
        Map<Stage, Future<Boolean>> running = new LinkedHashMap<>();
        with.forEach(stage -> running.put(stage, threads.submit(doing.of(stage))));
        Map<Stage, @Nullable Throwable> out = new LinkedHashMap<>();
        for (Map.Entry<Stage, Future<Boolean>> each : running.entrySet()) {
            try {
                each.getValue().get();
                out.put(each.getKey(), null);
            } catch (ExecutionException e) {
                out.put(each.getKey(), e.getCause());
            }
        }
        return out;
    }

    private static @Nullable Throwable failure(Callable<Boolean> what) {
        try {
            what.call();
            return null;
        } catch (Exception | AssertionError e) {
            return e;
        }
    }

    private boolean skips(Stage stage, String scenario, Set<Ability> needs) {
        Client client = stage.client();
        String absent = client.absent().get();
        Optional<Ability> lacking =
                needs.stream().filter(client.lacks()::containsKey).findFirst();
        if (absent.isEmpty() && lacking.isEmpty()) {
            return false;
        }
        add(new Result(
                client.name(),
                scenario,
                absent.isEmpty()
                        ? "not in this client: " + client.lacks().get(lacking.orElseThrow())
                        : "not run here: " + absent,
                null,
                Duration.ZERO));
        return true;
    }

    private void add(Stage stage, String scenario, @Nullable Throwable failure, long start) {
        add(new Result(stage.client().name(), scenario, null, failure, Duration.ofNanos(System.nanoTime() - start)));
    }

    private synchronized void add(Result result) {
        results.add(result);
        System.out.println(result);
    }

    private void close() throws IOException {
        threads.shutdownNow();
        for (Stage stage : stages) {
            stage.close();
        }
    }
}
