package io.mooring.server.restore;

import io.mooring.server.codec.ByteWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Blocks of a file, each with its length and a checksum, so that a torn end and damage are seen.
 *
 * <pre>
 * block = length of payload (4) · CRC32C of payload (4) · payload
 * </pre>
 */
public final class Blocks {
    /** A block is closed when it is longer than this. */
    public static final int FULL = 1 << 20;

    /** A longer one is damage: what is put into one by itself is much shorter than a full block. */
    private static final int MOST = 2 * FULL;

    private static final int HEAD = 8;

    private Blocks() {}

    /** A block to write into; to be {@linkplain #close closed}. */
    public static ByteWriter begin() {
        return new ByteWriter(1024).number(0, HEAD); // the head is filled in at the end
    }

    /** Whether nothing was written into it. */
    public static boolean isEmpty(ByteWriter block) {
        return block.size() == HEAD;
    }

    /** The bytes of a block, its head included. */
    public static byte[] close(ByteWriter block) {
        byte[] bytes = block.bytes();
        CRC32C crc = new CRC32C();
        crc.update(bytes, HEAD, bytes.length - HEAD);
        ByteBuffer.wrap(bytes).putInt(bytes.length - HEAD).putInt((int) crc.getValue());
        return bytes;
    }

    /** Reads one block after the other. */
    public static final class Reader {
        private final InputStream in;
        private final byte[] head = new byte[HEAD];
        private End end = End.WHOLE;

        /** How far the blocks could be read. */
        public enum End {
            /** To the end. */
            WHOLE,
            /** The last one is not there in full, as after a crash. */
            TORN,
            /** One is not what was written; the next may be. */
            DAMAGED,
            /** Where the next block would begin cannot be told. */
            LOST
        }

        public Reader(InputStream in) {
            this.in = in;
        }

        /** The next payload; null when there is none, or it is not whole: {@link #end} tells. */
        public byte @Nullable [] next() throws IOException {
            int headLength = in.readNBytes(head, 0, HEAD);
            if (headLength < HEAD) {
                end = headLength == 0 ? End.WHOLE : End.TORN;
                return null;
            }
            int length = ByteBuffer.wrap(head).getInt();
            if (length < 0 || length > MOST) {
                end = End.LOST;
                return null;
            }
            byte[] payload = in.readNBytes(length);
            if (payload.length < length) {
                end = End.TORN;
                return null;
            }
            CRC32C crc = new CRC32C();
            crc.update(payload);
            if ((int) crc.getValue() != ByteBuffer.wrap(head).getInt(4)) {
                end = End.DAMAGED;
                return null;
            }
            return payload;
        }

        /** Why there was no payload. */
        public End end() {
            return end;
        }
    }
}
