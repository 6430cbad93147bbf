package io.mooring.server.edge.nacos.grpc;

import com.google.protobuf.CodedInputStream;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * The one message there is, as clients send it: {@code Payload{Metadata metadata = 2; Any body = 3}} with
 * {@code Metadata{string type = 3; map<string, string> headers = 7; string clientIp = 8}}, and JSON as the value of the Any.
 *
 * @param type the name of what the JSON is
 * @param token the header {@code accessToken}
 * @param body JSON, unread
 * @param problem why the bytes were no such message; the rest is empty then
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Payload(
        String type,
        @Nullable String token,
        byte[] body,
        @Nullable String problem) {
    private static final byte[] NOTHING = new byte[0];
    private static final String TOKEN = "accessToken";

    private static final int LENGTH_DELIMITED = 2;
    private static final int METADATA = 2 << 3 | LENGTH_DELIMITED;
    private static final int BODY = 3 << 3 | LENGTH_DELIMITED;
    private static final int TYPE = 3 << 3 | LENGTH_DELIMITED;
    private static final int HEADERS = 7 << 3 | LENGTH_DELIMITED;
    private static final int KEY = 1 << 3 | LENGTH_DELIMITED;
    private static final int VALUE = 2 << 3 | LENGTH_DELIMITED;

    /**
     * Never throws over what comes in: gRPC would log that at length, and answer in a way Nacos clients do not understand.
     */
    static final MethodDescriptor.Marshaller<Payload> FROM_CLIENT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(Payload payload) {
            throw new UnsupportedOperationException("only clients send these");
        }

        @Override
        public Payload parse(InputStream in) {
            try {
                return read(CodedInputStream.newInstance(bytes(in)));
            } catch (IOException e) {
                return new Payload("", null, NOTHING, "the payload is no protobuf message");
            } catch (StatusRuntimeException e) { // gRPC's bound on what is unpacked, found while reading
                return new Payload("", null, NOTHING, "the payload is too long: " + e.getMessage());
            }
        }
    };

    private static byte[] bytes(InputStream in) throws IOException {
        if (in instanceof KnownLength) {
            return in.readNBytes(in.available()); // readAllBytes would begin with 8 KiB
        }
        return in.readAllBytes(); // it came compressed
    }

    /** What a payload says as far as it has been read. */
    private static final class Parts {
        String type = "";

        @Nullable
        String token;

        byte[] body = NOTHING;
    }

    private static Payload read(CodedInputStream in) throws IOException {
        Parts parts = new Parts();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == METADATA) {
                int end = in.pushLimit(in.readRawVarint32());
                readMetadata(in, parts);
                in.popLimit(end);
            } else if (tag == BODY) {
                int end = in.pushLimit(in.readRawVarint32());
                readBody(in, parts);
                in.popLimit(end);
            } else {
                skip(in, tag);
            }
        }
        return new Payload(parts.type, parts.token, parts.body, null);
    }

    private static void readMetadata(CodedInputStream in, Parts parts) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == TYPE) {
                parts.type = in.readString();
            } else if (tag == HEADERS) {
                int end = in.pushLimit(in.readRawVarint32());
                readHeader(in, parts);
                in.popLimit(end);
            } else {
                skip(in, tag);
            }
        }
    }

    private static void readHeader(CodedInputStream in, Parts parts) throws IOException {
        String key = "";
        String value = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == KEY) {
                key = in.readString();
            } else if (tag == VALUE) {
                value = in.readString();
            } else {
                skip(in, tag);
            }
        }
        if (key.equals(TOKEN)) {
            parts.token = value;
        }
    }

    private static void readBody(CodedInputStream in, Parts parts) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (tag == VALUE) {
                parts.body = in.readByteArray();
            } else {
                skip(in, tag);
            }
        }
    }

    private static void skip(CodedInputStream in, int tag) throws IOException {
        if (!in.skipField(tag)) {
            throw new IOException("a group ends that never began");
        }
    }
}
