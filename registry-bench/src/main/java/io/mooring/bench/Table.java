package io.mooring.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A Markdown table that also reads well on a terminal. */
final class Table {
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headings) {
        rows.add(List.of(headings));
    }

    void row(String... cells) {
        rows.add(List.of(cells));
    }

    /** How often that was timed, in how many milliseconds by the median, the 99th of a hundred, and the worst. */
    void latencies(String what, Histogram nanos) {
        row(
                what,
                String.valueOf(nanos.getTotalCount()),
                millis((double) nanos.getValueAtPercentile(50)),
                millis((double) nanos.getValueAtPercentile(99)),
                millis((double) nanos.getMaxValue()));
    }

    void print(String title) {
        int columns = rows.get(0).size();
        int[] width = new int[columns];
        for (List<String> row : rows) {
            for (int c = 0; c < columns; c++) {
                width[c] = Math.max(width[c], row.get(c).length());
            }
        }
        StringBuilder out = new StringBuilder("\n" + title + "\n\n");
        for (int r = 0; r < rows.size(); r++) {
            for (int c = 0; c < columns; c++) {
                String cell = rows.get(r).get(c);
                String pad = " ".repeat(width[c] - cell.length());
                out.append("| ").append(c == 0 ? cell + pad : pad + cell).append(' ');
            }
            out.append("|\n");
            for (int c = 0; r == 0 && c < columns; c++) {
                out.append(c == 0 ? "|:" + "-".repeat(width[c] + 1) : "|" + "-".repeat(width[c] + 1) + ":");
            }
            out.append(r == 0 ? "|\n" : "");
        }
        System.out.println(out);
    }

    /** With three digits that count. */
    static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f", value);
    }

    /** Nanoseconds as milliseconds. */
    static String millis(double nanos) {
        return number(nanos / 1e6);
    }
}
