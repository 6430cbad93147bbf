package io.mooring.server.node;

import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.replication.Replication;
import java.time.Duration;

/**
 * Whether this node has heard what its peers have, since it started, or has waited long enough for that. From then on it shows
 * what it hears at once; it says so once what it had gathered is shown:
 *
 * <pre>
 * gathering ── caught up, or late enough ──▶ ready ── that is shown ──▶ says ready
 * </pre>
 *
 * Confined to the event loop.
 */
final class Readiness {
    /** A starting node that is loading waits for at most so many times its patience. */
    private static final int LOADING_PATIENCES = 6;

    private final Duration patience;
    private final EventLoop loop;
    private final LeaseTable leases;
    private final Replication replication;
    private final Turns turns;
    private final Runnable onSaid;
    private final long startedAt;
    private long arrivedAt;
    private long pagesSeen;

    /** Whether what was gathered until then is shown, too: who asks outside hears of it only now. */
    private boolean said;

    /**
     * @param patience how long peers are waited for that do not come, or bring nothing more
     * @param onSaid from now on it {@linkplain #isSaid says so}
     */
    Readiness(
            Duration patience,
            EventLoop loop,
            LeaseTable leases,
            Replication replication,
            Turns turns,
            Runnable onSaid) {
        this.patience = patience;
        this.loop = loop;
        this.leases = leases;
        this.replication = replication;
        this.turns = turns;
        this.onSaid = onSaid;
        startedAt = loop.now();
        arrivedAt = startedAt;
    }

    boolean isReady() {
        return !turns.isGathering();
    }

    /** Whether the outside is told that it is ready. */
    boolean isSaid() {
        return said;
    }

    /** @param caughtUp whether this node has what its peers have */
    void look(boolean caughtUp) {
        if (!isReady() && (caughtUp || isLateEnough())) {
            turns.showGathered();
            leases.ready();
        }
        if (isReady() && !said) {
            turns.whenShown(this::say); // what was gathered may still be on its way to the disk
        }
    }

    private void say() {
        said = true;
        onSaid.run();
    }

    /** A shard that is arriving is waited for, within reason: who lists nothing yet should not be asked. */
    private boolean isLateEnough() {
        long now = loop.now();
        long pages = replication.counts().pagesReceived();
        if (pages != pagesSeen) {
            pagesSeen = pages;
            arrivedAt = now;
        }
        return now - arrivedAt >= patience.toNanos() || now - startedAt >= LOADING_PATIENCES * patience.toNanos();
    }
}
