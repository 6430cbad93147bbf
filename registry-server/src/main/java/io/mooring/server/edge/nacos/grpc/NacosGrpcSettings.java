package io.mooring.server.edge.nacos.grpc;

import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;

/**
 * How Nacos clients are served over gRPC.
 *
 * @param bind the address to listen on
 * @param port the port; 0 picks a free one
 * @param httpPort the port of HTTP, which is the one clients have in their lists
 * @param connections open connections
 * @param calls requests of one connection that wait for their answers; clients keep more to themselves
 * @param subscriptions of one connection
 * @param patterns of services that one connection may watch
 * @param matches services that one pattern may match
 * @param ttl after which a silent connection is over
 * @param grace for which instances stay, suspect, after their connection broke
 * @param setUpWithin how long a connection may wait with its set-up
 * @param askAfter silence after which a client is asked whether it is there
 * @param ackWithin how long a push waits for its ack before the next one goes out
 * @param answerTakenWithin how long a client may take for the answer to a subscription; after that it is pushed what it may
 *     not have, for some answers are dropped, and some are taken after later pushes
 * @param stalledAfter how long a client may leave what it was sent unread
 * @param pingsApart how far apart a client's pings must be, at least
 * @param outgoingBytes pushes and large answers that are on their way, together
 * @param doubt when the doubt about instances is not believed
 */
public record NacosGrpcSettings(
        String bind,
        int port,
        int httpPort,
        int connections,
        int calls,
        int subscriptions,
        int patterns,
        int matches,
        Duration ttl,
        Duration grace,
        Duration setUpWithin,
        Duration askAfter,
        Duration ackWithin,
        Duration answerTakenWithin,
        Duration stalledAfter,
        Duration pingsApart,
        long outgoingBytes,
        HealthView.Doubt doubt) {
    /** Of a message in either direction; what clients take, too. */
    static final int MESSAGE_BYTES = 10 << 20;

    LeaseTerms terms() {
        return new LeaseTerms(ttl, grace);
    }

    public static NacosGrpcSettings defaults(int port) {
        return new NacosGrpcSettings(
                "127.0.0.1",
                port,
                8848,
                20_000,
                256,
                10_000,
                20,
                500,
                Duration.ofSeconds(20),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(12),
                Duration.ofSeconds(5),
                Duration.ofSeconds(1),
                Duration.ofSeconds(30),
                Duration.ofSeconds(10),
                64L << 20,
                HealthView.Doubt.DEFAULTS);
    }
}
