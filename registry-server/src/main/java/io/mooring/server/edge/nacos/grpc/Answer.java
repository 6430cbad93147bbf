package io.mooring.server.edge.nacos.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosRefusal;
import java.util.function.BooleanSupplier;

/**
 * The one answer to one request. Large answers count until their reader has taken them; when too many are on their way, the
 * next ones are refused. Confined to the I/O thread.
 */
final class Answer {
    private static final int LARGE = 8 * 1024;

    private final ServerCall<Payload, Outgoing> call;
    private final BooleanSupplier gzip;
    private final NacosGrpcServer host;
    private final String request;
    private int counted;
    private boolean given;

    /**
     * @param gzip whether the client takes what is compressed
     * @param request its type
     */
    Answer(ServerCall<Payload, Outgoing> call, BooleanSupplier gzip, NacosGrpcServer host, String request) {
        this.call = call;
        this.gzip = gzip;
        this.host = host;
        this.request = request;
    }

    private String type() {
        return Requests.refusalType(request); // a success has the same name
    }

    /** @param fields beyond the usual ones, each with a comma before it */
    void well(String requestId, String fields) {
        send(Answers.well(type(), requestId, fields));
    }

    void list(String requestId, SharedText list, long lastRefTime) {
        boolean compressed = list.isWorthCompressing() && gzip.getAsBoolean();
        send(Answers.list(type(), requestId, list, lastRefTime, compressed));
    }

    void json(NacosJson.Body body) {
        send(Answers.json(type(), body));
    }

    private void send(Outgoing message) {
        if (message.length() > LARGE) {
            if (!host.room().isFree()) {
                refuse(
                        "",
                        new NacosRefusal(
                                NacosRefusal.OVERLOADED,
                                "too many large answers are on their way; try again",
                                "overloaded"));
                return;
            }
            counted = message.length();
            host.room().take(counted);
        }
        give(message, "ok");
    }

    /** By the name the client expects. */
    void refuse(String requestId, NacosRefusal refusal) {
        refuse(type(), requestId, refusal);
    }

    void refuse(String type, String requestId, NacosRefusal refusal) {
        give(Answers.refused(type, requestId, refusal), refusal.because());
    }

    boolean isGiven() {
        return given;
    }

    private void give(Outgoing message, String code) {
        if (given) {
            throw new IllegalStateException("a request of type " + request + " was answered twice: a bug");
        }
        given = true;
        host.meter().answered(Requests.TYPES.contains(request) ? request : "other", code);
        if (call.isCancelled()) {
            over();
            return;
        }
        if (message.isCompressed()) {
            call.setCompression("gzip");
        }
        call.sendHeaders(new Metadata());
        call.sendMessage(message);
        call.close(Status.OK, new Metadata());
    }

    /** The reader has it, or does not want it any more. */
    void over() {
        host.room().giveBack(counted);
        counted = 0;
    }
}
