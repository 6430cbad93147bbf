package io.mooring.server.node;

import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.lease.Prober.Verdict;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * What happens to registrations whose node is gone. Their publishers have a lease to turn up elsewhere; then one live node,
 * the {@linkplain Rendezvous same one} for all, looks at the address and gives a verdict, which is an ordinary entry in
 * its own shard:
 *
 * <pre>
 * origin lost ── a lease ──▶ probed ── refused ───────────────▶ PROBE_FAILED
 *                              │ ───── no answer, twice ──────▶ ORPHANED, as the cap on evictions allows
 *                              └ ───── answered, until 4 leases ▶ ORPHANED, likewise
 *               8 leases: any node gives the verdict
 * </pre>
 */
final class OrphanWatch {
    private static final String REGISTRY = "registry";
    private static final Duration PROBE_EVERY = Duration.ofSeconds(5);
    private static final int UNANSWERED = 2;
    private static final int LEASES_WHILE_ANSWERED = 4;
    private static final int LEASES_AT_MOST = 8;

    /** Instances under observation at once; the others have their turn when there is room. */
    private static final int MOST = 20_000;

    private final NodeId self;
    private final Replication replication;
    private final LeaseTable leases;
    private final Evidence evidence;
    private final EventLoop loop;
    private final Duration lease;
    private final IntSupplier listed;
    private final Map<InstanceId, Observation> observed = new HashMap<>();
    private int orphans;

    private static final class Observation {
        long lookedAt;
        int unanswered;
        boolean answered;
        boolean looked;
    }

    OrphanWatch(
            NodeId self,
            Replication replication,
            LeaseTable leases,
            Evidence evidence,
            EventLoop loop,
            Duration lease,
            IntSupplier listed) {
        this.self = self;
        this.replication = replication;
        this.leases = leases;
        this.evidence = evidence;
        this.loop = loop;
        this.lease = lease;
        this.listed = listed;
    }

    /** Orphans whose time had come when {@link #look} was called last. */
    int orphans() {
        return orphans;
    }

    /** To be called every second or so. */
    void look() {
        boolean frozen = leases.frozen().isPresent();
        List<Replication.Orphan> due = new ArrayList<>();
        replication.orphans(lease, due::add);
        orphans = due.size();
        if (frozen || due.isEmpty()) {
            observed.clear();
        }
        if (due.isEmpty()) {
            return;
        }
        List<NodeId> alive = replication.alive();
        Set<InstanceId> present = new LinkedHashSet<>();
        List<InstanceId> toProbe = new ArrayList<>();
        for (Replication.Orphan orphan : due) {
            InstanceId id = orphan.registration().id();
            if (isSuperseded(orphan.registration())) {
                replication.forget(orphan.shard(), id);
                continue;
            }
            if (frozen) {
                continue; // no verdicts
            }
            present.add(id);
            long age = loop.now() - orphan.since();
            boolean ours = Rendezvous.choose(id, alive).equals(self);
            if (age >= LEASES_AT_MOST * lease.toNanos()) {
                giveUp(orphan.registration());
            } else if (ours) {
                judge(orphan.registration(), age, toProbe);
            }
        }
        observed.keySet().retainAll(present);
        evidence.look(toProbe, this::onVerdict);
    }

    /**
     * Whether its publisher has turned up elsewhere, or its node has gone on with it under another incarnation; or a node that
     * is there has it from somebody else, perhaps in ignorance of this one's generation, or has given the same one without
     * knowing.
     */
    private boolean isSuperseded(Registration left) {
        String publisher = left.publisher().id();
        if (replication.isVouched(
                left.id(),
                copy -> copy.generation() >= left.generation()
                        || !copy.publisher().id().equals(publisher))) {
            return true;
        }
        Registration latest = leases.latest(left.id()).orElse(left);
        return latest.generation() > left.generation() || leases.isHome(left.id());
    }

    private void judge(Registration orphan, long age, List<InstanceId> toProbe) {
        Observation observation = observed.get(orphan.id());
        if (observation == null) {
            if (observed.size() >= MOST) {
                return;
            }
            observation = new Observation();
            observed.put(orphan.id(), observation);
        }
        boolean over = observation.unanswered >= UNANSWERED
                || observation.answered && age >= LEASES_WHILE_ANSWERED * lease.toNanos();
        if (over) {
            giveUp(orphan);
        } else if (!observation.looked || loop.now() - observation.lookedAt >= PROBE_EVERY.toNanos()) {
            observation.looked = true;
            observation.lookedAt = loop.now();
            toProbe.add(orphan.id());
        }
    }

    private void giveUp(Registration orphan) {
        if (leases.giveUp(orphan, listed.getAsInt())) {
            observed.remove(orphan.id());
        }
    }

    private void onVerdict(InstanceId id, Verdict verdict) {
        Observation observation = observed.get(id);
        if (observation == null) {
            return;
        }
        observation.answered = verdict == Verdict.ANSWERED;
        observation.unanswered = verdict == Verdict.UNKNOWN ? observation.unanswered + 1 : 0;
        if (verdict == Verdict.REFUSED && leases.frozen().isEmpty()) {
            replication
                    .find(id)
                    .filter(copy -> !copy.originAlive())
                    .map(Replication.Copy::registration)
                    .filter(orphan -> !isSuperseded(orphan))
                    .ifPresent(orphan -> leases.bury(
                            id,
                            new Burial(orphan.publisher().id(), orphan.generation(), RemovalCause.PROBE_FAILED),
                            REGISTRY));
        }
    }
}
