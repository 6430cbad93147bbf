package io.mooring.server.durable;

/**
 * What an entry is about.
 *
 * @param kind see {@link Kinds}; others belong to newer nodes and are kept for them
 * @param name at most {@value #LONGEST} bytes of UTF-8
 */
record EntryKey(int kind, String name) implements Comparable<EntryKey> {
    static final int LONGEST = 2_048;

    @Override
    public int compareTo(EntryKey other) {
        int order = Integer.compare(kind, other.kind);
        return order == 0 ? name.compareTo(other.name) : order;
    }

    @Override
    public String toString() {
        return kind + " " + name;
    }
}
