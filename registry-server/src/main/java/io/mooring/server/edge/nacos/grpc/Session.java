package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosRefusal;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import io.mooring.server.shard.LeaseTerms;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A connection as the core sees it: a session of its own, of which nothing is left for the next connection of the same
 * client, who repeats what it had registered.
 *
 * <p>A Nacos client has one publication for each service, of one instance or several; a new one replaces it, and taking it
 * back needs no address. Confined to the event loop.
 */
final class Session implements SessionLine, Subscriber {
    private final RegistryNode node;
    private final String id; // a secret
    private final LeaseTerms terms;
    private final Ends ends;
    private final Map<ServiceKey, List<InstanceId>> publications = new HashMap<>(2);
    private boolean over;

    /** The connection, as its session calls it; on the loop. */
    interface Ends {
        /** The core has something to tell. */
        void deliver(List<Update> updates, long decidedAt);

        /** The core wants no more of it. */
        void close(String code, String message);
    }

    Session(RegistryNode node, String id, LeaseTerms terms, Ends ends) {
        this.node = node;
        this.id = id;
        this.terms = terms;
        this.ends = ends;
    }

    /** @param opened gets null, or why there is no session */
    void open(Consumer<@Nullable NacosRefusal> opened) {
        node.open(id, 0, terms, this, OptionalLong.empty(), held -> opened.accept(null), refused -> {
            over = true;
            opened.accept(refusal(refused));
        });
    }

    /** Something came in since it was asked last. */
    void heard() {
        if (!over) {
            node.heard(id);
        }
    }

    /**
     * Publishes these instances of the service, and no others any more. Readers see it in one step.
     *
     * @param reply gets null, or why nothing has changed
     */
    void publish(ServiceKey service, List<Instance> instances, Consumer<@Nullable NacosRefusal> reply) {
        if (over) {
            reply.accept(notConnected());
            return;
        }
        Set<InstanceId> now = new LinkedHashSet<>(2 * instances.size()); // in their order, in every run
        instances.forEach(instance -> now.add(instance.id()));
        List<InstanceId> gone = new ArrayList<>(publications.getOrDefault(service, List.of()));
        gone.removeIf(now::contains);
        if (instances.isEmpty()) {
            publications.remove(service);
            node.deregister(id, gone, outcome -> reply.accept(refusal(outcome)));
            return;
        }
        Registering registering = new Registering(gone.isEmpty() ? reply : null);
        node.register(id, instances, registering);
        if (registering.refusal != null) {
            if (!gone.isEmpty()) {
                reply.accept(registering.refusal);
            }
            return;
        }
        publications.put(service, List.copyOf(now));
        if (!gone.isEmpty()) {
            node.deregister(id, gone, outcome -> reply.accept(refusal(outcome)));
        }
    }

    /** The core refuses at once, or answers when the change is visible. */
    private static final class Registering implements Consumer<Outcome> {
        private final @Nullable Consumer<@Nullable NacosRefusal> reply;
        private @Nullable NacosRefusal refusal;

        Registering(@Nullable Consumer<@Nullable NacosRefusal> reply) {
            this.reply = reply;
        }

        @Override
        public void accept(Outcome outcome) {
            refusal = refusal(outcome);
            if (reply != null) {
                reply.accept(refusal);
            }
        }
    }

    /** Takes back whatever it has published for the service; nothing is fine, too. */
    void withdraw(ServiceKey service, Consumer<@Nullable NacosRefusal> reply) {
        publish(service, List.of(), reply);
    }

    /** What it has published, for tools. */
    List<InstanceId> published() {
        return publications.values().stream().flatMap(List::stream).toList();
    }

    List<InstanceId> published(ServiceKey service) {
        return publications.getOrDefault(service, List.of());
    }

    /** @param digest of the view that the client was told */
    void subscribe(ServiceKey service, long digest) {
        if (!over) {
            node.subscribe(this, service, OptionalLong.of(digest));
        }
    }

    /** Something that is no part of the view is different now. */
    void tellAgain(ServiceKey service) {
        if (!over) {
            node.subscribe(this, service, OptionalLong.empty());
        }
    }

    void unsubscribe(ServiceKey service) {
        node.unsubscribe(this, service);
    }

    /** What was delivered has arrived, or was not worth telling. */
    void ready() {
        node.ready(this);
    }

    /** It was asked to go elsewhere. */
    void moving() {
        if (!over) {
            node.moving(id);
        }
    }

    @Override
    public void deliver(List<Update> updates) {
        ends.deliver(updates, node.loop().now());
    }

    @Override
    public void close(String code, String message) {
        ends.close(code, message);
    }

    /** The connection has ended. */
    void gone() {
        over = true;
        node.forget(this);
        node.broken(id, this);
        publications.clear();
    }

    static NacosRefusal notConnected() {
        return new NacosRefusal(
                NacosRefusal.NOT_CONNECTED, "this connection is not set up, or not any more; connect anew", "unknown");
    }

    static @Nullable NacosRefusal refusal(Outcome outcome) {
        return outcome instanceof Outcome.Refused refused ? NacosRefusal.of(refused) : null;
    }
}
