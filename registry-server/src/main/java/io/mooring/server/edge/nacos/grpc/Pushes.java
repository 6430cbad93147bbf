package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.edge.nacos.Missing;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one connection has subscribed to, what it was told of each, and the one delivery it has in hands: the next one comes
 * when all of it has its acks, or has waited for them long enough. Confined to the I/O thread.
 */
final class Pushes {
    private final RegistryNode node;
    private final StreamOut out;
    private final SharedLists lists;
    private final Stamps stamps;
    private final NacosGrpcMeter meter;
    private final Runnable ready;
    private final long answerTakenWithin;
    private final LongSupplier time;
    private final Map<ServiceKey, List<Told>> subscribed = new HashMap<>(4);
    private final Map<Long, Integer> unacked = new HashMap<>(4); // and the bytes of each
    private int count;
    private int unsent;
    private boolean busy;
    private long sentAt;

    /** A service, with the clusters that are wanted, and the view of it and the settings that were told last. */
    private static final class Told {
        final String clusters;
        ServiceView view;
        double threshold;
        boolean wanted = true;
        long answeredAt;
        boolean unsure = true; // whether the client has what it was told

        Told(String clusters, ServiceView view, double threshold, long answeredAt) {
            this.clusters = clusters;
            this.view = view;
            this.threshold = threshold;
            this.answeredAt = answeredAt;
        }
    }

    /**
     * @param ready the delivery is over
     * @param answerTakenWithin how long a client may take for the answer to a subscription
     * @param time in nanoseconds, from wherever
     */
    Pushes(
            RegistryNode node,
            StreamOut out,
            SharedLists lists,
            Stamps stamps,
            NacosGrpcMeter meter,
            Runnable ready,
            Duration answerTakenWithin,
            LongSupplier time) {
        this.node = node;
        this.out = out;
        this.lists = lists;
        this.stamps = stamps;
        this.meter = meter;
        this.ready = ready;
        this.answerTakenWithin = answerTakenWithin.toNanos();
        this.time = time;
    }

    /** Subscriptions; one service with other clusters is another one. */
    int count() {
        return count;
    }

    boolean has(ServiceKey service, String clusters) {
        return find(service, clusters).isPresent();
    }

    private Optional<Told> find(ServiceKey service, String clusters) {
        return subscribed.getOrDefault(service, List.of()).stream()
                .filter(told -> told.clusters.equals(clusters))
                .findFirst();
    }

    /** The client is about to be told of that view, and wants to hear what changes from there. */
    void subscribe(ServiceView view, String clusters) {
        Optional<Told> before = find(view.service(), clusters);
        double threshold = lists.threshold(view.service());
        if (before.isPresent()) {
            before.get().view = view;
            before.get().threshold = threshold;
            before.get().answeredAt = time.getAsLong();
            before.get().unsure = true;
            return;
        }
        subscribed
                .computeIfAbsent(view.service(), s -> new ArrayList<>(1))
                .add(new Told(clusters, view, threshold, time.getAsLong()));
        count++;
    }

    /**
     * The client is about to be told of the service because it asked, which those of 2.0 do every minute although they have
     * subscribed; it may take the answer after a later push, too.
     */
    void queried(ServiceKey service) {
        for (Told told : subscribed.getOrDefault(service, List.of())) {
            if (!told.unsure) { // or who asks often enough would never be told
                told.answeredAt = time.getAsLong();
            }
        }
    }

    /** @return whether nothing of that service is wanted any more */
    boolean unsubscribe(ServiceKey service, String clusters) {
        List<Told> ofService = subscribed.get(service);
        if (ofService == null) {
            return false;
        }
        find(service, clusters).ifPresent(told -> {
            told.wanted = false;
            ofService.remove(told);
            count--;
        });
        if (ofService.isEmpty()) {
            subscribed.remove(service);
        }
        return ofService.isEmpty();
    }

    /** Those of these services that were told by other settings than hold now. */
    List<ServiceKey> outdated(Set<ServiceKey> services) {
        List<ServiceKey> outdated = new ArrayList<>(0);
        subscribed.forEach((service, ofService) -> {
            if (services.contains(service)
                    && ofService.stream().anyMatch(told -> told.threshold != lists.threshold(service))) {
                outdated.add(service);
            }
        });
        return outdated;
    }

    /** Those of which the client may not have what it was told: to be told again now. */
    List<ServiceKey> unsure() {
        List<ServiceKey> unsure = new ArrayList<>(0);
        subscribed.forEach((service, ofService) -> {
            if (ofService.stream().anyMatch(this::isUnsure)) {
                unsure.add(service);
            }
        });
        return unsure;
    }

    /**
     * Java clients drop the answer when they subscribe again on a new connection. And they wait for answers on one thread and take
     * pushes on another, and believe what they take last. So a subscription counts as told with the first push that is certainly
     * taken after its answer, and gets one if nothing changes; Nacos itself pushes half a second after each.
     */
    private boolean isUnsure(Told told) {
        return told.unsure && !isAnswering(told);
    }

    private boolean isAnswering(Told told) {
        return time.getAsLong() - told.answeredAt < answerTakenWithin;
    }

    /** What it has subscribed to, once for each selection of clusters. */
    List<ServiceKey> services() {
        List<ServiceKey> services = new ArrayList<>(count);
        subscribed.forEach((service, ofService) -> ofService.forEach(told -> services.add(service)));
        return services;
    }

    /** The selections of clusters of a service that it wants. */
    List<String> of(ServiceKey service) {
        return subscribed.getOrDefault(service, List.of()).stream()
                .map(told -> told.clusters)
                .toList();
    }

    // ---- one delivery

    void deliver(List<Update> updates, long decidedAt) {
        busy = true;
        unsent++; // until all are looked at
        for (Update update : updates) {
            for (Told told : subscribed.getOrDefault(update.view().service(), List.of())) {
                if (isWorthTelling(told, update)) {
                    unsent++;
                    out.send(() -> push(told, update, decidedAt));
                }
            }
        }
        unsent--;
        finish();
    }

    /**
     * What the client has for certain is not repeated. And these clients cannot add what is new to what
     * they have: while the node is still gathering, a list that lacks somebody without a cause waits until it knows.
     */
    private boolean isWorthTelling(Told told, Update update) {
        ServiceView view = update.view();
        return (isUnsure(told)
                        || told.view.digest() != view.digest()
                        || told.view.underProtection() != view.underProtection()
                        || told.threshold != lists.threshold(view.service()))
                && !(update.incomplete() && Missing.withoutCause(told.view.instances(), view));
    }

    private @Nullable Outgoing push(Told told, Update update, long decidedAt) {
        unsent--;
        if (!told.wanted) {
            finish();
            return null;
        }
        ServiceView view = update.view();
        ServiceView latest = node.view(view.service());
        boolean lacks = update.incomplete() && Missing.withoutCause(told.view.instances(), latest);
        if (latest.revision() > view.revision() && !lacks) {
            view = latest; // it has waited for the client to read, and a query may have told more meanwhile
        }
        told.view = view;
        told.threshold = lists.threshold(view.service());
        told.unsure = isAnswering(told);
        long id = stamps.nextId();
        Outgoing message = Answers.push(id, lists.of(view, told.clusters, false), stamps.next(), out.takesGzip());
        unacked.put(id, message.length());
        out.room().take(message.length());
        sentAt = time.getAsLong();
        meter.pushed(sentAt - decidedAt);
        return message;
    }

    /** @return whether it was a push of ours that waited for it */
    boolean acked(long id) {
        Integer bytes = unacked.remove(id);
        if (bytes == null) {
            return false;
        }
        out.room().giveBack(bytes);
        meter.acked(true);
        finish();
        return true;
    }

    /**
     * To be called now and then.
     *
     * @return for how long the client has left unread what it was sent, in nanoseconds
     */
    long look(Duration ackWithin) {
        if (unacked.isEmpty() || unsent > 0) {
            return 0;
        }
        long since = time.getAsLong() - sentAt;
        if (!out.isReady()) {
            return since;
        }
        if (since >= ackWithin.toNanos()) {
            unacked.forEach((id, bytes) -> meter.acked(false));
            forgetUnacked();
            finish();
        }
        return 0;
    }

    /** The connection has ended. */
    void gone() {
        forgetUnacked();
    }

    private void forgetUnacked() {
        unacked.values().forEach(out.room()::giveBack);
        unacked.clear();
    }

    private void finish() {
        if (busy && unsent == 0 && unacked.isEmpty()) {
            busy = false;
            ready.run();
        }
    }
}
