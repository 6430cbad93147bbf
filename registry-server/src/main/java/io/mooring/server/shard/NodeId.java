package io.mooring.server.shard;

import io.mooring.model.InvalidValueException;

/** A node's name: stays with its data directory, whatever its address. 1-64 letters, digits, {@code _ - .}. */
public record NodeId(String name) implements Comparable<NodeId> {
    /** @throws InvalidValueException when the name breaks its rule */
    public NodeId {
        if (!name.matches("[A-Za-z0-9_.-]{1,64}")) {
            throw new InvalidValueException("node name", name, "1-64 characters: letters, digits, '_', '-', '.'");
        }
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
