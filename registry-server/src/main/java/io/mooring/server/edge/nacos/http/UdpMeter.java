package io.mooring.server.edge.nacos.http;

/** What pushing by UDP tells about its work. A port; any thread. */
public interface UdpMeter {
    /** How one push ended, or the try to make one. */
    enum Result {
        ACKED,
        /** Sent, sent again, and not acknowledged. */
        UNACKED,
        /** The list does not fit a datagram; the client finds it when it asks. */
        TOO_LARGE
    }

    void pushed(Result result);

    /** Counts nothing. */
    UdpMeter NONE = result -> {};
}
