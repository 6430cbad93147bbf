package io.mooring.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Lets equal short texts share one {@link String}: names, clusters and labels repeat by the thousand. A fixed table
 * in which a newcomer takes the place of what was there, so it is bounded whatever is sent. Not thread-safe.
 */
final class SharedStrings {
    private static final int SLOTS = 4_096;
    private static final int LONGEST = 48;

    private final @Nullable String[] slots = new @Nullable String[SLOTS];

    String of(char[] chars, int offset, int length) {
        if (length > LONGEST) {
            return new String(chars, offset, length);
        }
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = 31 * hash + chars[offset + i];
        }
        int slot = (hash ^ hash >>> 16) & SLOTS - 1;
        String there = slots[slot];
        if (there != null && same(there, chars, offset, length)) {
            return there;
        }
        String fresh = new String(chars, offset, length);
        slots[slot] = fresh;
        return fresh;
    }

    private static boolean same(String text, char[] chars, int offset, int length) {
        if (text.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (text.charAt(i) != chars[offset + i]) {
                return false;
            }
        }
        return true;
    }
}
