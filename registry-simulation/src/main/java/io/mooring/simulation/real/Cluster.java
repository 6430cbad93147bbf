package io.mooring.simulation.real;

import io.mooring.simulation.real.ClusterNode.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Nodes that know each other, all alike but for names, addresses and data directories. */
final class Cluster implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Terrain terrain;
    private final Ports ports;
    private final List<ClusterNode> nodes = new ArrayList<>();

    /**
     * @param inNamespaces whether each node gets a network namespace of its own
     * @param more flags of every node
     */
    Cluster(Path home, Path jar, int count, boolean inNamespaces, long seed, List<String> more) throws IOException {
        ports = new Ports(freePort(), freePort(), freePort(), freePort());
        terrain = inNamespaces ? new Namespaces(count) : new Loopback(count, ports.sessions(), ports.peers(), seed);
        for (int i = 0; i < count; i++) {
            Path data = Files.createDirectories(home.resolve("data-" + (i + 1)));
            nodes.add(new ClusterNode(
                    "n" + (i + 1),
                    terrain.bind(i),
                    ports,
                    command(jar, i, count, data, more),
                    data,
                    home.resolve("n" + (i + 1) + ".log")));
        }
    }

    private List<String> command(Path jar, int node, int count, Path data, List<String> more) {
        List<String> words = new ArrayList<>(terrain.prefix(node));
        words.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx96m",
                "-Xss512k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                jar.toString(),
                "--mooring.node.name=n" + (node + 1),
                "--mooring.bind=" + terrain.bind(node),
                "--mooring.http.port=" + ports.http(),
                "--mooring.session.port=" + ports.sessions(),
                "--mooring.operations.port=" + ports.operations(),
                "--mooring.data-directory=" + data));
        if (!terrain.bind(node).startsWith("127.")) {
            words.add("--mooring.insecure=true");
        }
        if (count > 1) {
            words.addAll(List.of(
                    "--mooring.cluster.port=" + ports.peers(),
                    "--mooring.cluster.address=" + terrain.address(node),
                    "--mooring.cluster.secret=of-these-" + count,
                    "--mooring.cluster.peers="
                            + IntStream.range(0, count)
                                    .mapToObj(i -> terrain.address(i) + ":" + ports.peers())
                                    .collect(Collectors.joining(","))));
        }
        words.addAll(more);
        return words;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {0, 0, 0, 0}))) {
            return socket.getLocalPort();
        }
    }

    Terrain terrain() {
        return terrain;
    }

    int size() {
        return nodes.size();
    }

    ClusterNode node(int index) {
        return nodes.get(index);
    }

    List<ClusterNode> nodes() {
        return Collections.unmodifiableList(nodes);
    }

    /** Where clients find them, as they are known to others. */
    List<String> sessionAddresses() {
        return IntStream.range(0, nodes.size())
                .mapToObj(i -> terrain.address(i) + ":" + ports.sessions())
                .toList();
    }

    void start(int node) throws IOException {
        terrain.started(node, nodes.get(node).start());
    }

    /** Starts those that are not running, in an order drawn, and waits until all serve. */
    void startAll(Random order) throws IOException {
        List<Integer> numbers =
                new ArrayList<>(IntStream.range(0, nodes.size()).boxed().toList());
        Collections.shuffle(numbers, order);
        for (int node : numbers) {
            if (!nodes.get(node).isAlive()) {
                start(node);
            }
        }
        for (ClusterNode node : nodes) {
            await(node.name() + " serves", () -> node.serves() || !node.isAlive());
            await(node.name() + " is ready", () -> node.isReady() || !node.isAlive());
            if (!node.isAlive()) {
                throw new IOException(node.name() + " did not start; it says:\n" + node.log());
            }
        }
    }

    /** Whether every node holds the same of every node's shard. */
    boolean digestsAreEqual() {
        Map<String, String> first = nodes.get(0).shards();
        return first.size() == nodes.size()
                && nodes.stream().allMatch(node -> node.shards().equals(first));
    }

    /** Waits for something that other processes do. */
    void await(String what, BooleanSupplier condition) {
        if (!within(PATIENCE, condition)) {
            throw new IllegalStateException("waited " + PATIENCE.toSeconds() + " s until " + what + "; the nodes say:\n"
                    + nodes.stream()
                            .map(node -> node.name() + ": " + node.log())
                            .collect(Collectors.joining("\n")));
        }
    }

    /** Whether it came to pass in time. */
    static boolean within(Duration time, BooleanSupplier condition) {
        long end = System.nanoTime() + time.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            pass(Duration.ofMillis(20));
        }
        return true;
    }

    /** Lets real time pass: other processes live in it. */
    static void pass(Duration time) {
        try {
            TimeUnit.NANOSECONDS.sleep(time.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        nodes.forEach(ClusterNode::close);
        terrain.close();
    }
}
