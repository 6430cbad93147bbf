package io.mooring.compatibility;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One node, or several that know each other. Each has an address of its own on the loopback device and all have the same ports,
 * as nodes on machines of their own do: clients that are sent to another node are told its address alone.
 */
final class Registry implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(240);
    /** What clients add to the port of HTTP. */
    private static final int GRPC_OFFSET = 1_000;

    private final List<NodeProcess> nodes = new ArrayList<>();

    /**
     * @param after how many addresses of the loopback device others have
     * @param more flags of every node
     */
    Registry(Path jar, Path home, int count, int after, List<String> more) throws IOException {
        if (!Files.isReadable(jar)) {
            throw new IOException(
                    "server jar: " + jar + " cannot be read (expected: built before, as `mvn package` does)");
        }
        int block = (int) (ProcessHandle.current().pid() % 200) + 20; // apart from another run on this machine
        int http = portForClients();
        int sessions = freePort();
        int operations = freePort();
        int peers = freePort();
        String addresses = IntStream.rangeClosed(1, count)
                .mapToObj(n -> host(block, after + n) + ":" + peers)
                .collect(Collectors.joining(","));
        for (int n = 1; n <= count; n++) {
            Path data = Files.createDirectories(home.resolve("data-" + n));
            List<String> command = new ArrayList<>(List.of(
                    java(),
                    "-Xmx96m",
                    "-Xss512k",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-jar",
                    jar.toAbsolutePath().toString(),
                    "--mooring.node.name=n" + n,
                    "--mooring.bind=" + host(block, after + n),
                    "--mooring.http.port=" + http,
                    "--mooring.session.port=" + sessions,
                    "--mooring.operations.port=" + operations,
                    "--mooring.data-directory=" + data.toAbsolutePath()));
            if (count > 1) {
                command.add("--mooring.cluster.port=" + peers);
                command.add("--mooring.cluster.secret=compatible");
                command.add("--mooring.cluster.peers=" + addresses);
            }
            command.addAll(more);
            nodes.add(new NodeProcess(
                    "n" + n, host(block, after + n), http, operations, command, home.resolve("n" + n + ".log")));
        }
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static String host(int block, int node) {
        return "127." + block + ".3." + node;
    }

    private static int portForClients() throws IOException {
        Random random = new Random();
        @Nullable IOException taken = null;
        for (int tries = 0; tries < 100; tries++) {
            int port = 10_000 + random.nextInt(20_000); // below those that the system hands out
            try (ServerSocket http = new ServerSocket();
                    ServerSocket grpc = new ServerSocket()) {
                http.bind(new InetSocketAddress("0.0.0.0", port));
                grpc.bind(new InetSocketAddress("0.0.0.0", port + GRPC_OFFSET));
                return port;
            } catch (IOException e) {
                taken = e;
            }
        }
        throw new IOException(
                "no two free ports " + GRPC_OFFSET + " apart after 100 tries (expected: most are free)", taken);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {0, 0, 0, 0}))) {
            return socket.getLocalPort();
        }
    }

    /** What a Nacos client is given to find them all. */
    String addresses() {
        return nodes.stream().map(NodeProcess::address).collect(Collectors.joining(","));
    }

    List<NodeProcess> nodes() {
        return List.copyOf(nodes);
    }

    NodeProcess node(int index) {
        return nodes.get(index);
    }

    void startAll() throws Exception {
        for (NodeProcess node : nodes) {
            node.start();
        }
        awaitReady();
    }

    void awaitReady() throws Exception {
        for (NodeProcess node : nodes) {
            Await.until(node + " is ready", PATIENCE, node::isReady, ready -> ready);
        }
    }

    /** A request of an operator, at the first node. */
    String request(String method, String path, Map<String, String> parameters)
            throws IOException, InterruptedException {
        return nodes.get(0).request(method, path, parameters);
    }

    /** SIGKILL to whatever runs. */
    void endAll() {
        nodes.forEach(NodeProcess::close);
    }

    @Override
    public void close() {
        endAll();
    }
}
