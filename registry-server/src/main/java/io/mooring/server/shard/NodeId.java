package io.mooring.server.shard;

import io.mooring.model.InvalidValueException;

/** A node's name: stays with its data directory, whatever its address. 1-64 letters, digits, {@code _ - .}. */
public record NodeId(String name) implements Comparable<NodeId> {
    /** Stands for what belongs to all nodes alike; no node may be called so. */
    public static final NodeId ALL = new NodeId("durable-entries");

    /** @throws InvalidValueException when the name breaks its rule */
    public NodeId {
        if (!isName(name)) {
            throw new InvalidValueException("node name", name, "1-64 characters: letters, digits, '_', '-', '.'");
        }
    }

    private static boolean isName(String name) { // no pattern: each heartbeat has a dozen of them
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letter = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!letter && c != '_' && c != '.' && c != '-') {
                return false;
            }
        }
        return !name.isEmpty() && name.length() <= 64;
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
