package io.mooring.server.edge.nacos.grpc;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.mooring.model.InvalidValueException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The two methods of the endpoint, as gRPC calls them, on the I/O thread. */
final class Calls {
    static final Attributes.Key<Connection> CONNECTION = Attributes.Key.create("io.mooring.nacos.connection");

    private static final Metadata.Key<String> ACCEPT_ENCODING =
            Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER);

    private final NacosGrpcServer host;
    private final Requests requests;

    Calls(NacosGrpcServer host) {
        this.host = host;
        this.requests = new Requests(host);
    }

    /** Names without a package: so clients call them. */
    List<ServerServiceDefinition> services() {
        return List.of(
                service("Request", "request", MethodDescriptor.MethodType.UNARY, this::unary),
                service(
                        "BiRequestStream",
                        "requestBiStream",
                        MethodDescriptor.MethodType.BIDI_STREAMING,
                        this::stream));
    }

    private static ServerServiceDefinition service(
            String name,
            String method,
            MethodDescriptor.MethodType type,
            ServerCallHandler<Payload, Outgoing> handler) {
        MethodDescriptor<Payload, Outgoing> descriptor = MethodDescriptor.newBuilder(
                        Payload.FROM_CLIENT, Outgoing.TO_CLIENT)
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(name, method))
                .build();
        return ServerServiceDefinition.builder(name)
                .addMethod(descriptor, handler)
                .build();
    }

    private static Optional<Connection> connection(ServerCall<Payload, Outgoing> call) {
        return Optional.ofNullable(call.getAttributes().get(CONNECTION));
    }

    private static boolean takesGzip(Metadata headers) {
        String accepted = headers.get(ACCEPT_ENCODING);
        return accepted != null && List.of(accepted.split("\\s*,\\s*")).contains("gzip");
    }

    // ---- one request, one answer

    private ServerCall.Listener<Payload> unary(ServerCall<Payload, Outgoing> call, Metadata headers) {
        Optional<Connection> connection = connection(call);
        if (connection.isEmpty()) {
            return nobody(call);
        }
        call.request(2); // one message, and its end
        return new Unary(connection.get(), call, headers);
    }

    private final class Unary extends ServerCall.Listener<Payload> {
        private final Connection connection;
        private final ServerCall<Payload, Outgoing> call;
        private final Metadata headers;
        private @Nullable Payload payload;
        private @Nullable Answer answer;

        Unary(Connection connection, ServerCall<Payload, Outgoing> call, Metadata headers) {
            this.connection = connection;
            this.call = call;
            this.headers = headers;
        }

        @Override
        public void onMessage(Payload message) {
            payload = message;
        }

        @Override
        public void onHalfClose() {
            Payload asked = payload;
            payload = null;
            if (asked == null) {
                call.close(Status.INVALID_ARGUMENT.withDescription("a request has one message"), new Metadata());
                return;
            }
            Answer giving = new Answer(call, () -> takesGzip(headers), host, asked.type());
            answer = giving;
            requests.handle(connection, asked, giving);
        }

        @Override
        public void onComplete() {
            over();
        }

        @Override
        public void onCancel() {
            over();
        }

        private void over() {
            Answer given = answer;
            if (given != null) {
                given.over();
            }
        }
    }

    private static ServerCall.Listener<Payload> nobody(ServerCall<Payload, Outgoing> call) {
        call.close(Status.UNAVAILABLE.withDescription("the connection has ended"), new Metadata());
        return new ServerCall.Listener<>() {};
    }

    // ---- the stream

    private ServerCall.Listener<Payload> stream(ServerCall<Payload, Outgoing> call, Metadata headers) {
        Optional<Connection> connection = connection(call);
        if (connection.isEmpty()) {
            return nobody(call);
        }
        StreamOut out = new StreamOut(call, takesGzip(headers), host.room());
        out.open();
        call.request(1);
        return new Stream(connection.get(), call, out);
    }

    private final class Stream extends ServerCall.Listener<Payload> {
        private final Connection connection;
        private final ServerCall<Payload, Outgoing> call;
        private final StreamOut out;

        Stream(Connection connection, ServerCall<Payload, Outgoing> call, StreamOut out) {
            this.connection = connection;
            this.call = call;
            this.out = out;
        }

        @Override
        public void onMessage(Payload message) {
            connection.heard();
            read(message);
            call.request(1);
        }

        /** Nobody is waiting for an answer here: what means nothing is counted, and passed over. */
        private void read(Payload message) {
            boolean setUp = message.type().equals("ConnectionSetupRequest");
            if (message.problem() != null || !setUp && !connection.isSetUp()) {
                host.meter().refused("malformed");
                return;
            }
            Request request = new Request();
            try {
                request.read(message.body());
            } catch (IOException | InvalidValueException e) {
                host.meter().refused("malformed");
                return;
            }
            if (setUp) {
                connection.setUp(out, request);
            } else {
                connection.answered(request.requestId);
            }
        }

        @Override
        public void onReady() {
            out.onReady();
        }

        /** The client leaves. */
        @Override
        public void onHalfClose() {
            call.close(Status.OK, new Metadata());
            ended();
        }

        @Override
        public void onCancel() {
            ended();
        }

        private void ended() {
            if (connection.isStream(out)) {
                connection.close();
            }
        }
    }
}
