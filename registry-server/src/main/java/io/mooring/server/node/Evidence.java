package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.Prober;
import java.util.LinkedHashSet;
import java.util.function.Consumer;

/**
 * Probes the addresses of instances in doubt, a few at a time. What does not fit into the queue is not probed now; the
 * instance leaves the list by time instead.
 */
final class Evidence {
    private static final int AT_ONCE = 64;
    static final int MAX_WAITING = 20_000;

    private final Prober prober;
    private final EventLoop loop;
    private final Consumer<InstanceId> dead;
    private final LinkedHashSet<InstanceId> waiting = new LinkedHashSet<>();
    private final LinkedHashSet<InstanceId> probing = new LinkedHashSet<>();
    private boolean starting;

    /** @param dead takes the instances whose address refused a connection */
    Evidence(Prober prober, EventLoop loop, Consumer<InstanceId> dead) {
        this.prober = prober;
        this.loop = loop;
        this.dead = dead;
    }

    void look(Iterable<InstanceId> instances) {
        for (InstanceId instance : instances) {
            if (waiting.size() < MAX_WAITING && !probing.contains(instance)) {
                waiting.add(instance);
            }
        }
        next();
    }

    /** Instances that wait to be probed. */
    int waiting() {
        return waiting.size();
    }

    private void next() {
        if (starting) {
            return; // a verdict that came at once, from within the loop below, which goes on anyway
        }
        starting = true;
        try {
            while (probing.size() < AT_ONCE && !waiting.isEmpty()) {
                InstanceId instance = waiting.iterator().next();
                waiting.remove(instance);
                probing.add(instance);
                prober.probe(instance.host(), instance.port(), verdict -> onVerdict(instance, verdict));
            }
        } finally {
            starting = false;
        }
    }

    private void onVerdict(InstanceId instance, Prober.Verdict verdict) {
        loop.assertInLoop();
        probing.remove(instance);
        if (verdict == Prober.Verdict.REFUSED) {
            dead.accept(instance);
        }
        next();
    }
}
