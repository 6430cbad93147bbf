package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Finds messages in a frame without reading it as JSON, so that the load costs little. Sound as long as no text of the
 * load itself looks like the beginning of a message.
 */
final class Scan {
    /** What a message of that type starts with, behind <code>{"type":"</code>. */
    static final int WELCOME = code("we");

    static final int DONE = code("do");
    static final int VIEW = code("vi");
    static final int DELTA = code("de");
    static final int CLOSING = code("cl");
    static final int REFUSED = code("ref");

    private static final long START = longOf("{\"type\":");

    private Scan() {}

    private static long longOf(String text) {
        long out = 0;
        for (byte b : text.getBytes(StandardCharsets.US_ASCII)) {
            out = out << 8 | b;
        }
        return out;
    }

    private static int code(String start) {
        byte[] b = start.getBytes(StandardCharsets.US_ASCII);
        return b[0] << 16 | b[1] << 8 | (b.length == 2 ? 0 : b[2]);
    }

    /** How many messages of that type the frame holds. */
    static int count(ByteBuf frame, int type) {
        int mask = (type & 0xff) == 0 ? 0xffff00 : 0xffffff;
        int count = 0;
        int last = frame.writerIndex() - 12;
        for (int i = frame.readerIndex(); i <= last; i++) {
            if (frame.getByte(i) == '{' && frame.getLong(i) == START) {
                if ((frame.getMedium(i + 9) & mask) == type) {
                    count++;
                }
                i += 11;
            }
        }
        return count;
    }

    /** Whether the frame contains these bytes. */
    static boolean contains(ByteBuf frame, byte[] wanted) {
        int last = frame.writerIndex() - wanted.length;
        outer:
        for (int i = frame.readerIndex(); i <= last; i++) {
            for (int j = 0; j < wanted.length; j++) {
                if (frame.getByte(i + j) != wanted[j]) {
                    continue outer;
                }
            }
            return true;
        }
        return false;
    }
}
