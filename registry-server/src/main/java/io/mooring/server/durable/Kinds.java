package io.mooring.server.durable;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.Octets;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * What the kinds of entries this version knows look like. Names are parts with a space between them, which no part has.
 *
 * <pre>
 * 1 persistent instance  namespace group service cluster host port   instance
 * 2 service settings     namespace group service                     threshold (8) · labels · selector (text) · count (1) · (name (text) ·
 *                        length (2) · check (1) · path · headers (texts) · code (2) · port (2) · flags (1: of instance 1) · labels)…
 * 3 override             as 1                                        flags (1: weight 1, enabled 2, true 4) · weight (8) · labels ·
 *                        generation (8)
 * 4 health               as 1                                        healthy (1)
 * 5 offer                namespace interface application             nothing
 * labels                 = count (2) · (key · value (texts))…
 * </pre>
 *
 * What a newer version adds at the end of a value is passed over.
 */
final class Kinds {
    static final int PERSISTENT = 1;
    static final int SETTINGS = 2;
    static final int OVERRIDE = 3;
    static final int HEALTH = 4;
    static final int OFFER = 5;

    private static final int WEIGHT = 1;
    private static final int ENABLED = 2;
    private static final int TRUE = 4;
    private static final Check[] CHECKS = {Check.TCP, Check.HTTP, Check.NONE};

    private Kinds() {}

    static EntryKey key(int kind, InstanceId id) {
        return new EntryKey(kind, name(id.service()) + " " + id.cluster() + " " + id.host() + " " + id.port());
    }

    static EntryKey key(int kind, ServiceKey service) {
        return new EntryKey(kind, name(service));
    }

    static EntryKey key(InterfaceKey of, String application) {
        return new EntryKey(OFFER, of.namespace() + " " + of.name() + " " + application);
    }

    private static String name(ServiceKey service) {
        return service.namespace() + " " + service.group() + " " + service.name();
    }

    static ServiceKey service(EntryKey key) throws MalformedException {
        return service(key, parts(key, 3));
    }

    /** An application, and what it offers. */
    record Offer(InterfaceKey of, String application) {}

    static Offer offer(EntryKey key) throws MalformedException {
        String[] parts = parts(key, 3);
        try {
            return new Offer(new InterfaceKey(parts[0], parts[1]), InterfaceKey.checkedApplication(parts[2]));
        } catch (InvalidValueException e) {
            throw new MalformedException("entry " + key + ": " + e.getMessage());
        }
    }

    static InstanceId instanceId(EntryKey key) throws MalformedException {
        String[] parts = parts(key, 6);
        try {
            return new InstanceId(service(key, parts), parts[3], parts[4], Integer.parseInt(parts[5]));
        } catch (InvalidValueException | NumberFormatException e) {
            throw new MalformedException("entry " + key + ": " + e.getMessage());
        }
    }

    private static String[] parts(EntryKey key, int count) throws MalformedException {
        String[] parts = key.name().split(" ", -1);
        if (parts.length != count) {
            throw new MalformedException("entry " + key + ": " + parts.length + " parts (expected: " + count + ")");
        }
        return parts;
    }

    private static ServiceKey service(EntryKey key, String[] parts) throws MalformedException {
        try {
            return new ServiceKey(parts[0], parts[1], parts[2]);
        } catch (InvalidValueException e) {
            throw new MalformedException("entry " + key + ": " + e.getMessage());
        }
    }

    private static ByteReader reader(Octets value, SharedTexts texts) {
        return new ByteReader(value.bytes(), 0, value.length(), texts);
    }

    private static Octets octets(ByteWriter out) {
        return Octets.of(out.bytes());
    }

    static Octets of(Instance instance) {
        return octets(new ByteWriter(256).instance(instance));
    }

    /** @throws MalformedException also when the value is another instance's */
    static Instance instance(EntryKey key, Octets value, SharedTexts texts) throws MalformedException {
        Instance instance = reader(value, texts).instance();
        if (!key(PERSISTENT, instance.id()).equals(key)) {
            throw new MalformedException("entry " + key + ": holds " + instance.id());
        }
        return instance;
    }

    static Octets of(boolean healthy) {
        return octets(new ByteWriter(1).octet(healthy ? 1 : 0));
    }

    static boolean healthy(Octets value, SharedTexts texts) throws MalformedException {
        return reader(value, texts).octet() != 0;
    }

    /**
     * An override.
     *
     * @param on the generation of the registration that it was laid over; 0 unknown
     */
    record Laid(InstanceOverride what, long on) {}

    static Octets of(Laid laid) {
        InstanceOverride override = laid.what();
        int flags = (override.weight().isPresent() ? WEIGHT : 0)
                | (override.enabled().isPresent() ? ENABLED : 0)
                | (override.enabled().orElse(false) ? TRUE : 0);
        ByteWriter out = new ByteWriter(64)
                .octet(flags)
                .number(Double.doubleToLongBits(override.weight().orElse(0)), 8);
        labels(out, override.metadata());
        return octets(out.number(laid.on(), 8));
    }

    static Laid override(Octets value, SharedTexts texts) throws MalformedException {
        ByteReader in = reader(value, texts);
        int flags = in.octet();
        double weight = Double.longBitsToDouble(in.number(8));
        Metadata metadata = labels(in);
        long on = in.remaining() >= 8 ? in.number(8) : 0;
        try {
            InstanceOverride what = new InstanceOverride(
                    (flags & WEIGHT) != 0 ? OptionalDouble.of(weight) : OptionalDouble.empty(),
                    (flags & ENABLED) != 0 ? Optional.of((flags & TRUE) != 0) : Optional.empty(),
                    metadata);
            return new Laid(what, on);
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }

    static Octets of(ServiceSettings settings) {
        ByteWriter out = new ByteWriter(256).number(Double.doubleToLongBits(settings.protectThreshold()), 8);
        labels(out, settings.metadata());
        out.text(settings.selector()).octet(settings.clusters().size());
        settings.clusters().forEach((name, cluster) -> {
            int start = out.text(name).number(0, 2).size();
            int check = 0;
            while (CHECKS[check] != cluster.check()) {
                check++;
            }
            out.octet(check)
                    .text(cluster.path())
                    .text(cluster.headers())
                    .number(cluster.expectedCode(), 2)
                    .number(cluster.port(), 2)
                    .octet(cluster.ofInstance() ? 1 : 0);
            labels(out, cluster.metadata());
            out.numberAt(start - 2, out.size() - start, 2);
        });
        return octets(out);
    }

    static ServiceSettings settings(Octets value, SharedTexts texts) throws MalformedException {
        ByteReader in = reader(value, texts);
        double threshold = Double.longBitsToDouble(in.number(8));
        Metadata metadata = labels(in);
        String selector = in.text();
        int count = in.octet();
        Map<String, ClusterSettings> clusters = new TreeMap<>();
        try {
            for (int i = 0; i < count; i++) {
                String name = in.text();
                int length = (int) in.number(2);
                int end = in.remaining() - length;
                clusters.put(name, cluster(in));
                in.skip(in.remaining() - end);
            }
            return new ServiceSettings(threshold, metadata, selector, clusters);
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }

    private static ClusterSettings cluster(ByteReader in) throws MalformedException {
        int check = in.octet();
        return new ClusterSettings(
                check < CHECKS.length ? CHECKS[check] : Check.NONE, // of a newer version: it does it, we do not
                in.text(),
                in.text(),
                (int) in.number(2),
                (int) in.number(2),
                in.octet() != 0,
                labels(in));
    }

    private static void labels(ByteWriter out, Metadata labels) {
        out.number(labels.size(), 2);
        for (int i = 0; i < labels.size(); i++) {
            out.text(labels.keyAt(i)).text(labels.valueAt(i));
        }
    }

    private static Metadata labels(ByteReader in) throws MalformedException {
        int count = (int) in.number(2);
        if (4 * count > in.remaining()) {
            throw new MalformedException("labels: " + count + " (expected: as many as there are bytes for)");
        }
        String[] flat = new String[2 * count];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = in.text();
        }
        try {
            return Metadata.ofFlat(flat, flat.length);
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }
}
