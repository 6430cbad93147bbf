package io.mooring.compatibility.nacos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads a command per line from standard input and answers each on standard output, in their order; what clients hear comes
 * between, when they hear it. Ends, without any goodbye, when its input does.
 */
public final class NacosDriver {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final PrintStream out;
    private final Map<String, NacosClient> clients = new HashMap<>();

    private NacosDriver(PrintStream out) {
        this.out = out;
    }

    /** @param arguments none */
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // what libraries print is no answer
        NacosDriver driver = new NacosDriver(out);
        driver.say(JSON.createObjectNode().put("ready", version()));
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                driver.answer(JSON.readTree(line));
            }
        }
        Runtime.getRuntime().halt(0);
    }

    /** Of the client found on the class path: the name of its jar says it in every generation. */
    private static String version() throws ReflectiveOperationException {
        String jar = Class.forName("com.alibaba.nacos.client.naming.NacosNamingService")
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath();
        return jar.replaceFirst(".*/nacos-client-", "").replaceFirst("\\.jar$", "");
    }

    /** Whether clients of this generation hold a connection, or send each request by itself. */
    static boolean connects() throws ReflectiveOperationException {
        return !version().startsWith("1.");
    }

    private void answer(JsonNode command) throws IOException {
        ObjectNode answer = JSON.createObjectNode().put("id", command.path("id").asLong());
        try {
            answer.set("ok", done(command));
        } catch (Throwable e) { // also what the linker says of a client that lacks something: it is the answer
            answer.put("failed", told(e));
        }
        say(answer);
    }

    private static String told(Throwable e) {
        StringBuilder out = new StringBuilder();
        for (@Nullable Throwable cause = e; cause != null && out.length() < 2_000; cause = cause.getCause()) {
            out.append(out.length() == 0 ? "" : ", caused by ").append(cause);
        }
        return out.toString();
    }

    private ObjectNode done(JsonNode command) throws Exception {
        String name = command.path("client").asText();
        switch (command.path("do").asText()) {
            case "open" -> {
                if (clients.containsKey(name)) {
                    throw new IllegalStateException("client: " + name + " (expected: one that is not open)");
                }
                clients.put(name, new NacosClient(name, command, this::say));
                return JSON.createObjectNode();
            }
            case "close" -> {
                open(name).close();
                clients.remove(name);
                return JSON.createObjectNode();
            }
            default -> {
                return open(name).done(command);
            }
        }
    }

    private NacosClient open(String name) {
        NacosClient client = clients.get(name);
        if (client == null) {
            throw new IllegalStateException("client: " + name + " (expected: one that is open)");
        }
        return client;
    }

    private void say(ObjectNode line) {
        String text = line.toString();
        synchronized (out) {
            out.println(text);
        }
    }
}
