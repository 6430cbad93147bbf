package io.mooring.server.edge.session;

import io.mooring.protocol.ProtocolLimits;
import java.time.Duration;
import java.util.List;

/**
 * How sessions are served.
 *
 * @param bind the address to listen on
 * @param port the port; 0 picks a free one
 * @param threads threads that read and write, at least 1
 * @param lease told to clients
 * @param renewEvery told to clients
 * @param reconnectSpread told to clients
 * @param helloWithin how long a connection may wait with its first message
 * @param stalledAfter how long a client may leave what it was sent unread
 * @param maxConnections open connections
 * @param peers session addresses of other nodes, told to clients until the node knows better
 * @param limits told to clients and enforced
 */
public record SessionSettings(
        String bind,
        int port,
        int threads,
        Duration lease,
        Duration renewEvery,
        Duration reconnectSpread,
        Duration helloWithin,
        Duration stalledAfter,
        int maxConnections,
        List<String> peers,
        ProtocolLimits limits) {
    public static final String PATH = "/v1/session";

    public static SessionSettings defaults(int port) {
        return new SessionSettings(
                "127.0.0.1",
                port,
                1,
                Duration.ofSeconds(15),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                25_000,
                List.of(),
                ProtocolLimits.DEFAULTS);
    }
}
