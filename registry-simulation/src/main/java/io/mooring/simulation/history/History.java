package io.mooring.simulation.history;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What was recorded so far. Safe for use by any thread. */
public final class History {
    /** Bounds the memory of a run that goes on for too long: divide it. */
    public static final int MOST = 2_000_000;

    private final List<Entry> entries = new ArrayList<>();

    /** @throws IllegalStateException when {@value #MOST} are there already */
    public synchronized void add(Entry entry) {
        if (entries.size() == MOST) {
            throw new IllegalStateException(
                    "history: " + MOST + " entries already (expected: fewer; run shorter cases)");
        }
        entries.add(entry);
    }

    /** All of it, in order of time. */
    public synchronized List<Entry> entries() {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.sort(Comparator.comparingLong(Entry::at));
        return sorted;
    }

    /** A line for each entry. */
    public void write(Path file) throws IOException {
        Files.write(file, entries().stream().map(Entry::line).toList(), StandardCharsets.UTF_8);
    }

    /**
     * @throws IllegalArgumentException when a line is no entry
     * @throws IOException when the file cannot be read
     */
    public static History read(Path file) throws IOException {
        History history = new History();
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
            history.add(Entry.parse(line));
        }
        return history;
    }
}
