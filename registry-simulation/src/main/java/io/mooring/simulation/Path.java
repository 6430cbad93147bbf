package io.mooring.simulation;

import io.mooring.runtime.VirtualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.SplittableRandom;

/** The way between one process and one node, both directions, over all its connections to that node. */
final class Path {
    private final VirtualTime time;
    private final VirtualTime.Loop net;
    private final SplittableRandom random;
    private final Duration latency;
    private final Duration jitter;

    boolean lostUp;
    boolean lostDown;
    boolean refused;
    Duration slow = Duration.ZERO;

    /** What fault is at work on each direction, so that its effect can be counted. */
    Fault upFault = Fault.BLACK_HOLE;

    Fault downFault = Fault.BLACK_HOLE;

    private final ArrayDeque<Runnable> stuckUp = new ArrayDeque<>();
    private final ArrayDeque<Runnable> stuckDown = new ArrayDeque<>();
    private final Coverage coverage;

    Path(VirtualTime time, VirtualTime.Loop net, Swarm swarm, SplittableRandom random, Coverage coverage) {
        this.time = time;
        this.net = net;
        this.random = random;
        this.latency = swarm.latency();
        this.jitter = swarm.jitter();
        this.coverage = coverage;
    }

    Duration delay() {
        if (!slow.isZero()) {
            coverage.tookEffect(Fault.SLOW_LINK);
        }
        return latency.plus(slow).plusNanos(random.nextLong(jitter.toNanos()));
    }

    /** What is lost is sent again for as long as the kernel likes: it arrives late, or never. */
    void heal(boolean deliver) {
        lostUp = false;
        lostDown = false;
        refused = false;
        slow = Duration.ZERO;
        release(stuckUp, deliver);
        release(stuckDown, deliver);
    }

    /** The kernel's buffer is full; there is room again when the way is free. */
    void whenFree(Runnable room) {
        stuckUp.add(room);
    }

    private static void release(ArrayDeque<Runnable> stuck, boolean deliver) {
        List<Runnable> arrivals = List.copyOf(stuck);
        stuck.clear();
        if (deliver) {
            arrivals.forEach(Runnable::run); // at once: nothing sent later may come first
        }
    }

    /** One direction of one connection: in order, or not at all. */
    final class Direction {
        private final boolean up;
        private long lastArrival = time.now();

        Direction(boolean up) {
            this.up = up;
        }

        void send(Runnable arrival) {
            long at = time.now() + delay().toNanos();
            if (at - lastArrival < 0) {
                at = lastArrival;
            }
            lastArrival = at;
            net.schedule(Duration.ofNanos(at - time.now()), () -> arrive(arrival));
        }

        private void arrive(Runnable arrival) {
            if (up ? lostUp : lostDown) {
                coverage.tookEffect(up ? upFault : downFault);
                (up ? stuckUp : stuckDown).add(() -> arrive(arrival));
            } else {
                arrival.run();
            }
        }
    }
}
