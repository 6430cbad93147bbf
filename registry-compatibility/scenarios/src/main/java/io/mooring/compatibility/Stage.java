package io.mooring.compatibility;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * What the scenarios of one client have at hand: a process whose clients publish, one whose clients consume, both with as many
 * clients as needed, and the registry. Used by one thread.
 */
final class Stage implements AutoCloseable {
    /** For what comes at once, and a machine that does other things too: no promise, those are measured elsewhere. */
    static final Duration SOON = Duration.ofSeconds(30);

    /** Until a publisher is gone whose connection has ended: the grace of 10 s, and as above. */
    static final Duration NOTICED = Duration.ofSeconds(40);

    /** Until one is gone whose beats do not come: 15 s and 30 s by the books of Nacos, and as above. */
    static final Duration MISSED = Duration.ofSeconds(90);

    private final Client client;
    private final Registry registry;
    private final Registry guarded;
    private final Path home;
    private final OpenPorts ports = new OpenPorts();
    private final Map<String, Driver> drivers = new HashMap<>();
    private final Map<String, Naming> kept = new HashMap<>();
    private final List<Naming> opened = new ArrayList<>();
    private final Deque<Driver> extra = new ArrayDeque<>();
    private String scenario = "";
    private int names;
    private int processes;

    /**
     * @param registry that everybody may use
     * @param guarded one with {@link LoginScenarios#USERS}
     */
    Stage(Client client, Registry registry, Registry guarded, Path home) {
        this.client = client;
        this.registry = registry;
        this.guarded = guarded;
        this.home = home;
    }

    Client client() {
        return client;
    }

    Registry registry() {
        return registry;
    }

    /** Begins the next scenario: names are its own from here. */
    void begin(String next) {
        scenario = next.replaceAll("[^A-Za-z0-9]+", "-");
    }

    /** Ends it: what was opened for it alone is closed. */
    void end() {
        for (Naming each : opened) {
            try {
                each.close();
            } catch (Exception e) {
                // its process may be gone: that was the scenario, and its result stands already
                System.out.println(client.name() + ": " + scenario + ": left open: " + e.getMessage());
            }
        }
        opened.clear();
        extra.forEach(Driver::close);
        extra.clear();
    }

    /** A name of a service that nobody else uses. */
    String service() {
        return scenario + "-" + client.tag() + "-" + ++names;
    }

    /** An address of a new instance, where somebody answers. */
    Instance place() throws IOException {
        return ports.next();
    }

    OpenPorts ports() {
        return ports;
    }

    private Driver driver(String role) throws Exception {
        Driver driver = drivers.get(role);
        if (driver == null) {
            driver = Driver.start(client, role, home);
            drivers.put(role, driver);
        }
        return driver;
    }

    private Map<String, String> words(String namespace) {
        Map<String, String> out = new TreeMap<>();
        out.put("servers", registry.addresses());
        if (!namespace.isEmpty()) {
            out.put("namespace", namespace);
        }
        return out;
    }

    /** A client that publishes, in the process of those; the same for the same number, through all scenarios. */
    Naming publisher(int number) throws Exception {
        return kept("publisher", "p" + number);
    }

    /** The client that consumes, in a process of its own; the same through all scenarios. */
    Naming consumer() throws Exception {
        return kept("consumer", "c");
    }

    private Naming kept(String role, String name) throws Exception {
        Naming naming = kept.get(name);
        if (naming == null) {
            naming = Naming.open(driver(role), name, words(""));
            kept.put(name, naming);
        }
        return naming;
    }

    /** A further client among those that publish, or that consume, for this scenario alone. */
    Naming open(String role, String namespace) throws Exception {
        return open(role, namespace, Map.of());
    }

    Naming open(String role, String namespace, Map<String, String> more) throws Exception {
        Map<String, String> words = words(namespace);
        words.putAll(more);
        Naming naming = Naming.open(driver(role), role + ++names, words);
        opened.add(naming);
        return naming;
    }

    /** What a client is opened with at the registry that has users. */
    Map<String, String> guarded(String username, String password) {
        return Map.of("servers", guarded.addresses(), "username", username, "password", password);
    }

    /** What an operator or a tool asks of a service, below {@code /nacos/v1/ns}. */
    String request(String method, String path, String service, Map<String, String> more) throws Exception {
        Map<String, String> parameters = new TreeMap<>(more);
        parameters.put("serviceName", service);
        parameters.put("groupName", Naming.GROUP);
        return registry.request(method, "/nacos/v1/ns/" + path, parameters);
    }

    /** An operator says what the instance is like from now on. */
    void amend(String service, Instance instance) throws Exception {
        StringBuilder metadata = new StringBuilder();
        new TreeMap<>(instance.metadata())
                .forEach((key, value) -> metadata.append(metadata.length() == 0 ? "" : ",")
                        .append(key)
                        .append('=')
                        .append(value));
        request(
                "PUT",
                "instance",
                service,
                Map.of(
                        "ip", instance.ip(),
                        "port", "" + instance.port(),
                        "weight", "" + instance.weight(),
                        "enabled", "" + instance.enabled(),
                        "metadata", metadata.toString(),
                        "ephemeral", "" + instance.ephemeral()));
    }

    /** Until it works: on a busy machine clients may not have logged in yet when they are made. */
    static void registers(Naming publisher, String service, Instance instance) throws Exception {
        Await.until(
                "it is registered",
                SOON,
                () -> {
                    publisher.register(service, Naming.GROUP, instance);
                    return true;
                },
                done -> done);
    }

    /** Waits until the registry gives the consumer such a list. */
    void lists(String what, String service, String group, Predicate<List<Instance>> good) throws Exception {
        Naming consumer = consumer();
        Await.until("the list has " + what, SOON, () -> consumer.list(service, group), good);
    }

    /** Waits until that is the last that the consumer's listener was told. */
    void hears(String what, String service, String group, Predicate<Seen> good) throws Exception {
        consumer().hears(what, SOON, service, group, good);
    }

    /** Waits until the consumer, which watches the service, gives its callers such a list. */
    void looks(String what, String service, String group, Predicate<Seen> good) throws Exception {
        looks(consumer(), what, SOON, service, group, good);
    }

    /** The same where publishers have died: as soon as it can be known of this client's. */
    void looksInTime(String what, String service, String group, Predicate<Seen> good) throws Exception {
        Duration within = client.lacks().containsKey(Ability.CONNECTED) ? MISSED : NOTICED;
        looks(consumer(), what, within, service, group, good);
    }

    static void looks(Naming consumer, String what, Duration within, String service, String group, Predicate<Seen> good)
            throws Exception {
        Await.until(
                "a caller gets " + what,
                within,
                () -> consumer.seen("watch", service, group),
                all -> !all.isEmpty() && good.test(all.get(all.size() - 1)));
    }

    /** A process of its own, for this scenario alone. */
    Driver process(String role) throws Exception {
        Driver driver = Driver.start(client, role + "-" + ++processes, home);
        extra.add(driver);
        return driver;
    }

    Naming open(Driver process, String name) throws Exception {
        return Naming.open(process, name, words(""));
    }

    @Override
    public void close() throws IOException {
        extra.forEach(Driver::close);
        drivers.values().forEach(Driver::close);
        ports.close();
    }
}
