package io.mooring.server.lease;

/** The connection of a session, as the core needs it. A port; called on the event loop. */
public interface SessionLine {
    /**
     * Ends the connection and tells the client why.
     *
     * @param code one of the codes of {@code docs/protocol.md}
     */
    void close(String code, String message);
}
