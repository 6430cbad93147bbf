package io.mooring.runtime;

/** A task that waits for its moment. */
public interface Timer {
    /** Keeps the task from starting; without effect once it has. Call it on the loop. */
    void cancel();
}
