package io.mooring.server.node;

import io.mooring.server.catalog.Catalog;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.push.PushScheduler;
import io.mooring.server.replication.Replication;

/**
 * What subscribers are told about how far to believe a list. It is <em>incomplete</em> while somebody may be missing from it:
 * this node has just started, or stood still. This node is <em>uncertain</em> while others may have told what it does not know.
 * Both are said at once, and taken back behind what this node has learned in between. Confined to the event loop.
 */
final class Certainty {
    private final ClusterSettings cluster;
    private final LeaseTable leases;
    private final Replication replication;
    private final Catalog catalog;
    private final PushScheduler push;
    private final Turns turns;
    private final UnheardRemovals unheard;
    private boolean incomplete;

    /** Whether nobody has been lost since this node last looked for removals that others have not heard. */
    private boolean toldOfRemovals;

    Certainty(
            ClusterSettings cluster,
            LeaseTable leases,
            Replication replication,
            Catalog catalog,
            PushScheduler push,
            Turns turns,
            UnheardRemovals unheard) {
        this.cluster = cluster;
        this.leases = leases;
        this.replication = replication;
        this.catalog = catalog;
        this.push = push;
        this.turns = turns;
        this.unheard = unheard;
        setIncomplete(true);
    }

    boolean isIncomplete() {
        return incomplete;
    }

    /** Somebody is about to be told what this node has: doubts that no look has met yet go first. */
    void lookBeforeTelling() {
        if (!incomplete && !cluster.isAlone() && leases.hasStoodStill()) {
            setIncomplete(true); // before anybody takes what is old for new
        }
        if (isUncertain()) {
            push.uncertain(true);
        }
    }

    /** That it knows enough is said behind what it knows: the last of that may still be on its way to the disk. */
    void lookWhetherCertain() {
        toldOfRemovals &= !replication.hasLost();
        if (isUncertain()) {
            push.uncertain(true);
        } else {
            turns.whenShown(() -> {
                if (!isUncertain()) {
                    push.uncertain(false);
                    if (!turns.isGathering() && !toldOfRemovals) {
                        toldOfRemovals = true;
                        unheard.sayAll();
                    }
                }
            });
        }
    }

    /** Whether others may have told what this node does not know; what is held may be a copy whose node was lost, too. */
    private boolean isUncertain() {
        return replication.isUncertain() || !cluster.isAlone() && catalog.protectedServices() > 0;
    }

    /**
     * @param paused whether this node stood still until now
     * @param knowing whether it trusts itself and has what its peers have
     */
    void lookWhetherComplete(boolean paused, boolean knowing) {
        if (paused && !cluster.isAlone()) {
            setIncomplete(true); // what happened meanwhile is still on its way
        } else if (incomplete && knowing) {
            turns.whenShown(this::complete);
        }
    }

    private void complete() {
        if (!leases.hasStoodStill()) {
            setIncomplete(false);
        }
    }

    private void setIncomplete(boolean now) {
        incomplete = now;
        push.incomplete(now);
    }
}
