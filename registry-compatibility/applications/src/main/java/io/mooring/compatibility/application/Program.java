package io.mooring.compatibility.application;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One application in a process of its own. Reads a command per line from standard input and answers each on standard output,
 * in their order. Ends, without any goodbye, when its input does.
 */
abstract class Program {
    static final ObjectMapper JSON = new ObjectMapper();

    private @Nullable Caller caller;

    /**
     * Runs until the input ends.
     *
     * @param version of the framework, as its jar says it
     */
    final void run(String version) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // what libraries print is no answer
        out.println(JSON.createObjectNode().put("ready", version));
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.println(answer(JSON.readTree(line)));
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private ObjectNode answer(JsonNode command) {
        ObjectNode answer = JSON.createObjectNode().put("id", command.path("id").asLong());
        try {
            return answer.set("ok", done(command));
        } catch (Throwable e) { // also what the linker says: it is the answer
            e.printStackTrace();
            return answer.put("failed", told(e));
        }
    }

    static String told(Throwable e) {
        StringBuilder out = new StringBuilder();
        for (@Nullable Throwable cause = e; cause != null && out.length() < 2_000; cause = cause.getCause()) {
            out.append(out.length() == 0 ? "" : ", caused by ").append(cause);
        }
        return out.toString();
    }

    private ObjectNode done(JsonNode command) throws Exception {
        ObjectNode answer = JSON.createObjectNode();
        switch (command.path("do").asText()) {
            case "open" -> open(command, answer);
            case "calls" ->
                caller = Caller.start(() -> call(command.path("service").asText()));
            case "called" -> {
                if (caller == null) {
                    throw new IllegalStateException("called (expected: after calls)");
                }
                caller.take(answer);
            }
            case "instances" ->
                answer.set("instances", instances(command.path("service").asText()));
            case "leave" -> leave();
            case "close" -> {
                if (caller != null) {
                    caller.end();
                }
                close();
            }
            default -> throw new IllegalArgumentException("do: " + command.path("do") + " (expected: a known command)");
        }
        return answer;
    }

    /** Starts the application, as the words say. */
    abstract void open(JsonNode words, ObjectNode answer) throws Exception;

    /** Calls that service by its name. @return who answered */
    abstract String call(String service) throws Exception;

    /** What the framework tells an application of the instances of a service. */
    abstract JsonNode instances(String service) throws Exception;

    /** Takes itself out of the registry, and goes on answering. */
    abstract void leave() throws Exception;

    /** Ends as on SIGTERM. */
    abstract void close() throws Exception;

    static String version(Class<?> of, String jar) throws Exception {
        String name = java.nio.file.Path.of(
                        of.getProtectionDomain().getCodeSource().getLocation().toURI())
                .getFileName()
                .toString();
        return name.replaceFirst("^" + jar + "-", "").replaceFirst("\\.jar$", "");
    }
}
