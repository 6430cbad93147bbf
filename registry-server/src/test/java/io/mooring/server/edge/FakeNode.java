package io.mooring.server.edge;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.node.ServiceSummary;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** The front door over a map: no leases, no protection, but the contract towards edges is kept. */
public final class FakeNode extends RegistryNode implements AutoCloseable {
    private final ThreadEventLoop loop = new ThreadEventLoop("fake-node");
    private final Map<ServiceKey, ServiceView> views = new ConcurrentHashMap<>();
    private final Map<ServiceKey, Map<InstanceId, ListedInstance>> content = new TreeMap<>();
    private final Map<Subscriber, Map<ServiceKey, Optional<ServiceView>>> subscribers = new LinkedHashMap<>();
    private final Set<Subscriber> busy = new HashSet<>();
    /** Instances that a session holds. */
    public final Set<InstanceId> ofSessions = ConcurrentHashMap.newKeySet();

    public volatile boolean incomplete;
    public volatile boolean ready = true;
    private long revision;

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public void put(Instance instance, Duration ttl, Consumer<Outcome> reply) {
        loop.assertInLoop();
        list(instance, Standing.LIVE);
        reply.accept(Outcome.ACCEPTED);
    }

    /** On the loop: lists it with that standing. */
    public void list(Instance instance, Standing standing) {
        content.computeIfAbsent(instance.service(), s -> new TreeMap<>())
                .put(instance.id(), new ListedInstance(instance, standing));
        publish(instance.service());
    }

    @Override
    public List<InstanceId> renew(List<InstanceId> instances) {
        loop.assertInLoop();
        return instances.stream().filter(id -> !isListed(id)).toList();
    }

    private boolean isListed(InstanceId id) {
        return content.getOrDefault(id.service(), Map.of()).containsKey(id);
    }

    @Override
    public void amend(InstanceId instance, UnaryOperator<Instance> change, Consumer<Outcome> reply) {
        loop.assertInLoop();
        if (!isListed(instance)) {
            reply.accept(Outcome.refused("unknown", "no such instance: " + instance));
            return;
        }
        Map<InstanceId, ListedInstance> service = content.getOrDefault(instance.service(), Map.of());
        service.computeIfPresent(
                instance, (id, before) -> new ListedInstance(change.apply(before.instance()), before.standing()));
        publish(instance.service());
        reply.accept(Outcome.ACCEPTED);
    }

    @Override
    public void remove(InstanceId instance, boolean force, String actor, Consumer<Outcome> reply) {
        loop.assertInLoop();
        if (!isListed(instance)) {
            reply.accept(Outcome.refused("unknown", "no such instance: " + instance));
        } else if (ofSessions.contains(instance) && !force) {
            reply.accept(Outcome.refused("not_owner", "a session holds " + instance + "; force removes it"));
        } else {
            content.getOrDefault(instance.service(), Map.of()).remove(instance);
            publish(instance.service());
            reply.accept(Outcome.ACCEPTED);
        }
    }

    private void publish(ServiceKey service) {
        List<ListedInstance> instances =
                List.copyOf(content.getOrDefault(service, Map.of()).values());
        long digest = Digest.of(instances);
        if (view(service).digest() == digest && view(service).revision() > 0) {
            return;
        }
        views.put(service, new ServiceView(service, ++revision, digest, instances, false, List.of()));
        new ArrayList<>(subscribers.keySet()).forEach(this::tell);
    }

    private void tell(Subscriber subscriber) {
        Map<ServiceKey, Optional<ServiceView>> known = subscribers.getOrDefault(subscriber, Map.of());
        if (busy.contains(subscriber)) {
            return;
        }
        List<Update> updates = new ArrayList<>();
        known.replaceAll((service, before) -> {
            ServiceView now = view(service);
            if (before.isEmpty() || before.get().revision() != now.revision()) {
                updates.add(new Update(before.orElse(null), now, incomplete));
            }
            return Optional.of(now);
        });
        if (!updates.isEmpty()) {
            busy.add(subscriber);
            subscriber.deliver(updates);
        }
    }

    @Override
    public void subscribe(Subscriber subscriber, ServiceKey service, OptionalLong digest) {
        loop.assertInLoop();
        subscribers.computeIfAbsent(subscriber, s -> new TreeMap<>()).put(service, Optional.empty());
        tell(subscriber);
    }

    @Override
    public void unsubscribe(Subscriber subscriber, ServiceKey service) {
        loop.assertInLoop();
        subscribers.getOrDefault(subscriber, new TreeMap<>()).remove(service);
    }

    @Override
    public void forget(Subscriber subscriber) {
        loop.assertInLoop();
        subscribers.remove(subscriber);
        busy.remove(subscriber);
    }

    @Override
    public void ready(Subscriber subscriber) {
        loop.assertInLoop();
        busy.remove(subscriber);
        tell(subscriber);
    }

    /** On the loop. */
    public int subscriberCount() {
        return subscribers.size();
    }

    @Override
    public ServiceView view(ServiceKey service) {
        return views.getOrDefault(service, ServiceView.empty(service));
    }

    @Override
    public List<ServiceSummary> services(String namespace) {
        return new TreeMap<>(views)
                .values().stream()
                        .filter(v -> v.service().namespace().equals(namespace))
                        .filter(v -> !v.instances().isEmpty())
                        .map(v -> new ServiceSummary(
                                v.service(), v.instances().size(), v.instances().size(), false, v.revision()))
                        .toList();
    }

    /** Over everything: equal before and after a request that must not change anything. */
    public String fingerprint() {
        TreeMap<String, String> all = new TreeMap<>();
        views.forEach((service, view) -> all.put(service.toString(), view.revision() + ":" + view.digest()));
        return all.toString();
    }

    @Override
    public NodeStatus status() {
        int instances =
                views.values().stream().mapToInt(v -> v.instances().size()).sum();
        return new NodeStatus(
                "fake",
                1,
                revision,
                ready,
                incomplete,
                Optional.empty(),
                views.size(),
                instances,
                instances,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                Duration.ofSeconds(1),
                Optional.empty(),
                Optional.empty());
    }

    @Override
    public void close() {
        loop.close();
    }
}
