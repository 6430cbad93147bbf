package io.mooring.server.durable;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.EventLoop;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.Octets;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was settled by somebody and stays until somebody says otherwise: persistent instances and their health, settings of
 * services, overrides of instances, which applications offer which interface. Every node holds all of it; any node takes
 * a change, has it on its disk before it says so, and tells the others. Of two changes of the same thing at nodes that
 * did not know of one another, one wins, everywhere the same, and the other is lost.
 *
 * <p>The package's front door. Changed on the event loop; {@link #settings(ServiceKey)}, {@link #override(InstanceId)},
 * {@link #persistent}, {@link #applications} and {@link #servicesWithSettings} from any thread.
 */
public final class Durables {
    /** Applications that may offer one interface. */
    public static final int MOST_APPLICATIONS = 1_000;

    private static final Logger log = LoggerFactory.getLogger(Durables.class);

    private final DurableTable table = new DurableTable();
    private final @Nullable DurableLog disk;
    private final EntryStore store;
    private final DurableGossip gossip;
    private final SharedTexts texts = new SharedTexts();
    private final Listener listener;
    private final ConcurrentMap<ServiceKey, ConcurrentSkipListMap<InstanceId, Instance>> persistent =
            new ConcurrentHashMap<>();
    private final Set<InstanceId> unhealthy = ConcurrentHashMap.newKeySet();
    private final ConcurrentSkipListMap<ServiceKey, ServiceSettings> settings = new ConcurrentSkipListMap<>();
    private final ConcurrentSkipListMap<InstanceId, Kinds.Laid> overrides = new ConcurrentSkipListMap<>();
    private final ConcurrentMap<InterfaceKey, ConcurrentSkipListSet<String>> offers = new ConcurrentHashMap<>();

    /** Hears on the loop of what is different now, by whomever. */
    public interface Listener {
        /**
         * A persistent instance is there, or says something new, or its health changed.
         *
         * @param healthy as it was found, or said to be, last
         */
        void persistent(Instance instance, boolean healthy);

        /** It is no more. */
        void persistentGone(InstanceId instance);

        void settings(ServiceKey service);

        void override(InstanceId instance);

        /** Other applications offer it now. */
        void applications(InterfaceKey of);
    }

    /**
     * For people and meters.
     *
     * @param values entries there are
     * @param deletions that are remembered
     * @param problem why nothing is accepted at present
     * @param checksum over the values: equal on nodes that hold the same
     */
    public record Status(int values, int deletions, Optional<String> problem, long checksum) {}

    /**
     * Reads what is on the disk. The listener hears of it with {@link #begin}.
     *
     * @param storage where it is kept; empty: nothing can be changed here, only learned from other nodes
     * @throws IOException when the data directory cannot be read
     */
    public Durables(NodeId self, EventLoop loop, Optional<Storage> storage, Neighbours neighbours, Listener listener)
            throws IOException {
        this.listener = listener;
        disk = storage.isPresent() ? new DurableLog(storage.get(), loop, table) : null;
        store = new EntryStore(self, table, disk, this::changed);
        gossip = new DurableGossip(self, table, neighbours, store::offer);
    }

    /** Tells the listener everything there is. */
    public void begin() {
        for (EntryKey key : table.keys()) {
            Entry entry = table.get(key);
            if (entry != null && !entry.deleted()) {
                show(entry);
            }
        }
    }

    // ---- other nodes, on the loop

    /** There is a line to that node, or another one; nothing was said on it yet. */
    public void connected(NodeId node) {
        gossip.connected(node);
    }

    public void lost(NodeId node) {
        gossip.lost(node);
    }

    /** @throws MalformedException when that is not what a node says */
    public void received(NodeId from, byte[] message) throws MalformedException {
        gossip.received(from, message);
    }

    /** There is room on the line to that node. */
    public void writable(NodeId node) {
        gossip.pump(node);
    }

    /** To be called once per heartbeat. */
    public void beat() {
        gossip.beat();
    }

    /** Whether everything that the nodes in reach have is here. */
    public boolean caughtUp() {
        return gossip.caughtUp();
    }

    // ---- changes, on the loop

    /**
     * @param check says at its turn whether it may go ahead
     * @param done gets the refusal, if there is one; otherwise it is so, and stays so
     */
    public void putPersistent(Instance instance, Supplier<Optional<Refusal>> check, Consumer<Optional<Refusal>> done) {
        Optional<Octets> value = Optional.of(Kinds.of(instance));
        store.write(check, List.of(step(Kinds.PERSISTENT, instance.id(), before -> value)), done);
    }

    /** With everything that was settled about it. */
    public void removePersistent(InstanceId id, Supplier<Optional<Refusal>> check, Consumer<Optional<Refusal>> done) {
        UnaryOperator<Optional<Octets>> nothing = before -> Optional.empty();
        store.write(
                check,
                List.of(
                        step(Kinds.PERSISTENT, id, nothing),
                        step(Kinds.HEALTH, id, nothing),
                        step(Kinds.OVERRIDE, id, nothing)),
                done);
    }

    /** What somebody found out about a persistent instance, or says of it. */
    public void health(
            InstanceId id, boolean healthy, Supplier<Optional<Refusal>> check, Consumer<Optional<Refusal>> done) {
        Optional<Octets> value =
                healthy ? Optional.empty() : Optional.of(Kinds.of(false)); // healthy unless said otherwise
        store.write(check, List.of(step(Kinds.HEALTH, id, before -> value)), done);
    }

    /** @param change from what is settled, {@link ServiceSettings#DEFAULTS} if nothing is */
    public void settings(
            ServiceKey service,
            UnaryOperator<ServiceSettings> change,
            Supplier<Optional<Refusal>> check,
            Consumer<Optional<Refusal>> done) {
        store.write(
                check,
                List.of(new EntryStore.Step(Kinds.key(Kinds.SETTINGS, service), before -> {
                    ServiceSettings was = before.flatMap(this::settings).orElse(ServiceSettings.DEFAULTS);
                    return Optional.of(Kinds.of(change.apply(was)));
                })),
                done);
    }

    public void deleteSettings(
            ServiceKey service, Supplier<Optional<Refusal>> check, Consumer<Optional<Refusal>> done) {
        store.write(
                check,
                List.of(new EntryStore.Step(Kinds.key(Kinds.SETTINGS, service), before -> Optional.empty())),
                done);
    }

    /** The registration that an override is for, at the moment it is written. */
    public interface Life {
        /** Its generation. */
        long generation();

        /** Up to which generation its publisher, or an operator, had it removed; 0 if nobody has. */
        long ended();
    }

    /** @param change from what is laid over it, {@link InstanceOverride#NONE} if nothing is */
    public void override(
            InstanceId id,
            UnaryOperator<InstanceOverride> change,
            Life life,
            Supplier<Optional<Refusal>> check,
            Consumer<Optional<Refusal>> done) {
        store.write(
                check,
                List.of(step(Kinds.OVERRIDE, id, before -> {
                    InstanceOverride was = before.flatMap(this::override)
                            .filter(laid -> !isOver(laid, life.ended()))
                            .map(Kinds.Laid::what)
                            .orElse(InstanceOverride.NONE);
                    InstanceOverride after = change.apply(was);
                    return after.isNone()
                            ? Optional.empty()
                            : Optional.of(Kinds.of(new Kinds.Laid(after, life.generation())));
                })),
                done);
    }

    /**
     * They offer that interface, with those that do already: an entry for each, so that applications that come at the same
     * time at nodes that do not know of one another do not displace each other.
     */
    public void addApplications(
            InterfaceKey of,
            Collection<String> applications,
            Supplier<Optional<Refusal>> check,
            Consumer<Optional<Refusal>> done) {
        UnaryOperator<Optional<Octets>> there = before -> before.isPresent() ? before : Optional.of(Octets.NONE);
        List<EntryStore.Step> steps = applications.stream()
                .map(InterfaceKey::checkedApplication)
                .distinct()
                .map(application -> new EntryStore.Step(Kinds.key(of, application), there))
                .toList();
        store.write(() -> check.get().or(() -> tooMany(of, applications)), steps, done);
    }

    private Optional<Refusal> tooMany(InterfaceKey of, Collection<String> more) {
        Set<String> all = new HashSet<>(applications(of));
        all.addAll(more);
        return all.size() <= MOST_APPLICATIONS
                ? Optional.empty()
                : Optional.of(Refusal.of(
                        "limit",
                        "applications that offer " + of + ": " + all.size() + " (expected: at most " + MOST_APPLICATIONS
                                + "); remove the mapping of this interface, and restart those that offer it"));
    }

    /** Nobody offers it any more, of those that are known here. */
    public void removeApplications(
            InterfaceKey of, Supplier<Optional<Refusal>> check, Consumer<Optional<Refusal>> done) {
        store.write(
                check,
                applications(of).stream()
                        .map(application -> new EntryStore.Step(Kinds.key(of, application), before -> Optional.empty()))
                        .toList(),
                done);
    }

    private static EntryStore.Step step(int kind, InstanceId id, UnaryOperator<Optional<Octets>> change) {
        return new EntryStore.Step(Kinds.key(kind, id), change);
    }

    // ---- what there is

    /** The persistent instances of a service, in order. Any thread. */
    public Collection<Instance> persistent(ServiceKey service) {
        NavigableMap<InstanceId, Instance> ofService = persistent.get(service);
        return ofService == null ? List.of() : Collections.unmodifiableCollection(ofService.values());
    }

    /** Whether it is persistent. Any thread. */
    public boolean isPersistent(InstanceId id) {
        NavigableMap<InstanceId, Instance> ofService = persistent.get(id.service());
        return ofService != null && ofService.containsKey(id);
    }

    /** Whether nobody found it unhealthy, or somebody found it well again. Any thread. */
    public boolean isHealthy(InstanceId id) {
        return !unhealthy.contains(id);
    }

    /** Whether a service has persistent instances. Any thread. */
    public boolean hasPersistent(ServiceKey service) {
        return !persistent.isEmpty() && persistent.containsKey(service);
    }

    /** The services that have persistent instances. Any thread. */
    public Set<ServiceKey> servicesWithPersistent() {
        return Collections.unmodifiableSet(persistent.keySet());
    }

    public Optional<ServiceSettings> settings(ServiceKey service) {
        return Optional.ofNullable(settings.get(service));
    }

    /** The services that have settings, in order. Any thread. */
    public Set<ServiceKey> servicesWithSettings() {
        return Collections.unmodifiableSet(settings.keySet());
    }

    public Optional<InstanceOverride> override(InstanceId id) {
        return overrides.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(overrides.get(id)).map(Kinds.Laid::what);
    }

    /** The applications that offer an interface, in order. Any thread. */
    public List<String> applications(InterfaceKey of) {
        Set<String> applications = offers.get(of);
        return applications == null ? List.of() : List.copyOf(applications);
    }

    /** The instances over which something lies, in order. Any thread. */
    public Set<InstanceId> overridden() {
        return Collections.unmodifiableSet(overrides.keySet());
    }

    /**
     * Whether what lies over an instance was laid over a registration that has been removed since. Any thread.
     *
     * @param ended as in {@link Life}
     */
    public boolean isOver(InstanceId id, long ended) {
        Kinds.Laid laid = overrides.isEmpty() ? null : overrides.get(id);
        return laid != null && isOver(laid, ended);
    }

    private static boolean isOver(Kinds.Laid laid, long ended) {
        return laid.on() > 0 && laid.on() <= ended;
    }

    /**
     * What shows of an instance as published. Any thread.
     *
     * @param ended as in {@link Life}
     */
    public Instance shown(Instance published, long ended) {
        Kinds.Laid laid = overrides.isEmpty() ? null : overrides.get(published.id());
        return laid == null || isOver(laid, ended) ? published : laid.what().over(published);
    }

    public Status status() {
        return new Status(
                table.values(), table.deletions(), disk == null ? Optional.empty() : disk.problem(), table.checksum());
    }

    // ---- from the table

    private void changed(List<Entry> entries, boolean own) {
        entries.forEach(this::show);
        if (own) {
            gossip.tell(entries);
        }
    }

    private void show(Entry entry) {
        try {
            switch (entry.key().kind()) {
                case Kinds.PERSISTENT -> showPersistent(entry);
                case Kinds.HEALTH -> showHealth(entry);
                case Kinds.SETTINGS -> {
                    ServiceKey service = Kinds.service(entry.key());
                    entry.present()
                            .flatMap(this::settings)
                            .ifPresentOrElse(is -> settings.put(service, is), () -> settings.remove(service));
                    listener.settings(service);
                }
                case Kinds.OVERRIDE -> {
                    InstanceId id = Kinds.instanceId(entry.key());
                    entry.present()
                            .flatMap(this::override)
                            .ifPresentOrElse(is -> overrides.put(id, is), () -> overrides.remove(id));
                    listener.override(id);
                }
                case Kinds.OFFER -> showOffer(entry);
                default -> {} // of a newer version: kept for those who know
            }
        } catch (MalformedException e) {
            unreadable(e);
        }
    }

    private void showPersistent(Entry entry) throws MalformedException {
        InstanceId id = Kinds.instanceId(entry.key());
        Optional<Octets> value = entry.present();
        if (value.isPresent()) {
            Instance instance = Kinds.instance(entry.key(), value.get(), texts);
            persistent
                    .computeIfAbsent(id.service(), s -> new ConcurrentSkipListMap<>())
                    .put(id, instance);
            listener.persistent(instance, !unhealthy.contains(id));
            return;
        }
        NavigableMap<InstanceId, Instance> ofService = persistent.get(id.service());
        if (ofService != null && ofService.remove(id) != null) {
            if (ofService.isEmpty()) {
                persistent.remove(id.service());
            }
            listener.persistentGone(id);
        }
    }

    private void showHealth(Entry entry) throws MalformedException {
        InstanceId id = Kinds.instanceId(entry.key());
        Optional<Octets> value = entry.present();
        boolean healthy = value.isEmpty() || Kinds.healthy(value.get(), texts);
        boolean changed = healthy ? unhealthy.remove(id) : unhealthy.add(id);
        NavigableMap<InstanceId, Instance> ofService = persistent.get(id.service());
        Instance instance = ofService == null ? null : ofService.get(id);
        if (changed && instance != null) {
            listener.persistent(instance, healthy);
        }
    }

    private void showOffer(Entry entry) throws MalformedException {
        Kinds.Offer offer = Kinds.offer(entry.key());
        if (!entry.deleted()) {
            offers.computeIfAbsent(offer.of(), of -> new ConcurrentSkipListSet<>())
                    .add(offer.application());
        } else {
            offers.computeIfPresent(offer.of(), (of, applications) -> {
                applications.remove(offer.application());
                return applications.isEmpty() ? null : applications;
            });
        }
        listener.applications(offer.of());
    }

    private Optional<ServiceSettings> settings(Octets value) {
        try {
            return Optional.of(Kinds.settings(value, texts));
        } catch (MalformedException e) {
            unreadable(e);
            return Optional.empty();
        }
    }

    private Optional<Kinds.Laid> override(Octets value) {
        try {
            return Optional.of(Kinds.override(value, texts));
        } catch (MalformedException e) {
            unreadable(e);
            return Optional.empty();
        }
    }

    private static void unreadable(MalformedException problem) {
        log.warn("A durable entry that this version cannot read is left alone: {}", problem.getMessage());
    }
}
