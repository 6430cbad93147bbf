package io.mooring.server.codec;

import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.Publisher;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Lets equal texts, services and publishers share one object, as long as they are not too many. What is read is often much
 * like what was read before it: that is looked at first. Belongs to one reader of one stream; not for use by several threads.
 */
public final class SharedTexts {
    private static final int MOST = 50_000;
    private static final int FIRST_SLOTS = 1 << 6;
    private static final int GROWTH = 1 << 3;
    private static final int MOST_SLOTS = 1 << 15;
    private static final int MOST_PUBLISHERS = 1 << 12;
    private static final int LONGEST = 64;
    private static final InstanceId NO_ID =
            new InstanceId(ServiceKey.of("none"), InstanceId.DEFAULT_CLUSTER, "none", 0);

    // Both begin small and grow with what there is to share: most readers see a few texts only.
    private @Nullable String[] recent = new String[FIRST_SLOTS];
    private int taken;
    private final Map<ServiceKey, ServiceKey> services = new HashMap<>();
    private @Nullable Publisher[] publishers = new Publisher[FIRST_SLOTS];
    private int publishersTaken;

    private InstanceId idBefore = NO_ID;
    private Metadata labelsBefore = Metadata.empty();

    InstanceId idBefore() {
        return idBefore;
    }

    InstanceId id(InstanceId next) {
        idBefore = next;
        return next;
    }

    /** What stood at that place of the labels before: key, value, key, value … */
    String labelBefore(int place) {
        int entry = place >> 1;
        if (entry >= labelsBefore.size()) {
            return "";
        }
        return (place & 1) == 0 ? labelsBefore.keyAt(entry) : labelsBefore.valueAt(entry);
    }

    /** @param flat key, value, key, value … */
    Metadata labels(String[] flat) {
        if (!isAsBefore(flat)) {
            labelsBefore = Metadata.ofFlat(flat, flat.length);
        }
        return labelsBefore;
    }

    @SuppressWarnings("ReferenceEquality") // what is the same was shared already
    private boolean isAsBefore(String[] flat) {
        if (flat.length != 2 * labelsBefore.size()) {
            return false;
        }
        for (int i = 0; i < flat.length; i++) {
            if (flat[i] != labelBefore(i)) {
                return false;
            }
        }
        return true;
    }

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

    static boolean isSame(String text, byte[] bytes, int from, int length) {
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

    @SuppressWarnings("ReferenceEquality") // what is the same was shared already
    ServiceKey service(String namespace, String group, String name) {
        ServiceKey before = idBefore.service();
        if (namespace == before.namespace() && group == before.group() && name == before.name()) {
            return before;
        }
        ServiceKey key = new ServiceKey(namespace, group, name);
        ServiceKey there = services.get(key);
        if (there != null) {
            return there;
        }
        if (services.size() < MOST) {
            services.put(key, key);
        }
        return key;
    }

    /**
     * @param ttl in milliseconds, as is {@code grace}
     * @throws IllegalArgumentException when one of them is negative
     */
    Publisher publisher(String id, boolean isSession, long attempt, long ttl, long grace) {
        Publisher there = publishers[publisherSlot(id)];
        if (there != null
                && there.id().equals(id)
                && there.isSession() == isSession
                && there.attempt() == attempt
                && there.ttl().toMillis() == ttl
                && there.terms().grace().toMillis() == grace) {
            return there;
        }
        LeaseTerms terms = new LeaseTerms(Duration.ofMillis(ttl), Duration.ofMillis(grace));
        Publisher next = new Publisher(id, isSession, attempt, terms);
        if (++publishersTaken > publishers.length && publishers.length < MOST_PUBLISHERS) {
            growPublishers();
        }
        publishers[publisherSlot(id)] = next;
        return next;
    }

    private int publisherSlot(String id) {
        return id.hashCode() & publishers.length - 1;
    }

    private void growPublishers() {
        @Nullable Publisher[] before = publishers;
        publishers = new Publisher[GROWTH * before.length];
        publishersTaken = 0;
        for (Publisher publisher : before) {
            if (publisher != null) {
                publishers[publisherSlot(publisher.id())] = publisher;
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
        idBefore = NO_ID;
        labelsBefore = Metadata.empty();
    }
}
