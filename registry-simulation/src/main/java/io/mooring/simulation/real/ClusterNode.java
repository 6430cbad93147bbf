package io.mooring.simulation.real;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The packaged registry as a process, started and ended as often as one likes at the same addresses. */
final class ClusterNode implements AutoCloseable {
    /** Where readiness is told, at the port for health and metrics. */
    static final String READINESS = "/actuator/health/readiness";

    private static final JsonFactory JSON = new JsonFactory();
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    private final String name;
    private final String bind;
    private final Ports ports;
    private final List<String> command;
    private final Path data;
    private final Path log;
    private @Nullable Process process;

    /** The same for every node of a cluster: their addresses differ. */
    record Ports(int http, int sessions, int operations, int peers) {}

    ClusterNode(String name, String bind, Ports ports, List<String> command, Path data, Path log) {
        this.name = name;
        this.bind = bind;
        this.ports = ports;
        this.command = List.copyOf(command);
        this.data = data;
        this.log = log;
    }

    String name() {
        return name;
    }

    Path data() {
        return data;
    }

    /** Starts it and returns at once. */
    long start() throws IOException {
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return process.pid();
    }

    boolean isAlive() {
        return process != null && process.isAlive();
    }

    long pid() {
        return started().pid();
    }

    private Process started() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    /** Whether its port for sessions is open. */
    boolean serves() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(bind, ports.sessions()), 500);
            return true;
        } catch (IOException e) {
            return false; // not yet, or not any more
        }
    }

    /** Whether it says that it is ready. */
    boolean isReady() {
        return get(ports.operations(), READINESS, Duration.ofSeconds(2)).isPresent();
    }

    /** Whether it says that it may not know everybody yet; also when it says nothing. */
    boolean isIncomplete() {
        return !get("/v1/node", Duration.ofSeconds(2)).orElse("").contains("\"incomplete\":false");
    }

    /**
     * What it holds of every shard whose origin lives: origin to incarnation, revision and digest. Empty when it does not say,
     * or has not loaded one of them whole.
     */
    Map<String, String> shards() {
        Optional<String> body = get("/v1/nodes", Duration.ofSeconds(2));
        Map<String, String> out = new TreeMap<>();
        if (body.isEmpty()) {
            return out;
        }
        try (JsonParser json = JSON.createParser(body.get())) {
            while (json.nextToken() != null) {
                if (json.currentToken() == JsonToken.FIELD_NAME
                        && json.currentName().equals("shards")) {
                    json.nextToken();
                    while (json.nextToken() == JsonToken.START_OBJECT) {
                        Map<String, String> shard = new HashMap<>();
                        while (json.nextToken() == JsonToken.FIELD_NAME) {
                            String field = json.currentName();
                            json.nextToken();
                            shard.put(field, json.getText());
                        }
                        if (Boolean.parseBoolean(shard.get("alive"))) {
                            if (!Boolean.parseBoolean(shard.get("whole")) || !shard.containsKey("digest")) {
                                return Map.of();
                            }
                            out.put(
                                    String.valueOf(shard.get("origin")),
                                    shard.get("incarnation") + " " + shard.get("revision") + " " + shard.get("digest"));
                        }
                    }
                }
            }
            return out;
        } catch (IOException e) {
            throw new IllegalStateException(name + " answers " + body.get(), e);
        }
    }

    /** The body of a successful answer over REST. */
    Optional<String> get(String path, Duration within) {
        return get(ports.http(), path, within);
    }

    /** The body of a successful answer from the port for health and metrics. */
    Optional<String> operations(String path, Duration within) {
        return get(ports.operations(), path, within);
    }

    private Optional<String> get(int port, String path, Duration within) {
        try {
            HttpResponse<String> response = HTTP.send(
                    HttpRequest.newBuilder(URI.create("http://" + bind + ":" + port + path))
                            .timeout(within)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return response.statusCode() == 200 ? Optional.of(response.body()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // dead, stopped or slow: it says nothing
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** SIGKILL; returns whether it died of that. */
    boolean kill() {
        started().destroyForcibly();
        return await(Duration.ofSeconds(10)) && started().exitValue() == 128 + 9;
    }

    /** SIGTERM; returns whether it ended within that time. */
    boolean terminate(Duration within) {
        started().destroy();
        return await(within);
    }

    private boolean await(Duration within) {
        try {
            return started().waitFor(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** SIGSTOP or SIGCONT. */
    void signal(String signal) throws IOException {
        Commands.run("kill", "-" + signal, Long.toString(pid()));
    }

    /** Whether the operating system has stopped it. */
    boolean isStopped() throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid()), "stat"), StandardCharsets.UTF_8);
        return stat.substring(stat.lastIndexOf(')') + 2).startsWith("T");
    }

    /** Its last words. */
    String log() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Its disk is lost; only while it is dead. */
    void loseDisk() throws IOException {
        List<Path> inside = new ArrayList<>();
        if (Files.isDirectory(data)) {
            try (var files = Files.list(data)) {
                files.forEach(inside::add);
            }
        }
        for (Path file : inside) {
            Files.delete(file);
        }
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroyForcibly();
            await(Duration.ofSeconds(10));
        }
    }
}
