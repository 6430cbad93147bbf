package io.mooring.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code docs/operations.md}, whose tables are compared with the code. */
final class Handbook {
    private static final Path OPERATIONS = Path.of("..", "docs", "operations.md");

    private Handbook() {}

    /** The lines below that heading, up to the next one. */
    static List<String> section(String heading) throws IOException {
        List<String> section = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(OPERATIONS)) {
            if (line.startsWith("## ")) {
                inside = line.equals("## " + heading);
            } else if (inside) {
                section.add(line);
            }
        }
        return section;
    }
}
