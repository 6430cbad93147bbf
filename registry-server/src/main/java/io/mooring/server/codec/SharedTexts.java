package io.mooring.server.codec;

import io.mooring.model.ServiceKey;
import io.mooring.server.shard.Publisher;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Lets equal texts, services and publishers share one object, as long as they are not too many. Belongs to one reader
 * of one stream; not for use by several threads.
 */
public final class SharedTexts {
    private static final int MOST = 50_000;
    private static final int FIRST_SLOTS = 1 << 6;
    private static final int GROWTH = 1 << 3;
    private static final int MOST_SLOTS = 1 << 15;
    private static final int MOST_PUBLISHERS = 1 << 12;
    private static final int LONGEST = 64;

    // Both begin small and grow with what there is to share: most readers see a few texts only.
    private @Nullable String[] recent = new String[FIRST_SLOTS];
    private int taken;
    private final Map<ServiceKey, ServiceKey> services = new HashMap<>();
    private @Nullable Publisher[] publishers = new Publisher[FIRST_SLOTS];
    private int publishersTaken;

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
        String there = recent[slot(h)];
        if (there != null && isSame(there, bytes, from, length)) {
            return there;
        }
        String text = new String(bytes, from, length, StandardCharsets.UTF_8);
        if (++taken > recent.length && recent.length < MOST_SLOTS) {
            grow();
        }
        recent[slot(h)] = text;
        return text;
    }

    private int slot(int hash) {
        return (hash ^ hash >>> 15) & recent.length - 1;
    }

    private void grow() {
        @Nullable String[] before = recent;
        recent = new String[GROWTH * before.length];
        taken = 0;
        for (String text : before) {
            if (text != null) { // the hash of ASCII is that of its octets; anything else is made anew each time
                recent[slot(text.hashCode())] = text;
                taken++;
            }
        }
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
        Publisher there = publishers[slot(next)];
        if (next.equals(there)) {
            return there;
        }
        if (++publishersTaken > publishers.length && publishers.length < MOST_PUBLISHERS) {
            growPublishers();
        }
        publishers[slot(next)] = next;
        return next;
    }

    private int slot(Publisher publisher) {
        return publisher.id().hashCode() & publishers.length - 1;
    }

    private void growPublishers() {
        @Nullable Publisher[] before = publishers;
        publishers = new Publisher[GROWTH * before.length];
        publishersTaken = 0;
        for (Publisher publisher : before) {
            if (publisher != null) {
                publishers[slot(publisher)] = publisher;
                publishersTaken++;
            }
        }
    }

    /** Forgets everything. */
    public void clear() {
        recent = new String[FIRST_SLOTS];
        taken = 0;
        services.clear();
        publishers = new Publisher[FIRST_SLOTS];
        publishersTaken = 0;
    }
}
