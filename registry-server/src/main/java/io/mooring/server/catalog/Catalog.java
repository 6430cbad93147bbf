package io.mooring.server.catalog;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.EventLoop;
import io.mooring.server.protection.Protection;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.jspecify.annotations.Nullable;

/**
 * All shards folded into one immutable view per service. Written on the event loop, read from any thread.
 *
 * <p>A fold takes the shards' changes of one turn and touches each affected service once, so a batch becomes visible
 * in one step. Where the same instance stands in several shards, the {@linkplain Registration#beats later one} shows.
 * Removals that nobody stands up for pass the protection: those it holds stay listed, marked, until they are confirmed
 * or have been held long enough.
 */
public final class Catalog {
    /** Removals a view remembers, so that a subscriber who was away can tell an explained absence. */
    private static final int REMOVALS_KEPT = 64;

    /** Empty services whose removals are remembered; the oldest make room. */
    private static final int EMPTY_SERVICES_KEPT = 10_000;

    /** Removals that are remembered so that late copies of what was removed stay hidden; the oldest make room. */
    private static final int BURIALS_KEPT = 100_000;

    private final ProtectionSettings protection;
    private final Overlay overlay;
    private final EventLoop loop;
    private final Map<InstanceId, Copy> copies = new HashMap<>();
    private final LinkedHashMap<InstanceId, Burial> burials = new LinkedHashMap<>();
    private Map<Registration, Burial> contradicted = new LinkedHashMap<>();
    private final ConcurrentMap<ServiceKey, ServiceView> views = new ConcurrentHashMap<>();
    private final NavigableSet<ServiceKey> listedServices = new ConcurrentSkipListSet<>();
    private final LinkedHashMap<ServiceKey, Boolean> emptyServices = new LinkedHashMap<>();
    private final Map<ServiceKey, ServiceGuard> guards = new TreeMap<>();
    private final StandingCounts counts = new StandingCounts();
    private int protectedServices;
    private int listed;
    private long revision;

    /** What shows of an instance. */
    public interface Overlay {
        /** @param ended as {@link #ended} says of it */
        Instance over(Instance published, long ended);
    }

    /** Lists instances as they are published. */
    public Catalog(ProtectionSettings protection, EventLoop loop, long firstRevision) {
        this(protection, loop, firstRevision, (published, ended) -> published);
    }

    /**
     * @param firstRevision views count from here; must be higher than any the node used in an earlier incarnation
     * @param overlay what shows of an instance as published; whoever changes it says so by {@link #relist}
     */
    public Catalog(ProtectionSettings protection, EventLoop loop, long firstRevision, Overlay overlay) {
        this.overlay = overlay;
        this.protection = protection;
        this.loop = loop;
        this.revision = firstRevision;
    }

    /** The removals that are remembered, of all nodes, oldest first. */
    public Map<InstanceId, Burial> burials() {
        return Collections.unmodifiableMap(burials);
    }

    /** The removals that an earlier life of this node had heard or said. Before anything is folded. */
    public void remember(Map<InstanceId, Burial> removals) {
        burials.putAll(removals);
    }

    /** Lists what an earlier life of this node left on disk: nobody has confirmed it yet. Before anything is folded. */
    public void restore(ShardId shard, Iterable<Registration> registrations) {
        Map<ServiceKey, List<Update>> all = new TreeMap<>();
        for (Registration registration : registrations) {
            InstanceId id = registration.id();
            Copy copy = Copy.with(copies.get(id), shard, registration, false);
            copies.put(id, copy);
            all.computeIfAbsent(id.service(), s -> new ArrayList<>()).add(new Update(id, listed(copy)));
        }
        all.forEach((service, updates) -> {
            updates.sort(Update.IN_ORDER);
            publish(view(service), updates, List.of(), null);
        });
    }

    // ---- any thread

    /** The view of that service now; an empty one with revision 0 if nothing is known of it. */
    public ServiceView view(ServiceKey service) {
        ServiceView view = views.get(service);
        return view == null ? ServiceView.empty(service) : view;
    }

    /** The services with at least one listed instance, in order. */
    public NavigableSet<ServiceKey> services() {
        return Collections.unmodifiableNavigableSet(listedServices);
    }

    // ---- on the loop

    public StandingCounts counts() {
        return counts;
    }

    /** Services with at least one listed instance. */
    public int listedServices() {
        return listed;
    }

    public int protectedServices() {
        return protectedServices;
    }

    /** The instances that protection keeps listed. */
    public List<InstanceId> held() {
        List<InstanceId> out = new ArrayList<>();
        guards.values().forEach(guard -> out.addAll(guard.held.keySet()));
        return out;
    }

    /**
     * Makes the changes of one turn visible. What they say is taken from them and not looked up in the shards, which may
     * have moved on while this turn was being written.
     *
     * @return the views that differ now, in the order of first change
     */
    public List<ServiceView> fold(List<Change> changes) {
        loop.assertInLoop();
        Map<ServiceKey, List<Change>> touched = new LinkedHashMap<>();
        ServiceKey lastService = null;
        List<Change> last = List.of();
        for (Change change : changes) {
            ServiceKey service = change.instance().service();
            if (service != lastService) {
                last = touched.computeIfAbsent(service, s -> new ArrayList<>());
                lastService = service;
            }
            last.add(change);
        }
        List<ServiceView> changed = new ArrayList<>(touched.size());
        touched.forEach((service, ofService) -> {
            ServiceView view = foldService(service, ofService);
            if (view != null) {
                changed.add(view);
            }
        });
        return changed;
    }

    /**
     * The registrations among the folds since the last call that are not above a removal that is remembered, and that removal:
     * who granted them did not know of it. Some of them are hidden by it.
     */
    public Map<Registration, Burial> takeContradicted() {
        Map<Registration, Burial> taken = contradicted;
        contradicted = new LinkedHashMap<>();
        return taken;
    }

    /**
     * Whether that registration, if it arrived now, would be a late word on what its publisher has ended; or on what somebody
     * else left behind, who is in doubt: it left with a later one's removal.
     */
    public boolean isOver(Registration registration) {
        Burial burial = burials.isEmpty() ? null : burials.get(registration.id());
        return burial != null && isOver(registration, burial);
    }

    private boolean isOver(Registration registration, Burial burial) {
        boolean isLeft = registration.inDoubt() && !copies.containsKey(registration.id());
        return burial.isOver(registration) || isLeft && burial.reaches(registration);
    }

    private ListedInstance listed(Copy copies) {
        Copy best = copies.best();
        Registration shows = best.registration();
        Instance shown = overlay.over(shows.instance(), ended(shows.id()));
        return new ListedInstance(shown, best.standing(), shows.generation());
    }

    /**
     * The generation up to which somebody asked for the removal of that instance, as far as that is remembered: what was
     * said of it then was said of another than who is there now. 0 if nobody did.
     */
    public long ended(InstanceId instance) {
        Burial burial = burials.isEmpty() ? null : burials.get(instance);
        return burial != null && burial.explicit() ? burial.generation() : 0;
    }

    /**
     * Lists those instances anew, as the overlay has them now.
     *
     * @return the views that differ now
     */
    public List<ServiceView> relist(Collection<InstanceId> instances) {
        loop.assertInLoop();
        Map<ServiceKey, List<Update>> touched = new TreeMap<>();
        for (InstanceId id : new TreeSet<>(instances)) {
            Copy copy = copies.get(id);
            if (copy != null) {
                touched.computeIfAbsent(id.service(), s -> new ArrayList<>()).add(new Update(id, listed(copy)));
            }
        }
        List<ServiceView> changed = new ArrayList<>();
        touched.forEach((service, updates) -> {
            ServiceView view = publish(view(service), updates, List.of(), guards.get(service));
            if (view != null) {
                changed.add(view);
            }
        });
        return changed;
    }

    /** Whether it is in its service's view. Any thread. */
    public boolean isListed(InstanceId instance) {
        return indexOf(view(instance.service()).instances(), instance) >= 0;
    }

    /** The generation of that instance as it is listed; 0 if it is not. */
    public long generation(InstanceId instance) {
        List<ListedInstance> instances = view(instance.service()).instances();
        int at = indexOf(instances, instance);
        return at < 0 ? 0 : instances.get(at).generation();
    }

    /** Whether protection keeps that instance listed. */
    public boolean isHeld(InstanceId instance) {
        ServiceGuard guard = guards.get(instance.service());
        return guard != null && guard.held.containsKey(instance);
    }

    /** Ends the holds that have lasted long enough. @return the views that differ now */
    public List<ServiceView> releaseHolds() {
        long now = loop.now();
        List<ServiceView> changed = new ArrayList<>();
        Iterator<Map.Entry<ServiceKey, ServiceGuard>> each = guards.entrySet().iterator();
        while (each.hasNext()) {
            Map.Entry<ServiceKey, ServiceGuard> entry = each.next();
            ServiceGuard guard = entry.getValue();
            List<InstanceId> released = guard.released(now);
            if (!released.isEmpty()) {
                List<Update> updates = new ArrayList<>();
                List<Removal> removals = new ArrayList<>();
                for (InstanceId id : released) { // in order
                    ServiceGuard.Hold hold = guard.held.remove(id);
                    updates.add(new Update(id, null));
                    RemovalCause cause = hold == null ? RemovalCause.LEASE_EXPIRED : hold.cause();
                    removals.add(new Removal(id, cause));
                }
                ServiceView view = publish(view(entry.getKey()), updates, removals, guard);
                if (view != null) {
                    changed.add(view);
                }
            }
            if (guard.isIdle(protection.window().toNanos(), now)) {
                each.remove();
            }
        }
        return changed;
    }

    /** How an instance is listed from now on; null: not at all. */
    private record Update(InstanceId id, @Nullable ListedInstance now) {
        static final Comparator<Update> IN_ORDER = Comparator.comparing(Update::id);
    }

    private static final Comparator<Change> BY_INSTANCE = Comparator.comparing(Change::instance);

    private @Nullable ServiceView foldService(ServiceKey service, List<Change> changes) {
        ServiceView before = view(service);
        ServiceGuard guard = guards.get(service);
        if (changes.size() > 1) {
            changes.sort(BY_INSTANCE); // stable: of one instance's changes, the last stays the last
        }
        List<Update> updates = new ArrayList<>(changes.size());
        List<Removal> removals = new ArrayList<>(0);
        Map<Removal, ListedInstance> doubtful = new LinkedHashMap<>(0); // and what was heard of them last
        for (int i = 0; i < changes.size(); ) {
            InstanceId id = changes.get(i).instance();
            Copy was = copies.get(id);
            Removal removal = null;
            boolean isOfShown = false;
            long ended = 0;
            for (; i < changes.size() && changes.get(i).instance().equals(id); i++) {
                Change change = heard(changes.get(i));
                if (change instanceof Change.Granted granted) {
                    boolean counts = grant(granted);
                    was = copies.getOrDefault(id, was);
                    if (counts && was != null && was.best().registration() == granted.registration()) {
                        isOfShown = false; // what ended before that is not why this one leaves
                        ended = 0;
                    }
                } else if (change instanceof Change.Removed removed) {
                    remove(removed);
                    boolean endsShown = was != null && was.best().isEndedBy(removed.shard(), removed.burial());
                    boolean surer = removal == null
                            || !removal.cause().certain()
                            || removed.cause().certain();
                    // Why an earlier one ended, which a node that catches up may hear of, too, says nothing of this
                    // one.
                    if (endsShown == isOfShown ? surer : endsShown) {
                        removal = removed.removal();
                        isOfShown = endsShown;
                    }
                    ended = Math.max(ended, removed.burial().generation());
                }
            }
            Copy copy = copies.get(id);
            if (copy != null) {
                updates.add(new Update(id, listed(copy)));
            } else if (removal == null || indexOf(before.instances(), id) < 0) {
                continue; // a late word on what is buried, or has left: why it did is remembered
            } else if (removal.cause().certain()) {
                updates.add(new Update(id, null));
                removals.add(removal.upTo(ended));
            } else {
                ListedInstance shown = before.instances().get(indexOf(before.instances(), id));
                ListedInstance last = was == null ? shown : listed(was);
                doubtful.put(removal.upTo(ended), last.generation() > shown.generation() ? last : shown);
                continue;
            }
            if (guard != null) {
                guard.held.remove(id); // its publisher is back, or its end is certain
            }
        }
        ServiceGuard guardNow = guard;
        if (!doubtful.isEmpty()) {
            guardNow = judge(before, doubtful, updates, removals);
            updates.sort(Update.IN_ORDER);
        }
        return publish(before, updates, removals, guardNow);
    }

    /**
     * Sorts doubtful removals into those that happen and those that are held.
     *
     * @param doubtful with the latest that was heard of each, perhaps in this very turn
     */
    private ServiceGuard judge(
            ServiceView before, Map<Removal, ListedInstance> doubtful, List<Update> updates, List<Removal> removals) {
        long now = loop.now();
        ServiceGuard guard = guards.computeIfAbsent(before.service(), s -> new ServiceGuard());
        doubtful.entrySet().removeIf(each -> {
            InstanceId id = each.getKey().instance();
            boolean isHeld = guard.held.containsKey(id);
            if (isHeld) {
                updates.add(new Update(id, each.getValue().held()));
            }
            return isHeld;
        });
        if (doubtful.isEmpty()) {
            return guard;
        }
        int certainlyGone = removals.size();
        int listed = before.instances().size() - guard.held.size() - certainlyGone;
        int left = guard.leftWithin(protection.window().toNanos(), now);
        if (Protection.holds(protection, listed, left, doubtful.size())) {
            long until = now + protection.confirmation().toNanos();
            doubtful.forEach((removal, last) -> {
                guard.held.put(removal.instance(), new ServiceGuard.Hold(removal.cause(), until));
                updates.add(new Update(removal.instance(), last.held()));
            });
        } else {
            guard.left(doubtful.size(), now);
            for (Removal removal : doubtful.keySet()) {
                updates.add(new Update(removal.instance(), null));
                removals.add(removal);
            }
        }
        return guard;
    }

    /**
     * A late word on what is over does not show. But it has taken the place of what its shard said of the instance before, be
     * that of another publisher: nothing that is still to come from there would end that.
     */
    private Change heard(Change change) {
        InstanceId id = change.instance();
        Copy all = copies.get(id);
        Burial burial = all == null || burials.isEmpty() ? null : burials.get(id);
        if (burial != null
                && change instanceof Change.Granted granted
                && isOver(granted.registration(), burial)
                && Copy.without(all, change.shard(), Burial.OWN) != all) {
            contradicted.put(granted.registration(), burial);
            Removal removal = new Removal(id, burial.cause());
            return new Change.Removed(change.shard(), change.revision(), removal, Burial.OWN, "registry");
        }
        return change;
    }

    /** @return whether it counts */
    private boolean grant(Change.Granted granted) {
        InstanceId id = granted.instance();
        Registration registration = granted.registration();
        Burial burial = burials.isEmpty() ? null : burials.get(id);
        boolean isOver = burial != null && isOver(registration, burial);
        if (burial != null && (isOver || registration.generation() <= burial.generation())) {
            contradicted.put(registration, burial);
        }
        if (isOver) {
            return false; // what its publisher left behind elsewhere, arriving late
        }
        copies.put(id, Copy.with(copies.get(id), granted.shard(), registration, true));
        return true;
    }

    private void remove(Change.Removed removed) {
        InstanceId id = removed.instance();
        Copy left = Copy.without(copies.get(id), removed.shard(), removed.burial());
        if (left == null) {
            copies.remove(id);
        } else {
            copies.put(id, left);
        }
        if (removed.burial().generation() > 0) {
            bury(id, removed.burial());
        }
    }

    /** Remembers a removal: late copies of what it reached stay hidden. */
    private void bury(InstanceId id, Burial burial) {
        Burial before = burials.remove(id); // the latest is the youngest
        burials.put(id, Burial.further(before, burial));
        if (burials.size() > BURIALS_KEPT) {
            burials.remove(burials.keySet().iterator().next());
        }
    }

    /** Swaps the view if it differs; readers see the old or the new one. */
    private @Nullable ServiceView publish(
            ServiceView before, List<Update> updates, List<Removal> newRemovals, @Nullable ServiceGuard guard) {
        Merge merge = Merge.of(before.instances(), updates, before.digest(), counts);
        boolean underProtection = guard != null && !guard.held.isEmpty();
        if (!merge.differs() && underProtection == before.underProtection()) {
            return null;
        }
        ServiceView after = new ServiceView(
                before.service(),
                ++revision,
                merge.digest(),
                merge.instances(),
                underProtection,
                remembered(before, updates, newRemovals));
        protectedServices += (underProtection ? 1 : 0) - (before.underProtection() ? 1 : 0);
        views.put(after.service(), after);
        remember(after);
        return after;
    }

    private static List<Removal> remembered(ServiceView before, List<Update> updates, List<Removal> fresh) {
        if (fresh.isEmpty() && !isAnyIn(before.removals(), updates)) {
            return before.removals();
        }
        List<Removal> all = new ArrayList<>(before.removals().size() + fresh.size());
        for (Removal removal : before.removals()) {
            if (!contains(updates, removal.instance())) { // back, or gone for a newer reason
                all.add(removal);
            }
        }
        for (Removal removal : fresh) {
            int at = indexOf(before.instances(), removal.instance());
            if (at >= 0) {
                all.add(removal.upTo(before.instances().get(at).generation()));
            }
        }
        int surplus = Math.max(0, all.size() - REMOVALS_KEPT);
        return List.copyOf(all.subList(surplus, all.size()));
    }

    private static boolean isAnyIn(List<Removal> removals, List<Update> updates) {
        for (int i = 0; i < removals.size(); i++) {
            if (contains(updates, removals.get(i).instance())) {
                return true;
            }
        }
        return false;
    }

    private static boolean contains(List<Update> sorted, InstanceId id) {
        int low = 0;
        int high = sorted.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted.get(middle).id().compareTo(id) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == high && sorted.get(low).id().equals(id);
    }

    private void remember(ServiceView view) {
        ServiceKey service = view.service();
        if (!view.instances().isEmpty()) {
            if (listedServices.add(service)) {
                listed++;
            }
            emptyServices.remove(service);
            return;
        }
        if (listedServices.remove(service)) {
            listed--;
        }
        emptyServices.put(service, true);
        if (emptyServices.size() > EMPTY_SERVICES_KEPT) {
            ServiceKey oldest = emptyServices.keySet().iterator().next();
            emptyServices.remove(oldest);
            views.remove(oldest);
        }
    }

    /** As {@link Collections#binarySearch}: negative if absent, and then {@code -(where it belongs) - 1}. */
    private static int indexOf(List<ListedInstance> sorted, InstanceId id) {
        int low = 0;
        int high = sorted.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = sorted.get(middle).id().compareTo(id);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }

    /** A sorted list with updates applied. */
    private record Merge(List<ListedInstance> instances, long digest, boolean differs) {
        static Merge of(List<ListedInstance> before, List<Update> updates, long digestBefore, StandingCounts counts) {
            ListedInstance[] out = new ListedInstance[before.size() + updates.size()];
            long digest = digestBefore;
            boolean differs = false;
            int from = 0;
            int size = 0;
            for (Update update : updates) {
                int at = indexOf(before, update.id());
                int until = at >= 0 ? at : -at - 1;
                while (from < until) {
                    out[size++] = before.get(from++);
                }
                ListedInstance old = at >= 0 ? before.get(from++) : null;
                ListedInstance now = update.now();
                if (old != null && now != null && old.equals(now) && old.generation() == now.generation()) {
                    out[size++] = old;
                    continue;
                }
                if (old != null) {
                    digest -= old.fingerprint();
                    counts.drop(old);
                    differs = true;
                }
                if (now != null) {
                    digest += now.fingerprint();
                    counts.add(now);
                    differs = true;
                    out[size++] = now;
                }
            }
            if (!differs) {
                return new Merge(before, digestBefore, false);
            }
            while (from < before.size()) {
                out[size++] = before.get(from++);
            }
            ListedInstance[] exact = size == out.length ? out : Arrays.copyOf(out, size);
            return new Merge(Collections.unmodifiableList(Arrays.asList(exact)), digest, true);
        }
    }
}
