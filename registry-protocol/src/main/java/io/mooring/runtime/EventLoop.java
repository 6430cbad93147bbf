package io.mooring.runtime;

import java.time.Duration;
import java.util.concurrent.Executor;

/**
 * Runs tasks one after the other and tells them the time. State confined to a loop needs no lock, and whoever gets
 * its loop from outside can be run in virtual time.
 */
public interface EventLoop extends Executor {
    /** Runs {@code task} after all tasks handed in before it. From any thread; never runs it inside this call. */
    @Override
    void execute(Runnable task);

    /**
     * Runs {@code task} once, not before {@code delay} has passed; a delay of zero or less means soon. Call it on the
     * loop.
     */
    Timer schedule(Duration delay, Runnable task);

    /** Nanoseconds since some moment; only differences mean anything, and they never shrink. From any thread. */
    long now();

    /** Whether the caller runs on this loop. */
    boolean inLoop();

    /** @throws IllegalStateException when the caller does not run on this loop: a bug */
    default void assertInLoop() {
        if (!inLoop()) {
            throw new IllegalStateException("called off the event loop: a bug of the caller");
        }
    }
}
