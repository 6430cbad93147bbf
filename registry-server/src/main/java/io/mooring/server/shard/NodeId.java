package io.mooring.server.shard;

import io.mooring.model.InvalidValueException;

/** A node's name: stays with its data directory, whatever its address. 1-64 letters, digits, {@code _ - .}. */
public record NodeId(String name) implements Comparable<NodeId> {
    /** Stands for what belongs to all nodes alike; no node may be called so. */
    public static final NodeId ALL = new NodeId("durable-entries");

    /** @throws InvalidValueException when the name breaks its rule */
    public NodeId {
        if (!name.matches("[A-Za-z0-9_.-]{1,64}")) {
            throw new InvalidValueException("node name", name, "1-64 characters: letters, digits, '_', '-', '.'");
        }
    }

    /** Whether no node may be called so. */
    public boolean isReserved() {
        return equals(ALL);
    }

    @Override
    public int compareTo(NodeId other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
