package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.runtime.EventLoop;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.lease.Prober;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.List;

/**
 * Looks for evidence about those who may be gone: suspects at once, and what is held or restored again and again. Who refuses
 * the connection is removed, unless this node trusts itself too little. What is held, one node looks at, the
 * {@linkplain Rendezvous same for all}. Confined to the event loop.
 */
final class SuspectWatch {
    /** Held and restored instances are probed this often. */
    private static final Duration PROBE_EVERY = Duration.ofSeconds(5);

    private final NodeId self;
    private final LeaseTable leases;
    private final Catalog catalog;
    private final Replication replication;
    private final Evidence evidence;
    private final EventLoop loop;
    private final long startedAt;
    private long lastProbes;
    private long lastRestored;

    SuspectWatch(
            NodeId self,
            LeaseTable leases,
            Catalog catalog,
            Replication replication,
            Evidence evidence,
            EventLoop loop) {
        this.self = self;
        this.leases = leases;
        this.catalog = catalog;
        this.replication = replication;
        this.evidence = evidence;
        this.loop = loop;
        startedAt = loop.now();
        lastProbes = startedAt;
        lastRestored = startedAt;
    }

    /** These are in doubt from now on. */
    void suspected(Iterable<InstanceId> instances) {
        evidence.look(instances, this::onVerdict);
    }

    /**
     * To be called now and then.
     *
     * @param frozen whether this node trusts itself too little to remove anybody
     */
    void look(boolean frozen) {
        if (loop.now() - lastRestored >= PROBE_EVERY.toNanos()) {
            lastRestored = loop.now();
            Duration lostFor = Duration.ofNanos(loop.now() - startedAt);
            leases.restored().registrations().forEach(left -> leases.outbid(left, lostFor));
        }
        if (!frozen && loop.now() - lastProbes >= PROBE_EVERY.toNanos()) {
            lastProbes = loop.now();
            List<InstanceId> inDoubt = catalog.held();
            List<NodeId> alive = replication.alive();
            inDoubt.removeIf(id -> !Rendezvous.choose(id, alive).equals(self));
            leases.restored().registrations().forEach(registration -> inDoubt.add(registration.id()));
            evidence.look(inDoubt, this::onVerdict);
        }
    }

    private void onVerdict(InstanceId instance, Prober.Verdict verdict) {
        if (verdict == Prober.Verdict.REFUSED && leases.frozen().isEmpty()) {
            leases.confirmDead(instance);
            release(instance, RemovalCause.PROBE_FAILED, "registry");
        }
    }

    /**
     * Ends the hold of an instance that is in no shard any more, here and on other nodes.
     *
     * @param actor who does it, for people
     * @return whether there was one
     */
    boolean release(InstanceId instance, RemovalCause cause, String actor) {
        if (leases.publisherOf(instance).isPresent() || !catalog.isHeld(instance)) {
            return false; // registered again, though that may not be visible yet
        }
        leases.bury(instance, new Burial("", 0, cause), actor);
        return true;
    }
}
