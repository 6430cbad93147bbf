package io.mooring.server.edge.nacos.grpc;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosRefusal;
import java.nio.charset.StandardCharsets;

/**
 * What clients are answered. Whether a request succeeded is said in three ways, for Java looks at {@code resultCode}, Go at
 * {@code success} and Python at {@code errorCode}.
 */
final class Answers {
    private static final String WELL = "{\"resultCode\":200,\"errorCode\":0,\"success\":true";
    private static final byte[] LIST_BEGINS =
            (WELL + ",\"message\":\"success\",\"serviceInfo\":").getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PUSH_BEGINS =
            "{\"headers\":{},\"module\":\"naming\",\"serviceInfo\":".getBytes(StandardCharsets.US_ASCII);

    private Answers() {}

    /**
     * @param requestId as the request had it; empty if it had none
     * @param fields more fields, each with a comma before it
     */
    static Outgoing well(String type, String requestId, String fields) {
        return text(type, WELL + fields + id(requestId) + "}");
    }

    static Outgoing refused(String type, String requestId, NacosRefusal refusal) {
        return text(
                type,
                "{\"resultCode\":500,\"errorCode\":" + refusal.code() + ",\"success\":false,\"message\":"
                        + quoted(refusal.message()) + id(requestId) + "}");
    }

    static Outgoing list(String type, String requestId, SharedText list, long lastRefTime, boolean gzip) {
        byte[] end = (lastRefTime + "}" + id(requestId) + "}").getBytes(StandardCharsets.UTF_8);
        return Outgoing.of(type, LIST_BEGINS, list, end, gzip);
    }

    static Outgoing push(long requestId, SharedText list, long lastRefTime, boolean gzip) {
        byte[] end = (lastRefTime + "},\"requestId\":\"" + requestId + "\"}").getBytes(StandardCharsets.US_ASCII);
        return Outgoing.of("NotifySubscriberRequest", PUSH_BEGINS, list, end, gzip);
    }

    /**
     * Something the server asks.
     *
     * @param fields each with a comma before it
     */
    static Outgoing asking(String type, long requestId, String fields) {
        return text(type, "{\"headers\":{},\"module\":\"internal\",\"requestId\":\"" + requestId + "\"" + fields + "}");
    }

    static Outgoing text(String type, String json) {
        return Outgoing.of(type, json.getBytes(StandardCharsets.UTF_8));
    }

    static Outgoing json(String type, NacosJson.Body body) {
        return Outgoing.of(type, NacosJson.bytes(body));
    }

    private static String id(String requestId) {
        return requestId.isEmpty() ? "" : ",\"requestId\":" + quoted(requestId);
    }

    static String quoted(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }
}
