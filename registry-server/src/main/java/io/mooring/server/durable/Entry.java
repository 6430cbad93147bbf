package io.mooring.server.durable;

import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.Octets;
import io.mooring.server.shard.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * What somebody wrote under a key, or that it is deleted.
 *
 * <pre>
 * entry = length of the rest (4) · kind (2) · name (text) · generation (8) · writer (text) · flags (1: deleted 1)
 *         · length of the value (4) · value
 * </pre>
 *
 * What a newer version adds behind the value is passed over; values are for those who know the kind.
 *
 * @param generation higher than any that its writer had seen, of whatever key
 * @param writer the node that accepted it
 * @param deleted whether it says that there is nothing; then the value is empty
 * @param value at most {@value #LONGEST_VALUE} octets
 */
record Entry(EntryKey key, long generation, NodeId writer, boolean deleted, Octets value) {
    /** The longest instance there may be has 51 kB. */
    static final int LONGEST_VALUE = 64 << 10;

    /** A higher one is damage. */
    static final long HIGHEST_GENERATION = 1L << 60;

    private static final int DELETED = 1;

    /** What stands under the key; empty if nothing does. */
    Optional<Octets> present() {
        return deleted ? Optional.empty() : Optional.of(value);
    }

    /**
     * Which of two under one key stays: the later generation; of equal ones that of the higher writer; and so that there is
     * an order in any case (a writer that lost its disk may use a generation twice) the deletion, or the larger value.
     */
    boolean beats(Entry other) {
        if (generation != other.generation) {
            return generation > other.generation;
        }
        int order = writer.compareTo(other.writer);
        if (order != 0) {
            return order > 0;
        }
        if (deleted != other.deleted) {
            return deleted;
        }
        return Arrays.compareUnsigned(value.bytes(), other.value.bytes()) > 0;
    }

    /** Its share of the table's checksum. */
    long fingerprint() {
        long h = hash(key) ^ generation * 0x9e3779b97f4a7c15L;
        for (byte b : writer.name().getBytes(StandardCharsets.UTF_8)) {
            h = (h ^ b) * 0x100000001b3L;
        }
        for (byte b : value.bytes()) {
            h = (h ^ b) * 0x100000001b3L;
        }
        return mixed(h);
    }

    /** The same on every node: FNV-1a, mixed. */
    static long hash(EntryKey key) {
        long h = 0xcbf29ce484222325L ^ key.kind();
        for (int i = 0; i < key.name().length(); i++) {
            h = (h ^ key.name().charAt(i)) * 0x100000001b3L;
        }
        return mixed(h);
    }

    private static long mixed(long h) {
        long x = (h ^ h >>> 33) * 0xff51afd7ed558ccdL; // the finalizer of MurmurHash3
        x = (x ^ x >>> 33) * 0xc4ceb9fe1a85ec53L;
        return x ^ x >>> 33;
    }

    void writeTo(ByteWriter out) {
        int start = out.number(0, 4).size();
        out.number(key.kind(), 2)
                .text(key.name())
                .number(generation, 8)
                .text(writer.name())
                .octet(deleted ? DELETED : 0)
                .number(value.length(), 4)
                .octets(value.bytes());
        out.numberAt(start - 4, out.size() - start, 4);
    }

    static Entry read(ByteReader in) throws MalformedException {
        int length = (int) in.number(4);
        if (length < 0 || length > in.remaining()) {
            throw new MalformedException("entry: " + length + " bytes (expected: at most " + in.remaining() + ")");
        }
        int end = in.remaining() - length;
        EntryKey key = new EntryKey((int) in.number(2), in.text());
        long generation = in.number(8);
        NodeId writer = in.node();
        boolean deleted = (in.octet() & DELETED) != 0;
        int size = (int) in.number(4);
        boolean fits = size >= 0 && size <= LONGEST_VALUE && key.name().length() <= EntryKey.LONGEST;
        if (!fits || generation < 1 || generation > HIGHEST_GENERATION) {
            throw new MalformedException("entry " + key + ": generation " + generation + ", value of " + size
                    + " octets (expected: in range)");
        }
        Octets value = Octets.of(in.octets(size));
        if (in.remaining() < end) {
            throw new MalformedException("entry " + key + ": longer than it says (expected: all within its length)");
        }
        in.skip(in.remaining() - end);
        return new Entry(key, generation, writer, deleted, value);
    }
}
