package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** The two threads are queues here, which run when the test says so. */
class CrossingTest {
    private final Queue<Runnable> loop = new ArrayDeque<>();
    private final Queue<Runnable> io = new ArrayDeque<>();
    private final List<String> done = new ArrayList<>();
    private final Crossing crossing = new Crossing(loop::add, io::add);

    @Test
    void whatCameInTogetherIsOneHop() {
        crossing.toLoop(() -> done.add("a"));
        crossing.toLoop(() -> done.add("b"));
        runOnce(io);
        assertEquals(1, loop.size());
        runOnce(loop);
        assertEquals(List.of("a", "b"), done);
        crossing.toIo(() -> done.add("c"));
        crossing.toIo(() -> done.add("d"));
        runOnce(loop);
        assertEquals(1, io.size());
        runOnce(io);
        assertEquals(List.of("a", "b", "c", "d"), done);
    }

    @Test
    void whatComesLaterCrossesTooAndInItsOrder() {
        crossing.toLoop(() -> done.add("a"));
        runOnce(io);
        crossing.toLoop(() -> done.add("b"));
        runOnce(io);
        runOnce(loop);
        runOnce(loop);
        assertEquals(List.of("a", "b"), done);
    }

    @Test
    void aFailureTakesNobodyElseWithIt() {
        crossing.toLoop(() -> {
            throw new IllegalStateException("planted by the test");
        });
        crossing.toLoop(() -> done.add("b"));
        runOnce(io);
        runOnce(loop);
        assertEquals(List.of("b"), done);
    }

    @Test
    void theEndOfConnectionsReachesTheLoopThoughTheirThreadIsEnding() {
        Crossing ending = new Crossing(loop::add, task -> {
            throw new RejectedExecutionException("shut down");
        });
        ending.toLoop(() -> done.add("gone"));
        runOnce(loop);
        assertEquals(List.of("gone"), done);
    }

    private static void runOnce(Queue<Runnable> thread) {
        thread.remove().run();
    }
}
