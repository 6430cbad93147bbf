package io.mooring.server.shard;

import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;

/** One step of a shard. */
public sealed interface Change {
    ShardId shard();

    /** One more than that of the step before. */
    long revision();

    InstanceId instance();

    /**
     * The registration is new, or says something new, or its standing changed.
     *
     * @param standingOnly whether all that changed is how sure the node is of it
     */
    record Granted(ShardId shard, long revision, Registration registration, boolean standingOnly) implements Change {
        public Granted(ShardId shard, long revision, Registration registration) {
            this(shard, revision, registration, false);
        }

        @Override
        public InstanceId instance() {
            return registration.id();
        }
    }

    /**
     * A registration is gone: the shard's own, and {@linkplain Burial every copy} elsewhere that this word reaches. A node also says so of copies it does not hold: a goodbye that reached it, or a verdict on an orphan.
     *
     * @param removal whose and why
     * @param burial which copies it ends
     * @param actor who did it, for people: {@code publisher}, {@code registry} or an operator's name
     */
    record Removed(ShardId shard, long revision, Removal removal, Burial burial, String actor) implements Change {
        @Override
        public InstanceId instance() {
            return removal.instance();
        }

        public RemovalCause cause() {
            return removal.cause();
        }
    }
}
