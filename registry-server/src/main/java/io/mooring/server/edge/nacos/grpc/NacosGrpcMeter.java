package io.mooring.server.edge.nacos.grpc;

/** What the endpoint tells about its work. A port; called on its I/O thread. */
public interface NacosGrpcMeter {
    /**
     * A request was answered.
     *
     * @param type of the request, one of a known few, or {@code other}
     * @param code {@code ok}, or why it was refused, in the codes of {@code docs/protocol.md}
     */
    void answered(String type, String code);

    /**
     * One push was handed to one connection.
     *
     * @param nanos since it was decided
     */
    void pushed(long nanos);

    /** A push had its ack, or, if not {@code acked}, none in time. */
    void acked(boolean acked);

    /** A connection was refused or closed for a reason, one of the codes of {@code docs/protocol.md}. */
    void refused(String code);

    NacosGrpcMeter NONE = new NacosGrpcMeter() {
        @Override
        public void answered(String type, String code) {}

        @Override
        public void pushed(long nanos) {}

        @Override
        public void acked(boolean acked) {}

        @Override
        public void refused(String code) {}
    };
}
