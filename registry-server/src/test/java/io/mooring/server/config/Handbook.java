package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code docs/operations.md}, whose tables have what the code has, and a sentence for each. {@code mvn -pl registry-server -am
 * test -Dtest='PropertiesTest,OperationsTest' -Dsurefire.failIfNoSpecifiedTests=false -Dgolden=write} writes them anew; the
 * sentence of what is new is then to be written by hand.
 */
final class Handbook {
    private static final Path OPERATIONS = Path.of("..", "docs", "operations.md");
    private static final String ROW = "| `mooring.";
    private static final int SHORTEST_SENTENCE = 10;

    private Handbook() {}

    /**
     * The table below a heading has these rows, no other and in this order, and says something about each.
     *
     * @param heading of the section
     * @param rows by what the first column has, everything before the sentence: {@code `mooring.name` | `5s`}
     */
    static void hasTable(String heading, Map<String, String> rows) throws IOException {
        List<String> lines = Files.readAllLines(OPERATIONS);
        int from = lines.indexOf("## " + heading) + 1;
        assertThat(from).as("the heading " + heading).isPositive();
        while (!lines.get(from).startsWith(ROW)) {
            from++;
        }
        int to = from;
        while (lines.get(to).startsWith(ROW)) {
            to++;
        }
        List<String> now = lines.subList(from, to);
        List<String> table = table(rows, now);
        if ("write".equals(System.getProperty("golden"))) {
            List<String> all = new ArrayList<>(lines.subList(0, from));
            all.addAll(table);
            all.addAll(lines.subList(to, lines.size()));
            Files.write(OPERATIONS, all);
            now = table;
        }
        assertThat(now)
                .as("the table of docs/operations.md under %s (-Dgolden=write writes it anew)", heading)
                .isEqualTo(table);
        assertThat(table)
                .allSatisfy(row ->
                        assertThat(sentence(row)).as("the sentence of " + row).hasSizeGreaterThan(SHORTEST_SENTENCE));
    }

    private static List<String> table(Map<String, String> rows, List<String> now) {
        Map<String, String> sentences = new LinkedHashMap<>();
        now.forEach(row -> sentences.put(name(row), sentence(row)));
        return rows.entrySet().stream()
                .map(row -> "| " + row.getKey() + " | " + row.getValue() + " | "
                        + sentences.getOrDefault(row.getKey(), "") + " |")
                .toList();
    }

    private static String name(String row) {
        return row.split(" \\| ", 2)[0].substring(2);
    }

    /** Behind the second column. */
    private static String sentence(String row) {
        return row.split(" \\| ", 3)[2].replaceFirst(" ?\\|$", "");
    }

    /** What the first columns of a table have now, in order. */
    static List<String> names(String heading) throws IOException {
        List<String> lines = Files.readAllLines(OPERATIONS);
        return lines.subList(lines.indexOf("## " + heading) + 1, lines.size()).stream()
                .takeWhile(line -> !line.startsWith("## "))
                .filter(line -> line.startsWith(ROW))
                .map(Handbook::name)
                .toList();
    }
}
