package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What users of the SDK get with it: jackson-core and slf4j-api, and a small jar. */
class FootprintTest {
    private static final Pattern DEPENDENCY = Pattern.compile("<dependency>(.*?)</dependency>", Pattern.DOTALL);
    private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(.*?)</artifactId>");

    @Test
    void dependsOnJacksonCoreAndSlf4jAlone() throws IOException {
        Set<String> needed = new TreeSet<>();
        for (String pom : List.of("pom.xml", "../registry-protocol/pom.xml")) {
            Matcher dependencies = DEPENDENCY.matcher(Files.readString(Path.of(pom)));
            while (dependencies.find()) {
                String dependency = dependencies.group(1);
                if (!dependency.contains("<scope>test</scope>") && !dependency.contains("<optional>true</optional>")) {
                    Matcher artifact = ARTIFACT.matcher(dependency);
                    assertTrue(artifact.find());
                    needed.add(artifact.group(1));
                }
            }
        }
        assertEquals(new TreeSet<>(Set.of("jackson-core", "slf4j-api", "registry-protocol")), needed);
    }

    /** The constant pools tell: whatever a class names that is neither the JDK's, ours, nor one of the two. */
    @Test
    void classesNameNothingElse() throws IOException {
        Pattern foreign = Pattern.compile("(?<![A-Za-z0-9/])(?:org|com|io|net|tools)/[a-z0-9]+/[A-Za-z0-9/$_]+");
        Set<String> strangers = new HashSet<>();
        for (Path file : classes()) {
            String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            Matcher names = foreign.matcher(text);
            while (names.find()) {
                String name = names.group();
                boolean known = name.startsWith("io/mooring/")
                        || name.startsWith("com/fasterxml/jackson/core/")
                        || name.startsWith("org/slf4j/")
                        || name.startsWith("org/jspecify/annotations/");
                boolean binder = file.getFileName().toString().startsWith("MooringMetrics");
                if (!known && !(binder && name.startsWith("io/micrometer/core/"))) {
                    strangers.add(file.getFileName() + ": " + name);
                }
            }
        }
        assertEquals(Set.of(), strangers);
    }

    /** Compressed they are about half of this; the finished jar has 400 kB to stay below. */
    @Test
    void classesAreSmall() throws IOException {
        long bytes = 0;
        for (Path file : classes()) {
            bytes += Files.size(file);
        }
        assertTrue(bytes < 700_000, "classes of client and protocol: " + bytes + " bytes");
    }

    @Test
    void onlyTheBinderNeedsMicrometer() throws IOException {
        for (Path file : classes()) {
            String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
            String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
            assertTrue(name.startsWith("mooringmetrics") || !text.contains("MooringMetrics"), name);
        }
    }

    private static List<Path> classes() {
        List<Path> found = new ArrayList<>();
        for (String directory : List.of("target/classes", "../registry-protocol/target/classes")) {
            try (Stream<Path> files = Files.walk(Path.of(directory))) {
                files.filter(file -> file.toString().endsWith(".class")).forEach(found::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        assertTrue(found.size() > 50);
        return found;
    }
}
