package io.mooring.server.edge.nacos.grpc;

import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/**
 * The long part that many messages have in common: made once, compressed once, sent by reference. Confined to the I/O
 * thread.
 *
 * <p>A message is a head, this, and a tail. As one member of gzip: the head as a stored block, this as blocks that refer to
 * nothing before them and end at a whole byte (SYNC_FLUSH), the tail as the last block, stored again; and the CRC of the
 * whole from those of its parts.
 */
final class SharedText {
    /** Below this, compressing is not worth the reader's while. */
    static final int WORTH_COMPRESSING = 8 * 1024;

    private static final byte[] GZIP_HEAD = {0x1f, (byte) 0x8b, Deflater.DEFLATED, 0, 0, 0, 0, 0, 0, (byte) 0xff};
    private static final int STORED_MOST = 65_535;
    private static final int STORED_HEAD = 5;

    private final byte[] plain;
    private byte @Nullable [] deflated;
    private int crc;
    private int shift;

    SharedText(byte[] plain) {
        this.plain = plain;
    }

    int length() {
        return plain.length;
    }

    byte[] plain() {
        return plain;
    }

    boolean isWorthCompressing() {
        return plain.length > WORTH_COMPRESSING;
    }

    /** The parts of a member of gzip with these three in it; the long one is shared. */
    byte[][] gzip(byte[] head, byte[] tail) {
        byte[] shared = deflated();
        CRC32 ofHead = new CRC32();
        ofHead.update(head);
        CRC32 ofTail = new CRC32();
        ofTail.update(tail);
        int whole = Crc32Join.join((int) ofHead.getValue(), crc, shift);
        whole = Crc32Join.join(whole, (int) ofTail.getValue(), Crc32Join.shift(tail.length));

        byte[] start = new byte[GZIP_HEAD.length + STORED_HEAD + head.length];
        System.arraycopy(GZIP_HEAD, 0, start, 0, GZIP_HEAD.length);
        stored(start, GZIP_HEAD.length, head, false);
        byte[] end = new byte[STORED_HEAD + tail.length + 8];
        stored(end, 0, tail, true);
        littleEndian(end, end.length - 8, whole);
        littleEndian(end, end.length - 4, head.length + plain.length + tail.length);
        return new byte[][] {start, shared, end};
    }

    private byte[] deflated() {
        byte[] made = deflated;
        if (made != null) {
            return made;
        }
        CRC32 ofPlain = new CRC32();
        ofPlain.update(plain);
        crc = (int) ofPlain.getValue();
        shift = Crc32Join.shift(plain.length);
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        try {
            deflater.setInput(plain);
            byte[] out = new byte[plain.length / 8 + 64];
            int length = 0;
            while (true) {
                int written = deflater.deflate(out, length, out.length - length, Deflater.SYNC_FLUSH);
                length += written;
                if (length < out.length) {
                    break; // all of it is out, and the flush with it
                }
                out = Arrays.copyOf(out, 2 * out.length);
            }
            made = Arrays.copyOf(out, length);
        } finally {
            deflater.end();
        }
        deflated = made;
        return made;
    }

    private static void stored(byte[] out, int at, byte[] text, boolean last) {
        if (text.length > STORED_MOST) {
            throw new IllegalStateException("a head or tail of " + text.length + " bytes does not fit a block");
        }
        out[at] = (byte) (last ? 1 : 0);
        out[at + 1] = (byte) text.length;
        out[at + 2] = (byte) (text.length >>> 8);
        out[at + 3] = (byte) ~text.length;
        out[at + 4] = (byte) (~text.length >>> 8);
        System.arraycopy(text, 0, out, at + STORED_HEAD, text.length);
    }

    private static void littleEndian(byte[] out, int at, int value) {
        for (int i = 0; i < 4; i++) {
            out[at + i] = (byte) (value >>> 8 * i);
        }
    }
}
