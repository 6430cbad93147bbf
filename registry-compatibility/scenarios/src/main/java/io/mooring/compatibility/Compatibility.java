package io.mooring.compatibility;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Puts clients through scenarios. */
public final class Compatibility {
    private Compatibility() {}

    /** @param arguments parts of the names of clients, separated by commas; of scenarios */
    public static void main(String[] arguments) throws Exception {
        List<Client> clients = Clients.ALL.stream()
                .filter(client -> arguments.length == 0
                        || Stream.of(arguments[0].split(",")).anyMatch(client.name()::contains))
                .toList();
        Path home = Files.createTempDirectory("compatibility");
        List<Result> results = run(clients, Path.of("../../registry-server/target/registry-server.jar"), home);
        System.out.println(
                results.stream().filter(result -> result.failure() != null).count() + " failed; see " + home);
    }

    static List<Result> run(List<Client> clients, Path jar, Path home) throws Exception {
        List<Result> results = new ArrayList<>();
        try (Registry registry = new Registry(jar, home, 3, List.of())) {
            registry.startAll();
            for (Client client : clients) {
                try (Stage stage = new Stage(client, registry, home.resolve(client.tag()))) {
                    for (Scenario scenario : Scenarios.ALL) {
                        results.add(play(stage, scenario));
                    }
                }
            }
        }
        return results;
    }

    private static Result play(Stage stage, Scenario scenario) {
        Optional<String> lacking = scenario.needs().stream()
                .filter(stage.client().lacks()::containsKey)
                .map(ability -> stage.client().lacks().get(ability))
                .findFirst();
        long start = System.nanoTime();
        @Nullable Throwable failure = null;
        if (lacking.isEmpty()) {
            stage.begin(scenario);
            try {
                scenario.story().play(stage);
            } catch (Exception | AssertionError e) {
                failure = e;
            } finally {
                stage.end();
            }
        }
        Result result = new Result(
                stage.client().name(),
                scenario.name(),
                lacking.orElse(null),
                failure,
                Duration.ofNanos(System.nanoTime() - start));
        System.out.println(result);
        return result;
    }
}
