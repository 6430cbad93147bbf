package io.mooring.server.config;

import org.springframework.context.SmartLifecycle;

/** The port of peers, which opens with the core, before those of sessions and HTTP, and shuts behind them. */
final class PeerPort implements SmartLifecycle {
    private final Core core;
    private volatile boolean running;

    PeerPort(Core core) {
        this.core = core;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        core.cluster().ifPresent(ClusterEdge::close);
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return -1;
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
