package io.mooring.client;

import io.mooring.client.Lookup.Prepared;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.EventLoop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A service to call. Holding one keeps its list up to date; several handles on one service share it. Safe for use by any
 * thread.
 *
 * <p>Lookups ({@code choose}, {@link #instances}) take no lock, do no I/O, allocate nothing, and never fail or wait because of
 * the registry. After {@link #close} they answer from the last list.
 */
public final class Service implements AutoCloseable {
    private final ServiceState state;
    private final Subscriptions home;
    private final EventLoop loop;
    private final MooringPorts ports;
    private final Counters counters;
    private final AtomicBoolean closed = new AtomicBoolean();

    Service(ServiceState state, Subscriptions home, MooringPorts ports, Counters counters) {
        this.state = state;
        this.home = home;
        this.loop = ports.loop();
        this.ports = ports;
        this.counters = counters;
    }

    public ServiceKey key() {
        return state.key;
    }

    /** The service as it is known now, with its source and age. */
    public ServiceSnapshot view() {
        return state.lookup.snapshot(loop.now());
    }

    /** Those to call, as {@link ServiceSnapshot#callable()}, ejected ones too. */
    public List<Instance> instances() {
        return state.lookup.callable;
    }

    /** One of those to call, by the client's balancer; empty when there are none. */
    public Optional<Instance> choose() {
        return choose("");
    }

    /** As {@link #choose()}, for balancers that keep requests with equal keys together. */
    public Optional<Instance> choose(String key) {
        Lookup lookup = state.lookup;
        return answer(lookup, lookup.choose(lookup.prepared[0].picker(), key, state.outliers));
    }

    /** One of those to call, by that balancer; empty when it will have none of them. */
    public Optional<Instance> choose(Balancer balancer) {
        return choose(balancer, "");
    }

    /** As {@link #choose(Balancer)}, for balancers that keep requests with equal keys together. */
    public Optional<Instance> choose(Balancer balancer, String key) {
        Lookup lookup = state.lookup;
        Balancer.Picker picker = picker(lookup, balancer);
        return answer(lookup, lookup.choose(picker, key, state.outliers));
    }

    /**
     * One for a retry, when {@code failed} did not answer: the one that answered well last, else any other, an ejected one
     * if need be. Report the failure first. Looks at the whole list.
     *
     * @return empty when there is nobody at all; {@code failed} itself when there is nobody else
     */
    public Optional<Instance> chooseAnother(Instance failed) {
        Lookup lookup = state.lookup;
        return lookup.chooseAnother(failed.id(), lookup.prepared[0].picker(), "", state.outliers);
    }

    private static Optional<Instance> answer(Lookup lookup, int index) {
        return index < 0 ? Optional.empty() : lookup.candidates.at(index).answer;
    }

    private Balancer.Picker picker(Lookup lookup, Balancer balancer) {
        for (Prepared known : lookup.prepared) {
            if (known.balancer() == balancer) {
                return known.picker();
            }
        }
        return state.prepare(lookup, balancer).picker();
    }

    /**
     * Notes how a call went, for {@linkplain Mooring.Builder#outlierEjection outlier ejection}. An instance that is not
     * listed any more is passed over.
     */
    public void report(Instance instance, CallResult result) {
        report(instance.id(), result);
    }

    void report(InstanceId id, CallResult result) {
        Lookup lookup = state.lookup;
        Optional<Candidate> candidate = lookup.find(id);
        if (candidate.isPresent()) {
            state.outliers.report(candidate.get(), result, lookup.callable.size());
        }
    }

    /** Chooses as {@link #choose()} and counts the call as under way until it is closed. */
    public Optional<Call> begin() {
        return begin("");
    }

    /** Chooses as {@link #choose(String)} and counts the call as under way until it is closed. */
    public Optional<Call> begin(String key) {
        Lookup lookup = state.lookup;
        return begun(lookup, lookup.choose(lookup.prepared[0].picker(), key, state.outliers));
    }

    /** Chooses as {@link #choose(Balancer)} and counts the call as under way until it is closed. */
    public Optional<Call> begin(Balancer balancer) {
        Lookup lookup = state.lookup;
        return begun(lookup, lookup.choose(picker(lookup, balancer), "", state.outliers));
    }

    private Optional<Call> begun(Lookup lookup, int index) {
        return index < 0 ? Optional.empty() : Optional.of(new Call(this, lookup.candidates.at(index)));
    }

    /**
     * Completes with the first list, from the registry or from disk; at once when it is there already. Dependents run on
     * the listeners' threads.
     */
    public CompletableFuture<Void> whenReady() {
        return state.ready.copy();
    }

    /** Completes when the registry itself has told the list for the first time. */
    public CompletableFuture<Void> whenLive() {
        return state.live.copy();
    }

    /**
     * Calls the listener with all that is known, and then with each change, until the subscription or this handle's client
     * is closed. Its calls come one at a time.
     *
     * @throws IllegalStateException when there are {@value ServiceState#MOST_LISTENERS} already
     */
    public Subscription onChange(ServiceListener listener) {
        if (state.listenerCount() >= ServiceState.MOST_LISTENERS) {
            throw new IllegalStateException("listeners of " + state.key + ": " + ServiceState.MOST_LISTENERS
                    + " already (expected: fewer); close the subscriptions that are not needed any more");
        }
        ListenerQueue queue = new ListenerQueue(listener, ports.listenerExecutor(), loop, counters, state::remove);
        home.post(() -> state.add(queue));
        return queue;
    }

    /** Lets go; the last handle on a service ends its subscription. Idempotent. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            home.release(state);
        }
    }
}
