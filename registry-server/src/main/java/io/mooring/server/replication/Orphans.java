package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the earlier incarnations of other nodes had, as far as nobody has ended or superseded it. Kept apart from their
 * shards of today, and told to nobody.
 */
final class Orphans {
    /** Incarnations kept; of one more than that the oldest is given up. */
    private static final int MOST = 64;

    private final TreeMap<ShardId, Lost> shards = new TreeMap<>();

    /** Removals of incarnations that are gone, for their generations; the oldest make room. */
    private final LinkedHashMap<InstanceId, Burial> burials = new LinkedHashMap<>();

    private record Lost(Shard shard, long since) {}

    /**
     * @param givenUp gets the incarnation that made room, if there are too many
     */
    void add(Shard shard, long since, Consumer<Shard> givenUp) {
        shard.burials().forEach(this::remember);
        if (shard.size() == 0) {
            return;
        }
        Lost before = shards.put(shard.id(), new Lost(shard, since));
        if (before != null) {
            before.shard.registrations().forEach(registration -> {
                if (shard.get(registration.id()) == null) {
                    shard.put(registration);
                }
            });
        }
        if (shards.size() > MOST) {
            ShardId oldest = shard.id();
            for (Map.Entry<ShardId, Lost> entry : shards.entrySet()) {
                if (entry.getValue().since - lostSince(oldest) < 0) {
                    oldest = entry.getKey();
                }
            }
            Lost gone = shards.remove(oldest);
            if (gone != null) {
                givenUp.accept(gone.shard);
            }
        }
    }

    boolean isEmpty() {
        return shards.isEmpty();
    }

    /** Zero if there is no such incarnation. */
    long lostFor(ShardId id, long now) {
        Lost lost = shards.get(id);
        return lost == null ? 0 : now - lost.since;
    }

    private long lostSince(ShardId id) {
        Lost lost = shards.get(id);
        return lost == null ? 0 : lost.since;
    }

    private void remember(InstanceId instance, Burial burial) {
        Burial before = burials.remove(instance);
        burials.put(instance, Burial.further(before, burial));
        if (burials.size() > Shard.BURIALS_KEPT) {
            burials.remove(burials.keySet().iterator().next());
        }
    }

    /**
     * A node vouches for that registration. What an earlier life of it removed and it has forgotten, with its disk, is of
     * others: from now on that removal reaches only its own publisher.
     */
    void granted(Registration registration) {
        Burial burial = burials.get(registration.id());
        if (burial != null
                && burial.reaches(registration)
                && !burial.publisher().equals(registration.publisher().id())) {
            burials.put(registration.id(), burial.remembered());
        }
    }

    /** Drops the copies that a removal reaches. */
    void buried(InstanceId instance, Burial burial) {
        for (Lost lost : List.copyOf(shards.values())) {
            Registration copy = lost.shard.get(instance);
            if (copy != null && burial.reaches(copy)) {
                drop(lost, instance);
            }
        }
    }

    /** Which incarnations have a copy of a lower generation. */
    List<ShardId> older(InstanceId instance, long generation) {
        List<ShardId> older = new ArrayList<>(0);
        for (Lost lost : shards.values()) {
            Registration copy = lost.shard.get(instance);
            if (copy != null && copy.generation() < generation) {
                older.add(lost.shard.id());
            }
        }
        return older;
    }

    /** Drops one copy. @return whether there was one */
    boolean drop(ShardId id, InstanceId instance) {
        Lost lost = shards.get(id);
        return lost != null && drop(lost, instance);
    }

    private boolean drop(Lost lost, InstanceId instance) {
        boolean there = lost.shard.remove(instance) != null;
        if (lost.shard.size() == 0) {
            shards.remove(lost.shard.id());
        }
        return there;
    }

    @Nullable
    Registration get(ShardId id, InstanceId instance) {
        Lost lost = shards.get(id);
        return lost == null ? null : lost.shard.get(instance);
    }

    long highest(InstanceId instance) {
        Burial burial = burials.get(instance);
        long highest = burial == null ? 0 : burial.generation();
        for (Lost lost : shards.values()) {
            highest = Math.max(highest, lost.shard.highest(instance));
        }
        return highest;
    }

    Replication.@Nullable Copy find(InstanceId instance) {
        Replication.Copy best = null;
        for (Lost lost : shards.values()) {
            Registration copy = lost.shard.get(instance);
            if (copy != null) {
                best = ReplicaTable.better(best, new Replication.Copy(lost.shard.id(), copy, false));
            }
        }
        return best;
    }

    /** Those that have been lost for so long. */
    void collect(long now, long lostFor, List<Replication.Orphan> out) {
        for (Lost lost : shards.values()) {
            if (now - lost.since >= lostFor) {
                for (Registration registration : lost.shard.registrations()) {
                    out.add(new Replication.Orphan(lost.shard.id(), registration, lost.since));
                }
            }
        }
    }

    void forEach(BiConsumer<ShardId, Registration> each) {
        for (Lost lost : new ArrayList<>(shards.values())) {
            new ArrayList<>(lost.shard.registrations()).forEach(r -> each.accept(lost.shard.id(), r));
        }
    }

    /** The removals its incarnations told. */
    Map<InstanceId, Burial> burials() {
        return burials;
    }
}
