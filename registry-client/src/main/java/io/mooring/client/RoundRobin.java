package io.mooring.client;

import java.util.concurrent.atomic.AtomicInteger;

/** Counts on. The start is drawn, so that processes started together do not walk in step. */
final class RoundRobin implements Balancer.Picker {
    static final Balancer BALANCER = RoundRobin::new;

    private final int size;
    private final AtomicInteger next;

    private RoundRobin(Candidates candidates) {
        size = candidates.size();
        next = new AtomicInteger(candidates.random().nextInt(size));
    }

    @Override
    public int pick(String key, int attempt) {
        return Integer.remainderUnsigned(next.getAndIncrement(), size);
    }
}
