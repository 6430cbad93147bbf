package io.mooring.server.edge.peer;

import io.mooring.server.codec.ByteReader.MalformedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.Closeable;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * What a message travels in: an octet for the form, then the message as it is (0), or its length once inflated (4
 * octets) and its bytes deflated (1). Belongs to one line and its I/O thread; holds memory outside the heap until it is
 * closed.
 */
final class Envelope implements Closeable {
    static final int RAW = 0;
    static final int DEFLATED = 1;
    static final int HEAD = 5;

    /** Smaller ones are not worth the trouble. */
    private static final int LEAST = 512;

    /** Deflate cannot do better than 1:1032, so whoever promises more lies, and gets no buffer for it. */
    private static final int BEST_RATIO = 1_040;

    private final int longest;
    private final int longestInflated;
    private @Nullable Deflater deflater;
    private @Nullable Inflater inflater;
    private byte[] room = new byte[0];

    /**
     * @param longest octets of an envelope
     * @param longestInflated octets of a message inside
     */
    Envelope(int longest, int longestInflated) {
        this.longest = longest;
        this.longestInflated = longestInflated;
    }

    /**
     * @param bulk whether to try to make it smaller
     * @throws IllegalArgumentException when it is too long even so; a bug of the sender
     */
    byte[] wrap(byte[] message, boolean bulk) {
        byte[] wrapped = bulk && message.length >= LEAST ? deflated(message) : null;
        if (wrapped == null) {
            wrapped = new byte[1 + message.length];
            System.arraycopy(message, 0, wrapped, 1, message.length);
        }
        if (wrapped.length > longest || message.length > longestInflated) {
            throw new IllegalArgumentException("message: " + message.length + " octets, " + wrapped.length
                    + " on the line (expected: at most " + longestInflated + ", " + longest + " on the line)");
        }
        return wrapped;
    }

    /** Null when it would not get smaller. */
    private byte @Nullable [] deflated(byte[] message) {
        Deflater to = deflater;
        if (to == null) {
            to = new Deflater(Deflater.BEST_SPEED, true);
            deflater = to;
        }
        to.reset();
        to.setInput(message);
        to.finish();
        if (room.length < message.length) {
            room = new byte[message.length];
        }
        int size = HEAD;
        while (!to.finished() && size < message.length) {
            size += to.deflate(room, size, message.length - size);
        }
        if (!to.finished()) {
            return null;
        }
        Unpooled.wrappedBuffer(room).setByte(0, DEFLATED).setInt(1, message.length);
        return Arrays.copyOf(room, size);
    }

    /** @throws MalformedException when it is not what {@link #wrap} makes, or too long */
    byte[] unwrap(ByteBuf wrapped) throws MalformedException {
        if (!wrapped.isReadable()) {
            throw new MalformedException("envelope: empty (expected: its form and a message)");
        }
        int form = wrapped.readByte();
        if (form == DEFLATED) {
            return inflated(wrapped);
        }
        if (form != RAW) {
            throw new MalformedException("form: " + form + " (expected: " + RAW + " or " + DEFLATED + ")");
        }
        return rest(wrapped);
    }

    private static byte[] rest(ByteBuf wrapped) {
        byte[] message = new byte[wrapped.readableBytes()];
        wrapped.readBytes(message);
        return message;
    }

    private byte[] inflated(ByteBuf wrapped) throws MalformedException {
        int length = wrapped.readableBytes() < 4 ? -1 : wrapped.readInt();
        long most = Math.min(longestInflated, (long) BEST_RATIO * wrapped.readableBytes());
        if (length < 0 || length > most) {
            throw new MalformedException("inflated length: " + length + " (expected: 0-" + most + ")");
        }
        Inflater from = inflater;
        if (from == null) {
            from = new Inflater(true);
            inflater = from;
        }
        from.reset();
        from.setInput(rest(wrapped));
        byte[] message = new byte[length];
        try {
            int size = 0;
            int more = 1;
            while (size < length && more > 0) {
                more = from.inflate(message, size, length - size);
                size += more;
            }
            boolean whole = size == length && from.inflate(new byte[1]) == 0 && from.finished();
            if (!whole || from.getRemaining() > 0) {
                throw new MalformedException(
                        "deflated message: it inflates to less or more than the " + length + " octets it announces");
            }
            return message;
        } catch (DataFormatException e) {
            throw new MalformedException("deflated message: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        if (deflater != null) {
            deflater.end();
            deflater = null;
            room = new byte[0];
        }
        if (inflater != null) {
            inflater.end();
            inflater = null;
        }
    }
}
