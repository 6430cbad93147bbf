package io.mooring.server.shard;

import io.mooring.model.InstanceId;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The registrations one node accepted in one incarnation. One writer, so there are no conflicts inside; confined to
 * the event loop.
 */
public final class Shard {
    private final NodeId origin;
    private final Map<InstanceId, Registration> registrations = new HashMap<>();
    private ShardVersion version;

    public Shard(NodeId origin, long incarnation) {
        this.origin = origin;
        this.version = new ShardVersion(incarnation, 0);
    }

    public NodeId origin() {
        return origin;
    }

    public ShardVersion version() {
        return version;
    }

    public int size() {
        return registrations.size();
    }

    public @Nullable Registration get(InstanceId instance) {
        return registrations.get(instance);
    }

    /** A live look; do not keep it across changes. */
    public Collection<Registration> registrations() {
        return Collections.unmodifiableCollection(registrations.values());
    }

    /** @throws IllegalStateException when the change is not the next one: a bug in its writer */
    public void apply(Change change) {
        if (!change.version().equals(version.next())) {
            throw new IllegalStateException(
                    "change " + change.version() + " does not follow " + version + " of " + origin);
        }
        version = change.version();
        if (change instanceof Change.Granted granted) {
            registrations.put(granted.registration().id(), granted.registration());
        } else {
            registrations.remove(change.instance());
        }
    }
}
