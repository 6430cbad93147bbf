package io.mooring.server.codec;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Reads what {@link ByteWriter} wrote. Every read checks that the bytes are there and that the values keep their rules.
 * Not for use by several threads.
 */
public final class ByteReader {
    /** The longest lease there is; a longer one is damage. */
    private static final long LONGEST_TTL = Duration.ofDays(30).toMillis();

    private final byte[] bytes;
    private final SharedTexts texts;
    private final int end;
    private int at;

    public ByteReader(byte[] bytes, int from, int length, SharedTexts texts) {
        this.bytes = bytes;
        this.at = from;
        this.end = from + length;
        this.texts = texts;
    }

    /** That these bytes are not what they should be. */
    public static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        public MalformedException(String message) {
            super(message);
        }
    }

    public boolean hasMore() {
        return at < end;
    }

    public int remaining() {
        return end - at;
    }

    public Instance instance() throws MalformedException {
        InstanceId id = id();
        double weight = Double.longBitsToDouble(number(8));
        int flags = octet();
        int labels = (int) number(2);
        if (4 * labels > remaining()) {
            throw new MalformedException("labels: " + labels + " (expected: as many as there are bytes for)");
        }
        String[] flat = new String[2 * labels];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = text(texts.labelBefore(i));
        }
        try {
            return new Instance(id, weight, (flags & ByteWriter.ENABLED) != 0, texts.labels(flat));
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }

    public Registration registration() throws MalformedException {
        Instance instance = instance();
        int flags = octet();
        String publisher = text();
        long attempt = number(4);
        long ttl = number(4);
        long grace = number(4);
        long generation = number(8);
        if (ttl > LONGEST_TTL || grace > LONGEST_TTL || generation < 0) {
            throw new MalformedException("ttl: " + ttl + " ms, generation: " + generation + " (expected: in range)");
        }
        int extension = (int) number(2);
        need(extension);
        String more = extension == 0 ? "" : new String(bytes, at, extension, StandardCharsets.ISO_8859_1);
        at += extension;
        Publisher by = texts.publisher(publisher, (flags & ByteWriter.SESSION) != 0, attempt, ttl, grace);
        boolean suspect = (flags & ByteWriter.SUSPECT) != 0;
        boolean followed = (flags & ByteWriter.FOLLOWED) != 0;
        return new Registration(instance, by, generation, suspect, followed, more);
    }

    public Burial burial() throws MalformedException {
        String publisher = text();
        long generation = number(8);
        int code = octet();
        Burial burial = new Burial(publisher, generation, Causes.of(code & ~Causes.REMEMBERED));
        return (code & Causes.REMEMBERED) == 0 ? burial : burial.remembered();
    }

    /** One of another version is read as the least certain. */
    public RemovalCause cause() throws MalformedException {
        return Causes.of(octet());
    }

    public ShardId shard() throws MalformedException {
        return new ShardId(node(), number(8));
    }

    public NodeId node() throws MalformedException {
        try {
            return new NodeId(text());
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }

    public InstanceId id() throws MalformedException {
        try {
            InstanceId before = texts.idBefore();
            ServiceKey service = texts.service(
                    text(before.service().namespace()),
                    text(before.service().group()),
                    text(before.service().name()));
            String cluster = text(before.cluster());
            return texts.id(new InstanceId(service, cluster, text(before.host()), (int) number(2)));
        } catch (InvalidValueException e) {
            throw new MalformedException(String.valueOf(e.getMessage()));
        }
    }

    public String text() throws MalformedException {
        return text("");
    }

    /** @param likely what it may be */
    private String text(String likely) throws MalformedException {
        int length = (int) number(2);
        need(length);
        String text = SharedTexts.isSame(likely, bytes, at, length) ? likely : texts.text(bytes, at, length);
        at += length;
        return text;
    }

    public byte[] octets(int count) throws MalformedException {
        need(count);
        byte[] out = new byte[count];
        System.arraycopy(bytes, at, out, 0, count);
        at += count;
        return out;
    }

    public int octet() throws MalformedException {
        need(1);
        return bytes[at++] & 0xff;
    }

    /** Of {@code octets} octets, 1-8; unsigned unless there are eight. */
    public long number(int octets) throws MalformedException {
        need(octets);
        long value = 0;
        for (int i = 0; i < octets; i++) {
            value = value << 8 | bytes[at++] & 0xff;
        }
        return value;
    }

    public void skip(int octets) throws MalformedException {
        need(octets);
        at += octets;
    }

    private void need(int octets) throws MalformedException {
        if (octets < 0 || octets > end - at) {
            throw new MalformedException("bytes: " + remaining() + " left (expected: " + octets + " more)");
        }
    }
}
