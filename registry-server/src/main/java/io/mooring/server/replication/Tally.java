package io.mooring.server.replication;

import java.util.Map;
import java.util.TreeMap;

/** Counts what happened since the start. */
final class Tally {
    long deltasSent;
    long deltasReceived;
    long pagesSent;
    long pagesReceived;
    long snapshotsTaken;
    long mismatches;
    long gaps;
    long withheld;
    private final Map<String, Long> refused = new TreeMap<>();
    private final Map<String, Long> ignored = new TreeMap<>();

    /** @param code one of a fixed set */
    void refused(String code) {
        refused.merge(code, 1L, Long::sum);
    }

    /** @param code one of a fixed set */
    void ignored(String code) {
        ignored.merge(code, 1L, Long::sum);
    }

    Replication.Counts counts() {
        return new Replication.Counts(
                deltasSent,
                deltasReceived,
                pagesSent,
                pagesReceived,
                snapshotsTaken,
                mismatches,
                gaps,
                withheld,
                new TreeMap<>(refused),
                new TreeMap<>(ignored));
    }
}
