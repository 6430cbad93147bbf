package io.mooring.server.config;

/** The port of peers, which opens with the core, before those of sessions and HTTP, and shuts behind them. */
final class PeerPort extends AtStop {
    private final Core core;

    PeerPort(Core core) {
        super(-1);
        this.core = core;
    }

    @Override
    void atStop() {
        core.cluster().ifPresent(ClusterEdge::close);
    }

    /** Connections of other nodes. */
    int connections() {
        return core.cluster().map(ClusterEdge::connections).orElse(0);
    }

    /** Where it listens; negative when it does not. */
    int port() {
        return core.cluster().map(ClusterEdge::port).orElse(-1);
    }
}
