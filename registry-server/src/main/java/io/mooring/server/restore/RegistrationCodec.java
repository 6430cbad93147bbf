package io.mooring.server.restore;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
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
    static final int MAX_BLOCK = 1 << 28;

    private RegistrationCodec() {}

    /** Gathers entries into one block. */
    static final class BlockWriter {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
        private final DataOutputStream out = new DataOutputStream(bytes);

        BlockWriter() {
            writeInt(0); // the head is filled in at the end
            writeInt(0);
        }

        int size() {
            return bytes.size();
        }

        void put(Registration registration) {
            try {
                out.writeByte('P');
                id(registration.id());
                Instance instance = registration.instance();
                out.writeDouble(instance.weight());
                out.writeBoolean(instance.enabled());
                Metadata metadata = instance.metadata();
                out.writeShort(metadata.size());
                for (int i = 0; i < metadata.size(); i++) {
                    out.writeUTF(metadata.keyAt(i));
                    out.writeUTF(metadata.valueAt(i));
                }
                out.writeUTF(registration.publisher().session());
                out.writeLong(registration.publisher().ttl().toMillis());
                out.writeLong(registration.generation());
            } catch (IOException e) {
                throw new UncheckedIOException("writing to memory failed", e);
            }
        }

        void remove(InstanceId instance) {
            try {
                out.writeByte('R');
                id(instance);
            } catch (IOException e) {
                throw new UncheckedIOException("writing to memory failed", e);
            }
        }

        void complete() {
            bytes.write('C');
        }

        private void id(InstanceId id) throws IOException {
            out.writeUTF(id.service().namespace());
            out.writeUTF(id.service().group());
            out.writeUTF(id.service().name());
            out.writeUTF(id.cluster());
            out.writeUTF(id.host());
            out.writeShort(id.port());
        }

        private void writeInt(int value) {
            try {
                out.writeInt(value);
            } catch (IOException e) {
                throw new UncheckedIOException("writing to memory failed", e);
            }
        }

        byte[] block() {
            byte[] block = bytes.toByteArray();
            CRC32C crc = new CRC32C();
            crc.update(block, 8, block.length - 8);
            ByteBuffer.wrap(block).putInt(block.length - 8).putInt((int) crc.getValue());
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
     * @return how many bytes were whole; less than the length means that the rest was torn or damaged
     */
    static int read(byte[] log, int offset, Entries entries) {
        int at = offset;
        while (log.length - at >= 8) {
            ByteBuffer head = ByteBuffer.wrap(log, at, 8);
            int length = head.getInt();
            int expected = head.getInt();
            if (length < 0 || length > MAX_BLOCK || length > log.length - at - 8) {
                return at;
            }
            CRC32C crc = new CRC32C();
            crc.update(log, at + 8, length);
            if ((int) crc.getValue() != expected) {
                return at;
            }
            try {
                readEntries(log, at + 8, length, entries);
            } catch (IOException | IllegalArgumentException e) {
                return at; // the checksum fits but we cannot read it: another version wrote it
            }
            at += 8 + length;
        }
        return at;
    }

    private static void readEntries(byte[] log, int offset, int length, Entries entries) throws IOException {
        ByteArrayInputStream bytes = new ByteArrayInputStream(log, offset, length);
        DataInputStream in = new DataInputStream(bytes);
        while (bytes.available() > 0) {
            int kind = in.readUnsignedByte();
            switch (kind) {
                case 'P' -> entries.put(registration(in));
                case 'R' -> entries.remove(id(in));
                case 'C' -> entries.complete();
                default -> throw new IOException("entry of unknown kind " + kind);
            }
        }
    }

    private static Registration registration(DataInputStream in) throws IOException {
        InstanceId id = id(in);
        double weight = in.readDouble();
        boolean enabled = in.readBoolean();
        String[] flat = new String[2 * in.readUnsignedShort()];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = in.readUTF();
        }
        Instance instance = new Instance(id, weight, enabled, Metadata.ofFlat(flat, flat.length));
        Publisher publisher = new Publisher(in.readUTF(), Duration.ofMillis(in.readLong()));
        return new Registration(instance, publisher, in.readLong(), false);
    }

    private static InstanceId id(DataInputStream in) throws IOException {
        ServiceKey service = new ServiceKey(in.readUTF(), in.readUTF(), in.readUTF());
        return new InstanceId(service, in.readUTF(), in.readUTF(), in.readUnsignedShort());
    }
}
