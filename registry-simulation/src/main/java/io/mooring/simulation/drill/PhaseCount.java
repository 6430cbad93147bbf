package io.mooring.simulation.drill;

import java.util.Map;
import java.util.TreeMap;

/** What one caller reported within one phase. */
final class PhaseCount {
    long calls;
    long failed;
    long retried;
    long oldestMillis;
    int fewest = Integer.MAX_VALUE;
    int most;
    private final Map<String, Integer> sources = new TreeMap<>();

    void add(String[] stat) {
        calls += Long.parseLong(stat[1]);
        failed += Long.parseLong(stat[2]);
        retried += Long.parseLong(stat[3]);
        sources.merge(stat[4], 1, Integer::sum);
        oldestMillis = Math.max(oldestMillis, Long.parseLong(stat[5]));
        fewest = Math.min(fewest, Integer.parseInt(stat[6]));
        most = Math.max(most, Integer.parseInt(stat[6]));
    }

    String sources() {
        return String.join(", ", sources.keySet()).toLowerCase(java.util.Locale.ROOT);
    }

    String listed() {
        return fewest == most ? Integer.toString(most) : fewest + "-" + most;
    }
}
