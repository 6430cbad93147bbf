package io.mooring.server.edge.peer;

/** Takes the measurements of the lines between nodes. A port; called on the event loop or an I/O thread. */
public interface PeerMeter {
    /**
     * A message went out.
     *
     * @param bytes on the line, compressed if it was
     */
    void sent(int bytes);

    /**
     * A message came in.
     *
     * @param bytes on the line, compressed if it was
     */
    void received(int bytes);

    /**
     * A line was refused or given up.
     *
     * @param code one of {@code too_slow}, {@code overloaded}, {@code tls}
     */
    void refused(String code);

    PeerMeter NONE = new PeerMeter() {
        @Override
        public void sent(int bytes) {}

        @Override
        public void received(int bytes) {}

        @Override
        public void refused(String code) {}
    };
}
