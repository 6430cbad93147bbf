package io.mooring.compatibility;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/** One open client in a driver: the calls that every naming API has, in the driver's words. Waits for each to be answered. */
final class Naming {
    static final String GROUP = "DEFAULT_GROUP";

    private final Driver driver;
    private final String name;
    private boolean closed;

    private Naming(Driver driver, String name) {
        this.driver = driver;
        this.name = name;
    }

    /** @param words {@code servers}, and as one likes {@code namespace}, {@code username}, {@code password} */
    static Naming open(Driver driver, String name, Map<String, String> words) throws Exception {
        Naming naming = new Naming(driver, name);
        naming.ask("open", words);
        return naming;
    }

    /** A command and what it needs, for what only some drivers know. */
    JsonNode ask(String command, Map<String, ?> words) throws Exception {
        return driver.ask(command, name, words);
    }

    private static Map<String, Object> words(String service, String group) {
        Map<String, Object> out = new TreeMap<>();
        out.put("service", service);
        out.put("group", group);
        return out;
    }

    private static Map<String, Object> words(String service, String group, String word, Object value) {
        Map<String, Object> out = words(service, group);
        out.put(word, value);
        return out;
    }

    private static List<Instance> instances(JsonNode answer) {
        List<Instance> out = new ArrayList<>();
        answer.path("instances").forEach(json -> out.add(Instance.of(json)));
        return out;
    }

    void register(String service, String group, Instance instance) throws Exception {
        ask("register", words(service, group, "instance", instance.words()));
    }

    void deregister(String service, String group, Instance instance) throws Exception {
        ask("deregister", words(service, group, "instance", instance.words()));
    }

    void batchRegister(String service, String group, List<Instance> instances) throws Exception {
        ask("batchRegister", words(service, group, "instances", all(instances)));
    }

    void batchDeregister(String service, String group, List<Instance> instances) throws Exception {
        ask("batchDeregister", words(service, group, "instances", all(instances)));
    }

    private static List<Map<String, Object>> all(List<Instance> instances) {
        return instances.stream().map(Instance::words).toList();
    }

    /** As the registry has it now, past whatever the client remembers; all clusters if none is named. */
    List<Instance> list(String service, String group, String... clusters) throws Exception {
        return instances(ask("list", words(service, group, "clusters", List.of(clusters))));
    }

    /** Those of one health as the registry has them now. */
    List<Instance> select(String service, String group, boolean healthy) throws Exception {
        return instances(ask("select", words(service, group, "healthy", healthy)));
    }

    /** How often each address came up when one was chosen that many times. */
    Map<String, Integer> choose(String service, String group, int times) throws Exception {
        Map<String, Integer> out = new TreeMap<>();
        ask("choose", words(service, group, "times", times))
                .path("chosen")
                .properties()
                .forEach(each -> out.put(each.getKey(), each.getValue().asInt(0)));
        return out;
    }

    /** From now on what the client hears of it is in {@link #seen}. */
    void subscribe(String service, String group, String... clusters) throws Exception {
        ask("subscribe", words(service, group, "clusters", List.of(clusters)));
    }

    void unsubscribe(String service, String group, String... clusters) throws Exception {
        ask("unsubscribe", words(service, group, "clusters", List.of(clusters)));
    }

    /** From now on each list that a caller would get from the client, where it differs from the one before, is in {@link #seen}. */
    void watch(String service, String group) throws Exception {
        ask("watch", words(service, group));
    }

    void unwatch(String service, String group) throws Exception {
        ask("unwatch", words(service, group));
    }

    Services services(String group, int page, int size) throws Exception {
        Map<String, Object> words = new TreeMap<>();
        words.put("group", group);
        words.put("page", page);
        words.put("size", size);
        JsonNode answer = ask("services", words);
        List<String> names = new ArrayList<>();
        answer.path("services").forEach(each -> names.add(each.asString("")));
        return new Services(answer.path("count").asInt(-1), names);
    }

    record Services(int count, List<String> names) {
        Services {
            names = List.copyOf(names);
        }
    }

    /** Returns the keys of services that match; what comes and goes is in {@link #seen} by {@code pattern}. */
    List<String> watchServices(String pattern, String group) throws Exception {
        Map<String, Object> words = new TreeMap<>();
        words.put("group", group);
        words.put("pattern", pattern);
        List<String> out = new ArrayList<>();
        ask("watchServices", words).path("services").forEach(each -> out.add(each.asString("")));
        return out;
    }

    String status() throws Exception {
        return ask("status", Map.of()).path("status").asString("");
    }

    /** Leaves as a program that ends in order; once. */
    void close() throws Exception {
        if (!closed) {
            closed = true;
            ask("close", Map.of());
        }
    }

    /** What it heard of a service so far, in order; {@code by} as in {@link Seen}. */
    List<Seen> seen(String by, String service, String group) {
        List<Seen> out = new ArrayList<>();
        for (Seen each : driver.heard(name)) {
            if (each.by().equals(by)
                    && each.service().equals(service)
                    && each.group().equals(group)) {
                out.add(each);
            }
        }
        return out;
    }

    /** Waits until the last that it heard of a service is so. */
    Seen hears(String what, Duration within, String service, String group, Predicate<Seen> good) throws Exception {
        List<Seen> heard = Await.until(
                name + " hears " + what + " of " + service,
                within,
                () -> seen("event", service, group),
                all -> !all.isEmpty() && good.test(all.get(all.size() - 1)));
        return heard.get(heard.size() - 1);
    }
}
