package io.mooring.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Nodes that know each other, as processes on loopback: A is 0, B is 1, C is 2. Each can be killed and started again. */
final class ClusterNodes implements AutoCloseable {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(120);
    private static final Pattern SENT = Pattern.compile("bytes_sent:([0-9]+)");
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();

    private final Path jar;
    private final List<String> jvm;
    private final List<String> flags;
    private final int core;
    private final int port;
    private final int count;
    private final Path home;
    private final List<@Nullable ServerProcess> processes = new ArrayList<>();

    /** @param port of A's sessions; the others follow in steps of ten */
    ClusterNodes(Path jar, List<String> jvm, List<String> flags, int core, int port, int count) throws IOException {
        this.jar = jar;
        this.jvm = jvm;
        this.flags = flags;
        this.core = core;
        this.port = port;
        this.count = count;
        this.home = Files.createTempDirectory("mooring-bench");
        for (int i = 0; i < count; i++) {
            processes.add(null);
        }
    }

    int count() {
        return count;
    }

    /** Starts it, with the data directory it had, and returns at once. */
    ServerProcess start(int node) throws IOException {
        Path directory = Files.createDirectories(home.resolve("n" + (node + 1)));
        List<String> all = new ArrayList<>(ServerFlags.at(sessionPort(node), directory, flags));
        if (count > 1) {
            all.add("--mooring.node.name=n" + (node + 1));
            all.add("--mooring.cluster.port=" + (sessionPort(node) + 3));
            all.add("--mooring.cluster.peers="
                    + IntStream.range(0, count)
                            .mapToObj(i -> "127.0.0.1:" + (sessionPort(i) + 3))
                            .collect(Collectors.joining(",")));
        }
        ServerProcess process = ServerProcess.start(jar, jvm, all, core, directory);
        processes.set(node, process);
        return process;
    }

    /** Starts all and waits until they are ready. */
    void startAll() throws IOException {
        for (int node = 0; node < count; node++) {
            start(node);
        }
        for (int node = 0; node < count; node++) {
            awaitReady(node);
        }
    }

    void awaitReady(int node) {
        await("node " + node + " is ready", () -> {
            if (!process(node).alive()) {
                throw new IllegalStateException("node " + node + " ended; see " + home.resolve("n" + (node + 1)));
            }
            return isReady(node);
        });
    }

    boolean isReady(int node) {
        return status(sessionPort(node) + 2, "/actuator/health/readiness") == 200;
    }

    ServerProcess process(int node) {
        ServerProcess process = processes.get(node);
        if (process == null) {
            throw new IllegalStateException("node " + node + " was never started");
        }
        return process;
    }

    void kill(int node) {
        process(node).kill();
    }

    /** Ends it, and what it had on its disk is gone. */
    void forget(int node) throws IOException {
        process(node).close();
        Directories.delete(home.resolve("n" + (node + 1)));
    }

    private int sessionPort(int node) {
        return port + 10 * node;
    }

    InetSocketAddress sessions(int node) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), sessionPort(node));
    }

    /** Where Nacos clients come over gRPC. */
    InetSocketAddress nacos(int node) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), sessionPort(node) + 4);
    }

    /** For the SDK, beginning with that node. */
    String[] addresses(int first) {
        return IntStream.range(0, count)
                .mapToObj(i -> "127.0.0.1:" + sessionPort((first + i) % count))
                .toArray(String[]::new);
    }

    /** What that node answers over REST; empty when it does not, or not with 200. */
    String get(int node, String path) {
        try {
            HttpResponse<String> answer = send(sessionPort(node) + 1, path);
            return answer.statusCode() == 200 ? answer.body() : "";
        } catch (IOException e) {
            return ""; // dead, or not there yet
        }
    }

    private static int status(int port, String path) {
        try {
            return send(port, path).statusCode();
        } catch (IOException e) {
            return 0; // dead, or not there yet
        }
    }

    private static HttpResponse<String> send(int port, String path) throws IOException {
        try {
            return HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .timeout(Duration.ofSeconds(5))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** How many instances that node lists; negative when it does not say. */
    long listed(int node) {
        Matcher listed = Pattern.compile("\"listed\":([0-9]+)").matcher(get(node, "/v1/node"));
        return listed.find() ? Long.parseLong(listed.group(1)) : -1;
    }

    /** Until that node lists so many; says what each lists when it does not. */
    void awaitListed(int node, long size) {
        try {
            await("node " + node + " lists " + size, () -> listed(node) == size);
        } catch (IllegalStateException e) {
            String each = IntStream.range(0, count)
                    .mapToObj(i -> String.valueOf(listed(i)))
                    .collect(Collectors.joining(", "));
            throw new IllegalStateException(e.getMessage() + "; the nodes list " + each, e);
        }
    }

    /** Whether somebody accepts connections for sessions there. */
    boolean serves(int node) {
        try (Socket socket = new Socket()) {
            socket.connect(sessions(node), 500);
            return true;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    /** Payload sent so far on the lines between nodes that are there now, both directions. */
    long peerBytes() throws IOException {
        Process run =
                new ProcessBuilder("ss", "-tinH").redirectErrorStream(true).start();
        String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        List<String> ports = IntStream.range(0, count)
                .mapToObj(i -> ":" + (sessionPort(i) + 3))
                .toList();
        long sum = 0;
        boolean ours = false;
        for (String line : said.split("\n")) {
            if (!line.startsWith("\t") && !line.startsWith("  ")) {
                List<String> words = List.of(line.trim().split(" +"));
                ours = words.stream().anyMatch(word -> ports.stream().anyMatch(word::endsWith));
            } else if (ours) {
                Matcher sent = SENT.matcher(line);
                sum += sent.find() ? Long.parseLong(sent.group(1)) : 0;
            }
        }
        return sum;
    }

    static void await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE) {
                throw new IllegalStateException("waited two minutes until " + what);
            }
            StartTime.pause(TimeUnit.MILLISECONDS.toNanos(100));
        }
    }

    /** Ends all and leaves nothing behind. */
    @Override
    public void close() throws IOException {
        for (ServerProcess process : processes) {
            if (process != null) {
                process.kill();
            }
        }
        Directories.delete(home);
    }
}
