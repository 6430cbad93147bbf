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
import java.util.HashSet;
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

    /** Instances under observation at once, and looked at in one call; the others have their turn when there is room. */
    private static final int MOST = 20_000;

    private final NodeId self;
    private final Replication replication;
    private final LeaseTable leases;
    private final Evidence evidence;
    private final EventLoop loop;
    private final Duration lease;
    private final IntSupplier listed;
    private final Map<InstanceId, Observation> observed = new HashMap<>();

    /** Those whose time had come when this round began, of which the first {@code next} have had their turn. */
    private List<Replication.Orphan> round = List.of();

    private int next;

    /** The observed ones that were met in this round. */
    private final Set<InstanceId> present = new HashSet<>();

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

    /** Orphans whose time had come when they were counted last. */
    int orphans() {
        return orphans;
    }

    /** To be called every second or so: where a large node was lost, all of its registrations have their turn in several calls. */
    void look() {
        boolean frozen = leases.frozen().isPresent();
        if (frozen) {
            observed.clear();
        }
        if (next == round.size()) {
            beginRound();
        }
        List<NodeId> alive = replication.alive();
        List<InstanceId> toProbe = new ArrayList<>();
        int end = Math.min(round.size(), next + MOST);
        while (next < end) {
            Replication.Orphan orphan = round.get(next++);
            if (replication.isOrphan(orphan)) { // still
                look(orphan, frozen, alive, toProbe);
            }
        }
        evidence.look(toProbe, this::onVerdict);
    }

    private void beginRound() {
        observed.keySet().retainAll(present);
        present.clear();
        round = new ArrayList<>();
        replication.orphans(lease, round::add);
        next = 0;
        orphans = round.size();
    }

    private void look(Replication.Orphan orphan, boolean frozen, List<NodeId> alive, List<InstanceId> toProbe) {
        Registration left = orphan.registration();
        if (isSuperseded(left)) {
            leases.superseded(left);
            replication.forget(orphan.shard(), left.id());
            return;
        }
        long age = loop.now() - orphan.since();
        leases.outbid(left, Duration.ofNanos(age));
        if (frozen) {
            return; // no verdicts
        }
        if (age >= LEASES_AT_MOST * lease.toNanos()) {
            giveUp(left);
        } else if (Rendezvous.choose(left.id(), alive).equals(self)) {
            judge(left, age, toProbe);
        }
        if (observed.containsKey(left.id())) {
            present.add(left.id());
        }
    }

    /**
     * Whether its publisher has turned up elsewhere, or its node has gone on with it under another incarnation; or a node that
     * is there has it from somebody else who is not in doubt, or from a later connection, perhaps in ignorance of this one's
     * generation, or has given the same one without knowing.
     */
    private boolean isSuperseded(Registration left) {
        String publisher = left.publisher().id();
        if (replication.isVouched(
                left.id(),
                copy -> copy.generation() >= left.generation()
                        || (copy.publisher().id().equals(publisher)
                                ? copy.publisher().attempt() > left.publisher().attempt()
                                : !copy.inDoubt()))) {
            return true;
        }
        Registration latest = leases.latest(left.id()).orElse(left);
        boolean isHere = leases.own().get(left.id()) != null; // the disk vouches for nothing
        return latest.generation() > left.generation() || isHere && leases.isHome(left.id());
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
