package io.mooring.compatibility;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Applications of frameworks that call one another by name, while the registry and the providers come and go. All frameworks go
 * through each part together, on one registry of three nodes; but one after the other where applications start, for that
 * takes a machine as a whole.
 */
final class Frameworks {
    private static final Duration DRAINED = Duration.ofSeconds(60);

    private final Registry registry;
    private final List<Play> plays = new ArrayList<>();
    private final List<Result> results = new ArrayList<>();

    private Frameworks(Registry registry, Path home, List<Framework> frameworks) {
        this.registry = registry;
        frameworks.forEach(framework -> plays.add(new Play(
                framework, registry.addresses(), home.resolve(framework.client().tag()))));
    }

    @FunctionalInterface
    private interface Part {
        void play(Play play) throws Exception;
    }

    @FunctionalInterface
    private interface Event {
        void happen() throws Exception;
    }

    /**
     * Tries them on a registry of their own, and writes the table to {@code results.md}.
     *
     * @param home for all they write; cleared
     */
    static Results run(Path jar, Path home, Predicate<Framework> chosen) throws Exception {
        Compatibility.clear(home);
        List<Framework> frameworks = Framework.ALL.stream().filter(chosen).toList();
        try (Registry registry = new Registry(jar, Files.createDirectories(home.resolve("nodes")), 3, 4, List.of())) {
            registry.startAll();
            Frameworks run = new Frameworks(registry, home, frameworks);
            try {
                run.play();
            } finally {
                run.plays.forEach(Play::close);
            }
            Results results =
                    Results.sorted(frameworks.stream().map(Framework::client).toList(), run.results);
            String table = results.markdown(
                    "Run of " + LocalDate.now(ZoneOffset.UTC) + " with commit " + Compatibility.commit() + ".");
            Files.writeString(home.resolve("results.md"), table, StandardCharsets.UTF_8);
            System.out.println(table);
            return results;
        }
    }

    private void play() throws Exception {
        Event nothing = () -> {};
        during("call by name", nothing, Play::callByName);
        during("a second provider appears, with a weight", nothing, Play::secondAppears);
        during("nodes are restarted one after the other", this::oneAfterTheOther, Play::nothingHappened);
        during("all nodes are killed and come back", this::allAtOnce, Play::nothingHappened);
        during("a third provider appears after that", nothing, Play::thirdAppears);
        during("a provider stops", nothing, Play::oneStops);
        during("a provider is killed", nothing, Play::oneIsKilled);
    }

    /** Calls go on, something happens to the registry, and each framework is judged. */
    private void during(String scenario, Event event, Part part) throws Exception {
        for (Play play : plays) {
            play.begin();
        }
        event.happen();
        for (Play play : plays) {
            Result result = judge(scenario, play, part);
            System.out.println(result);
            results.add(result);
        }
    }

    private static Result judge(String scenario, Play play, Part part) {
        long start = System.nanoTime();
        @Nullable Throwable failure = null;
        try {
            part.play(play);
        } catch (Exception | AssertionError e) {
            failure = e;
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        return new Result(play.framework().client().name(), scenario, null, failure, took);
    }

    /** Calls go on meanwhile. */
    private void callsGoOn() throws Exception {
        for (Play play : plays) {
            play.goOn();
        }
    }

    private void oneAfterTheOther() throws Exception {
        registry.node(0).kill();
        callsGoOn();
        registry.node(0).start();
        registry.awaitReady();
        callsGoOn();
        if (!registry.node(1).stop(DRAINED)) {
            throw new AssertionError("a node that was asked to stop did not within " + DRAINED.toSeconds() + " s");
        }
        callsGoOn();
        registry.node(1).start();
        registry.awaitReady();
    }

    private void allAtOnce() throws Exception {
        for (NodeProcess node : registry.nodes()) {
            node.kill();
        }
        callsGoOn();
        registry.startAll();
    }
}
