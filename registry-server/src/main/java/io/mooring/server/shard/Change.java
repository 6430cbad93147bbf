package io.mooring.server.shard;

import io.mooring.model.InstanceId;
import io.mooring.model.Removal;

/** One step of a shard. */
public sealed interface Change {
    ShardVersion version();

    InstanceId instance();

    /**
     * The registration is new, or says something new, or its standing changed.
     *
     * @param standingOnly whether all that changed is how sure the node is of it
     */
    record Granted(ShardVersion version, Registration registration, boolean standingOnly) implements Change {
        public Granted(ShardVersion version, Registration registration) {
            this(version, registration, false);
        }

        @Override
        public InstanceId instance() {
            return registration.id();
        }
    }

    /**
     * The registration is gone.
     *
     * @param removal whose and why
     * @param actor who did it, for people: {@code publisher}, {@code registry} or an operator's name
     * @param at when, in the loop's nanoseconds
     */
    record Removed(ShardVersion version, Removal removal, String actor, long at) implements Change {
        @Override
        public InstanceId instance() {
            return removal.instance();
        }
    }
}
