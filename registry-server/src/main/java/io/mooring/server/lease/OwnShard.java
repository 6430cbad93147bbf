package io.mooring.server.lease;

import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A shard that this node writes, and nobody else. Every change raises the revision by exactly one and goes to the sink, in
 * that order. Confined to the event loop.
 */
final class OwnShard {
    private final Consumer<Change> sink;
    private Shard shard;

    OwnShard(ShardId id, Consumer<Change> sink) {
        this(new Shard(id), sink);
    }

    private OwnShard(Shard shard, Consumer<Change> sink) {
        this.shard = shard;
        this.sink = sink;
    }

    /** To look at only, and until the next {@linkplain #raise incarnation} only. */
    Shard shard() {
        return shard;
    }

    @Nullable
    Registration get(InstanceId instance) {
        return shard.get(instance);
    }

    /** The highest generation it knows of for that instance, registered or removed; 0 if it knows nothing. */
    long highest(InstanceId instance) {
        return shard.highest(instance);
    }

    /** The removal it remembers of that instance, or null. */
    @Nullable
    Burial burial(InstanceId instance) {
        return shard.burials().get(instance);
    }

    ShardId id() {
        return shard.id();
    }

    int size() {
        return shard.size();
    }

    /** Part of what there was before: nobody needs to be told. */
    void restore(Registration registration) {
        shard.apply(new Change.Granted(shard.id(), shard.revision() + 1, registration));
    }

    void restore(InstanceId instance, Burial burial) {
        shard.bury(instance, burial);
    }

    void grant(Registration registration) {
        apply(new Change.Granted(shard.id(), shard.revision() + 1, registration));
    }

    /** What it has already, and how sure this node is of it. */
    void doubt(Registration said) {
        apply(new Change.Granted(shard.id(), shard.revision() + 1, said, true));
    }

    /** A removal, whether it has the instance or not: it ends what the burial reaches. */
    void remove(InstanceId instance, RemovalCause cause, Burial burial, String actor) {
        apply(new Change.Removed(shard.id(), shard.revision() + 1, new Removal(instance, cause), burial, actor));
    }

    /** Goes on under a higher incarnation, with what it has. */
    void raise(long incarnation, String actor) {
        Shard before = shard;
        OwnShard earlier = new OwnShard(before, sink);
        shard = new Shard(new ShardId(before.id().origin(), incarnation));
        shard.at(before.revision());
        for (Registration registration : List.copyOf(before.registrations())) {
            earlier.remove(registration.id(), RemovalCause.ORPHANED, Burial.OWN, actor);
            grant(registration);
        }
        before.burials().forEach(shard::bury);
    }

    private void apply(Change change) {
        shard.apply(change);
        sink.accept(change);
    }
}
