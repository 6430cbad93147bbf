package io.mooring.chart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The values with which the chart is rendered again and again: {@code src/test/resources/values}, a file each. */
final class Matrix {
    private static final Path VALUES = Path.of("src/test/resources/values");

    private Matrix() {}

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(VALUES)) {
            return files.sorted().toList();
        }
    }
}
