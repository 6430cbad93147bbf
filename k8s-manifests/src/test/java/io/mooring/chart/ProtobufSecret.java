package io.mooring.chart;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A Secret as Helm sends those in which it keeps releases: in the protobuf of Kubernetes. Read as far as needed here. */
final class ProtobufSecret {
    /** {@code k8s\0}. */
    private static final int MAGIC = 4;

    private static final Charset UTF = StandardCharsets.UTF_8;

    private ProtobufSecret() {}

    /** The same as it would be in JSON. */
    static Map<String, Object> read(byte[] body) throws IOException {
        Map<Integer, List<byte[]>> unknown = fields(Arrays.copyOfRange(body, MAGIC, body.length));
        Map<Integer, List<byte[]>> secret =
                fields(unknown.getOrDefault(2, List.of()).get(0));
        Map<Integer, List<byte[]>> meta =
                fields(secret.getOrDefault(1, List.of()).get(0));
        Map<String, Object> labels = new LinkedHashMap<>();
        entries(meta.getOrDefault(11, List.of())).forEach((key, value) -> labels.put(key, new String(value, UTF)));
        Map<String, Object> data = new LinkedHashMap<>();
        entries(secret.getOrDefault(2, List.of()))
                .forEach((key, value) -> data.put(key, Base64.getEncoder().encodeToString(value)));
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("name", new String(meta.getOrDefault(1, List.of()).get(0), UTF));
        metadata.put("labels", labels);
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("apiVersion", "v1");
        out.put("kind", "Secret");
        out.put("metadata", metadata);
        out.put("data", data);
        return out;
    }

    private static Map<String, byte[]> entries(List<byte[]> given) throws IOException {
        Map<String, byte[]> out = new TreeMap<>();
        for (byte[] each : given) {
            Map<Integer, List<byte[]>> entry = fields(each);
            out.put(
                    new String(entry.getOrDefault(1, List.of(new byte[0])).get(0), UTF),
                    entry.getOrDefault(2, List.of(new byte[0])).get(0));
        }
        return out;
    }

    /** Those with a length; numbers are passed over. */
    private static Map<Integer, List<byte[]>> fields(byte[] message) throws IOException {
        Map<Integer, List<byte[]>> out = new TreeMap<>();
        CodedInputStream in = CodedInputStream.newInstance(message);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                out.computeIfAbsent(WireFormat.getTagFieldNumber(tag), number -> new ArrayList<>())
                        .add(in.readByteArray());
            } else {
                in.skipField(tag);
            }
        }
        return out;
    }
}
