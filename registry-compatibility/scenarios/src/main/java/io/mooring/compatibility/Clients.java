package io.mooring.compatibility;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * All clients that are tried; representative are the first and the last, and the oldest that speaks gRPC. Paths are as seen from
 * this module's directory.
 */
final class Clients {
    private static final List<Client> JAVA = List.of(
            nacos(
                    "1.4",
                    "1.4.8",
                    true,
                    Map.of(
                            Ability.CONNECTED,
                            "sends beats",
                            Ability.BATCH,
                            "came with 2.1.1",
                            Ability.WATCH_SERVICES,
                            "came with 3.0")),
            nacos(
                    "2.0",
                    "2.0.4",
                    true,
                    Map.of(Ability.BATCH, "came with 2.1.1", Ability.WATCH_SERVICES, "came with 3.0")),
            nacos("2.5", "2.5.1", false, Map.of(Ability.WATCH_SERVICES, "came with 3.0")),
            nacos("3.1", "3.1.1", false, Map.of()),
            nacos("3.2", "3.2.1-2026.03.30", true, Map.of()));

    static final List<Client> ALL =
            Stream.concat(JAVA.stream(), OtherLanguages.ALL.stream()).toList();

    private Clients() {}

    private static Client nacos(String generation, String version, boolean representative, Map<Ability, String> lacks) {
        return new Client(
                "nacos-client " + version,
                version,
                representative,
                home -> java(
                        home,
                        "io.mooring.compatibility.nacos.NacosDriver",
                        Path.of("../nacos-driver/target/classes"),
                        Path.of("../nacos-client-" + generation + "/target/lib")),
                lacks,
                () -> "");
    }

    /** A JVM with the classes of a driver and the jars of one client, which writes nowhere but below its own directory. */
    static List<String> java(Path home, String main, Path classes, Path library) {
        return List.of(
                Registry.java(),
                "-Xmx192m",
                "-Xss512k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Duser.home=" + home.toAbsolutePath(),
                "-DJM.LOG.PATH=" + home.toAbsolutePath(),
                "-DJM.SNAPSHOT.PATH=" + home.toAbsolutePath(),
                "-Dnacos.logging.path=" + home.toAbsolutePath(),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
                "-cp",
                classes.toAbsolutePath() + java.io.File.pathSeparator + jars(library),
                main);
    }

    private static String jars(Path library) {
        try (Stream<Path> files = Files.list(library)) {
            return files.map(jar -> jar.toAbsolutePath().toString())
                    .sorted()
                    .collect(Collectors.joining(java.io.File.pathSeparator));
        } catch (IOException e) {
            throw new IllegalStateException(
                    "jars: " + library + " cannot be listed (expected: copied before, as `mvn verify` does)", e);
        }
    }
}
