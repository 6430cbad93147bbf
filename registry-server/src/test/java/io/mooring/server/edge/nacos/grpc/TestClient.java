package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Codec;
import io.grpc.DecompressorRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a Nacos client is on the wire: one HTTP/2 connection with one stream, and requests beside it. */
final class TestClient implements AutoCloseable {
    static final String SET_UP =
            "{\"headers\":{},\"clientVersion\":\"Nacos-Java-Client:v2.5.1\",\"labels\":{\"source\":"
                    + "\"sdk\",\"module\":\"naming\",\"AppName\":\"unknown\",\"tls.enable\":\"false\"},\"abilityTable\":{},"
                    + "\"module\":\"internal\"}";
    static final String OLD_SET_UP =
            "{\"clientVersion\":\"Nacos-Java-Client:v2.0.4\",\"labels\":{\"module\":\"naming\"},\"abilityTable\":null}";

    private static final JsonMapper JSON = new JsonMapper();
    private static final int SECONDS = 20;

    private static final MethodDescriptor.Marshaller<byte[]> BYTES = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
            return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream in) {
            try {
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private static final MethodDescriptor<byte[], byte[]> REQUEST =
            method(MethodDescriptor.MethodType.UNARY, "Request/request");
    private static final MethodDescriptor<byte[], byte[]> STREAM =
            method(MethodDescriptor.MethodType.BIDI_STREAMING, "BiRequestStream/requestBiStream");

    private static MethodDescriptor<byte[], byte[]> method(MethodDescriptor.MethodType type, String name) {
        return MethodDescriptor.newBuilder(BYTES, BYTES)
                .setType(type)
                .setFullMethodName(name)
                .build();
    }

    /** A message, as it came. */
    record Message(String type, String text) {
        JsonNode json() {
            return JSON.readTree(text);
        }

        JsonNode hosts() {
            return json().get("serviceInfo").get("hosts");
        }
    }

    /** How a call ended that had no answer of its own. */
    static final class EndedException extends RuntimeException {
        private static final long serialVersionUID = 1L;
        final transient Status status;

        EndedException(Status status) {
            super(status.toString());
            this.status = status;
        }
    }

    private final ManagedChannel channel;
    private final BlockingQueue<Message> incoming = new LinkedBlockingQueue<>();
    private final CompletableFuture<Status> ended = new CompletableFuture<>();
    private ClientCall<byte[], byte[]> stream;

    TestClient(int port) {
        this(port, true);
    }

    /** @param gzip whether it takes what is compressed */
    TestClient(int port, boolean gzip) {
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .directExecutor() // so that what came first is seen first
                .maxInboundMessageSize(NacosGrpcSettings.MESSAGE_BYTES);
        if (!gzip) {
            builder.decompressorRegistry(DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false));
        }
        channel = builder.build();
    }

    /** A client that is connected and set up. */
    static TestClient connected(int port) {
        TestClient client = new TestClient(port);
        client.setUp(SET_UP);
        assertEquals("SetupAckRequest", client.next().type);
        return client;
    }

    // ---- requests

    static byte[] payload(String type, String json, Map<String, String> headers) {
        try (ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                ByteArrayOutputStream inner = new ByteArrayOutputStream();
                ByteArrayOutputStream any = new ByteArrayOutputStream()) {
            CodedOutputStream metadata = CodedOutputStream.newInstance(inner);
            metadata.writeString(8, "10.9.8.7"); // clientIp
            metadata.writeString(3, type);
            for (Map.Entry<String, String> header : headers.entrySet()) {
                ByteArrayOutputStream entry = new ByteArrayOutputStream();
                CodedOutputStream to = CodedOutputStream.newInstance(entry);
                to.writeString(1, header.getKey());
                to.writeString(2, header.getValue());
                to.flush();
                metadata.writeByteArray(7, entry.toByteArray());
            }
            metadata.flush();
            CodedOutputStream body = CodedOutputStream.newInstance(any);
            body.writeByteArray(2, json.getBytes(StandardCharsets.UTF_8));
            body.flush();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            out.writeByteArray(2, inner.toByteArray());
            out.writeByteArray(3, any.toByteArray());
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Message message(byte[] bytes) {
        try {
            String type = "";
            String text = "";
            CodedInputStream in = CodedInputStream.newInstance(bytes);
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                CodedInputStream part = CodedInputStream.newInstance(in.readByteArray());
                for (int field = part.readTag(); field != 0; field = part.readTag()) {
                    if (tag >>> 3 == 2 && field >>> 3 == 3) {
                        type = part.readStringRequireUtf8();
                    } else if (tag >>> 3 == 3 && field >>> 3 == 2) {
                        text = part.readStringRequireUtf8();
                    } else {
                        throw new AssertionError("field " + (field >>> 3) + " in " + (tag >>> 3));
                    }
                }
            }
            return new Message(type, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Message request(String type, String json) {
        return request(payload(type, json, Map.of()));
    }

    Message request(byte[] payload) {
        return request(payload, CallOptions.DEFAULT);
    }

    Message requestCompressed(byte[] payload) {
        return request(payload, CallOptions.DEFAULT.withCompression("gzip"));
    }

    private Message request(byte[] payload, CallOptions options) {
        CompletableFuture<Message> answer = new CompletableFuture<>();
        ClientCall<byte[], byte[]> call = channel.newCall(REQUEST, options);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(byte[] bytes) {
                        answer.complete(message(bytes));
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        answer.completeExceptionally(new EndedException(status));
                    }
                },
                new Metadata());
        call.request(2);
        call.sendMessage(payload);
        call.halfClose();
        try {
            return answer.get(SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
            throw new AssertionError("no answer within " + SECONDS + " s", e);
        }
    }

    private static String of(String service) {
        return "\"namespace\":\"public\",\"serviceName\":\"" + service + "\",\"groupName\":\"DEFAULT_GROUP\"";
    }

    static String instance(String service, String type, int port) {
        return "{" + of(service) + ",\"type\":\"" + type + "\",\"instance\":" + host(port) + ",\"module\":\"naming\"}";
    }

    static String host(int port) {
        return "{\"ip\":\"10.0.0.1\",\"port\":" + port + ",\"weight\":1.0,\"healthy\":true,\"enabled\":true,"
                + "\"ephemeral\":true,\"metadata\":{}}";
    }

    Message register(String service, int port) {
        return request("InstanceRequest", instance(service, "registerInstance", port));
    }

    Message deregister(String service, int port) {
        return request("InstanceRequest", instance(service, "deregisterInstance", port));
    }

    Message query(String service) {
        return request("ServiceQueryRequest", "{" + of(service) + ",\"cluster\":\"\",\"healthyOnly\":false}");
    }

    Message subscribe(String service) {
        return subscribe(service, "");
    }

    Message subscribe(String service, String clusters) {
        return request(
                "SubscribeServiceRequest",
                "{" + of(service) + ",\"subscribe\":true,\"clusters\":\"" + clusters + "\"}");
    }

    Message unsubscribe(String service) {
        return request("SubscribeServiceRequest", "{" + of(service) + ",\"subscribe\":false,\"clusters\":\"\"}");
    }

    // ---- the stream

    void setUp(String json) {
        stream = openStream();
        say("ConnectionSetupRequest", json);
    }

    private ClientCall<byte[], byte[]> openStream() {
        ClientCall<byte[], byte[]> call = channel.newCall(STREAM, CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(byte[] bytes) {
                        incoming.add(message(bytes));
                        call.request(1);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        ended.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        return call;
    }

    void say(String type, String json) {
        say(payload(type, json, Map.of()));
    }

    void say(byte[] payload) {
        stream.sendMessage(payload);
    }

    void ack(Message push) {
        ack(push, "NotifySubscriberResponse");
    }

    void ack(Message push, String type) {
        String id = push.json().get("requestId").asString();
        say(type, "{\"resultCode\":200,\"errorCode\":0,\"requestId\":\"" + id + "\",\"success\":true}");
    }

    /** The next message on the stream. */
    Message next() {
        try {
            Message message = incoming.poll(SECONDS, TimeUnit.SECONDS);
            assertNotNull(message, "nothing came within " + SECONDS + " s");
            return message;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Nothing is on its way: what was sent before the answer to a request has come before it. */
    void assertNothing() {
        assertEquals("HealthCheckResponse", request("HealthCheckRequest", "{}").type);
        assertNull(incoming.peek(), () -> "came: " + incoming);
    }

    /** Messages that nobody has looked at. */
    int waiting() {
        return incoming.size();
    }

    /** Says that nothing more will be said. */
    void halfClose() {
        stream.halfClose();
    }

    /** How the stream ended. */
    Status end() {
        try {
            return ended.get(SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("the stream did not end within " + SECONDS + " s", e);
        }
    }

    boolean isOpen() {
        return !ended.isDone();
    }

    /** Ends as a process does that is killed. */
    @Override
    public void close() {
        channel.shutdownNow();
    }
}
