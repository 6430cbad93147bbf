package io.mooring.server.config;

import org.springframework.context.SmartLifecycle;

/** Does something when the node is told to stop. */
abstract class AtStop implements SmartLifecycle {
    private final int phase;
    private volatile boolean running;

    /** @param phase when: phases are stopped in descending order */
    AtStop(int phase) {
        this.phase = phase;
    }

    /** Once, when the node is told to stop. */
    abstract void atStop();

    @Override
    public final void start() {
        running = true;
    }

    @Override
    public final void stop() {
        running = false;
        atStop();
    }

    @Override
    public final boolean isRunning() {
        return running;
    }

    @Override
    public final int getPhase() {
        return phase;
    }
}
