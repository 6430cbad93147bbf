package io.mooring.server.membership;

/** A connection to another node, whoever dialled. A port; called on the event loop. */
public interface PeerLine {
    /**
     * Sends without waiting, in order. What cannot be sent any more is dropped: the end of the line will say so.
     *
     * @param message one message, encoded; shared with other lines, not to be written to
     * @param bulk whether it is large and worth compressing
     */
    void send(byte[] message, boolean bulk);

    /** Bytes that were handed in and are not on the network yet. */
    long waiting();

    /** Ends it; {@code closed} follows. */
    void close();

    /** The other side's address, for log lines. */
    String remote();
}
