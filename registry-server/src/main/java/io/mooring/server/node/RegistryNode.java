package io.mooring.server.node;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.Outcome;
import io.mooring.server.push.Subscriber;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** SKETCH of the front door; the real one follows. Methods of the first part are called on the loop. */
public abstract class RegistryNode {
    /** The loop on which the methods of the first part are called. */
    public abstract EventLoop loop();

    /** Registers one instance with a lease of its own; an equal one is renewed. {@code reply} runs on the loop. */
    public abstract void put(Instance instance, Duration ttl, Consumer<Outcome> reply);

    /** Renews leases given by {@link #put}. Returns those that are unknown or belong to a session. */
    public abstract List<InstanceId> renew(List<InstanceId> instances);

    /** Changes a registered instance in place, whoever published it. Refused with {@code unknown} if there is none. */
    public abstract void amend(InstanceId instance, UnaryOperator<Instance> change, Consumer<Outcome> reply);

    /**
     * Removes an instance in the publisher's name (cause DEREGISTERED).
     * Refused with {@code unknown} if it is not listed, {@code not_owner} if a session holds it and not {@code force}
     * (force: an operator's removal, cause OPERATOR, whoever published it).
     */
    public abstract void remove(InstanceId instance, boolean force, String actor, Consumer<Outcome> reply);

    /**
     * Starts telling {@code subscriber} about {@code service}. The first delivery follows within this call unless the
     * line is busy: the view, or an update with the same content if {@code digest} is that of the current view.
     */
    public abstract void subscribe(Subscriber subscriber, ServiceKey service, OptionalLong digest);

    public abstract void unsubscribe(Subscriber subscriber, ServiceKey service);

    /** The subscriber is gone: forgets everything about it. */
    public abstract void forget(Subscriber subscriber);

    /** The subscriber's line is free again. */
    public abstract void ready(Subscriber subscriber);

    // ---- any thread

    /** The view of that service now; an empty one with revision 0 if it was never seen. */
    public abstract ServiceView view(ServiceKey service);

    /** The services of a namespace in the order of group and name. */
    public abstract List<ServiceSummary> services(String namespace);

    public abstract NodeStatus status();
}
