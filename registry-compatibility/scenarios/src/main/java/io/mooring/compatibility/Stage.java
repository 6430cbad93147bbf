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

/**
 * What the scenarios of one client have at hand: a process whose clients publish, one whose clients consume, both with as many
 * clients as needed, and the registry. Used by one thread.
 */
final class Stage implements AutoCloseable {
    /** For what must come at once; the rest of it is for machines that do other things too. */
    static final Duration SOON = Duration.ofSeconds(10);

    private final Client client;
    private final Registry registry;
    private final Path home;
    private final OpenPorts ports = new OpenPorts();
    private final Map<String, Driver> drivers = new HashMap<>();
    private final Map<String, Naming> kept = new HashMap<>();
    private final List<Naming> opened = new ArrayList<>();
    private final Deque<Driver> extra = new ArrayDeque<>();
    private final Map<String, String> login = new TreeMap<>();
    private String scenario = "";
    private int names;
    private int processes;

    Stage(Client client, Registry registry, Path home) {
        this.client = client;
        this.registry = registry;
        this.home = home;
    }

    /** From now on clients say who they are. */
    Stage login(String username, String password) {
        login.put("username", username);
        login.put("password", password);
        return this;
    }

    Client client() {
        return client;
    }

    Registry registry() {
        return registry;
    }

    /** Begins the next scenario: names are its own from here. */
    void begin(Scenario next) {
        scenario = next.name().replaceAll("[^A-Za-z0-9]+", "-");
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
        Map<String, String> out = new TreeMap<>(login);
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
