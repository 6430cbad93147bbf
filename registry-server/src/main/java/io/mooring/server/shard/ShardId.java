package io.mooring.server.shard;

/**
 * Names a shard: what one node accepted between one start and the next.
 *
 * @param origin the node that writes it, alone
 * @param incarnation raised by every start of that node
 */
public record ShardId(NodeId origin, long incarnation) implements Comparable<ShardId> {
    @Override
    public int compareTo(ShardId other) {
        int order = origin.compareTo(other.origin);
        return order == 0 ? Long.compare(incarnation, other.incarnation) : order;
    }

    @Override
    public String toString() {
        return origin + "@" + incarnation;
    }
}
