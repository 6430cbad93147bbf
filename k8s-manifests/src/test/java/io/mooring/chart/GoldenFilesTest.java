package io.mooring.chart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the chart renders, line by line, so that every change of it is seen in review; and the plain manifests for people
 * without Helm, which are made here. {@code mvn -pl k8s-manifests -am test -Dtest=GoldenFilesTest -Dgolden=write} writes
 * both anew.
 */
class GoldenFilesTest {
    private static final Path GOLDEN = Path.of("src/test/resources/golden");
    private static final Path PLAIN = Path.of("plain");
    private static final boolean WRITES = "write".equals(System.getProperty("golden"));

    static List<Path> matrix() throws IOException {
        return Matrix.files();
    }

    @ParameterizedTest
    @MethodSource("matrix")
    void rendersAsBefore(Path values) throws IOException {
        compare(GOLDEN.resolve(String.valueOf(values.getFileName())), Chart.textOf(values));
    }

    @Test
    void everyGoldenFileHasItsValues() throws IOException {
        try (Stream<Path> golden = Files.list(GOLDEN)) {
            assertThat(golden.map(Path::getFileName).sorted())
                    .isEqualTo(Matrix.files().stream().map(Path::getFileName).toList());
        }
    }

    @ParameterizedTest
    @MethodSource("plain")
    void plainManifestsAreWhatTheChartRenders(Path values) throws IOException {
        String name = String.valueOf(values.getFileName()).replace("-values", "");
        String header = Files.readString(values)
                .lines()
                .takeWhile(line -> line.startsWith("#"))
                .collect(Collectors.joining("\n", "", "\n"));
        compare(PLAIN.resolve(name), header + withoutHelm(Chart.textOf(values)));
    }

    static List<Path> plain() throws IOException {
        try (Stream<Path> files = Files.list(PLAIN)) {
            return files.filter(file -> file.toString().endsWith("-values.yaml"))
                    .sorted()
                    .toList();
        }
    }

    /** Without the test, which only Helm runs, and without what says that Helm keeps the objects. */
    private static String withoutHelm(String rendered) {
        return Stream.of(rendered.split("(?m)^---\n"))
                .filter(object -> !object.isBlank() && !object.contains("kind: Pod\n"))
                .map(object -> "---\n"
                        + object.lines()
                                .filter(line -> !line.startsWith("# Source: "))
                                .filter(line -> !line.contains("app.kubernetes.io/managed-by:"))
                                .filter(line -> !line.contains("helm.sh/chart:"))
                                .collect(Collectors.joining("\n", "", "\n")))
                .collect(Collectors.joining());
    }

    private static void compare(Path file, String now) throws IOException {
        if (WRITES) {
            Files.writeString(file, now);
        }
        assertThat(now)
                .as("%s (if the change is meant, write it anew by -Dgolden=write and look at the difference)", file)
                .isEqualTo(Files.exists(file) ? Files.readString(file) : "");
    }
}
