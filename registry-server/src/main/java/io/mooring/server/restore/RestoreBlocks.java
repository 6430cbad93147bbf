package io.mooring.server.restore;

import io.mooring.model.InstanceId;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The blocks of the restore log.
 *
 * <pre>
 * block   = length of payload (4) · CRC32C of payload (4) · payload
 * payload = entry…
 * entry   = 'P' shard registration | 'R' shard id burial | 'C'      (put, remove, snapshot complete)
 * </pre>
 */
final class RestoreBlocks {
    /** A block is closed when it is longer than this. */
    static final int FULL_BLOCK = 1 << 20;

    /** A longer one is damage: an entry is at most 64 kB or so. */
    private static final int MAX_BLOCK = 2 * FULL_BLOCK;

    private static final int HEAD = 8;

    private RestoreBlocks() {}

    /** Gathers entries into one block. */
    static final class BlockWriter {
        private final ByteWriter bytes = new ByteWriter(1024).number(0, HEAD); // the head is filled in at the end

        int size() {
            return bytes.size();
        }

        boolean isEmpty() {
            return size() == HEAD;
        }

        void put(ShardId shard, Registration registration) {
            bytes.octet('P').shard(shard).registration(registration);
        }

        void remove(ShardId shard, InstanceId instance, Burial burial) {
            bytes.octet('R').shard(shard).id(instance).burial(burial);
        }

        void complete() {
            bytes.octet('C');
        }

        byte[] block() {
            byte[] block = bytes.bytes();
            CRC32C crc = new CRC32C();
            crc.update(block, HEAD, block.length - HEAD);
            ByteBuffer.wrap(block).putInt(block.length - HEAD).putInt((int) crc.getValue());
            return block;
        }
    }

    /** Takes the entries of a log. */
    interface Entries {
        void put(ShardId shard, Registration registration);

        void remove(ShardId shard, InstanceId instance, Burial burial);

        void complete();
    }

    /**
     * Reads blocks until the end or until one is not whole.
     *
     * @return whether all of it was whole; if not, the rest was torn or damaged, and is not looked at
     */
    static boolean read(InputStream log, Entries entries) throws IOException {
        SharedTexts texts = new SharedTexts();
        byte[] head = new byte[HEAD];
        while (true) {
            int headLength = log.readNBytes(head, 0, head.length);
            if (headLength < head.length) {
                return headLength == 0;
            }
            int length = ByteBuffer.wrap(head).getInt();
            if (length < 0 || length > MAX_BLOCK) {
                return false;
            }
            byte[] payload = log.readNBytes(length);
            CRC32C crc = new CRC32C();
            crc.update(payload);
            if (payload.length < length
                    || (int) crc.getValue() != ByteBuffer.wrap(head).getInt(4)) {
                return false;
            }
            try {
                readEntries(new ByteReader(payload, 0, length, texts), entries);
            } catch (MalformedException e) {
                return false; // the checksum fits but we cannot read it: another version wrote it
            }
        }
    }

    private static void readEntries(ByteReader in, Entries entries) throws MalformedException {
        while (in.hasMore()) {
            int kind = in.octet();
            switch (kind) {
                case 'P' -> entries.put(in.shard(), in.registration());
                case 'R' -> entries.remove(in.shard(), in.id(), in.burial());
                case 'C' -> entries.complete();
                default -> throw new MalformedException("entry: of unknown kind " + kind);
            }
        }
    }
}
