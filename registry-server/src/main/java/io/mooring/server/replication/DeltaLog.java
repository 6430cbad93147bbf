package io.mooring.server.replication;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The latest steps of a shard as bytes, so that whoever missed some gets only those. Bounded: the oldest make room. */
final class DeltaLog {
    private static final int MOST_TURNS = 50_000;

    private final long mostBytes;
    private final TreeMap<Long, Turn> turns = new TreeMap<>(); // by last revision
    private long last;
    private long bytes;

    /** @param parts the messages that tell it, in order */
    record Turn(long first, long last, List<byte[]> parts) {
        int length() {
            int length = 0;
            for (byte[] part : parts) {
                length += part.length;
            }
            return length;
        }
    }

    DeltaLog(long mostBytes, long last) {
        this.mostBytes = mostBytes;
        this.last = last;
    }

    /** The revision of the last step. */
    long last() {
        return last;
    }

    /** @param turn begins with the step after the last one, or before it */
    void append(Turn turn) {
        if (turn.first > last + 1 || turn.last <= last) {
            throw new IllegalStateException(
                    "steps " + turn.first + "-" + turn.last + " (expected: to follow " + last + ")");
        }
        last = turn.last;
        bytes += turn.length();
        turns.put(last, turn);
        while (bytes > mostBytes || turns.size() > MOST_TURNS) {
            Map.Entry<Long, Turn> oldest = turns.pollFirstEntry();
            bytes -= oldest.getValue().length();
        }
    }

    /** Forgets the steps before; what comes next follows that revision. */
    void restart(long revision) {
        turns.clear();
        bytes = 0;
        last = revision;
    }

    /** Whether all steps after that revision are there. */
    boolean reaches(long revision) {
        return revision == last || revision < last && next(revision) != null;
    }

    /** The turn that leads on from that revision; null if it is forgotten, or there is none yet. */
    @Nullable
    Turn next(long revision) {
        Map.Entry<Long, Turn> next = turns.higherEntry(revision);
        return next == null || next.getValue().first > revision + 1 ? null : next.getValue();
    }
}
