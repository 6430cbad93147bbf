package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosNames;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One pattern of one connection: which services the client was told of, and what it has still to hear. First what its own list
 * lacks or has too much, in batches, with a word at the end when it begins; then the services that come and go, by state and
 * not by event: what appears and vanishes before the client reads is not told. Confined to the I/O thread.
 */
final class Watch {
    private static final int BATCH = 10;
    private static final String ADDED = "ADD_SERVICE";
    private static final String DELETED = "DELETE_SERVICE";

    final ServicePattern pattern;
    private final Services services;
    private final StreamOut out;
    private final Stamps stamps;
    private final int most;
    private final Set<ServiceKey> told = new HashSet<>();
    private final Set<ServiceKey> moved = new LinkedHashSet<>();
    private final Set<Long> unacked = new HashSet<>(4);
    private ArrayDeque<List<String>> batches = new ArrayDeque<>(1);
    private int allBatches;
    private boolean begins;
    private boolean finish;
    private boolean queued;
    private boolean over;
    private long sentAt;

    /** @param most services it may match; more are left out */
    Watch(ServicePattern pattern, Services services, StreamOut out, Stamps stamps, int most) {
        this.pattern = pattern;
        this.services = services;
        this.out = out;
        this.stamps = stamps;
        this.most = most;
    }

    /**
     * Tells the client what its list lacks, and what is in it and not there any more.
     *
     * @param received the client's list, {@code namespace@@group@@service} each
     * @param initializing whether the client waits for a word at the end
     * @return whether all that match could be told
     */
    boolean sync(Collection<String> received, boolean initializing) {
        told.clear();
        moved.clear();
        unacked.clear();
        begins = initializing;
        finish = false;
        Set<String> known = new HashSet<>(received);
        List<String> lacking = new ArrayList<>();
        boolean all = true;
        for (ServiceKey service : services.ofNamespace(pattern.namespace())) {
            if (!pattern.matches(service)) {
                continue;
            }
            if (told.size() == most) {
                all = false;
                break;
            }
            told.add(service);
            if (!known.contains(name(service))) {
                lacking.add(name(service));
            }
        }
        for (String name : received) {
            named(name).filter(service -> !services.has(service)).ifPresent(gone -> {
                told.add(gone); // goes as a change: in a comparison clients take all there is for what is new
                moved.add(gone);
            });
        }
        batches = batched(lacking);
        allBatches = batches.size();
        finishIfAcked();
        queue();
        return all;
    }

    /** The service of that name, if it matches and is one at all. */
    private Optional<ServiceKey> named(String name) {
        String[] parts = name.split("@@", -1);
        if (parts.length != 3) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ServiceKey(parts[0], parts[1], parts[2])).filter(pattern::matches);
        } catch (InvalidValueException e) {
            return Optional.empty(); // nobody ever told it so
        }
    }

    private static ArrayDeque<List<String>> batched(List<String> names) {
        ArrayDeque<List<String>> batches = new ArrayDeque<>();
        for (int i = 0; i < names.size(); i += BATCH) {
            batches.add(names.subList(i, Math.min(names.size(), i + BATCH)));
        }
        return batches;
    }

    /** A service that matches has come or gone. What does not fit is left out until the client compares again. */
    void moved(ServiceKey service) {
        boolean matters = told.contains(service) || told.size() + moved.size() < 2 * most;
        if (matters && moved.add(service)) {
            queue();
        }
    }

    /** Nothing more is said. */
    void end() {
        over = true;
    }

    // ---- one message after the other

    private void queue() {
        boolean something = !batches.isEmpty() || finish || !moved.isEmpty();
        if (something && !queued && !over) {
            queued = true;
            out.send(this::next);
        }
    }

    private @Nullable Outgoing next() {
        queued = false;
        if (over) {
            return null;
        }
        Outgoing message;
        if (!batches.isEmpty()) {
            message = batch(batches.remove());
        } else if (finish) {
            finish = false;
            begins = false;
            message = sync("FINISH_FUZZY_WATCH_INIT_NOTIFY", List.of(), 0, stamps.nextId());
        } else {
            message = change();
        }
        queue();
        return message;
    }

    private Outgoing batch(List<String> names) {
        long id = stamps.nextId();
        unacked.add(id);
        sentAt = System.nanoTime();
        String type = begins ? "FUZZY_WATCH_INIT_NOTIFY" : "FUZZY_WATCH_DIFF_SYNC_NOTIFY";
        return sync(type, names, allBatches - batches.size(), id);
    }

    private @Nullable Outgoing change() {
        List<ServiceKey> looked = new ArrayList<>();
        Outgoing message = null;
        for (ServiceKey service : moved) {
            looked.add(service);
            boolean there = services.has(service);
            if (there && told.size() < most ? told.add(service) : !there && told.remove(service)) {
                message = change(name(service), there ? ADDED : DELETED);
                break;
            }
        }
        looked.forEach(moved::remove);
        return message;
    }

    private Outgoing change(String service, String change) {
        long id = stamps.nextId();
        return Answers.json("NamingFuzzyWatchChangeNotifyRequest", json -> {
            json.writeStartObject();
            json.writeStringField("requestId", Long.toString(id));
            json.writeStringField("module", "naming");
            json.writeStringField("syncType", "FUZZY_WATCH_RESOURCE_CHANGED");
            json.writeStringField("serviceKey", service);
            json.writeStringField("changedType", change);
            json.writeEndObject();
        });
    }

    private Outgoing sync(String type, List<String> names, int batch, long id) {
        return Answers.json("NamingFuzzyWatchSyncRequest", json -> {
            json.writeStartObject();
            json.writeStringField("requestId", Long.toString(id));
            json.writeStringField("module", "naming");
            json.writeStringField("syncType", type);
            json.writeStringField("groupKeyPattern", pattern.text());
            json.writeArrayFieldStart("contexts");
            for (String name : names) {
                json.writeStartObject();
                json.writeStringField("serviceKey", name);
                json.writeStringField("changedType", ADDED);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeNumberField("totalBatch", allBatches);
            json.writeNumberField("currentBatch", batch);
            json.writeEndObject();
        });
    }

    private static String name(ServiceKey service) {
        return service.namespace() + "@@" + NacosNames.grouped(service);
    }

    // ---- acks

    /** @return whether it was for a batch of this */
    boolean acked(long id) {
        boolean ours = unacked.remove(id);
        if (ours) {
            finishIfAcked();
            queue();
        }
        return ours;
    }

    /** To be called now and then. */
    void look(Duration ackWithin) {
        if (!unacked.isEmpty() && System.nanoTime() - sentAt >= ackWithin.toNanos()) {
            unacked.clear(); // the client compares again by itself
            finishIfAcked();
            queue();
        }
    }

    private void finishIfAcked() {
        finish |= begins && batches.isEmpty() && unacked.isEmpty();
    }
}
