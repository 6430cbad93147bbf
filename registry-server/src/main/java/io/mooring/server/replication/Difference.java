package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;

/** What a whole shard says beyond the copy that it replaces, as changes: removals first. */
final class Difference {
    private static final String REGISTRY = "registry";

    private final Shard before;
    private final Shard next;
    private final List<Change> changes = new ArrayList<>();

    Difference(Shard before, Shard next) {
        this.before = before;
        this.next = next;
        tellBurials();
    }

    /**
     * What the origin's whole word lacks, it has removed; what differs, it has granted.
     *
     * @param unconfirmed whether to tell also what is the same, because it was known from a disk only
     */
    List<Change> inOneIncarnation(boolean unconfirmed) {
        for (Registration registration : before.registrations()) {
            if (next.get(registration.id()) == null) {
                Burial burial = next.burials().get(registration.id());
                RemovalCause cause = burial == null ? RemovalCause.ORPHANED : burial.cause();
                changes.add(over(next.id(), next.revision(), registration.id(), cause));
            }
        }
        for (Registration registration : next.registrations()) {
            Registration earlier = before.get(registration.id());
            if (earlier != registration || unconfirmed) {
                boolean standingOnly = earlier != null
                        && earlier.doubted(registration.suspect(), registration.followed())
                                .equals(registration);
                changes.add(new Change.Granted(next.id(), next.revision(), registration, standingOnly));
            }
        }
        return changes;
    }

    /** What the origin has now, and the end of the earlier copies of the same publishers, which are taken out. */
    List<Change> toALaterIncarnation() {
        for (Registration registration : next.registrations()) {
            changes.add(new Change.Granted(next.id(), next.revision(), registration, false));
        }
        for (Registration earlier : List.copyOf(before.registrations())) {
            Registration now = next.get(earlier.id());
            if (now != null
                    && now.generation() >= earlier.generation()
                    && now.publisher().id().equals(earlier.publisher().id())) {
                before.remove(earlier.id());
                changes.add(over(before.id(), before.revision(), earlier.id(), RemovalCause.ORPHANED));
            }
        }
        return changes;
    }

    private void tellBurials() {
        next.burials().forEach((instance, burial) -> {
            Burial known = before.burials().get(instance);
            if (known == null || !burial.equals(known) && !burial.equals(known.remembered())) {
                Removal removal = new Removal(instance, burial.cause());
                changes.add(new Change.Removed(next.id(), next.revision(), removal, burial, REGISTRY));
            }
        });
    }

    /** The end of that shard's copy alone. */
    static Change.Removed over(ShardId shard, long revision, InstanceId instance, RemovalCause cause) {
        return new Change.Removed(shard, revision, new Removal(instance, cause), Burial.OWN, REGISTRY);
    }
}
