package io.mooring.simulation.drill;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The worst day, rehearsed with real processes: the registry is killed (of several nodes first one, then all), a caller
 * starts while it is away, a provider dies meanwhile, the registry comes back, node by node. Exit code 0 only if no call
 * failed.
 *
 * <p>By default no process of it can resolve a name: their resolver reads an empty file.
 */
public final class OutageDrill implements AutoCloseable {
    static final String SERVICE = "greetings";

    private static final int PROVIDERS = 3;
    private static final int CALLS_PER_SECOND = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path serverJar;
    private final Path home;
    private final Duration phaseLength;
    private final boolean resolverDead;
    private final List<Node> nodes = new ArrayList<>();
    private final List<ChildProcess> children = new ArrayList<>();
    private final Map<String, Map<String, PhaseCount>> counts = new LinkedHashMap<>();
    private final Map<String, Boolean> connected = new ConcurrentHashMap<>();
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();
    private final Map<String, String> lastStat = new ConcurrentHashMap<>();
    private final Map<String, Long> reconnected = new ConcurrentHashMap<>();
    private final List<String> broken = new ArrayList<>();
    private final long startedAt = System.nanoTime();
    private volatile String phase = "";
    private volatile long serverBackAt;
    private long deadSince; // no node lives; 0: some do

    /** Where a node of the registry lives; a restart is at the same place. */
    private record Node(String name, int httpPort, int sessionPort, int operationsPort, int peerPort) {
        static Node called(String name) {
            return new Node(name, freePort(), freePort(), freePort(), freePort());
        }
    }

    private OutageDrill(Path serverJar, Path home, Duration phaseLength, boolean resolverDead, int nodeCount)
            throws IOException {
        this.serverJar = serverJar;
        this.home = home;
        this.phaseLength = phaseLength;
        this.resolverDead = resolverDead;
        for (int i = 1; i <= nodeCount; i++) {
            nodes.add(Node.called(nodeCount == 1 ? "registry" : "n" + i));
        }
        Files.createDirectories(home);
        Files.writeString(home.resolve("empty-hosts"), "");
    }

    public static void main(String[] arguments) throws Exception {
        List<String> options = List.of(arguments);
        if (options.contains("--help")) {
            Say.line("usage: java -jar outage-drill.jar [--nodes=N] [--with-resolver] [--phase-seconds=N]"
                    + " [--server-jar=FILE]");
            return;
        }
        for (String option : options) {
            if (!option.equals("--with-resolver")
                    && !option.startsWith("--nodes=")
                    && !option.startsWith("--phase-seconds=")
                    && !option.startsWith("--server-jar=")) {
                Say.line(
                        option
                                + ": no such option (expected: --nodes=N, --with-resolver, --phase-seconds=N, --server-jar=FILE)");
                System.exit(2);
            }
        }
        Path serverJar = Path.of(option(options, "--server-jar=", defaultServerJar()));
        if (!Files.exists(serverJar)) {
            Say.line("server jar: " + serverJar + " does not exist; run mvn -q -DskipTests package first,"
                    + " or name it with --server-jar=FILE");
            System.exit(2);
        }
        Duration phase = Duration.ofSeconds(Long.parseLong(option(options, "--phase-seconds=", "5")));
        int nodes = Integer.parseInt(option(options, "--nodes=", "1"));
        if (nodes < 1 || nodes > 9) {
            Say.line("--nodes: " + nodes + " (expected: 1-9)");
            System.exit(2);
        }
        Path home = Files.createTempDirectory("mooring-drill");
        boolean held;
        try (OutageDrill drill = new OutageDrill(serverJar, home, phase, !options.contains("--with-resolver"), nodes)) {
            held = drill.run();
        }
        if (held) {
            delete(home);
        } else {
            Say.line("The processes' own words are in " + home);
        }
        System.exit(held ? 0 : 1);
    }

    private static String option(List<String> options, String prefix, String otherwise) {
        return options.stream()
                .filter(option -> option.startsWith(prefix))
                .map(option -> option.substring(prefix.length()))
                .findFirst()
                .orElse(otherwise);
    }

    /** Beside this jar in the build's layout. */
    private static String defaultServerJar() throws URISyntaxException {
        Path here = ownJar().toAbsolutePath();
        Path root = here;
        for (int i = 0; i < 3 && root.getParent() != null; i++) {
            root = root.getParent();
        }
        return root.resolve("registry-server/target/registry-server.jar").toString();
    }

    private static Path ownJar() throws URISyntaxException {
        return Path.of(OutageDrill.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, loopback())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException("no free port on loopback", e);
        }
    }

    private static InetAddress loopback() throws IOException {
        return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    }

    // ---- the story

    private boolean run() throws Exception {
        tell((nodes.size() == 1 ? "A registry, " : "A registry of " + nodes.size() + " nodes, ") + PROVIDERS
                + " providers and a caller, each a process of its own"
                + (resolverDead ? "; none of them can resolve a name." : "."));
        List<ChildProcess> registry = new ArrayList<>();
        for (Node node : nodes) {
            registry.add(startNode(node));
        }
        List<ChildProcess> providers = new ArrayList<>();
        for (int i = 1; i <= PROVIDERS; i++) {
            providers.add(startProvider("provider " + i, i));
        }
        await("all providers are registered", () -> connectedProviders() == PROVIDERS);
        startCaller("caller A");
        await("caller A sees " + PROVIDERS + " instances", () -> listed("caller A") == PROVIDERS);

        phase("calm");
        rest();

        if (nodes.size() > 1) {
            phase("one node killed");
            kill(registry.remove(0));
            rest();
            await("everybody is connected to the others", () -> connectedProviders() == PROVIDERS && callersAreLive());
        }

        phase(nodes.size() == 1 ? "registry killed" : "all nodes killed");
        for (ChildProcess node : registry) {
            kill(node);
        }
        deadSince = System.nanoTime();
        tell("The registry is dead. Calls go on from memory.");
        rest();

        phase("new caller");
        startCaller("caller B");
        await("caller B reads its list from disk", () -> lastStat.containsKey("caller B"));
        tell("A new caller started during the outage; its list comes from disk.");
        rest();

        ChildProcess victim = providers.get(0);
        phase("provider killed");
        victim.kill();
        tell(victim.name() + " is dead too (SIGKILL), and there is no registry to say so. Callers route around it.");
        rest();

        phase("registry back");
        startNode(nodes.get(0));
        await("everybody is connected again", () -> connectedProviders() == PROVIDERS - 1 && callersAreLive());
        tell("Everybody is connected again, by themselves.");
        rest();
        for (Node node : nodes.subList(1, nodes.size())) {
            phase(node.name() + " back");
            startNode(node);
            rest();
        }

        phase("the dead one leaves");
        await(
                "the dead provider has left all lists",
                () -> listed("caller A") == PROVIDERS - 1 && listed("caller B") == PROVIDERS - 1);
        tell("The dead provider has left all lists; nobody else did.");
        rest();
        phase("");
        TimeUnit.MILLISECONDS.sleep(300); // the last reports of the last phase
        return verdict();
    }

    private void rest() throws InterruptedException {
        long end = System.nanoTime() + phaseLength.toNanos();
        while (System.nanoTime() - end < 0) {
            TimeUnit.MILLISECONDS.sleep(Math.min(1_000, Math.max(1, (end - System.nanoTime()) / 1_000_000)));
            lastStat.forEach((caller, stat) -> {
                String[] words = stat.split(" ");
                tell("    " + caller + ": list of " + words[6] + " from " + words[4].toLowerCase(Locale.ROOT)
                        + ", confirmed " + seconds(Long.parseLong(words[5])) + " ago");
            });
        }
    }

    private void phase(String name) {
        phase = name;
        if (!name.isEmpty()) {
            tell("── " + name);
        }
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.plus(PATIENCE).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                broken.add("did not come to pass within " + PATIENCE.toSeconds() * 2 + " s: " + what);
                tell("!! " + broken.get(broken.size() - 1));
                return;
            }
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    // ---- the cast

    private ChildProcess startNode(Node node) throws IOException, InterruptedException {
        long started = System.nanoTime();
        List<String> arguments = new ArrayList<>(List.of(
                "-Xmx96m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                serverJar.toString(),
                "--mooring.http.port=" + node.httpPort(),
                "--mooring.operations.port=" + node.operationsPort(),
                "--mooring.session.port=" + node.sessionPort(),
                "--mooring.nacos.enabled=false", // its port would have to be free, too
                "--mooring.data-directory=" + home.resolve("data-" + node.name())));
        if (nodes.size() > 1) {
            arguments.addAll(List.of(
                    "--mooring.node.name=" + node.name(),
                    "--mooring.cluster.port=" + node.peerPort(),
                    "--mooring.cluster.peers=" + addresses(Node::peerPort)));
        }
        ChildProcess server = child(node.name(), arguments, line -> {});
        await(node.name() + " listens", () -> listens(node.sessionPort()) || !server.isAlive());
        if (!server.isAlive()) {
            throw new IOException(node.name() + " did not start; see " + home.resolve(node.name() + ".log"));
        }
        long listens = System.nanoTime();
        if (serverBackAt == 0 || deadSince != 0) { // the first one: whoever was without a registry can come back
            serverBackAt = listens;
            deadSince = 0;
            reconnected.clear();
        }
        tell((nodes.size() == 1 ? "The registry" : node.name()) + " listens, "
                + seconds((listens - started) / 1_000_000) + " after its start.");
        return server;
    }

    private void kill(ChildProcess node) throws InterruptedException {
        node.kill();
        tell(node.name() + " is killed (SIGKILL, pid " + node.pid() + ").");
    }

    private String addresses(ToIntFunction<Node> port) {
        return nodes.stream().map(node -> "127.0.0.1:" + port.applyAsInt(node)).collect(Collectors.joining(","));
    }

    private ChildProcess startProvider(String name, int number) throws IOException, URISyntaxException {
        return child(name, program("DrillProvider", name, number), line -> {
            if (line.startsWith("port ")) {
                ports.put(name, Integer.parseInt(line.substring(5)));
            } else {
                connection(name, line.equals("connected"));
            }
        });
    }

    private ChildProcess startCaller(String name) throws IOException, URISyntaxException {
        List<String> arguments = new ArrayList<>(program("DrillCaller", "caller", 0));
        arguments.add(Integer.toString(CALLS_PER_SECOND));
        arguments.add(InetAddress.getLocalHost().getHostName());
        return child(name, arguments, line -> {
            if (line.startsWith("stat ")) {
                String[] stat = line.split(" ");
                String now = phase;
                lastStat.put(name, line);
                connection(name, Boolean.parseBoolean(stat[8]));
                if (!now.isEmpty()) {
                    synchronized (counts) {
                        counts.computeIfAbsent(now, p -> new LinkedHashMap<>())
                                .computeIfAbsent(name, c -> new PhaseCount())
                                .add(stat);
                    }
                }
            } else {
                tell("    " + name + ": " + line);
            }
        });
    }

    /** Providers each have a cache of their own, callers share one: the second caller is the first one's replacement. */
    private List<String> program(String mainClass, String cache, int firstNode) throws URISyntaxException {
        List<String> sessions =
                new ArrayList<>(List.of(addresses(Node::sessionPort).split(",")));
        Collections.rotate(sessions, -firstNode);
        return List.of(
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                ownJar().toString(),
                "io.mooring.simulation.drill." + mainClass,
                String.join(",", sessions),
                home.resolve("cache-" + cache.replace(' ', '-')).toString());
    }

    private ChildProcess child(String name, List<String> arguments, java.util.function.Consumer<String> lines)
            throws IOException {
        List<String> all = new ArrayList<>();
        if (resolverDead) {
            all.add("-Djdk.net.hosts.file=" + home.resolve("empty-hosts"));
        }
        all.addAll(arguments);
        ChildProcess child = ChildProcess.java(name, home.resolve(name.replace(' ', '-') + ".log"), all, lines);
        children.add(child);
        return child;
    }

    private void connection(String name, boolean now) {
        Boolean before = connected.put(name, now);
        long back = serverBackAt;
        if (now && !Boolean.TRUE.equals(before) && back != 0) {
            reconnected.putIfAbsent(name, (System.nanoTime() - back) / 1_000_000);
        }
    }

    private int connectedProviders() {
        int count = 0;
        for (ChildProcess child : children) {
            if (child.name().startsWith("provider")
                    && child.isAlive()
                    && Boolean.TRUE.equals(connected.get(child.name()))) {
                count++;
            }
        }
        return count;
    }

    private boolean callersAreLive() {
        return lastStat.values().stream().allMatch(stat -> stat.split(" ")[4].equals("LIVE"));
    }

    private int listed(String caller) {
        String stat = lastStat.get(caller);
        return stat == null ? 0 : Integer.parseInt(stat.split(" ")[6]);
    }

    private static boolean listens(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(loopback(), port), 200);
            return true;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    // ---- the verdict

    private boolean verdict() {
        Say.line("");
        Say.line(row("phase", "caller", "calls", "failed", "retried", "list from", "oldest", "listed"));
        Say.line("-".repeat(98));
        long calls = 0;
        long failed = 0;
        synchronized (counts) {
            for (Map.Entry<String, Map<String, PhaseCount>> entry : counts.entrySet()) {
                for (Map.Entry<String, PhaseCount> caller : entry.getValue().entrySet()) {
                    PhaseCount count = caller.getValue();
                    calls += count.calls;
                    failed += count.failed;
                    check(entry.getKey(), caller.getKey(), count);
                    Say.line(row(
                            entry.getKey(),
                            caller.getKey(),
                            Long.toString(count.calls),
                            Long.toString(count.failed),
                            Long.toString(count.retried),
                            count.sources(),
                            seconds(count.oldestMillis),
                            count.listed()));
                }
            }
        }
        Say.line("");
        Say.line("Connected again after the registry listened: " + reconnections());
        Say.line(calls + " calls, " + failed + " failed.");
        broken.forEach(problem -> Say.line("!! " + problem));
        boolean held = broken.isEmpty() && failed == 0 && calls > 0;
        Say.line(held ? "HELD" : "DID NOT HOLD");
        return held;
    }

    private String reconnections() {
        List<String> each = new ArrayList<>();
        reconnected.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(entry -> each.add(entry.getKey() + " " + seconds(entry.getValue())));
        return String.join(", ", each);
    }

    private void check(String phaseName, String caller, PhaseCount count) {
        if (count.failed > 0) {
            broken.add(count.failed + " calls of " + caller + " failed in phase '" + phaseName + "'");
        }
        // Each caller finds out once that the dead one does not answer, and once per cool-down that it still does not.
        long retries = phaseName.equals("provider killed")
                        || phaseName.endsWith(" back")
                        || phaseName.equals("the dead one leaves")
                ? 1 + (System.nanoTime() - startedAt) / 10_000_000_000L
                : 0;
        if (count.retried > retries) {
            broken.add(count.retried + " retries of " + caller + " in phase '" + phaseName + "' (expected: at most "
                    + retries + ")");
        }
        if (count.fewest < PROVIDERS - 1) {
            broken.add(caller + " saw a list of only " + count.fewest + " in phase '" + phaseName + "'");
        }
        if (phaseName.equals("new caller")
                && caller.equals("caller B")
                && !count.sources().equals("disk")) {
            broken.add("caller B had its list from " + count.sources() + " (expected: disk)");
        }
    }

    private static String row(String... cells) {
        return String.format("%-20s %-9s %7s %7s %8s  %-14s %8s %7s", (Object[]) cells);
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1_000.0);
    }

    private void tell(String text) {
        Say.line(String.format(Locale.ROOT, "%6.1f  %s", (System.nanoTime() - startedAt) / 1e9, text));
    }

    @Override
    public void close() {
        children.forEach(ChildProcess::close);
    }
}
