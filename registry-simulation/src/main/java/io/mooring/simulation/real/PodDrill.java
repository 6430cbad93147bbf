package io.mooring.simulation.real;

import io.mooring.client.Mooring;
import io.mooring.client.Service;
import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Instance;
import io.mooring.simulation.real.ClusterNode.Ports;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Three nodes as the Helm chart runs them ({@link PodTemplate}), which find each other by a name; then nobody answers for any
 * name any more, and pods are replaced one after the other: at the same addresses, and two at new ones, which only the third
 * can tell them; at last all end, and these two come back to what they were told. Publishers and consumers are on the SDK and know the registry by
 * its name. Exit code 0 only if nothing was lost and no consumer was ever shown an empty or a shorter list.
 *
 * <p>Where the machine allows it, each pod has a network namespace, the chart's ports, and a resolver that falls silent;
 * otherwise they are on loopback and names come from a file.
 */
public final class PodDrill implements AutoCloseable {
    static final int NODES = 3;

    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private static final String DOMAIN = "registry.svc.cluster.local";
    private static final String HOME = "MOORING_DRILL_HOME";
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration READ_WITHIN = Duration.ofSeconds(5);
    private static final Duration LOOK_EVERY = Duration.ofMillis(10);
    private static final List<String> SERVICES = List.of("orders", "payments");
    private static final int PUBLISHERS = 4;

    /** Little work for the compiler, because all pods share this machine. */
    private static final String JAVA_OPTIONS = "-XX:TieredStopAtLevel=1";

    private final Path home;
    private final Path jar;
    private final boolean inNamespaces;
    private final PodTemplate template;
    private final PodNetwork network;
    private final Resolver resolver;
    private final Ports ports;
    private final List<String> javaOptions;
    private final ClusterNode[] pods = new ClusterNode[NODES];
    private final List<Mooring> clients = new ArrayList<>();
    private final Doors doors = new Doors();
    private final ConcurrentLinkedQueue<String> broken = new ConcurrentLinkedQueue<>();
    private final AtomicInteger lists = new AtomicInteger();
    private final long startedAt = System.nanoTime();
    private volatile boolean watching = true;
    private int starts;

    private PodDrill(Path home, Path jar, boolean inNamespaces) throws IOException {
        this.home = home;
        this.jar = jar;
        this.inNamespaces = inNamespaces;
        template = PodTemplate.read();
        if (template.nodes() != NODES) {
            throw new IOException("replicas: " + template.nodes() + " (expected: " + NODES + ", as the story has it)");
        }
        if (inNamespaces) {
            network = new Namespaces(NODES);
            resolver = new DnsServer(new InetSocketAddress(Namespaces.OUTSIDE, 53), DOMAIN);
            ports = template.ports();
            javaOptions = List.of();
        } else {
            HostsFile hosts = new HostsFile(Path.of(System.getProperty(HostsFile.PROPERTY)));
            network = new LoopbackPods();
            resolver = hosts;
            ports = new Ports(freePort(), freePort(), freePort(), freePort());
            javaOptions = List.of("-D" + HostsFile.PROPERTY + "=" + hosts.file());
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {0, 0, 0, 0}))) {
            return socket.getLocalPort();
        }
    }

    /** @param arguments the packaged registry */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        Path jar = Path.of(arguments.length == 1 ? arguments[0] : "registry-server/target/registry-server.jar");
        if (!Files.exists(jar)) {
            OUT.println("server jar: " + jar + " does not exist; run mvn -q -DskipTests package first, or name it");
            System.exit(2);
        }
        String given = System.getenv(HOME);
        if (given == null) {
            System.exit(prepared(jar));
            return;
        }
        boolean held;
        try (PodDrill drill = new PodDrill(Path.of(given), jar, Namespaces.available())) {
            Runtime.getRuntime().addShutdownHook(new Thread(drill::killPods)); // whoever stops it stops them
            held = drill.run();
        }
        System.exit(held ? 0 : 1);
    }

    /** The same in a process for which names are resolved as for the pods. */
    private static int prepared(Path jar) throws IOException, InterruptedException {
        Path home = Files.createTempDirectory("mooring-pods");
        List<String> words = new ArrayList<>();
        List<String> java = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        boolean inNamespaces = Namespaces.couldBe();
        if (inNamespaces) {
            Path hosts = Files.writeString(home.resolve("hosts"), "127.0.0.1 localhost\n");
            Path names = Files.writeString(home.resolve("nsswitch.conf"), "hosts: files dns\n");
            Path resolver = Files.writeString(
                    home.resolve("resolv.conf"),
                    "nameserver " + Namespaces.OUTSIDE + "\nsearch " + DOMAIN
                            + " svc.cluster.local cluster.local\noptions ndots:5\n");
            words.addAll(List.of(
                    "unshare",
                    "-n",
                    "-m",
                    "sh",
                    "-c",
                    """
                    mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf &&
                    mount --bind "$3" /etc/resolv.conf && shift 3 && exec "$@"
                    """,
                    "sh",
                    hosts.toString(),
                    names.toString(),
                    resolver.toString()));
        } else {
            java.add("-D" + HostsFile.PROPERTY + "=" + home.resolve("names"));
        }
        words.addAll(java);
        words.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                PodDrill.class.getName(),
                jar.toAbsolutePath().toString()));
        ProcessBuilder builder = new ProcessBuilder(words).inheritIO();
        builder.environment().put(HOME, home.toString());
        if (inNamespaces) {
            builder.environment().put(Namespaces.ALONE, "yes");
        }
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        int code = process.waitFor();
        if (code == 0) {
            delete(home);
        } else {
            OUT.println("What the nodes said is in " + home);
        }
        return code;
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    // ---- the story

    private boolean run() throws IOException {
        tell(network.name() + "; " + resolver.name());
        resolver.answer(IntStream.range(0, NODES).mapToObj(network::address).toList());
        for (int pod = 0; pod < NODES; pod++) {
            start(pod);
        }
        everybodyKnowsEverything(NODES);
        tell("three nodes found each other by name");

        List<Instance> all = publish();
        Map<String, Integer> sizes = new LinkedHashMap<>();
        all.forEach(instance -> sizes.merge(instance.service().name(), 1, Integer::sum));
        Mooring consumer = client("consumer", home.resolve("cache"), Duration.ZERO);
        Mooring guarded = client("guarded", home.resolve("cache-guarded"), Duration.ofSeconds(60));
        watch("consumer", consumer, sizes);
        watch("guarded", guarded, sizes);
        listedEverywhere(sizes);
        tell(all.size() + " instances are listed everywhere");

        resolver.die();
        tell("nobody resolves a name any more");

        for (int pod = 0; pod < NODES; pod++) {
            replace(pod, pod == 1, sizes);
            everybodyKnowsEverything(NODES);
            tell(pods[pod].name() + " was " + (pod == 1 ? "killed" : "drained") + " and is back at "
                    + network.address(pod));
        }

        CompletableFuture<String> resolution = resolution();

        // Both come back elsewhere while the other is away, so that neither remembers where the other is, and no name
        // says it:
        // only the one in between, which both find by memory, can tell.
        end(0, false);
        end(2, false);
        network.move(0);
        network.move(2);
        start(2);
        ready(2, sizes);
        everybodyKnowsEverything(1, 2);
        tell(pods[2].name() + " is back at the new address " + network.address(2));
        start(0);
        ready(0, sizes);
        everybodyKnowsEverything(NODES);
        haveALine();
        tell(pods[0].name() + " is back at the new address " + network.address(0)
                + ", and the two were told of each other");
        listedEverywhere(sizes);

        // And they keep it: the one that told them is away now.
        end(1, false);
        end(0, false);
        end(2, true);
        start(0);
        start(2);
        ready(0, sizes);
        ready(2, sizes);
        everybodyKnowsEverything(0, 2);
        haveALine();
        tell("both were away at once, and found each other by what they had been told");
        start(1);
        ready(1, sizes);
        everybodyKnowsEverything(NODES);
        listedEverywhere(sizes);

        watching = false;
        clients.remove(consumer);
        consumer.close();
        watch("a consumer that starts now", client("late", home.resolve("cache"), Duration.ZERO), sizes);
        tell("a consumer that starts now has it all");
        if (!resolution.join().isEmpty()) {
            broken.add("the drill says nothing: somebody resolved " + resolution.join());
        }
        return report(sizes);
    }

    /** The two that moved, with each other. */
    private void haveALine() {
        for (int pod : new int[] {0, 2}) {
            String other = "\"" + network.address(2 - pod) + ":" + ports.peers() + "\"";
            await(
                    pods[pod].name() + " has a line to " + other,
                    () -> pods[pod].get("/v1/nodes", READ_WITHIN).orElse("").contains(other));
        }
    }

    private boolean report(Map<String, Integer> sizes) {
        broken.forEach(what -> tell("BROKEN: " + what));
        boolean held = broken.isEmpty() && lists.get() > 0;
        tell(lists.get() + " lists shown to consumers of " + sizes + (held ? ", none of them empty or shorter" : ""));
        tell(held ? "HELD" : "DID NOT HOLD");
        return held;
    }

    private List<Instance> publish() throws IOException {
        List<Instance> all = new ArrayList<>();
        for (int number = 0; number < PUBLISHERS; number++) {
            Mooring publisher = client("publisher-" + number, home.resolve("cache-" + number), Duration.ofSeconds(60));
            String host = network.provider(number);
            int port = doors.open(host);
            List<Instance> own = SERVICES.stream()
                    .map(service -> Instance.of(publisher.key(service), host, port))
                    .toList();
            publisher
                    .register(own)
                    .forEach(handle ->
                            await("registered", () -> handle.whenRegistered().isDone()));
            all.addAll(own);
        }
        return all;
    }

    /** Knows the registry by its name alone. */
    private Mooring client(String name, Path cache, Duration guardWindow) {
        Mooring client = Mooring.builder()
                .servers("mooring:" + ports.sessions())
                .clientName(name)
                .guardWindow(guardWindow)
                .cacheDirectory(cache)
                .build();
        clients.add(client);
        return client;
    }

    /** Waits until it sees everything; from then on it is looked at all the time, and whatever it is shown counts. */
    private void watch(String who, Mooring client, Map<String, Integer> sizes) {
        sizes.forEach((name, size) -> {
            Service service = client.service(name);
            await(who + " sees all of " + name, () -> {
                ServiceSnapshot view = service.view();
                return view.source() == ServiceSnapshot.Source.LIVE
                        && view.instances().size() == size;
            });
            service.onChange(change -> check(who, name, size, change.view()));
            Thread looking = new Thread(
                    () -> {
                        while (watching) {
                            check(who, name, size, service.view());
                            Cluster.pass(LOOK_EVERY);
                        }
                    },
                    who);
            looking.setDaemon(true);
            looking.start();
        });
    }

    private void check(String who, String name, int size, ServiceSnapshot view) {
        lists.incrementAndGet();
        int shown = view.instances().size();
        int callable = view.callable().size();
        if (shown < size || callable == 0) {
            String what = who + " was shown " + shown + " of " + size + " instances of " + name + ", " + callable
                    + " of them to call";
            if (!broken.contains(what)) {
                broken.add(what);
            }
        }
    }

    // ---- pods

    private void replace(int pod, boolean killed, Map<String, Integer> sizes) throws IOException {
        end(pod, killed);
        start(pod);
        ready(pod, sizes);
    }

    private void end(int pod, boolean killed) throws IOException {
        boolean ended = killed ? pods[pod].kill() : pods[pod].terminate(template.grace());
        if (!ended) {
            throw new IOException(pods[pod].name() + " did not end; it says:\n" + pods[pod].log());
        }
    }

    /** As the chart does. */
    private void start(int pod) throws IOException {
        String name = template.name(pod);
        Map<String, Path> directories = directories(name);
        Map<String, String> environment =
                template.environment(Map.of("metadata.name", name, "status.podIP", network.address(pod)), directories);
        environment.put("HOSTNAME", name);
        environment.merge("JAVA_TOOL_OPTIONS", JAVA_OPTIONS, (chart, ours) -> chart + " " + ours);
        if (!inNamespaces) {
            environment.put("MOORING_BIND", network.listen(pod));
            environment.replaceAll((variable, value) -> withOurPort(value));
        }
        List<String> words = new ArrayList<>(network.prefix(pod));
        words.addAll(List.of("env", "-i"));
        environment.forEach((key, value) -> words.add(key + "=" + value));
        words.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:MaxRAM=" + template.memory() + "m",
                "-Djava.io.tmpdir=" + directories.getOrDefault("/tmp", home)));
        words.addAll(javaOptions);
        words.addAll(List.of("-jar", jar.toString()));
        words.addAll(template.arguments());
        starts++;
        Path log = home.resolve(name + "-" + starts + ".log");
        pods[pod] = new ClusterNode(name, network.address(pod), ports, words, home.resolve("data-" + name), log);
        pods[pod].start();
    }

    /** What a kubelet would mount, by its path in the container. */
    private Map<String, Path> directories(String name) throws IOException {
        Map<String, Path> out = new LinkedHashMap<>();
        for (PodTemplate.Mount mount : template.mounts()) {
            Path directory = home.resolve(mount.name() + "-" + name);
            if (mount.volume() == PodTemplate.Volume.SCRATCH && Files.exists(directory)) {
                delete(directory);
            }
            Files.createDirectories(directory);
            for (String file : mount.files()) {
                Files.writeString(directory.resolve(file), "of-these-pods\n");
            }
            out.put(mount.path(), directory);
        }
        return out;
    }

    /** On loopback the chart's ports may be taken. */
    private String withOurPort(String value) {
        Ports chart = template.ports();
        int[][] pairs = {
            {chart.http(), ports.http()},
            {chart.sessions(), ports.sessions()},
            {chart.operations(), ports.operations()},
            {chart.peers(), ports.peers()}
        };
        for (int[] pair : pairs) {
            if (value.equals(Integer.toString(pair[0]))) {
                return Integer.toString(pair[1]);
            }
            if (value.endsWith(":" + pair[0])) {
                return value.substring(0, value.lastIndexOf(':') + 1) + pair[1];
            }
        }
        return value;
    }

    /** From the moment it says that it is ready, it shows everything. */
    private void ready(int pod, Map<String, Integer> sizes) throws IOException {
        ClusterNode node = pods[pod];
        await(node.name() + " is ready", () -> !node.isAlive() || node.isReady());
        if (!node.log().contains("the name mooring-peers")) {
            throw new IOException(node.name() + " did not miss the resolver; it says:\n" + node.log());
        }
        sizes.forEach((service, size) -> {
            int listed = listed(node, service);
            if (listed != size) {
                broken.add(node.name() + " is ready and shows " + listed + " of " + size + " instances of " + service);
            }
        });
    }

    private static int listed(ClusterNode node, String service) {
        String body = node.get("/v1/services/" + service, READ_WITHIN).orElse("{}");
        try {
            return Payload.parse(service, body).versions().size();
        } catch (IOException e) {
            throw new IllegalStateException(node.name() + " answers " + body, e);
        }
    }

    private void listedEverywhere(Map<String, Integer> sizes) {
        sizes.forEach((service, size) -> {
            for (ClusterNode node : pods) {
                await(node.name() + " lists all of " + service, () -> listed(node, service) == size);
            }
        });
    }

    private void everybodyKnowsEverything(int count) {
        everybodyKnowsEverything(IntStream.range(0, count).toArray());
    }

    /** These hold the same of each other's shards, and of nobody else's who lives. */
    private void everybodyKnowsEverything(int... numbers) {
        List<ClusterNode> nodes =
                IntStream.of(numbers).mapToObj(number -> pods[number]).toList();
        await("nodes " + new TreeSet<>(nodes.stream().map(ClusterNode::name).toList()) + " know each other", () -> {
            Map<String, String> first = nodes.get(0).shards();
            return first.size() == nodes.size()
                    && nodes.stream().allMatch(node -> node.shards().equals(first) && node.isReady());
        });
    }

    /** Tried in a thread of its own: who asks a silent resolver waits. */
    private static CompletableFuture<String> resolution() {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return String.valueOf(InetAddress.getByName(Resolver.NAMES.get(0)));
            } catch (UnknownHostException e) {
                return "";
            }
        });
    }

    private void await(String what, BooleanSupplier condition) {
        if (!Cluster.within(PATIENCE, condition)) {
            StringBuilder said = new StringBuilder();
            for (ClusterNode pod : pods) {
                said.append(pod.name()).append(":\n").append(pod.log()).append('\n');
            }
            throw new IllegalStateException("waited " + PATIENCE.toSeconds() + " s until " + what + "\n" + said);
        }
    }

    private void tell(String text) {
        OUT.println(String.format(Locale.ROOT, "%7.1f  %s", (System.nanoTime() - startedAt) / 1e9, text));
    }

    private void killPods() {
        for (ClusterNode pod : pods) {
            if (pod != null) {
                pod.close();
            }
        }
    }

    @Override
    public void close() throws IOException {
        watching = false;
        killPods();
        clients.forEach(Mooring::closeAsync);
        doors.close();
        resolver.close();
        network.close();
    }
}
