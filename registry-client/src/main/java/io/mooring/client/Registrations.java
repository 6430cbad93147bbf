package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;
import io.mooring.protocol.RefusalCode;
import io.mooring.protocol.ServerMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this process promised to be: kept until taken back, and repeated on every connection that does not have it. Level
 * triggered: for each instance there is what is wanted and what the registry confirmed, and no queue of requests.
 * Confined to the loop.
 */
final class Registrations {
    private static final Logger log = LoggerFactory.getLogger(Registrations.class);
    private static final Duration TRY_REFUSED_AGAIN = Duration.ofSeconds(30);
    static final int MOST = 100_000;

    /** One instance this process wants registered. */
    static final class Promise {
        private final Object owner; // the handle; a later one for the same instance takes over
        private Instance wanted;
        private long version = 1;
        private long confirmedVersion;
        private @Nullable ListedInstance confirmed;
        private boolean everSent;
        private boolean queued;
        private boolean alone; // a batch with it was refused: find out who is to blame
        private boolean gone;
        private final List<Waiter> waiters = new ArrayList<>();

        Promise(Object owner, Instance wanted) {
            this.owner = owner;
            this.wanted = wanted;
        }

        boolean isConfirmed() {
            return confirmedVersion == version;
        }
    }

    private record Waiter(long version, CompletableFuture<Void> future) {}

    /** A promise as it is in a request under way. */
    record Sent(Promise promise, long version, Instance instance) {}

    private final Session session;
    private final Counters counters;
    private final Map<InstanceId, Promise> promises = new LinkedHashMap<>();
    private final ArrayDeque<Promise> dirty = new ArrayDeque<>();
    private final Map<InstanceId, Leaving> leaving = new LinkedHashMap<>();
    private final ArrayDeque<Retry> retries = new ArrayDeque<>();

    /** For the status, from any thread. */
    final AtomicInteger promised = new AtomicInteger();

    final AtomicInteger confirmedCount = new AtomicInteger();

    private static final class Leaving {
        private final List<CompletableFuture<Void>> futures = new ArrayList<>();
        private boolean underWay;
    }

    private record Retry(long at, Promise promise) {}

    Registrations(Session session, Counters counters) {
        this.session = session;
        this.counters = counters;
    }

    // ---- what the application wants

    void register(Object owner, Instance instance, CompletableFuture<Void> future) {
        if (promises.size() >= MOST && !promises.containsKey(instance.id())) {
            session.fail(
                    future,
                    new IllegalStateException("registrations: " + MOST + " already (expected: at most " + MOST
                            + "); close handles, or use another client"));
            return;
        }
        Promise promise = new Promise(owner, instance);
        promise.waiters.add(new Waiter(promise.version, future));
        Promise before = promises.put(instance.id(), promise);
        if (before != null) {
            before.gone = true;
            promise.everSent = before.everSent;
            promise.confirmed = before.confirmed;
            before.waiters.forEach(waiter -> session.fail(waiter.future, takenOver(instance.id())));
            count(before, false);
        }
        Leaving departure = leaving.remove(instance.id());
        if (departure != null) {
            promise.everSent = true;
            departure.futures.forEach(session::complete);
        }
        promised.set(promises.size());
        queue(promise);
    }

    private static IllegalStateException takenOver(InstanceId id) {
        return new IllegalStateException(id + ": another handle of this client registered the same instance");
    }

    void change(Object owner, InstanceId id, UnaryOperator<Instance> change, CompletableFuture<Void> future) {
        Promise promise = promises.get(id);
        if (promise == null || promise.owner != owner) {
            session.fail(future, new IllegalStateException(id + ": this handle is closed, or another took over"));
            return;
        }
        Instance next = change.apply(promise.wanted);
        if (next.equals(promise.wanted) && promise.isConfirmed()) {
            session.complete(future);
            return;
        }
        count(promise, false);
        promise.wanted = next;
        promise.version++;
        promise.alone = false;
        promise.waiters.add(new Waiter(promise.version, future));
        queue(promise);
    }

    void deregister(Object owner, InstanceId id, CompletableFuture<Void> future) {
        Promise promise = promises.get(id);
        if (promise == null || promise.owner != owner) {
            Leaving already = leaving.get(id);
            if (already == null) {
                session.complete(future); // gone, or another handle's now: nothing of ours is left
            } else {
                already.futures.add(future);
            }
            return;
        }
        promises.remove(id);
        promise.gone = true;
        count(promise, false);
        promised.set(promises.size());
        IllegalStateException closed = new IllegalStateException(id + ": deregistered before it was confirmed");
        promise.waiters.forEach(waiter -> session.fail(waiter.future, closed));
        if (promise.everSent) {
            Leaving departure = leaving.computeIfAbsent(id, k -> new Leaving());
            departure.futures.add(future);
            if (leaving.size() > MOST) {
                Iterator<Leaving> oldest = leaving.values().iterator();
                oldest.next().futures.forEach(session::complete);
                oldest.remove(); // its lease ends by itself
            }
        } else {
            session.complete(future);
        }
    }

    private void queue(Promise promise) {
        if (!promise.queued && !promise.gone) {
            promise.queued = true;
            dirty.add(promise);
        }
    }

    private void count(Promise promise, boolean nowConfirmed) {
        if (promise.isConfirmed() != nowConfirmed) {
            confirmedCount.addAndGet(nowConfirmed ? 1 : -1);
        }
    }

    // ---- what the session sends

    /** The digest over what the registry should hold for us; empty when it holds nothing, or more than it should. */
    OptionalLong holds() {
        if (!leaving.isEmpty()) {
            return OptionalLong.empty();
        }
        long sum = 0;
        boolean any = false;
        for (Promise promise : promises.values()) {
            if (promise.confirmed != null) {
                sum += promise.confirmed.fingerprint();
                any = true;
            }
        }
        return any ? OptionalLong.of(sum) : OptionalLong.empty();
    }

    /** A new connection, before hello; {@code waits} when welcome may spare us the repetition. */
    void connected(boolean waits) {
        forgetQueues();
        if (!waits) {
            repeat();
        }
    }

    /** @param held whether the registry has exactly what {@link #holds} said */
    void welcomed(boolean held) {
        if (!held) {
            repeat();
            return;
        }
        for (Promise promise : promises.values()) {
            if (!promise.isConfirmed()) {
                queue(promise);
            }
        }
    }

    /** What was confirmed on an earlier connection is not on this one: it is said until it is. */
    private void repeat() {
        for (Promise promise : promises.values()) {
            count(promise, false);
            promise.confirmedVersion = 0;
            queue(promise);
        }
    }

    void disconnected() {
        forgetQueues();
    }

    private void forgetQueues() {
        dirty.forEach(promise -> promise.queued = false);
        dirty.clear();
        retries.clear();
        leaving.values().forEach(departure -> departure.underWay = false);
    }

    List<InstanceId> nextToLeave(int most) {
        List<InstanceId> ids = new ArrayList<>();
        for (Map.Entry<InstanceId, Leaving> entry : leaving.entrySet()) {
            if (ids.size() < most && !entry.getValue().underWay) {
                entry.getValue().underWay = true;
                ids.add(entry.getKey());
            }
        }
        return ids;
    }

    List<Sent> nextToRegister(int most) {
        List<Sent> batch = new ArrayList<>();
        while (batch.size() < most && !dirty.isEmpty()) {
            Promise promise = dirty.peekFirst();
            if (promise.alone && !promise.gone && !batch.isEmpty()) {
                break;
            }
            dirty.removeFirst();
            promise.queued = false;
            if (!promise.gone) {
                promise.everSent = true;
                batch.add(new Sent(promise, promise.version, promise.wanted));
            }
            if (promise.alone && !batch.isEmpty()) {
                break;
            }
        }
        return batch;
    }

    /** They did not fit into the frame. */
    void putBack(List<Sent> sent) {
        for (int i = sent.size() - 1; i >= 0; i--) {
            Promise promise = sent.get(i).promise;
            if (!promise.queued && !promise.gone) {
                promise.queued = true;
                dirty.addFirst(promise);
            }
        }
    }

    // ---- what came of it

    void registered(List<Sent> batch) {
        for (Sent sent : batch) {
            Promise promise = sent.promise;
            if (promise.gone) {
                continue;
            }
            boolean latest = sent.version == promise.version;
            count(promise, latest || promise.isConfirmed());
            promise.confirmedVersion = Math.max(promise.confirmedVersion, sent.version);
            promise.confirmed = new ListedInstance(sent.instance, Standing.LIVE);
            promise.alone = false;
            promise.waiters.removeIf(waiter -> {
                if (waiter.version <= sent.version) {
                    session.complete(waiter.future);
                    return true;
                }
                return false;
            });
        }
    }

    void lost(List<Sent> batch) {
        for (Sent sent : batch) {
            if (sent.promise.version == sent.version) {
                queue(sent.promise);
            }
        }
    }

    void refused(List<Sent> batch, ServerMessage.Refused refusal, long now) {
        counters.refused.increment();
        boolean someone = Set.of(RefusalCode.INVALID, RefusalCode.MISSING, RefusalCode.LIMIT, RefusalCode.KIND)
                .contains(refusal.code());
        if (batch.size() > 1 && someone) {
            batch.forEach(sent -> sent.promise.alone = true);
            lost(batch);
            return;
        }
        log.warn(
                "The registry refused {}: {}; trying again",
                batch.size() == 1 ? batch.get(0).instance.id() : batch.size() + " registrations",
                refusal.message());
        Duration wait = refusal.retryAfter().isZero() ? TRY_REFUSED_AGAIN : refusal.retryAfter();
        if (wait.compareTo(TRY_REFUSED_AGAIN) > 0) {
            wait = TRY_REFUSED_AGAIN;
        }
        for (Sent sent : batch) {
            Promise promise = sent.promise;
            promise.waiters.removeIf(waiter -> {
                if (waiter.version <= sent.version) {
                    session.fail(waiter.future, new RefusedException(refusal));
                    return true;
                }
                return false;
            });
            if (!promise.gone && promise.version == sent.version) {
                retries.add(new Retry(now + wait.toNanos(), promise));
            }
        }
    }

    void deregistered(List<InstanceId> ids) {
        for (InstanceId id : ids) {
            Leaving departure = leaving.get(id);
            if (departure != null && departure.underWay) {
                leaving.remove(id);
                departure.futures.forEach(session::complete);
            }
        }
    }

    void deregistrationLost(List<InstanceId> ids) {
        for (InstanceId id : ids) {
            Leaving departure = leaving.get(id);
            if (departure != null) {
                departure.underWay = false;
            }
        }
    }

    // ---- what has its time

    void tick(long now) {
        for (Retry next = retries.peekFirst(); next != null && now - next.at >= 0; next = retries.peekFirst()) {
            retries.removeFirst();
            if (!next.promise.isConfirmed()) {
                queue(next.promise);
            }
        }
    }

    /** Nanoseconds until {@link #tick} has something to do. */
    Optional<Long> nextTickIn(long now) {
        Retry next = retries.peekFirst();
        return next == null ? Optional.empty() : Optional.of(next.at - now);
    }

    /** The client closes: whoever still waits learns it. */
    void close() {
        IllegalStateException closed = new IllegalStateException("the client is closed");
        promises.values().forEach(promise -> promise.waiters.forEach(w -> session.fail(w.future, closed)));
        leaving.values().forEach(departure -> departure.futures.forEach(session::complete));
        promises.clear();
        leaving.clear();
        forgetQueues();
        promised.set(0);
        confirmedCount.set(0);
    }
}
