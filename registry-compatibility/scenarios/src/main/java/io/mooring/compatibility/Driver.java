package io.mooring.compatibility;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A process that has clients of one library and does with them what it is told: a line of JSON per command, a line per answer,
 * and lines between for what its clients hear.
 */
final class Driver implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int READY_SECONDS = 60;
    private static final int ANSWER_SECONDS = 90;

    /** More that start at once would only keep each other from connecting in the time that clients give themselves. */
    private static final Semaphore STARTING = new Semaphore(2);

    private final String name;
    private final Path log;
    private final Process process;
    private final BufferedWriter commands;
    private final CompletableFuture<String> ready = new CompletableFuture<>();
    private final Map<Long, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final Map<String, CopyOnWriteArrayList<Seen>> seen = new ConcurrentHashMap<>();
    private long asked;

    /**
     * Starts the client's driver and waits until it says that it is ready.
     *
     * @param role names it in messages and in the directory where it leaves what it writes
     */
    static Driver start(Client client, String role, Path home) throws IOException, InterruptedException {
        Path directory = Files.createDirectories(home.resolve(role));
        STARTING.acquire();
        try {
            return startNow(client, role, directory);
        } finally {
            STARTING.release();
        }
    }

    private static Driver startNow(Client client, String role, Path directory)
            throws IOException, InterruptedException {
        Driver driver =
                new Driver(client.name() + " as " + role, client.command().apply(directory), directory);
        try {
            String version = driver.ready.get(READY_SECONDS, TimeUnit.SECONDS);
            if (!version.equals(client.version())) {
                throw new IOException(driver.name + " runs version " + version + " (expected: " + client.version()
                        + "); see what its build put together");
            }
            return driver;
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException(
                    driver.name + " did not say within " + READY_SECONDS + " s that it is ready" + driver.lastWords(),
                    e);
        } finally {
            if (!driver.ready.isDone()) {
                driver.close();
            }
        }
    }

    private Driver(String name, List<String> command, Path directory) throws IOException {
        this.name = name;
        this.log = directory.resolve("log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().put("HOME", directory.toAbsolutePath().toString());
        builder.environment()
                .keySet()
                .removeIf(each -> each.toLowerCase(Locale.ROOT).endsWith("_proxy"));
        this.process = builder.start();
        this.commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        Thread reader = new Thread(this::read, "reads " + name);
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                take(JSON.readTree(line));
            }
            over(new IOException(name + " ended" + lastWords()));
        } catch (IOException | JacksonException e) {
            over(new IOException("what " + name + " says cannot be read" + lastWords(), e));
        }
    }

    private void take(JsonNode line) {
        if (line.has("seen")) {
            heard(line.path("seen").asString("")).add(Seen.of(line));
        } else if (line.has("ready")) {
            ready.complete(line.path("ready").asString(""));
        } else {
            CompletableFuture<JsonNode> waiting = answers.remove(line.path("id").asLong(-1));
            if (waiting != null) { // else nobody waits any longer
                waiting.complete(line);
            }
        }
    }

    private void over(IOException why) {
        ready.completeExceptionally(why);
        synchronized (this) {
            answers.values().forEach(waiting -> waiting.completeExceptionally(why));
        }
    }

    /** Everything that client heard, growing. */
    CopyOnWriteArrayList<Seen> heard(String client) {
        return seen.computeIfAbsent(client, each -> new CopyOnWriteArrayList<>());
    }

    /**
     * Tells it a command, and waits for the answer.
     *
     * @throws ClientFailure if the client could not do it
     * @throws IOException if the driver is gone or says nothing
     */
    JsonNode ask(String command, String client, Map<String, ?> words)
            throws ClientFailure, IOException, InterruptedException {
        CompletableFuture<JsonNode> waiting = new CompletableFuture<>();
        synchronized (this) {
            Map<String, Object> line = new TreeMap<>(words);
            line.put("id", ++asked);
            line.put("do", command);
            line.put("client", client);
            answers.put(asked, waiting);
            commands.write(JSON.writeValueAsString(line));
            commands.write('\n');
            commands.flush();
        }
        try {
            JsonNode answer = waiting.get(ANSWER_SECONDS, TimeUnit.SECONDS);
            if (answer.has("failed")) {
                throw new ClientFailure(
                        name + "/" + client, command, answer.path("failed").asString(""));
            }
            return answer.path("ok");
        } catch (ExecutionException e) {
            throw new IOException(name + " did not answer " + command, e.getCause());
        } catch (TimeoutException e) {
            throw new IOException(
                    name + " did not answer " + command + " within " + ANSWER_SECONDS + " s" + lastWords(), e);
        }
    }

    long pid() {
        return process.pid();
    }

    /** SIGKILL, in the middle of whatever it does. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException(name + " survived SIGKILL");
        }
    }

    private String lastWords() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
            return "; its last words:\n"
                    + String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
        } catch (IOException e) {
            return "; " + log + " cannot be read";
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    @Override
    public String toString() {
        return name;
    }
}
