package io.mooring.server.durable;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The entries: of each key the one that {@linkplain Entry#beats beats} all others this node has seen. In whatever order
 * they come, and how often, nodes that have seen the same hold the same.
 *
 * <p>Generations are those of one clock for all keys (Lamport 1978), which a node sets to the highest it hears of: so what
 * is written after a deletion beats it, also on a node that has forgotten the deletion, or never knew it.
 *
 * <p>Deletions are remembered, so that an older value that turns up later stays away, but only so many: the oldest make
 * room. They do not count in the checksum, and need not be the same on all nodes: they are told where values differ.
 *
 * <p>Confined to the event loop.
 */
final class DurableTable {
    static final int BUCKETS = 256;

    /** Values this node writes; those of others may go a little beyond. */
    static final int MOST_VALUES = 200_000;

    /** Values there may be at all. */
    private static final int MOST_TAKEN = 2 * MOST_VALUES;

    static final int DELETIONS_KEPT = 50_000;

    private final List<TreeMap<EntryKey, Entry>> buckets = new ArrayList<>(BUCKETS);
    private final LinkedHashSet<EntryKey> deletions = new LinkedHashSet<>();
    private final long[] sums = new long[BUCKETS];
    private int values;
    private long highest;

    DurableTable() {
        for (int i = 0; i < BUCKETS; i++) {
            buckets.add(new TreeMap<>());
        }
    }

    private static int bucketOf(EntryKey key) {
        return (int) Entry.hash(key) & BUCKETS - 1;
    }

    /** What is known under that key, a deletion perhaps; null if nothing is. */
    @Nullable
    Entry get(EntryKey key) {
        return buckets.get(bucketOf(key)).get(key);
    }

    /** @return whether it was taken: it beats what was there */
    boolean offer(Entry entry) {
        seen(entry.generation());
        int bucket = bucketOf(entry.key());
        Entry before = buckets.get(bucket).get(entry.key());
        if (before != null && !entry.beats(before)) {
            return false;
        }
        boolean wasValue = before != null && !before.deleted();
        if (!entry.deleted() && !wasValue && values >= MOST_TAKEN) {
            return false;
        }
        buckets.get(bucket).put(entry.key(), entry);
        if (before != null && wasValue) {
            sums[bucket] -= before.fingerprint();
            values--;
        }
        deletions.remove(entry.key());
        if (entry.deleted()) {
            deletions.add(entry.key());
            forgetOldest();
        } else {
            sums[bucket] += entry.fingerprint();
            values++;
        }
        return true;
    }

    private void forgetOldest() {
        if (deletions.size() > DELETIONS_KEPT) {
            EntryKey oldest = deletions.iterator().next();
            deletions.remove(oldest);
            buckets.get(bucketOf(oldest)).remove(oldest);
        }
    }

    /** Somebody has used that generation. */
    void seen(long generation) {
        if (generation <= Entry.HIGHEST_GENERATION) {
            highest = Math.max(highest, generation);
        }
    }

    /** The highest generation anybody is known to have used. */
    long highest() {
        return highest;
    }

    /** Over the values: equal for tables with the same ones. */
    long checksum() {
        long sum = 0;
        for (int i = 0; i < BUCKETS; i++) {
            sum = sum * 31 + sums[i];
        }
        return sum;
    }

    /** The same, bucket by bucket. */
    long[] sums() {
        return sums.clone();
    }

    /** All entries of a bucket, in order. */
    List<Entry> bucket(int bucket) {
        return List.copyOf(buckets.get(bucket).values());
    }

    /** All keys, the remembered deletions last, oldest first. */
    List<EntryKey> keys() {
        List<EntryKey> keys = new ArrayList<>(values + deletions.size());
        for (TreeMap<EntryKey, Entry> bucket : buckets) {
            bucket.values().forEach(entry -> {
                if (!entry.deleted()) {
                    keys.add(entry.key());
                }
            });
        }
        keys.addAll(deletions);
        return keys;
    }

    /** How many keys have a value. */
    int values() {
        return values;
    }

    /** How many deletions are remembered. */
    int deletions() {
        return deletions.size();
    }
}
