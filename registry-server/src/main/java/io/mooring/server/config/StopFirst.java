package io.mooring.server.config;

import org.springframework.context.SmartLifecycle;

/** Runs something when the node is told to stop, before everything else but the drain. */
final class StopFirst implements SmartLifecycle {
    private final Runnable atStop;
    private volatile boolean running;

    StopFirst(Runnable atStop) {
        this.atStop = atStop;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        atStop.run();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return Integer.MAX_VALUE
                - 1; // stopped in descending order: after the drain, before the web server's graceful end
    }
}
