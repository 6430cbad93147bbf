package io.mooring.compatibility;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The packaged registry as a process, started and ended as often as one likes, at the same address with the same disk. */
final class NodeProcess implements AutoCloseable {
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    private final String name;
    private final String host;
    private final int http;
    private final int operations;
    private final List<String> command;
    private final Path log;
    private @Nullable Process process;

    NodeProcess(String name, String host, int http, int operations, List<String> command, Path log) {
        this.name = name;
        this.host = host;
        this.http = http;
        this.operations = operations;
        this.command = List.copyOf(command);
        this.log = log;
    }

    /** What Nacos clients are given. */
    String address() {
        return host + ":" + http;
    }

    /** Returns at once. */
    void start() throws IOException {
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    private Process started() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    /** Whether it says that it is ready. */
    boolean isReady() throws IOException, InterruptedException {
        if (!started().isAlive()) {
            throw new IOException(name + " did not start; it says:\n" + lastWords());
        }
        try {
            return send("GET", "http://" + host + ":" + operations + "/actuator/health/readiness")
                            .statusCode()
                    == 200;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    /**
     * A request of an operator or a tool.
     *
     * @param path below the root, such as {@code /nacos/v1/ns/instance}
     * @return the body
     * @throws IOException if it is not answered, or not with 2xx
     */
    String request(String method, String path, Map<String, String> parameters)
            throws IOException, InterruptedException {
        String query = new TreeMap<>(parameters)
                .entrySet().stream()
                        .map(each -> each.getKey() + "=" + URLEncoder.encode(each.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&"));
        HttpResponse<String> answer = send(method, "http://" + address() + path + (query.isEmpty() ? "" : "?" + query));
        if (answer.statusCode() / 100 != 2) {
            throw new IOException(
                    method + " " + path + " at " + name + " is answered " + answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }

    private static HttpResponse<String> send(String method, String uri) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(URI.create(uri))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** SIGKILL: no goodbye, no last write. */
    void kill() throws InterruptedException {
        started().destroyForcibly();
        if (!started().waitFor(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException(name + " survived SIGKILL");
        }
    }

    /** SIGTERM; returns whether it ended within that time. */
    boolean stop(Duration within) throws InterruptedException {
        started().destroy();
        return started().waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
    }

    String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
