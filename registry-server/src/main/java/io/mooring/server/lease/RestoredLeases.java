package io.mooring.server.lease;

import io.mooring.model.Digest;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a restart left: the registrations of this node's earlier incarnation, from disk, until their publishers come back,
 * others take their place, or the time for that is over. They are listed, unconfirmed, and take up room. Confined to the
 * event loop.
 */
final class RestoredLeases {
    private final OwnShard shard;
    private final Map<String, Set<InstanceId>> bySession = new HashMap<>();
    private final Room room;

    /** When nobody is waited for any more, in the loop's nanoseconds. */
    private final long until;

    private boolean judged;

    RestoredLeases(ShardId id, Collection<Registration> registrations, Room room, long until, Consumer<Change> sink) {
        shard = new OwnShard(id, sink);
        this.room = room;
        this.until = until;
        for (Registration registration : registrations) {
            Registration shared = new Registration(
                    room.shared(registration.instance()), registration.publisher(), registration.generation(), false);
            shard.restore(shared);
            room.take(shared.id().service());
            if (shared.publisher().isSession()) {
                bySession
                        .computeIfAbsent(shared.publisher().id(), s -> new LinkedHashSet<>(4))
                        .add(shared.id());
            }
        }
    }

    /** To look at only. */
    Shard shard() {
        return shard.shard();
    }

    @Nullable
    Registration get(InstanceId instance) {
        return shard.get(instance);
    }

    /** The highest generation it knows of for that instance, registered or removed; 0 if it knows nothing. */
    long highest(InstanceId instance) {
        return shard.highest(instance);
    }

    int size() {
        return shard.size();
    }

    /** What is left of that session's. */
    List<InstanceId> of(String session) {
        return List.copyOf(bySession.getOrDefault(session, Set.of()));
    }

    /**
     * All that is left of that session's, if it is just what the session believes to hold; nothing otherwise, or if the
     * session has said more elsewhere: it was perhaps not told that this was heard.
     */
    List<Registration> justAs(String session, long holds, LeaseTable.Elsewhere elsewhere) {
        List<Registration> left = new ArrayList<>();
        long sum = Digest.EMPTY;
        for (InstanceId id : bySession.getOrDefault(session, Set.of())) {
            Registration registration = shard.get(id);
            if (registration != null && elsewhere.highest(id) > registration.generation()) {
                return List.of();
            }
            if (registration != null) {
                left.add(registration);
                sum += Leases.fingerprint(registration);
            }
        }
        return sum == holds ? left : List.of();
    }

    /** What is left when nobody is waited for any more; once, and nothing before or after that. */
    List<Registration> overdue(long now) {
        if (judged || now - until < 0) {
            return List.of();
        }
        judged = true;
        return List.copyOf(shard.shard().registrations());
    }

    /** Its publisher, or an operator, has changed it. */
    void amend(Registration next) {
        shard.grant(next);
    }

    /** It is not waited for any more. */
    void remove(Registration left, RemovalCause cause, Burial burial, String actor) {
        InstanceId id = left.id();
        Set<InstanceId> before = bySession.get(left.publisher().id());
        if (before != null && before.remove(id) && before.isEmpty()) {
            bySession.remove(left.publisher().id());
        }
        room.free(id.service());
        shard.remove(id, cause, burial, actor);
    }
}
