package io.mooring.server.lease;

import java.util.ArrayDeque;

/**
 * Limits how much of the registry silence alone may take away within a window: at most a share of what was there, or
 * a small floor so that a small registry still forgets its dead in time. Recovers by itself as the window moves on.
 */
final class EvictionBudget {
    private final long windowNanos;
    private final double share;
    private final int floor;
    private final ArrayDeque<Spent> spent = new ArrayDeque<>(); // at most one a sweep
    private int spentInWindow;

    private record Spent(long at, int count) {}

    EvictionBudget(LeaseSettings settings) {
        windowNanos = settings.evictionWindow().toNanos();
        share = settings.evictionShare();
        floor = settings.evictionFloor();
    }

    /** How many may go now, of a registry that holds {@code registered} at this moment. */
    int available(int registered, long now) {
        while (!spent.isEmpty() && now - spent.peekFirst().at >= windowNanos) {
            spentInWindow -= spent.removeFirst().count;
        }
        int allowed = Math.max(floor, (int) (share * (registered + spentInWindow)));
        return Math.max(0, allowed - spentInWindow);
    }

    void spend(int count, long now) {
        if (count > 0) {
            spent.addLast(new Spent(now, count));
            spentInWindow += count;
        }
    }
}
