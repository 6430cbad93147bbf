package io.mooring.server.shard;

import java.util.Comparator;

/**
 * How far a shard has come.
 *
 * @param incarnation raised by every start of the node that writes it
 * @param revision raised by exactly one with every change
 */
public record ShardVersion(long incarnation, long revision) implements Comparable<ShardVersion> {
    private static final Comparator<ShardVersion> ORDER =
            Comparator.comparingLong(ShardVersion::incarnation).thenComparingLong(ShardVersion::revision);

    public ShardVersion next() {
        return new ShardVersion(incarnation, revision + 1);
    }

    @Override
    public int compareTo(ShardVersion other) {
        return ORDER.compare(this, other);
    }
}
