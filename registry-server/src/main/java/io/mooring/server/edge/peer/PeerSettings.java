package io.mooring.server.edge.peer;

import io.mooring.server.replication.PeerMessage;
import java.time.Duration;
import java.util.Optional;

/**
 * How lines between nodes are served.
 *
 * @param bind the address to listen on
 * @param port the port; 0 picks a free one
 * @param connections that others may have open here, those that have not said anything yet among them
 * @param messageBytes longest message on the line, as it travels
 * @param inflatedBytes longest message once it is inflated
 * @param mostWaiting bytes that may wait on one line; beyond, the line is given up
 * @param freeBelow when less than this waits, a line that was busy is free again
 * @param mostUnread bytes of one line that may wait for the event loop; beyond, the line is not read
 * @param connectWithin for connecting, and again for the handshakes
 * @param speakWithin for the first message of the other side
 * @param tls certificates; empty for plain lines
 */
public record PeerSettings(
        String bind,
        int port,
        int connections,
        int messageBytes,
        int inflatedBytes,
        int mostWaiting,
        int freeBelow,
        int mostUnread,
        Duration connectWithin,
        Duration speakWithin,
        Optional<PeerTls> tls) {
    public static final String PATH = "/v1/peer";
    public static final int MOST_CONNECTIONS = 64;

    public static PeerSettings defaults(String bind, int port, Optional<PeerTls> tls) {
        return new PeerSettings(
                bind,
                port,
                MOST_CONNECTIONS,
                PeerMessage.MAX_BYTES + Envelope.HEAD,
                PeerMessage.MAX_BYTES,
                24 << 20,
                256 << 10,
                4 << 20,
                Duration.ofSeconds(2),
                Duration.ofSeconds(5),
                tls);
    }
}
