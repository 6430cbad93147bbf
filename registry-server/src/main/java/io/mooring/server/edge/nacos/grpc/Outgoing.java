package io.mooring.server.edge.nacos.grpc;

import com.google.protobuf.CodedOutputStream;
import io.grpc.Compressor;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * A message on its way to a client, as the bytes that travel: {@code Payload{Metadata{type}, Any{value: JSON}}}. The long
 * part may be shared with other messages. Immutable.
 */
final class Outgoing {
    private static final int TYPE = 3;
    private static final int METADATA = 2;
    private static final int BODY = 3;
    private static final int VALUE = 2;

    private final byte[][] parts;
    private final boolean compressed;

    private Outgoing(byte[][] parts, boolean compressed) {
        this.parts = parts;
        this.compressed = compressed;
    }

    /** A whole text. */
    static Outgoing of(String type, byte[] json) {
        return new Outgoing(new byte[][] {framed(type, json, json.length)}, false);
    }

    /**
     * A text in three parts.
     *
     * @param gzip whether the reader takes it compressed; so it goes if it is worth it
     */
    static Outgoing of(String type, byte[] start, SharedText shared, byte[] end, boolean gzip) {
        byte[] head = framed(type, start, start.length + shared.length() + end.length);
        boolean compressed = gzip && shared.isWorthCompressing();
        return new Outgoing(compressed ? shared.gzip(head, end) : new byte[][] {head, shared.plain(), end}, compressed);
    }

    private static byte[] framed(String type, byte[] start, int jsonLength) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        int metadata = delimited(TYPE, name.length);
        int any = delimited(VALUE, jsonLength);
        byte[] out = new byte[delimited(METADATA, metadata) + delimited(BODY, any) - jsonLength + start.length];
        CodedOutputStream to = CodedOutputStream.newInstance(out);
        try {
            to.writeTag(METADATA, 2);
            to.writeUInt32NoTag(metadata);
            to.writeByteArray(TYPE, name);
            to.writeTag(BODY, 2);
            to.writeUInt32NoTag(any);
            to.writeTag(VALUE, 2);
            to.writeUInt32NoTag(jsonLength);
            to.writeRawBytes(start);
            to.checkNoSpaceLeft();
        } catch (IOException e) {
            throw new UncheckedIOException("the length of a message was miscounted", e);
        }
        return out;
    }

    private static int delimited(int field, int length) {
        return CodedOutputStream.computeTagSize(field) + CodedOutputStream.computeUInt32SizeNoTag(length) + length;
    }

    /** Bytes that travel. */
    int length() {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        return length;
    }

    /** Whether the bytes are gzip's already. */
    boolean isCompressed() {
        return compressed;
    }

    static final MethodDescriptor.Marshaller<Outgoing> TO_CLIENT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(Outgoing message) {
            return new Parts(message.parts);
        }

        @Override
        public Outgoing parse(InputStream in) {
            throw new UnsupportedOperationException("only servers send these");
        }
    };

    /** Hands through what is compressed already, under the name of how it is. */
    static final Compressor GZIPPED = new Compressor() {
        @Override
        public String getMessageEncoding() {
            return "gzip";
        }

        @Override
        public OutputStream compress(OutputStream out) {
            return out;
        }
    };

    /** The parts one after the other, without a copy on our side. */
    private static final class Parts extends InputStream implements Drainable, KnownLength {
        private final byte[][] parts;
        private int part;
        private int at;

        Parts(byte[][] parts) {
            this.parts = parts;
        }

        @Override
        public int available() {
            int length = -at;
            for (int i = part; i < parts.length; i++) {
                length += parts[i].length;
            }
            return length;
        }

        @Override
        public int drainTo(OutputStream out) throws IOException {
            int length = available();
            for (; part < parts.length; part++, at = 0) {
                out.write(parts[part], at, parts[part].length - at);
            }
            return length;
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            if (length == 0) {
                return 0;
            }
            int first = read();
            if (first < 0) {
                return -1;
            }
            into[offset] = (byte) first;
            int more = Math.min(length - 1, parts[part].length - at);
            System.arraycopy(parts[part], at, into, offset + 1, more);
            at += more;
            return 1 + more;
        }

        @Override
        public int read() {
            while (part < parts.length && at == parts[part].length) {
                part++;
                at = 0;
            }
            return part == parts.length ? -1 : parts[part][at++] & 0xff;
        }
    }
}
