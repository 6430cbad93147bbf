package io.mooring.server.config;

/** Runs something when the node is told to stop, before everything else but the drain. */
final class StopFirst extends AtStop {
    private final Runnable task;

    StopFirst(Runnable task) {
        super(Integer.MAX_VALUE - 1); // after the drain, before the web server's graceful end
        this.task = task;
    }

    @Override
    void atStop() {
        task.run();
    }
}
