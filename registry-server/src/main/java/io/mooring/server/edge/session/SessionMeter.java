package io.mooring.server.edge.session;

/** Takes the measurements of the session endpoint. A port; called on the event loop or an I/O thread. */
public interface SessionMeter {
    /** Nanoseconds from a push being decided to its bytes being handed to the operating system. */
    void pushed(long nanos);

    /**
     * A request was refused or a connection closed for a reason.
     *
     * @param code one of the protocol's codes
     */
    void refused(String code);

    SessionMeter NONE = new SessionMeter() {
        @Override
        public void pushed(long nanos) {}

        @Override
        public void refused(String code) {}
    };
}
