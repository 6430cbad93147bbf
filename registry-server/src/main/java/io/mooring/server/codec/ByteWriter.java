package io.mooring.server.codec;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.RemovalCause;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Gathers values into bytes. Numbers are big-endian; a text is its length in bytes (2) and its UTF-8.
 *
 * <pre>
 * id           = namespace · group · service · cluster · host (texts) · port (2)
 * instance     = id · weight (8) · flags (1: enabled 1) · labels (2) · (key · value)…
 * registration = instance · flags (1: suspect 1, of a session 2) · publisher (text) · attempt (4) · ttl in ms (8) · generation (8)
 *                · extension (length 2, octets)
 * burial       = publisher (text) · generation (8) · cause (1; its highest bit: of its publisher's copies alone)
 * </pre>
 */
public final class ByteWriter {
    static final int ENABLED = 1;
    static final int SUSPECT = 1;
    static final int SESSION = 2;
    static final int FOLLOWED = 4;

    private byte[] bytes;
    private int size;

    public ByteWriter(int expected) {
        bytes = new byte[expected];
    }

    public int size() {
        return size;
    }

    public ByteWriter instance(Instance instance) {
        id(instance.id());
        number(Double.doubleToLongBits(instance.weight()), 8);
        octet(instance.enabled() ? ENABLED : 0);
        Metadata metadata = instance.metadata();
        number(metadata.size(), 2);
        for (int i = 0; i < metadata.size(); i++) {
            text(metadata.keyAt(i));
            text(metadata.valueAt(i));
        }
        return this;
    }

    public ByteWriter registration(Registration registration) {
        instance(registration.instance());
        octet((registration.suspect() ? SUSPECT : 0)
                | (registration.followed() ? FOLLOWED : 0)
                | (registration.publisher().isSession() ? SESSION : 0));
        text(registration.publisher().id());
        number(registration.publisher().attempt(), 4);
        number(registration.publisher().terms().ttl().toMillis(), 4);
        number(registration.publisher().terms().grace().toMillis(), 4);
        number(registration.generation(), 8);
        String extension = registration.extension();
        number(extension.length(), 2);
        for (int i = 0; i < extension.length(); i++) {
            octet(extension.charAt(i));
        }
        return this;
    }

    public ByteWriter burial(Burial burial) {
        boolean remembered = burial.explicit() && !burial.everybodys();
        return text(burial.publisher())
                .number(burial.generation(), 8)
                .octet(Causes.code(burial.cause()) | (remembered ? Causes.REMEMBERED : 0));
    }

    public ByteWriter cause(RemovalCause cause) {
        return octet(Causes.code(cause));
    }

    public ByteWriter shard(ShardId shard) {
        return text(shard.origin().name()).number(shard.incarnation(), 8);
    }

    public ByteWriter id(InstanceId id) {
        text(id.service().namespace());
        text(id.service().group());
        text(id.service().name());
        text(id.cluster());
        text(id.host());
        return number(id.port(), 2);
    }

    /** @param text at most 65,535 bytes of UTF-8; the longest there is, a label's value, has 24 kB */
    public ByteWriter text(String text) {
        int length = text.length();
        reserve(2 + length);
        int start = size + 2;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                return wide(text);
            }
            bytes[start + i] = (byte) c;
        }
        number(length, 2);
        size += length;
        return this;
    }

    private ByteWriter wide(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return number(utf8.length, 2).octets(utf8);
    }

    public ByteWriter octets(byte[] octets) {
        reserve(octets.length);
        System.arraycopy(octets, 0, bytes, size, octets.length);
        size += octets.length;
        return this;
    }

    public ByteWriter octet(int value) {
        reserve(1);
        bytes[size++] = (byte) value;
        return this;
    }

    /** The lowest {@code octets} octets of the value, 1-8. */
    public ByteWriter number(long value, int octets) {
        reserve(octets);
        for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
            bytes[size++] = (byte) (value >>> shift);
        }
        return this;
    }

    /** Overwrites what was written at that place, such as a length that is known only now. */
    public ByteWriter numberAt(int at, long value, int octets) {
        for (int i = 0; i < octets; i++) {
            bytes[at + i] = (byte) (value >>> 8 * (octets - 1 - i));
        }
        return this;
    }

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }

    /** What was written, as an array of its own. */
    public byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }
}
