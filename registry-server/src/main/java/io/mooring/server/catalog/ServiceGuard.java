package io.mooring.server.catalog;

import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the catalog remembers of one service's sudden removals: those that happened lately, and those that are held.
 * Exists only while there is something to remember.
 */
final class ServiceGuard {
    /** A removal that is not believed yet. */
    record Hold(RemovalCause cause, long until) {}

    final Map<InstanceId, Hold> held = new TreeMap<>();
    private final ArrayDeque<Long> leftAt = new ArrayDeque<>(); // bounded by the removals of one window

    int leftWithin(long windowNanos, long now) {
        while (!leftAt.isEmpty() && now - leftAt.peekFirst() >= windowNanos) {
            leftAt.removeFirst();
        }
        return leftAt.size();
    }

    void left(int count, long now) {
        for (int i = 0; i < count; i++) {
            leftAt.addLast(now);
        }
    }

    /** The instances whose hold has lasted long enough. */
    List<InstanceId> released(long now) {
        List<InstanceId> out = new ArrayList<>();
        held.forEach((id, hold) -> {
            if (now - hold.until() >= 0) {
                out.add(id);
            }
        });
        return out;
    }

    boolean isIdle(long windowNanos, long now) {
        return held.isEmpty() && leftWithin(windowNanos, now) == 0;
    }
}
