package io.mooring.server.lease;

import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;
import io.mooring.runtime.EventLoop;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.Registration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who has a lease here, a session or a single instance by HTTP, and until when. What is to happen when one ends, the lease
 * table decides. Confined to the event loop.
 */
final class Leases {
    private final EventLoop loop;
    private final LeaseWheel wheel;
    private final Map<String, Lease> sessions = new HashMap<>();
    private final Map<InstanceId, Lease> single = new HashMap<>();

    /** Sessions that are back from another node without having said anew all that they had here, and since when. */
    private final Map<Lease, Long> back = new LinkedHashMap<>();

    Leases(EventLoop loop) {
        this.loop = loop;
        wheel = new LeaseWheel(loop.now());
    }

    // ---- who has one

    /** A live look; do not keep it across changes. */
    Collection<Lease> sessions() {
        return Collections.unmodifiableCollection(sessions.values());
    }

    /** Those that have a lease of their own. A live look; do not keep it across changes. */
    Set<InstanceId> single() {
        return Collections.unmodifiableSet(single.keySet());
    }

    @Nullable
    Lease ofSession(String session) {
        return sessions.get(session);
    }

    /** By HTTP; null, too, if a session holds the instance. */
    @Nullable
    Lease ofInstance(InstanceId instance) {
        return single.get(instance);
    }

    /** That of its publisher. */
    @Nullable
    Lease of(Registration registration) {
        return registration.publisher().isSession()
                ? sessions.get(registration.publisher().id())
                : single.get(registration.id());
    }

    /** Its share of the digest of what a session believes to hold. */
    static long fingerprint(Registration registration) {
        return new ListedInstance(registration.instance(), Standing.LIVE).fingerprint();
    }

    void open(Lease session) {
        sessions.put(session.publisher.id(), session);
    }

    void give(InstanceId instance, Lease lease) {
        single.put(instance, lease);
    }

    /** The lease no longer holds the instance. */
    void release(Lease lease, InstanceId id) {
        lease.instances.remove(id);
        if (!lease.publisher.isSession()) {
            single.remove(id, lease);
            forget(lease);
        } else if (lease.instances.isEmpty() && lease.line == null) {
            close(lease);
        }
    }

    void close(Lease session) {
        sessions.remove(session.publisher.id());
        back.remove(session);
        forget(session);
    }

    /** Its end is not waited for. */
    void forget(Lease lease) {
        wheel.forget(lease);
    }

    // ---- until when

    /** It was heard of just now. */
    void touch(Lease lease) {
        lease.deadline = loop.now() + lease.publisher.ttl().toNanos();
        if (lease.lookAt == Long.MIN_VALUE || lease.inGrace) {
            wheel.watch(lease);
        }
        lease.inGrace = false;
    }

    /** Its {@linkplain LeaseTerms#grace() grace} runs from now. */
    void grace(Lease lease) {
        lease.inGrace = true;
        lease.deadline = loop.now() + lease.publisher.terms().grace().toNanos();
        wheel.watch(lease);
    }

    boolean heardLately(Lease lease) {
        long ttl = lease.publisher.ttl().toNanos();
        return !lease.inGrace && !lease.overdue && lease.deadline - loop.now() >= ttl / 3;
    }

    /** Finds those that have ended, and looks at the others again when they may have. */
    void lookAt(long now, Freeze freeze, Consumer<Lease> ended) {
        for (Lease lease : wheel.take(now)) {
            if (freeze.deadline(lease) - now > 0) {
                lease.deadline = freeze.deadline(lease);
                wheel.watch(lease);
            } else {
                ended.accept(lease);
            }
        }
    }

    /** The session is back from another node, and has a lease to say anew what it had here. */
    void isBack(Lease session) {
        back.put(session, loop.now());
    }

    /** The sessions whose lease for that is over; once each. */
    List<Lease> backForALease(long now, Freeze freeze) {
        List<Lease> over = new ArrayList<>();
        back.entrySet().removeIf(entry -> {
            Lease lease = entry.getKey();
            long ttl = lease.publisher.ttl().toNanos();
            boolean isOver = now - entry.getValue() >= ttl && freeze.isLongAgo(ttl, now);
            if (isOver) {
                over.add(lease);
            }
            return isOver;
        });
        return over;
    }
}
