package io.mooring.server.edge.nacos.grpc;

import io.mooring.runtime.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way between the core's event loop and the I/O thread. What the loop hands over in one turn goes together, so that a push
 * to a thousand connections is one hop.
 */
final class Crossing {
    private static final Logger log = LoggerFactory.getLogger(Crossing.class);

    private final EventLoop loop;
    private final Executor io;
    private List<Runnable> gathered = new ArrayList<>(); // the loop's own
    private boolean scheduled; // the loop's own

    Crossing(EventLoop loop, Executor io) {
        this.loop = loop;
        this.io = io;
    }

    /** From any thread. */
    void toLoop(Runnable task) {
        loop.execute(task);
    }

    /** From the loop. */
    void toIo(Runnable task) {
        gathered.add(task);
        if (!scheduled) {
            scheduled = true;
            loop.execute(this::cross);
        }
    }

    private void cross() {
        scheduled = false;
        List<Runnable> all = gathered;
        gathered = new ArrayList<>(all.size() > 1_024 ? 16 : all.size());
        try {
            io.execute(() -> all.forEach(Crossing::runGuarded));
        } catch (RejectedExecutionException e) {
            all.clear(); // the endpoint has ended, and its connections with it
        }
    }

    private static void runGuarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            log.error("Telling a Nacos client failed. This is a bug, please report it.", e);
        }
    }
}
