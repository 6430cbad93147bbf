package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Takes overrides away whose instance has left the list, so that another process at the same address does not inherit them.
 * The node in whose shard the removal stands does it, at once; an instance that protection held, when the hold is over.
 *
 * <p>It may die in between. What its publisher or an operator had removed is over all the same: an override says over which
 * registration it was laid, and does not show where a removal of that one is remembered, on the disk of the node that said it
 * and with all who heard it. Those, and what was absent for a long time, one of the nodes that trust themselves, the
 * {@linkplain Rendezvous same for all}, takes away.
 */
final class OverrideWatch {
    private static final Duration LOOK = Duration.ofSeconds(5);
    private static final int LEASES = 4;

    private final NodeId self;
    private final DurableDoor door;
    private final Catalog catalog;
    private final Replication replication;
    private final EventLoop loop;
    private final long patience;

    /** Removed here, but not gone; at most as many as there are overrides. */
    private final Set<InstanceId> held = new LinkedHashSet<>();

    private Map<InstanceId, Long> absentSince = new HashMap<>();
    private long lastLook;

    OverrideWatch(
            NodeId self, DurableDoor door, Catalog catalog, Replication replication, EventLoop loop, Duration lease) {
        this.self = self;
        this.door = door;
        this.catalog = catalog;
        this.replication = replication;
        this.loop = loop;
        this.patience = LEASES * lease.toNanos();
        lastLook = loop.now();
    }

    /** A turn's changes are shown. */
    void shown(List<Change> changes) {
        if (door.durables().overridden().isEmpty()) {
            return;
        }
        for (Change change : changes) {
            boolean ours =
                    change instanceof Change.Removed && change.shard().origin().equals(self);
            if (ours && door.durables().override(change.instance()).isPresent()) {
                removed(change.instance());
            }
        }
    }

    private void removed(InstanceId id) {
        if (!catalog.isListed(id) || door.isOver(catalog, id)) {
            door.dropOverride(catalog, id);
        } else if (catalog.isHeld(id)) {
            held.add(id);
        }
    }

    /** Holds may have ended. */
    void holdsReleased() {
        if (!held.isEmpty()) {
            for (InstanceId id : List.copyOf(held)) {
                if (!catalog.isHeld(id)) {
                    held.remove(id);
                    removed(id);
                }
            }
        }
    }

    /**
     * To be called now and then.
     *
     * @param trusted whether this node trusts its view of who is there
     */
    void look(boolean trusted) {
        if (loop.now() - lastLook < LOOK.toNanos()) {
            return;
        }
        lastLook = loop.now();
        Map<InstanceId, Long> before = trusted ? absentSince : Map.of();
        Map<InstanceId, Long> absent = new HashMap<>();
        List<InstanceId> over = new ArrayList<>();
        for (InstanceId id : door.durables().overridden()) {
            boolean ended = door.isOver(catalog, id);
            if (ended || !catalog.isListed(id)) {
                long since = before.getOrDefault(id, loop.now());
                absent.put(id, since);
                if (loop.now() - since >= (ended ? LOOK.toNanos() : patience)) {
                    over.add(id);
                }
            }
        }
        absentSince = absent;
        if (!over.isEmpty()) {
            List<NodeId> alive = replication.alive();
            over.removeIf(id -> !Rendezvous.choose(id, alive).equals(self));
            over.forEach(id -> door.dropOverride(catalog, id));
        }
    }
}
