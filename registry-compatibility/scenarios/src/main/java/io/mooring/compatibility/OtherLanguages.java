package io.mooring.compatibility;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Clients in other languages. Their own tools put them together before they are tried, so they run where these tools are, and
 * only in the full matrix.
 */
final class OtherLanguages {
    private static final Path SOURCES = Path.of("../other-languages");
    private static final Path BUILT = Path.of("target/other-languages");
    private static final int BUILD_SECONDS = 600;
    private static final String NONE = "its API has none";

    static final List<Client> ALL = List.of(
            client(
                    "npm nacos",
                    "2.6.0",
                    "node",
                    built -> List.of("node", built + "/driver.js"),
                    List.of(List.of("npm", "install", "--no-package-lock", "--no-audit", "--no-fund")),
                    Map.of(
                            Ability.CONNECTED,
                            "sends beats",
                            Ability.BATCH,
                            NONE,
                            Ability.CHOOSE,
                            NONE,
                            Ability.SERVICES,
                            NONE,
                            Ability.WATCH_SERVICES,
                            NONE,
                            Ability.EMPTIED,
                            "keeps what it had rather than take an empty list")),
            client(
                    "nacos-sdk-go",
                    "2.3.2",
                    "go",
                    built -> List.of(built + "/driver"),
                    List.of(List.of("go", "build", "-o", "driver", ".")),
                    Map.of(
                            Ability.BATCH,
                            "cannot take back a part of one",
                            Ability.WATCH_SERVICES,
                            NONE,
                            Ability.LIST_REFUSED,
                            "takes a refused list for an empty one")),
            client(
                    "nacos-sdk-python",
                    "3.2.0",
                    "python",
                    built -> List.of(built + "/venv/bin/python", built + "/driver.py"),
                    List.of(
                            List.of("python3", "-m", "venv", "venv"),
                            List.of("venv/bin/pip", "install", "--quiet", "-r", "requirements.txt")),
                    Map.of(Ability.CHOOSE, NONE, Ability.WATCH_SERVICES, NONE)));

    private OtherLanguages() {}

    private static Client client(
            String name,
            String version,
            String language,
            Function<Path, List<String>> command,
            List<List<String>> build,
            Map<Ability, String> lacks) {
        Path built = BUILT.resolve(language).toAbsolutePath();
        return new Client(
                name + " " + version,
                version,
                false,
                home -> command.apply(built),
                lacks,
                once(() -> build(SOURCES.resolve(language), built, build)));
    }

    private static Supplier<String> once(Supplier<String> supplier) {
        return new Supplier<>() {
            private @Nullable String got;

            @Override
            public synchronized String get() {
                if (got == null) {
                    got = supplier.get();
                }
                return got;
            }
        };
    }

    /** @return why it cannot be had here; empty if it is there */
    private static String build(Path sources, Path built, List<List<String>> commands) {
        try {
            Files.createDirectories(built);
            Path stamp = built.resolve("built");
            String made = copied(sources, built);
            if (Files.exists(stamp) && Files.readString(stamp).equals(made)) {
                return "";
            }
            for (List<String> command : commands) {
                String failed = run(built, command);
                if (!failed.isEmpty()) {
                    return failed;
                }
            }
            Files.writeString(stamp, made);
            return "";
        } catch (IOException e) {
            throw new IllegalStateException("the program in " + sources + " cannot be copied", e);
        }
    }

    /** @return what there was */
    private static String copied(Path sources, Path built) throws IOException {
        Map<String, String> contents = new HashMap<>();
        try (Stream<Path> files = Files.list(sources)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path name = file.getFileName();
                Files.copy(file, built.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                contents.put(name.toString(), Files.readString(file));
            }
        }
        return Integer.toHexString(contents.hashCode());
    }

    private static String run(Path directory, List<String> command) throws IOException {
        Path log = directory.resolve("build.log");
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        } catch (IOException e) {
            return "there is no `" + command.get(0) + "` on this machine";
        }
        try {
            if (process.waitFor(BUILD_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) {
                return "";
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.destroyForcibly();
        String said = Files.readString(log, StandardCharsets.UTF_8).strip();
        String last = said.substring(said.lastIndexOf('\n') + 1);
        return "`" + String.join(" ", command) + "` failed: " + last;
    }
}
