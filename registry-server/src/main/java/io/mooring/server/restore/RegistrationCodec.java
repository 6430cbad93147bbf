package io.mooring.server.restore;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * The bytes of the restore log.
 *
 * <pre>
 * block   = length of payload (4) · CRC32C of payload (4) · payload
 * payload = entry…
 * entry   = 'P' registration | 'R' instance id | 'C'            (put, remove, snapshot complete)
 * text    = length in bytes (2) · UTF-8
 * </pre>
 */
final class RegistrationCodec {
    /** A block is closed when it is longer than this. */
    static final int FULL_BLOCK = 1 << 20;

    /** A longer one is damage: an entry is at most 64 kB or so. */
    private static final int MAX_BLOCK = 2 * FULL_BLOCK;

    private RegistrationCodec() {}

    /** Gathers entries into one block. */
    static final class BlockWriter {
        private static final int HEAD = 8;

        private byte[] bytes = new byte[1024];
        private int size = HEAD; // the head is filled in at the end

        int size() {
            return size;
        }

        boolean isEmpty() {
            return size == HEAD;
        }

        void put(Registration registration) {
            octet('P');
            id(registration.id());
            Instance instance = registration.instance();
            number(Double.doubleToLongBits(instance.weight()), 8);
            octet(instance.enabled() ? 1 : 0);
            Metadata metadata = instance.metadata();
            number(metadata.size(), 2);
            for (int i = 0; i < metadata.size(); i++) {
                text(metadata.keyAt(i));
                text(metadata.valueAt(i));
            }
            text(registration.publisher().session());
            number(registration.publisher().ttl().toMillis(), 8);
            number(registration.generation(), 8);
        }

        void remove(InstanceId instance) {
            octet('R');
            id(instance);
        }

        void complete() {
            octet('C');
        }

        private void id(InstanceId id) {
            text(id.service().namespace());
            text(id.service().group());
            text(id.service().name());
            text(id.cluster());
            text(id.host());
            number(id.port(), 2);
        }

        private void text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            number(utf8.length, 2); // the longest text there is, a label's value, has at most 24 kB
            reserve(utf8.length);
            System.arraycopy(utf8, 0, bytes, size, utf8.length);
            size += utf8.length;
        }

        private void octet(int value) {
            reserve(1);
            bytes[size++] = (byte) value;
        }

        private void number(long value, int octets) {
            reserve(octets);
            for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8) {
                bytes[size++] = (byte) (value >>> shift);
            }
        }

        private void reserve(int more) {
            if (bytes.length - size < more) {
                bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
            }
        }

        byte[] block() {
            byte[] block = Arrays.copyOf(bytes, size);
            CRC32C crc = new CRC32C();
            crc.update(block, HEAD, size - HEAD);
            ByteBuffer.wrap(block).putInt(size - HEAD).putInt((int) crc.getValue());
            return block;
        }
    }

    /** Takes the entries of a log. */
    interface Entries {
        void put(Registration registration);

        void remove(InstanceId instance);

        void complete();
    }

    /**
     * Reads blocks until the end or until one is not whole.
     *
     * @return whether all of it was whole; if not, the rest was torn or damaged, and is not looked at
     */
    static boolean read(InputStream log, Entries entries) throws IOException {
        DataInputStream in = new DataInputStream(log);
        SharedText texts = new SharedText();
        byte[] head = new byte[8];
        while (true) {
            int headLength = in.readNBytes(head, 0, head.length);
            if (headLength < head.length) {
                return headLength == 0;
            }
            int length = ByteBuffer.wrap(head).getInt();
            if (length < 0 || length > MAX_BLOCK) {
                return false;
            }
            byte[] payload = in.readNBytes(length);
            CRC32C crc = new CRC32C();
            crc.update(payload);
            if (payload.length < length
                    || (int) crc.getValue() != ByteBuffer.wrap(head).getInt(4)) {
                return false;
            }
            try {
                readEntries(payload, entries, texts);
            } catch (IOException | IllegalArgumentException e) {
                return false; // the checksum fits but we cannot read it: another version wrote it
            }
        }
    }

    /** Lets equal texts of a file share one string, as long as they are not too many. */
    private static final class SharedText {
        private static final int MOST = 50_000;
        private final Map<String, String> texts = new HashMap<>();

        String read(DataInputStream in) throws IOException {
            String text = new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.UTF_8);
            String there = texts.get(text);
            if (there == null && texts.size() < MOST) {
                texts.put(text, text);
            }
            return there == null ? text : there;
        }
    }

    private static void readEntries(byte[] payload, Entries entries, SharedText texts) throws IOException {
        ByteArrayInputStream bytes = new ByteArrayInputStream(payload);
        DataInputStream in = new DataInputStream(bytes);
        while (bytes.available() > 0) {
            int kind = in.readUnsignedByte();
            switch (kind) {
                case 'P' -> entries.put(registration(in, texts));
                case 'R' -> entries.remove(id(in, texts));
                case 'C' -> entries.complete();
                default -> throw new IOException("entry of unknown kind " + kind);
            }
        }
    }

    private static Registration registration(DataInputStream in, SharedText texts) throws IOException {
        InstanceId id = id(in, texts);
        double weight = in.readDouble();
        boolean enabled = in.readBoolean();
        String[] flat = new String[2 * in.readUnsignedShort()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = texts.read(in);
        }
        Instance instance = new Instance(id, weight, enabled, Metadata.ofFlat(flat, flat.length));
        Publisher publisher = new Publisher(texts.read(in), Duration.ofMillis(in.readLong()));
        return new Registration(instance, publisher, in.readLong(), false);
    }

    private static InstanceId id(DataInputStream in, SharedText texts) throws IOException {
        ServiceKey service = new ServiceKey(texts.read(in), texts.read(in), texts.read(in));
        return new InstanceId(service, texts.read(in), texts.read(in), in.readUnsignedShort());
    }
}
