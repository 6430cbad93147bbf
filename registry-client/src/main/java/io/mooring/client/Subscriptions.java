package io.mooring.client;

import io.mooring.client.Lookup.Freshness;
import io.mooring.client.ServiceState.Outcome;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.ServerMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The services this process asked for, and which of them must be asked for again. What callers hold is counted under a
 * lock that lookups never take; the rest is confined to the loop.
 */
final class Subscriptions {
    private static final Logger log = LoggerFactory.getLogger(Subscriptions.class);
    private static final Duration ASK_REFUSED_AGAIN = Duration.ofSeconds(30);
    static final int MOST = 10_000;

    private final MooringPorts ports;
    private final Settings settings;
    private final Counters counters;
    private final Session session;

    private final Object opening = new Object();
    private final Map<ServiceKey, Integer> handles = new HashMap<>(); // guarded by opening
    private final Map<ServiceKey, ServiceState> open = new ConcurrentHashMap<>(); // changed under opening only
    private boolean diskComplained; // guarded by opening

    private final Set<ServiceState> wanted = new LinkedHashSet<>();
    private final Set<ServiceState> toAsk = new LinkedHashSet<>();
    private final Set<ServiceKey> toLeave = new LinkedHashSet<>();
    private final Set<ServiceKey> onConnection = new HashSet<>(); // may be pushed, so far as we know
    private boolean connected;

    Subscriptions(MooringPorts ports, Settings settings, Counters counters, Session session) {
        this.ports = ports;
        this.settings = settings;
        this.counters = counters;
        this.session = session;
    }

    /** From any thread; reads the disk when the service is new. */
    ServiceState retain(ServiceKey key) {
        synchronized (opening) {
            ServiceState state = open.get(key);
            if (state == null) {
                if (open.size() >= MOST) {
                    throw new IllegalStateException("services: " + MOST + " are open already (expected: at most " + MOST
                            + "); close the handles that are not needed any more");
                }
                state = new ServiceState(key, load(key), this, ports, settings, counters);
                ServiceState fresh = state;
                post(() -> attach(fresh));
                open.put(key, state);
            }
            handles.merge(key, 1, Integer::sum);
            return state;
        }
    }

    void release(ServiceState state) {
        synchronized (opening) {
            int left = handles.merge(state.key, -1, Integer::sum);
            if (left == 0) {
                handles.remove(state.key);
                open.remove(state.key, state);
                post(() -> detach(state));
            }
        }
    }

    private Optional<CachedList> load(ServiceKey key) {
        if (ports.cache().isEmpty()) {
            return Optional.empty();
        }
        try {
            for (byte[] content : ports.cache().get().read(CacheNames.list(key))) {
                Optional<CachedList> list = CachedList.decode(key, content);
                if (list.isPresent()) {
                    return list;
                }
                counters.diskFailures.increment();
            }
        } catch (Exception | Error e) {
            counters.diskFailures.increment();
            if (!diskComplained) {
                log.warn("Could not read the cache on disk ({}); going on without it", e.toString());
            }
            diskComplained = true;
        }
        return Optional.empty();
    }

    Iterable<ServiceState> states() {
        return open.values();
    }

    private void attach(ServiceState state) {
        wanted.add(state);
        toLeave.remove(state.key);
        ask(state);
    }

    private void detach(ServiceState state) {
        wanted.remove(state);
        toAsk.remove(state);
        if (onConnection.contains(state.key)) {
            toLeave.add(state.key);
        }
        state.close();
    }

    // ---- for the states

    void enter(Runnable step) {
        session.enter("a service", step);
    }

    void post(Runnable step) {
        session.post("a service", step);
    }

    void complete(CompletableFuture<Void> future) {
        session.complete(future);
    }

    void ask(ServiceState state) {
        if (connected && wanted.contains(state) && !state.isAsked()) {
            toAsk.add(state);
        }
    }

    // ---- for the session

    /** A connection is open: everything is asked for again. */
    void connected() {
        connected = true;
        onConnection.clear();
        toLeave.clear();
        toAsk.clear();
        toAsk.addAll(wanted);
    }

    void disconnected() {
        connected = false;
        toAsk.clear();
        toLeave.clear();
        onConnection.clear();
        for (ServiceState state : wanted) {
            try {
                state.disconnected();
            } catch (RuntimeException | Error e) { // one service must not keep the others from hearing it
                counters.internalFailures.increment();
                log.error("{}: failed to note the lost connection", state.key, e);
            }
        }
    }

    Optional<ServiceState> nextToAsk() {
        for (ServiceState state : toAsk) {
            toAsk.remove(state);
            onConnection.add(state.key);
            return Optional.of(state);
        }
        return Optional.empty();
    }

    Optional<ServiceKey> nextToLeave() {
        for (ServiceKey key : toLeave) {
            toLeave.remove(key);
            return Optional.of(key);
        }
        return Optional.empty();
    }

    /** The registry has ended that subscription, unless we began another meanwhile. */
    void left(ServiceKey key) {
        if (!open.containsKey(key) && !toLeave.contains(key)) {
            onConnection.remove(key);
        }
    }

    void timedOut(ServiceState state, long id) {
        if (state.isAskedAs(id)) {
            state.notAsked();
            ask(state);
        }
    }

    void timedOut(ServiceKey key) {
        if (!open.containsKey(key)) {
            toLeave.add(key);
        }
    }

    void refused(ServiceState state, long id, ServerMessage.Refused refusal) {
        if (state.isAskedAs(id)) {
            Duration wait = refusal.retryAfter().isZero() ? ASK_REFUSED_AGAIN : refusal.retryAfter();
            log.warn("{}: the registry refused the subscription ({}); asking again", state.key, refusal.message());
            state.refused(wait.compareTo(ASK_REFUSED_AGAIN) > 0 ? ASK_REFUSED_AGAIN : wait);
        }
    }

    /** An answer to a subscribe. */
    void answered(ServiceState state, long id, ServerMessage message, Freshness freshness) {
        if (!state.isAskedAs(id) || !wanted.contains(state)) {
            return;
        }
        Outcome outcome = message instanceof ServerMessage.View view
                ? state.onView(view, freshness)
                : state.onSame((ServerMessage.Same) message, freshness);
        act(state, outcome, message);
    }

    void pushed(ServiceKey key, ServerMessage message, Freshness freshness) {
        ServiceState state = open.get(key);
        if (!onConnection.contains(key)) {
            throw new DoubtException("a push for " + key + ", which was not asked for");
        }
        if (state == null || !wanted.contains(state)) {
            return; // on its way when we unsubscribed
        }
        Outcome outcome;
        if (message instanceof ServerMessage.Delta delta) {
            outcome = state.onDelta(delta);
        } else if (message instanceof ServerMessage.View view) {
            outcome = state.onView(view, freshness);
        } else {
            outcome = state.onSame((ServerMessage.Same) message, freshness);
        }
        act(state, outcome, message);
    }

    private void act(ServiceState state, Outcome outcome, ServerMessage message) {
        if (outcome == Outcome.DOUBT) {
            throw new DoubtException(state.key + ": a " + message.getClass().getSimpleName()
                    + " that contradicts itself (digest or duplicate instances)");
        }
        if (outcome == Outcome.ASK_AGAIN) {
            state.notAsked();
            if (state.repair()) {
                throw new DoubtException(state.key + ": the list does not fit again and again");
            }
            log.info("{}: a change did not fit what we had; asking for the whole list", state.key);
            ask(state);
        }
    }

    /** The registry has answered a renewal. */
    void confirmed() {
        for (ServiceState state : List.copyOf(wanted)) {
            state.confirmed();
        }
    }

    void tick() {
        for (ServiceState state : List.copyOf(wanted)) {
            state.tick();
        }
    }

    void close() {
        connected = false;
        for (ServiceState state : new ArrayList<>(wanted)) {
            state.close();
        }
        wanted.clear();
        toAsk.clear();
    }
}
