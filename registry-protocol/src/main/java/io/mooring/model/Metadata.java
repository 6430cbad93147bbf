package io.mooring.model;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An instance's labels: an immutable map in key order, so that equal content has equal bytes on every node.
 *
 * <p>Laid out as one array because a registry holds millions of these. Limits: {@value #MAX_ENTRIES} entries, keys of
 * 1-{@value #MAX_KEY} characters without control characters, values up to {@value #MAX_VALUE}, together at most
 * {@value #MAX_TOTAL} characters.
 */
public final class Metadata extends AbstractMap<String, String> {
    public static final int MAX_ENTRIES = 128;
    public static final int MAX_KEY = 256;
    public static final int MAX_VALUE = 8_192;
    public static final int MAX_TOTAL = 16_384;

    /** The key under which the ecosystem keeps an instance's zone. */
    public static final String ZONE = "zone";

    private static final Metadata EMPTY = new Metadata(new String[0]);

    private final String[] keysAndValues; // key, value, key, value … in key order

    private Metadata(String[] keysAndValues) {
        this.keysAndValues = keysAndValues;
    }

    public static Metadata empty() {
        return EMPTY;
    }

    /** @throws InvalidValueException when a limit is broken, a key or value is null, or text holds a lone surrogate */
    public static Metadata of(Map<String, String> entries) {
        if (entries instanceof Metadata already) {
            return already;
        }
        String[] flat = new String[entries.size() * 2];
        int next = 0;
        for (Map.Entry<String, String> entry : entries.entrySet()) {
            flat[next++] = entry.getKey();
            flat[next++] = entry.getValue();
        }
        return ofFlat(flat, next);
    }

    /**
     * From {@code key, value, key, value …} in any order; for decoders.
     *
     * @param flat read up to {@code length} and not kept
     * @throws InvalidValueException as {@link #of}, and when a key occurs twice
     */
    public static Metadata ofFlat(@Nullable String[] flat, int length) {
        if (length == 0) {
            return EMPTY;
        }
        if (length / 2 > MAX_ENTRIES) {
            throw new InvalidValueException("metadata", length / 2 + " entries", "at most " + MAX_ENTRIES + " entries");
        }
        int total = 0;
        for (int i = 0; i < length; i += 2) {
            total += checkedKey(flat[i]).length();
            total += checkedValue(flat[i], flat[i + 1]).length();
        }
        if (total > MAX_TOTAL) {
            throw new InvalidValueException(
                    "metadata", total + " characters", "at most " + MAX_TOTAL + " characters of keys and values");
        }
        @SuppressWarnings("NullAway") // every element was checked above
        String[] sorted = Arrays.copyOf(flat, length);
        sortByKey(sorted);
        return new Metadata(sorted);
    }

    private static String checkedKey(@Nullable String key) {
        if (key == null || key.isEmpty() || key.length() > MAX_KEY) {
            throw new InvalidValueException("metadata key", key, "text of 1-" + MAX_KEY + " characters");
        }
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) < ' ' || key.charAt(i) == 0x7f) {
                throw new InvalidValueException("metadata key", key, "no control characters");
            }
        }
        if (!wellFormed(key)) {
            throw new InvalidValueException("metadata key", key, "well-formed Unicode");
        }
        return key;
    }

    private static String checkedValue(@Nullable String key, @Nullable String value) {
        if (value == null || value.length() > MAX_VALUE) {
            throw new InvalidValueException("metadata." + key, value, "text of 0-" + MAX_VALUE + " characters");
        }
        if (!wellFormed(value)) {
            throw new InvalidValueException("metadata." + key, value, "well-formed Unicode");
        }
        return value;
    }

    private static boolean wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** Insertion sort: a handful of entries, usually sorted already. */
    private static void sortByKey(String[] flat) {
        for (int i = 2; i < flat.length; i += 2) {
            String key = flat[i];
            String value = flat[i + 1];
            int at = i;
            while (at > 0 && flat[at - 2].compareTo(key) >= 0) {
                if (flat[at - 2].equals(key)) {
                    throw new InvalidValueException("metadata." + key, "given twice", "each key once");
                }
                flat[at] = flat[at - 2];
                flat[at + 1] = flat[at - 1];
                at -= 2;
            }
            flat[at] = key;
            flat[at + 1] = value;
        }
    }

    @Override
    public int size() {
        return keysAndValues.length / 2;
    }

    public String keyAt(int index) {
        return keysAndValues[2 * index];
    }

    public String valueAt(int index) {
        return keysAndValues[2 * index + 1];
    }

    @Override
    public @Nullable String get(@Nullable Object key) {
        for (int i = 0; i < keysAndValues.length; i += 2) {
            if (keysAndValues[i].equals(key)) {
                return keysAndValues[i + 1];
            }
        }
        return null;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    @Override
    public Set<Map.Entry<String, String>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public int size() {
                return Metadata.this.size();
            }

            @Override
            public Iterator<Map.Entry<String, String>> iterator() {
                return new Iterator<>() {
                    private int next;

                    @Override
                    public boolean hasNext() {
                        return next < size();
                    }

                    @Override
                    public Map.Entry<String, String> next() {
                        if (!hasNext()) {
                            throw new NoSuchElementException();
                        }
                        int at = next++;
                        return Map.entry(keyAt(at), valueAt(at));
                    }
                };
            }
        };
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof Metadata other ? Arrays.equals(keysAndValues, other.keysAndValues) : super.equals(o);
    }

    @Override
    public int hashCode() {
        int hash = 0;
        for (int i = 0; i < keysAndValues.length; i += 2) { // the sum that Map.hashCode asks for
            hash += Objects.hashCode(keysAndValues[i]) ^ Objects.hashCode(keysAndValues[i + 1]);
        }
        return hash;
    }
}
