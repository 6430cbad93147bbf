package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.Prober;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Probes the addresses of instances in doubt, a few at a time. What does not fit into the queue is not probed now; the
 * instance leaves the list by time instead.
 */
final class Evidence {
    private static final int AT_ONCE = 64;
    static final int MAX_WAITING = 20_000;

    private final Prober prober;
    private final EventLoop loop;
    private final LinkedHashMap<InstanceId, BiConsumer<InstanceId, Prober.Verdict>> waiting = new LinkedHashMap<>();
    private final LinkedHashSet<InstanceId> probing = new LinkedHashSet<>();
    private boolean starting;

    Evidence(Prober prober, EventLoop loop) {
        this.prober = prober;
        this.loop = loop;
    }

    /** @param verdict takes what was found out; for an instance that is being probed already, nothing */
    void look(Iterable<InstanceId> instances, BiConsumer<InstanceId, Prober.Verdict> verdict) {
        for (InstanceId instance : instances) {
            if (waiting.size() < MAX_WAITING && !probing.contains(instance)) {
                waiting.putIfAbsent(instance, verdict);
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
                Iterator<Map.Entry<InstanceId, BiConsumer<InstanceId, Prober.Verdict>>> first =
                        waiting.entrySet().iterator();
                Map.Entry<InstanceId, BiConsumer<InstanceId, Prober.Verdict>> next = first.next();
                first.remove();
                InstanceId instance = next.getKey();
                BiConsumer<InstanceId, Prober.Verdict> asker = next.getValue();
                probing.add(instance);
                prober.probe(instance.host(), instance.port(), verdict -> onVerdict(instance, verdict, asker));
            }
        } finally {
            starting = false;
        }
    }

    private void onVerdict(InstanceId instance, Prober.Verdict verdict, BiConsumer<InstanceId, Prober.Verdict> asker) {
        loop.assertInLoop();
        probing.remove(instance);
        asker.accept(instance, verdict);
        next();
    }
}
