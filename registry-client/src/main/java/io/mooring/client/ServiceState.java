package io.mooring.client;

import io.mooring.client.Guard.Departure;
import io.mooring.client.Lookup.Freshness;
import io.mooring.client.Lookup.Prepared;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ServerMessage.Delta;
import io.mooring.protocol.ServerMessage.Same;
import io.mooring.protocol.ServerMessage.View;
import io.mooring.runtime.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One service this process asked for: what the registry says ({@link Mirror}), what callers see behind the {@link Guard},
 * and what is on disk. Confined to the loop, but for {@link #lookup}, which anybody reads.
 */
final class ServiceState {
    private static final Logger log = LoggerFactory.getLogger(ServiceState.class);

    static final Duration LEAST_BETWEEN_WRITES = Duration.ofSeconds(1);
    static final Duration AFTER_FAILED_WRITE = Duration.ofSeconds(30);
    static final Duration CONFIRM_ON_DISK = Duration.ofMinutes(15);
    static final int MOST_BALANCERS = 16;
    static final int MOST_LISTENERS = 10_000;

    /** What a message from the registry led to. */
    enum Outcome {
        FINE,
        /** It does not fit what we have: ask for the whole list. */
        ASK_AGAIN,
        /** It cannot be true: the connection is not to be trusted. */
        DOUBT
    }

    final ServiceKey key;
    final CompletableFuture<Void> ready = new CompletableFuture<>();
    final CompletableFuture<Void> live = new CompletableFuture<>();
    final Outliers outliers;
    volatile Lookup lookup;

    private final Subscriptions home;
    private final MooringPorts ports;
    private final Settings settings;
    private final Counters counters;
    private final CopyOnWriteArrayList<ListenerQueue> listeners = new CopyOnWriteArrayList<>();

    private Optional<Mirror> mirror = Optional.empty();
    private boolean told; // the registry, at least once
    private boolean streaming; // answered on this connection: every change is pushed
    private long revision;
    private long askedAs; // the id of the open subscribe, 0 without one
    private boolean registryProtects;
    private boolean toldIncomplete;
    private boolean settled = true; // what we had may not be known to the node that tells now, until it is
    private boolean incomplete; // either

    private Freshness freshness;

    private List<ListedInstance> shown;
    private final Map<InstanceId, Departure> departures = new HashMap<>(); // of those held only, between messages
    private final Map<InstanceId, Long> heldSince = new LinkedHashMap<>();
    private boolean rosterChanged;

    private int repairs; // lately
    private long lastRepairAt;
    private boolean waitsToAsk;
    private long askAt;

    private boolean unwritten;
    private boolean writing;
    private boolean everTriedToWrite;
    private long mayWriteAt;
    private long writtenAt;
    private boolean diskComplained;

    private @Nullable Timer wake;
    private long wakeAt;
    private boolean closed;

    /** @param cached what the disk had */
    ServiceState(
            ServiceKey key,
            Optional<CachedList> cached,
            Subscriptions home,
            MooringPorts ports,
            Settings settings,
            Counters counters) {
        this.key = key;
        this.home = home;
        this.ports = ports;
        this.settings = settings;
        this.counters = counters;
        long now = ports.loop().now();
        Duration age = cached.map(list ->
                        Duration.between(list.storedAt(), ports.wallClock().instant()))
                .filter(duration -> !duration.isNegative())
                .orElse(Duration.ZERO);
        this.freshness = new Freshness(age, now);
        this.shown = cached.map(CachedList::instances).orElse(List.of());
        // Asking with its digest is right whatever is in it: "same" means that the registry lists exactly this.
        this.mirror = cached.flatMap(list -> Mirror.of(list.instances()));
        this.outliers = new Outliers(
                ports.loop(),
                settings.outliers(),
                counters,
                () -> home.enter(() -> {
                    rosterChanged = true;
                    publish(Map.of());
                }));
        Source source = cached.isPresent() ? Source.DISK : Source.NONE;
        Prepared[] own = {new Prepared(settings.balancer(), NOBODY)};
        this.lookup = built(shown, new Candidate[0], own, source);
        if (cached.isPresent()) {
            ready.complete(null);
        }
    }

    private static final Balancer.Picker NOBODY = (k, attempt) -> -1;

    // ---- the conversation with the registry; Subscriptions leads it

    OptionalLong digestToAskWith() {
        return mirror.isPresent() ? OptionalLong.of(mirror.get().digest()) : OptionalLong.empty();
    }

    void asked(long id) {
        askedAs = id;
        streaming = false;
        waitsToAsk = false;
    }

    boolean isAskedAs(long id) {
        return askedAs == id;
    }

    boolean isAsked() {
        return askedAs != 0;
    }

    void notAsked() {
        askedAs = 0;
    }

    void refused(Duration retryAfter) {
        askedAs = 0;
        waitsToAsk = true;
        askAt = ports.loop().now() + retryAfter.toNanos();
        plan();
    }

    Outcome onView(View view, Freshness connection) {
        boolean answer = view.id().isPresent();
        if (!answer && !streaming) {
            return Outcome.FINE; // of an earlier subscription; the answer to the open one is on its way
        }
        Optional<Mirror> next = Mirror.of(view.instances());
        if (next.isEmpty() || next.get().digest() != view.digest()) {
            return Outcome.DOUBT;
        }
        mirror = next;
        revision = view.revision();
        Set<InstanceId> listed = new HashSet<>();
        if (!view.removals().isEmpty()) {
            next.get().instances().forEach(instance -> listed.add(instance.id()));
        }
        for (Removal removal : view.removals()) {
            if (!listed.contains(removal.instance())) {
                departures.put(
                        removal.instance(),
                        new Departure(removal, removal.cause().certain()));
            }
        }
        toldNow(answer, connection, view.underProtection(), view.incomplete());
        settle(Set.of());
        return Outcome.FINE;
    }

    Outcome onSame(Same same, Freshness connection) {
        boolean answer = same.id().isPresent();
        if (!answer && !streaming) {
            return Outcome.FINE;
        }
        if (mirror.isEmpty() || mirror.get().digest() != same.digest()) {
            return answer && mirror.isEmpty() ? Outcome.DOUBT : Outcome.ASK_AGAIN;
        }
        revision = same.revision();
        toldNow(answer, connection, same.underProtection(), same.incomplete());
        settle(Set.of());
        return Outcome.FINE;
    }

    Outcome onDelta(Delta delta) {
        if (!streaming || mirror.isEmpty() || delta.to() <= revision) {
            return Outcome.FINE; // of an earlier subscription, overtaken by the answer to a later one
        }
        if (delta.from() != revision) {
            return Outcome.ASK_AGAIN;
        }
        Mirror before = mirror.get();
        Mirror after = before.after(delta.put(), delta.removed());
        if (after.digest() != delta.digest()) {
            return Outcome.ASK_AGAIN;
        }
        for (Removal removal : delta.removed()) {
            int at = Mirror.find(before.instances(), removal.instance());
            // What the registry itself held back has been through its confirmation already.
            boolean confirmed = at >= 0 && before.instances().get(at).standing() == Standing.HELD;
            departures.put(
                    removal.instance(),
                    new Departure(removal, confirmed || removal.cause().certain()));
        }
        mirror = Optional.of(after);
        revision = delta.to();
        boolean plain = shown == before.instances() && delta.removed().isEmpty();
        toldNow(false, freshness, delta.underProtection(), delta.incomplete());
        if (plain && !incomplete) {
            shown = after.instances(); // nobody missing, nobody held: nothing to judge
            changed(Map.of());
        } else {
            settle(Set.of());
        }
        return Outcome.FINE;
    }

    /** Another digest than ours: true when it happens so often that the connection had better end. */
    boolean repair() {
        long now = ports.loop().now();
        repairs = repairs > 0 && now - lastRepairAt < Duration.ofMinutes(1).toNanos() ? repairs + 1 : 1;
        lastRepairAt = now;
        counters.repairs.increment();
        mirror = Optional.empty(); // what callers see stays
        streaming = false;
        publish(Map.of());
        return repairs > 5;
    }

    private void toldNow(boolean answer, Freshness connection, boolean protects, boolean isIncomplete) {
        if (answer) {
            streaming = true;
            askedAs = 0;
            freshness = connection;
            settled = shown.isEmpty();
        }
        long now = ports.loop().now();
        settled |= now - freshness.settledAt() >= 0;
        toldIncomplete = isIncomplete;
        boolean isNow = toldIncomplete || !settled;
        if (answer || incomplete && !isNow) {
            heldSince.replaceAll((id, since) -> now); // the confirmation must be of one piece
        }
        told = true;
        registryProtects = protects;
        incomplete = isNow;
    }

    void disconnected() {
        askedAs = 0;
        waitsToAsk = false;
        repairs = 0;
        streaming = false;
        publish(Map.of()); // also when a subscribe to the next node was under way
    }

    // ---- what callers see

    private void settle(Set<InstanceId> confirmed) {
        List<ListedInstance> before = shown;
        List<ListedInstance> listed = mirror.map(Mirror::instances).orElse(List.of());
        List<ListedInstance> told = incomplete ? Guard.latest(before, listed) : listed;
        Guard.Verdict verdict = Guard.judge(before, told, departures, incomplete, confirmed);
        shown = verdict.shown(); // the registry's own list, mostly: the next delta can then skip all this
        long now = ports.loop().now();
        if (heldSince.isEmpty() && !verdict.held().isEmpty()) {
            counters.guardHolds.increment();
            log.warn(
                    "{}: {} of {} instances left at once without a reason; they stay listed until that is confirmed",
                    key,
                    verdict.held().size(),
                    before.size());
        }
        heldSince.keySet().retainAll(verdict.held());
        verdict.held().forEach(id -> heldSince.putIfAbsent(id, now));
        Map<InstanceId, RemovalCause> causes = new HashMap<>();
        departures.forEach((id, departure) -> {
            if (!verdict.held().contains(id)) {
                causes.put(id, departure.removal().cause());
            }
        });
        departures.keySet().retainAll(verdict.held());
        changed(causes);
    }

    private static boolean same(List<ListedInstance> one, List<ListedInstance> other) {
        return one == other || one.equals(other);
    }

    private void changed(Map<InstanceId, RemovalCause> causes) {
        if (!same(lookup.listed, shown) || !everTriedToWrite) {
            unwritten = true;
        }
        publish(causes);
        plan();
    }

    private Source source() {
        if (streaming) {
            return Source.LIVE;
        }
        return told ? Source.MEMORY : ready.isDone() ? Source.DISK : Source.NONE;
    }

    /** Makes a new lookup if anything differs, and tells whoever wants to know if the list does. */
    private void publish(Map<InstanceId, RemovalCause> causes) {
        Lookup before = lookup;
        Source source = source();
        boolean protection = registryProtects || !heldSince.isEmpty();
        boolean listChanged = before.listed != shown && !before.listed.equals(shown);
        if (listChanged || rosterChanged) {
            rosterChanged = false;
            lookup = built(shown, before.roster, before.prepared, source);
        } else if (before.source != source
                || before.freshness != freshness
                || before.underProtection != protection
                || before.incomplete != incomplete) {
            lookup = before.with(source, freshness, protection, incomplete);
        }
        if (listChanged || before.source == Source.NONE && source != Source.NONE) {
            for (ListenerQueue listener : listeners) {
                listener.offer(lookup, causes);
            }
        }
        if (source == Source.LIVE) {
            home.complete(ready);
            home.complete(live);
        }
    }

    private Lookup built(List<ListedInstance> listed, Candidate[] oldRoster, Prepared[] old, Source source) {
        Candidate[] roster = roster(listed, oldRoster);
        Candidate[] taking = taking(roster);
        List<Instance> callable = new ArrayList<>(taking.length);
        for (Candidate candidate : taking) {
            callable.add(candidate.instance);
        }
        Candidates candidates = new Candidates(withoutEjected(taking), ports.lookupRandom());
        Prepared[] prepared = new Prepared[old.length];
        for (int i = 0; i < old.length; i++) {
            prepared[i] = prepared(old[i].balancer(), candidates);
        }
        return new Lookup(
                key,
                listed,
                roster,
                List.copyOf(callable),
                candidates,
                prepared,
                source,
                freshness,
                registryProtects || !heldSince.isEmpty(),
                incomplete);
    }

    /** One candidate for each of the list; what is noted of an instance goes with it. */
    private Candidate[] roster(List<ListedInstance> listed, Candidate[] old) {
        Candidate[] roster = new Candidate[listed.size()];
        int o = 0;
        for (int i = 0; i < roster.length; i++) {
            ListedInstance instance = listed.get(i);
            while (o < old.length
                    && old[o].listed != instance
                    && old[o].listed.id().compareTo(instance.id()) < 0) {
                outliers.forget(old[o++].track);
            }
            if (o < old.length && old[o].listed == instance) {
                roster[i] = old[o++];
            } else if (o < old.length && old[o].listed.id().equals(instance.id())) {
                roster[i] = new Candidate(instance, old[o++].track);
            } else {
                roster[i] = new Candidate(instance, new Track());
            }
        }
        while (o < old.length) {
            outliers.forget(old[o++].track);
        }
        return roster;
    }

    private static Candidate[] taking(Candidate[] roster) {
        Candidate[] out = new Candidate[roster.length];
        int sure = 0;
        for (Candidate candidate : roster) {
            if (candidate.takesCalls() && !candidate.listed.standing().inDoubt()) {
                out[sure++] = candidate;
            }
        }
        if (sure > 0) {
            return Arrays.copyOf(out, sure);
        }
        int doubtful = 0;
        for (Candidate candidate : roster) {
            if (candidate.takesCalls()) {
                out[doubtful++] = candidate;
            }
        }
        return Arrays.copyOf(out, doubtful);
    }

    private static Candidate[] withoutEjected(Candidate[] taking) {
        Candidate[] out = new Candidate[taking.length];
        int kept = 0;
        for (Candidate candidate : taking) {
            if (candidate.track.state() != Track.EJECTED) {
                out[kept++] = candidate;
            }
        }
        return kept == 0 || kept == taking.length ? taking : Arrays.copyOf(out, kept);
    }

    private Prepared prepared(Balancer balancer, Candidates candidates) {
        if (candidates.size() == 0) {
            return new Prepared(balancer, NOBODY);
        }
        try {
            return new Prepared(balancer, balancer.prepare(candidates));
        } catch (RuntimeException e) {
            log.error("{}: a balancer failed to prepare; choosing at random by weight instead", key, e);
            return new Prepared(balancer, new WeightedRandom(candidates));
        }
    }

    /** The balancer's picker for the current list; prepared here and now when it is new. From any thread. */
    Prepared prepare(Lookup current, Balancer balancer) {
        Prepared fresh = prepared(balancer, current.candidates);
        home.post(() -> {
            Lookup now = lookup;
            for (Prepared known : now.prepared) {
                if (known.balancer() == balancer) {
                    return;
                }
            }
            if (now.prepared.length < MOST_BALANCERS) {
                Prepared[] more = Arrays.copyOf(now.prepared, now.prepared.length + 1);
                more[now.prepared.length] =
                        now.candidates == current.candidates ? fresh : prepared(balancer, now.candidates);
                lookup = now.with(more);
            }
        });
        return fresh;
    }

    void add(ListenerQueue listener) {
        listeners.add(listener);
        if (source() != Source.NONE) {
            listener.offer(lookup, Map.of());
        }
    }

    void remove(ListenerQueue listener) {
        listeners.remove(listener);
    }

    int listenerCount() {
        return listeners.size();
    }

    boolean holds() {
        return !heldSince.isEmpty();
    }

    /**
     * The registry has answered a renewal, and so stands by what it told. Whom it has not listed for the whole window leaves
     * now and at no other time: while it, or this process, stood still it confirmed nothing.
     */
    void confirmed() {
        if (closed || !streaming || heldSince.isEmpty()) {
            return;
        }
        long now = ports.loop().now();
        long heard = now - freshness.age(now).toNanos(); // of the connection that answered for this service
        Set<InstanceId> confirmed = new HashSet<>();
        heldSince.forEach((id, since) -> {
            if (heard - since >= settings.guardWindow().toNanos()) {
                confirmed.add(id);
            }
        });
        if (!confirmed.isEmpty()) {
            log.info("{}: the registry kept confirming the loss of {} instances", key, confirmed.size());
            settle(confirmed);
        }
    }

    // ---- what has its time

    /** Does what is due; also called by the watchdog, should a timer have been lost. */
    void tick() {
        if (closed) {
            return;
        }
        listeners.forEach(ListenerQueue::retry);
        long now = ports.loop().now();
        if (streaming && !settled && now - freshness.settledAt() >= 0) {
            toldNow(false, freshness, registryProtects, toldIncomplete);
            settle(Set.of());
        }
        if (waitsToAsk && now - askAt >= 0) {
            waitsToAsk = false;
            home.ask(this);
        }
        if (streaming && everTriedToWrite && now - writtenAt >= CONFIRM_ON_DISK.toNanos()) {
            unwritten = true;
        }
        if (unwritten && !writing && (!everTriedToWrite || now - mayWriteAt >= 0)) {
            write();
        }
        plan();
    }

    private void plan() {
        if (closed) {
            return;
        }
        long now = ports.loop().now();
        long wait = Long.MAX_VALUE;
        if (waitsToAsk) {
            wait = Math.min(wait, askAt - now);
        }
        if (streaming && !settled) {
            wait = Math.min(wait, freshness.settledAt() - now);
        }
        if (told && ports.cache().isPresent() && !writing) {
            if (unwritten) {
                wait = Math.min(wait, everTriedToWrite ? mayWriteAt - now : 0);
            } else if (streaming) {
                wait = Math.min(wait, writtenAt + CONFIRM_ON_DISK.toNanos() - now);
            }
        }
        if (wait == Long.MAX_VALUE || wake != null && wakeAt - now <= wait && wakeAt - now > 0) {
            return;
        }
        if (wake != null) {
            wake.cancel();
        }
        wakeAt = now + Math.max(0, wait);
        wake = ports.loop().schedule(Duration.ofNanos(Math.max(0, wait)), () -> {
            wake = null;
            home.enter(this::tick);
        });
    }

    private void write() {
        if (!told || ports.cache().isEmpty()) {
            unwritten = false;
            return;
        }
        MooringPorts.CacheStore store = ports.cache().get();
        long now = ports.loop().now();
        everTriedToWrite = true;
        mayWriteAt = now + LEAST_BETWEEN_WRITES.toNanos();
        writtenAt = now;
        unwritten = false;
        writing = true;
        try {
            CachedList content = new CachedList(key, ports.wallClock().instant(), shown);
            ports.cacheExecutor().execute(() -> {
                Optional<Throwable> failure = Optional.empty();
                try {
                    store.write(CacheNames.list(key), content.encode());
                } catch (Throwable e) { // a full disk is a matter for a counter, not for callers
                    failure = Optional.of(e);
                }
                Optional<Throwable> result = failure;
                home.post(() -> written(result));
            });
        } catch (RuntimeException | Error e) {
            written(Optional.of(e));
        }
    }

    private void written(Optional<Throwable> failure) {
        writing = false;
        if (failure.isPresent()) {
            counters.diskFailures.increment();
            unwritten = true;
            mayWriteAt = ports.loop().now() + AFTER_FAILED_WRITE.toNanos();
            if (!diskComplained) {
                log.warn(
                        "{}: could not keep the list on disk ({}); everything works, but a restart during an outage would"
                                + " not find it. Trying again from time to time.",
                        key,
                        failure.get().toString());
            }
            diskComplained = true;
        } else {
            diskComplained = false;
        }
        plan();
    }

    /** Nobody wants it any more, or the client closes: what is not on disk yet goes there now. */
    void close() {
        if (unwritten && !writing) {
            write();
        }
        closed = true;
        if (wake != null) {
            wake.cancel();
        }
        streaming = false;
        publish(Map.of());
        listeners.clear();
    }
}
