package io.mooring.server.edge.nacos.grpc;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way between the core's event loop and the I/O thread. What one of them hands over in one turn goes together: a push to a
 * thousand connections is one hop, and so are the requests and acks that came in at once from many.
 */
final class Crossing {
    private static final Logger log = LoggerFactory.getLogger(Crossing.class);

    private final Gathered forLoop; // the I/O thread's own
    private final Gathered forIo; // the loop's own

    /** @param io runs what it is given by itself when it has read what there is to read */
    Crossing(Executor loop, Executor io) {
        this.forLoop = new Gathered(io, loop);
        this.forIo = new Gathered(loop, io);
    }

    /** From the I/O thread. */
    void toLoop(Runnable task) {
        forLoop.add(task);
    }

    /** From the loop. */
    void toIo(Runnable task) {
        forIo.add(task);
    }

    /** What one side has for the other, until its turn is over. */
    private static final class Gathered {
        private final Executor here;
        private final Executor there;
        private List<Runnable> tasks = new ArrayList<>();
        private boolean scheduled;

        Gathered(Executor here, Executor there) {
            this.here = here;
            this.there = there;
        }

        void add(Runnable task) {
            tasks.add(task);
            if (!scheduled) {
                scheduled = true;
                try {
                    here.execute(this::cross);
                } catch (RejectedExecutionException e) {
                    cross(); // this side is about to end; the other one hears all of it
                }
            }
        }

        private void cross() {
            scheduled = false;
            List<Runnable> all = tasks;
            tasks = new ArrayList<>(all.size() > 1_024 ? 16 : all.size());
            try {
                there.execute(() -> all.forEach(Crossing::runGuarded));
            } catch (RejectedExecutionException e) {
                all.clear(); // the endpoint has ended, and its connections with it
            }
        }
    }

    private static void runGuarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            log.error("Something for a Nacos client failed. This is a bug, please report it.", e);
        }
    }
}
