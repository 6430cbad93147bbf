package io.mooring.server.edge.nacos.grpc;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * How much may be on its way to clients, who may be slow: answers until they are taken, pushes until they are acknowledged. When
 * there is no room, answers are refused and pushes wait. Confined to the I/O thread.
 */
final class Room {
    private final long most;
    private final Executor io;
    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private long taken;

    /** @param most bytes */
    Room(long most, Executor io) {
        this.most = most;
        this.io = io;
    }

    boolean isFree() {
        return taken < most;
    }

    /** Also beyond what there is: whoever asked whether it is free has one message. */
    void take(int bytes) {
        taken += bytes;
    }

    void giveBack(int bytes) {
        taken -= bytes;
        if (bytes > 0 && isFree() && !waiting.isEmpty()) {
            Set<Runnable> all = Set.copyOf(waiting);
            waiting.clear();
            io.execute(() -> all.forEach(Runnable::run));
        }
    }

    /** @param again tries again when something was given back */
    void await(Runnable again) {
        waiting.add(again);
    }

    void forget(Runnable again) {
        waiting.remove(again);
    }
}
