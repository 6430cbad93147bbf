package io.mooring.compatibility;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/** An application of a framework, in a process of its own. Used by one thread. */
final class Application implements AutoCloseable {
    private static final String NAME = "application";

    private final Driver driver;
    private final String address;
    private final String service;

    /** What became of the calls of an application since a moment: how often each provider answered, and what failed. */
    record Calls(Map<String, Integer> answers, int failed, List<String> why) {
        static final Calls NONE = new Calls(Map.of(), 0, List.of());

        int of(Application provider) {
            return answers.getOrDefault(provider.address, 0);
        }

        int all() {
            return answers.values().stream().mapToInt(Integer::intValue).sum();
        }

        Calls and(Calls later) {
            Map<String, Integer> sum = new TreeMap<>(answers);
            later.answers.forEach((who, times) -> sum.merge(who, times, Integer::sum));
            List<String> all = new ArrayList<>(why);
            all.addAll(later.why);
            return new Calls(sum, failed + later.failed, all);
        }
    }

    /** Starts it; it is registered, and answers, when this returns. */
    static Application start(
            Framework framework, String role, Path home, String servers, String service, Map<String, Object> words)
            throws Exception {
        Driver driver = Driver.start(framework.client(), role, home);
        try {
            JsonNode opened = driver.ask("open", NAME, Framework.at(servers, words));
            return new Application(driver, opened.path("address").asString(""), service);
        } catch (Exception e) {
            driver.close();
            throw e;
        }
    }

    private Application(Driver driver, String address, String service) {
        this.driver = driver;
        this.address = address;
        this.service = service;
    }

    private JsonNode ask(String command) throws ClientFailure, IOException, InterruptedException {
        return driver.ask(command, NAME, Map.of("service", service));
    }

    /** From now on it calls the service by its name, again and again. */
    void call() throws Exception {
        ask("calls");
    }

    /** What became of its calls since it was asked last. */
    Calls called() throws ClientFailure, IOException, InterruptedException {
        JsonNode answer = ask("called");
        Map<String, Integer> answers = new TreeMap<>();
        answer.path("answers")
                .properties()
                .forEach(each -> answers.put(each.getKey(), each.getValue().asInt(0)));
        List<String> why = new ArrayList<>();
        answer.path("why").forEach(each -> why.add(each.asString("")));
        return new Calls(answers, answer.path("failed").asInt(0), why);
    }

    /** Calls until that many more were made. */
    Calls calls(int count) throws Exception {
        Calls[] sum = {called()};
        return Await.until(
                count + " calls were made",
                Duration.ofSeconds(90),
                () -> sum[0] = sum[0].and(called()),
                calls -> calls.all() + calls.failed() >= count);
    }

    /** What the framework tells it of the providers. */
    List<Instance> instances() throws Exception {
        List<Instance> out = new ArrayList<>();
        ask("instances").path("instances").forEach(each -> out.add(Instance.of(each)));
        return out;
    }

    /** Takes itself out of the registry, and still answers. */
    void leave() throws Exception {
        ask("leave");
    }

    /** Ends in order. */
    void stop() throws Exception {
        ask("close");
        close();
    }

    void kill() throws InterruptedException {
        driver.kill();
    }

    String address() {
        return address;
    }

    @Override
    public void close() {
        driver.close();
    }
}
