package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;

/**
 * The one message of Nacos clients and servers, {@code Payload{Metadata{type, headers}, Any{value: JSON}}}, behind the five
 * bytes that gRPC puts before each.
 */
final class NacosMessage {
    /** Before each message: whether it is compressed, and its length. */
    static final int PREFIX = 5;

    private static final int HEADERS_LENGTH = 16;
    private static final byte[] WELL = ascii("\"resultCode\":200");
    static final int WELL_LENGTH = WELL.length;
    private static final byte[] REQUEST_ID = ascii("\"requestId\":\"");
    private static final int WELL_WITHIN = 96;
    private static final int ID_WITHIN = 96;

    private NacosMessage() {}

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Writes a message, its prefix included, with the header {@code app} that clients send. */
    static void write(ByteBuf out, String type, ByteBuf json) {
        int metadata = 2 + type.length() + HEADERS_LENGTH;
        int length = json.readableBytes();
        int any = 1 + varintLength(length) + length;
        out.writeByte(0);
        out.writeInt(1 + varintLength(metadata) + metadata + 1 + varintLength(any) + any);
        out.writeByte(0x12);
        varint(out, metadata);
        out.writeByte(0x1a);
        out.writeByte(type.length());
        Workload.text(out, type);
        out.writeByte(0x3a);
        out.writeByte(HEADERS_LENGTH - 2);
        out.writeByte(0x0a);
        out.writeByte(3);
        Workload.text(out, "app");
        out.writeByte(0x12);
        out.writeByte(7);
        Workload.text(out, "unknown");
        out.writeByte(0x1a);
        varint(out, any);
        out.writeByte(0x12);
        varint(out, length);
        out.writeBytes(json);
    }

    private static void varint(ByteBuf out, int value) {
        int rest = value;
        while (rest > 127) {
            out.writeByte(rest | 128);
            rest >>>= 7;
        }
        out.writeByte(rest);
    }

    private static int varintLength(int value) {
        int length = 1;
        for (int rest = value; rest > 127; rest >>>= 7) {
            length++;
        }
        return length;
    }

    /**
     * Looks for what says that a request went well, in the next piece of its answer.
     *
     * @param found how much of it was found in the pieces before
     * @return how much of it is found now; {@link #WELL_LENGTH}: all of it
     */
    static int findWell(ByteBuf in, int start, int length, int found) {
        int matched = found;
        int end = start + Math.min(length, WELL_WITHIN);
        for (int i = start; i < end && matched < WELL_LENGTH; i++) {
            byte b = in.getByte(i);
            if (b == WELL[matched]) {
                matched++;
            } else {
                matched = b == WELL[0] ? 1 : 0;
            }
        }
        return matched;
    }

    static boolean isCompressed(ByteBuf in, int start) {
        return in.getByte(start) != 0;
    }

    /** The first letter of the type of a message that is not compressed: enough to tell those that servers send. */
    static char kind(ByteBuf in, int start) {
        return (char) in.getByte(start + PREFIX + 4);
    }

    /**
     * Writes the id of what the server asks. It stands at the end, in the clear even in compressed messages of this server, so a
     * load of a thousand clients need not inflate what each of them gets.
     */
    static void copyId(ByteBuf in, int start, int length, ByteBuf out) {
        int from = Math.max(start, start + length - ID_WITHIN);
        int at = find(in, REQUEST_ID, from, start + length - from);
        if (at < 0) {
            at = find(in, REQUEST_ID, start, length);
        }
        if (at < 0) {
            throw new IllegalStateException("a message without an id: " + ByteBufUtil.hexDump(in, start, length));
        }
        at += REQUEST_ID.length;
        int end = at;
        while (in.getByte(end) != '"') {
            end++;
        }
        out.writeBytes(in, at, end - at);
    }

    private static int find(ByteBuf in, byte[] wanted, int start, int length) {
        int last = start + length - wanted.length;
        outer:
        for (int i = start; i <= last; i++) {
            for (int j = 0; j < wanted.length; j++) {
                if (in.getByte(i + j) != wanted[j]) {
                    continue outer;
                }
            }
            return i;
        }
        return -1;
    }

    /** All of a message as text, inflated if need be. */
    static String text(byte[] message) {
        try (ByteArrayInputStream in = new ByteArrayInputStream(message, PREFIX, message.length - PREFIX)) {
            byte[] plain = message[0] == 0 ? in.readAllBytes() : new GZIPInputStream(in).readAllBytes();
            return new String(plain, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("a push that cannot be inflated", e);
        }
    }
}
