package io.mooring.server.shard;

import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import java.util.AbstractCollection;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The registrations one node accepted in one incarnation, or a copy of them. One writer, so there are no conflicts
 * inside; confined to the event loop.
 */
public final class Shard {
    /** Removals that are remembered; the oldest make room. */
    public static final int BURIALS_KEPT = 20_000;

    /** By service: where a whole shard arrives, one large table would point from the old to the young all over. */
    private final Map<ServiceKey, Map<InstanceId, Registration>> services = new LinkedHashMap<>();

    private final LinkedHashMap<InstanceId, Burial> burials = new LinkedHashMap<>();
    private final ShardId id;
    private long revision;
    private long checksum;
    private int size;

    public Shard(ShardId id) {
        this.id = id;
    }

    public ShardId id() {
        return id;
    }

    /** Raised by exactly one with every change. */
    public long revision() {
        return revision;
    }

    /** Over the contents: two shards with the same registrations have the same. The remembered removals do not count. */
    public long checksum() {
        return checksum;
    }

    public int size() {
        return size;
    }

    public @Nullable Registration get(InstanceId instance) {
        Map<InstanceId, Registration> service = services.get(instance.service());
        return service == null ? null : service.get(instance);
    }

    /** Service by service, in the order in which the instances came. A live look; do not keep it across changes. */
    public Collection<Registration> registrations() {
        return new Registrations();
    }

    private final class Registrations extends AbstractCollection<Registration> {
        @Override
        public int size() {
            return size;
        }

        @Override
        public Iterator<Registration> iterator() {
            Iterator<Map<InstanceId, Registration>> all = services.values().iterator();
            return new Iterator<>() {
                private Iterator<Registration> service = Collections.emptyIterator();

                @Override
                public boolean hasNext() {
                    return service.hasNext() || all.hasNext();
                }

                @Override
                public Registration next() {
                    if (!service.hasNext()) {
                        service = all.next().values().iterator();
                    }
                    return service.next();
                }
            };
        }
    }

    /** The latest removals, oldest first. A live look; do not keep it across changes. */
    public Map<InstanceId, Burial> burials() {
        return Collections.unmodifiableMap(burials);
    }

    /** The highest generation this shard knows of for that instance, registered or removed; 0 if it knows nothing. */
    public long highest(InstanceId instance) {
        Registration registration = get(instance);
        Burial burial = burials.get(instance);
        return Math.max(registration == null ? 0 : registration.generation(), burial == null ? 0 : burial.generation());
    }

    /** @throws IllegalStateException when the change is not the next one: a bug in its writer */
    public void apply(Change change) {
        if (!change.shard().equals(id) || change.revision() != revision + 1) {
            throw new IllegalStateException(
                    "change " + change.shard() + "/" + change.revision() + " does not follow " + id + "/" + revision);
        }
        revision++;
        if (change instanceof Change.Granted granted) {
            put(granted.registration());
        } else if (change instanceof Change.Removed removed) {
            Burial burial = removed.burial();
            Registration there = get(removed.instance());
            if (there != null && (burial.generation() == 0 || burial.reaches(there))) {
                remove(removed.instance());
            }
            if (burial.generation() > 0) {
                bury(removed.instance(), burial);
            }
        }
    }

    /** Part of a whole shard that is taken from elsewhere: outside the count of revisions. */
    public void put(Registration registration) {
        InstanceId id = registration.id();
        Registration before = services.computeIfAbsent(id.service(), s -> new LinkedHashMap<>())
                .put(id, registration);
        size += before == null ? 1 : 0;
        checksum += registration.fingerprint() - (before == null ? 0 : before.fingerprint());
    }

    /** Of a copy nobody writes any more. @return what it was, or null */
    public @Nullable Registration remove(InstanceId instance) {
        Map<InstanceId, Registration> service = services.get(instance.service());
        if (service == null) {
            return null;
        }
        Registration before = service.remove(instance);
        if (before != null) {
            size--;
            checksum -= before.fingerprint();
        }
        if (service.isEmpty()) {
            services.remove(instance.service());
        }
        return before;
    }

    /** Remembers a removal, as part of a whole shard that is taken from elsewhere. */
    public void bury(InstanceId instance, Burial burial) {
        Burial before = burials.remove(instance); // the latest is the youngest
        burials.put(instance, Burial.further(before, burial));
        if (burials.size() > BURIALS_KEPT) {
            burials.remove(burials.keySet().iterator().next());
        }
    }

    /** The copy is as its origin's was at that revision. */
    public void at(long newRevision) {
        revision = newRevision;
    }
}
