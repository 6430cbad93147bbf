package io.mooring.server.codec;

import io.mooring.model.ServiceKey;
import io.mooring.server.shard.Publisher;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Lets equal texts, services and publishers share one object, as long as they are not too many. Belongs to one reader
 * of one stream; not for use by several threads.
 */
public final class SharedTexts {
    private static final int MOST = 50_000;
    private static final int SLOTS = 1 << 15; // a power of two
    private static final int LONGEST = 64;

    private final @Nullable String[] recent = new String[SLOTS];
    private final Map<ServiceKey, ServiceKey> services = new HashMap<>();
    private final @Nullable Publisher[] publishers = new Publisher[1 << 12];

    /** A text of UTF-8. Malformed sequences become replacement characters, which no name allows. */
    String text(byte[] bytes, int from, int length) {
        if (length == 0) {
            return "";
        }
        if (length > LONGEST) {
            return new String(bytes, from, length, StandardCharsets.UTF_8);
        }
        int h = 0;
        for (int i = from; i < from + length; i++) {
            h = 31 * h + bytes[i];
        }
        int slot = (h ^ h >>> 15) & SLOTS - 1;
        String there = recent[slot];
        if (there != null && isSame(there, bytes, from, length)) {
            return there;
        }
        String text = new String(bytes, from, length, StandardCharsets.UTF_8);
        recent[slot] = text;
        return text;
    }

    private static boolean isSame(String text, byte[] bytes, int from, int length) {
        if (text.length() != length) {
            return false; // or it is not ASCII, and is made anew
        }
        for (int i = 0; i < length; i++) {
            if (text.charAt(i) != bytes[from + i]) {
                return false;
            }
        }
        return true;
    }

    ServiceKey service(ServiceKey key) {
        ServiceKey there = services.get(key);
        if (there != null) {
            return there;
        }
        if (services.size() < MOST) {
            services.put(key, key);
        }
        return key;
    }

    Publisher publisher(Publisher next) {
        int slot = next.id().hashCode() & publishers.length - 1;
        Publisher there = publishers[slot];
        if (next.equals(there)) {
            return there;
        }
        publishers[slot] = next;
        return next;
    }

    /** Forgets everything. */
    public void clear() {
        Arrays.fill(recent, null);
        services.clear();
        Arrays.fill(publishers, null);
    }
}
