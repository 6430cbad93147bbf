package io.mooring.simulation;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.shard.Registration;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one node has shown, and whether it may show what it shows now.
 *
 * <p>Most checks are exact at all times: the digest, the order of revisions, what was registered, whole batches,
 * protection, caps. Those that depend on what other nodes may know have two forms. While the nodes have been connected
 * with one another for a while ({@link World#isCalm}), a removal must be right by the state of the node that has the
 * publisher, and whoever is in touch with any node is listed on all of them. Otherwise, it is enough that some node had
 * reason to say so. A node that nobody has told anything must have decided by itself, and is judged so.
 */
final class Witness {
    static final long LEASE = Duration.ofSeconds(15).toNanos();
    static final long GRACE = Duration.ofSeconds(3).toNanos();
    private static final long WINDOW = Duration.ofSeconds(60).toNanos();
    static final int REMEMBERED = 64;
    private static final long CONFIRMATION = Duration.ofSeconds(60).toNanos();
    private static final long SILENCE = Duration.ofSeconds(13).toNanos();

    /** From a decision to its being seen, at most: the node's patience with its disk. */
    static final long TURN = Duration.ofMillis(100).toNanos();

    private final World world;
    private final Registry registry;

    private final Map<ServiceKey, ServiceView> shown = new LinkedHashMap<>();
    private final Map<ServiceKey, List<Shown>> histories = new HashMap<>();
    private final Map<InstanceId, Long> exposed = new HashMap<>();
    private final Map<InstanceId, Gone> gone = new HashMap<>();
    private int contents;
    private final Map<InstanceId, Gone> everGone = new HashMap<>(); // its words may be read after its end
    private final Map<InstanceId, Long> heldSince = new LinkedHashMap<>();
    private final Map<ServiceKey, ArrayDeque<Long>> uncertainlyGone = new HashMap<>();
    private final ArrayDeque<Long> evictions = new ArrayDeque<>();
    private final ArrayDeque<Long> departures = new ArrayDeque<>(); // certain ones, of the last minute
    private final Map<InstanceId, ArrayDeque<Long>> wavering = new HashMap<>();
    private final Set<InstanceId> wentBack = new HashSet<>();
    private final Set<InstanceId> fromDisk = new HashSet<>(); // of this life
    private final Map<Registry, Long> heardPeers = new HashMap<>();
    private final Map<InstanceId, HeardOf> heardOf = new HashMap<>();
    private final Map<InstanceId, Map<String, Long>> publishers = new HashMap<>(); // since when it knows of each, ever
    private long startedAt;
    private final Map<Integer, Long> ends = new HashMap<>();
    private long frozenUntil;
    private long resumedAt;
    private long pausedAt;
    private boolean pausedInTurn; // what was decided before may be shown after
    private long toldPeersAt;
    private boolean toldPeersInTurn; // likewise
    private int life;
    private boolean diskLost;
    private boolean lateAtDeath;
    private boolean everUntrusted;
    private long toldOfChangesAt;
    private boolean ready;
    private VirtualTime.@Nullable Loop lookedLoop;
    private long lookedTurn;

    /** What it showed, from when on. */
    private record Shown(long digest, long at) {}

    /** The latest word of another node on an instance. */
    private record HeardOf(long order, long generation, String publisher, long at) {}

    /**
     * When it showed the instance as gone, and why.
     *
     * @param known what it knew of until then has left: that of when it began to hold the instance, if it did
     * @param generation up to which what it had shown is over
     */
    record Gone(long at, RemovalCause cause, int life, long known, long generation) {
        Gone(long at, RemovalCause cause, int life, long generation) {
            this(at, cause, life, at, generation);
        }
    }

    Witness(World world, Registry registry) {
        this.world = world;
        this.registry = registry;
        long now = world.time.now();
        startedAt = now;
        resumedAt = now;
        toldOfChangesAt = now - WINDOW;
        for (ServiceKey key : world.services) {
            shown.put(key, ServiceView.empty(key));
            history(key).add(new Shown(Digest.EMPTY, now));
        }
    }

    private List<Shown> history(ServiceKey key) {
        return histories.computeIfAbsent(key, k -> new ArrayList<>());
    }

    private Oracle oracle() {
        return world.oracle;
    }

    private long now() {
        return world.time.now();
    }

    private Violation wrong(String property, String what) {
        return world.fatal(new Violation(property, registry.name + ": " + what));
    }

    // ---- its life

    int life() {
        return life;
    }

    long startedAt() {
        return startedAt;
    }

    /** When that life of the node ended. */
    long endOf(int ended) {
        return ends.getOrDefault(ended, now());
    }

    boolean everUntrusted() {
        return everUntrusted;
    }

    /** When it last showed that one as gone, in whatever life. */
    Optional<Gone> everGone(InstanceId id) {
        return Optional.ofNullable(everGone.get(id));
    }

    private void shows(InstanceId id, Gone left) {
        gone.put(id, left);
        everGone.put(id, left);
    }

    /** Whether it took it off, or began to hold it, after the one moment and up to a turn after the other. */
    boolean tookOff(InstanceId id, long after, long until) {
        Gone left = everGone.get(id);
        Long held = heldSince.get(id);
        return left != null && left.known - after > 0 && left.known - (until + TURN) <= 0
                || held != null && held - after > 0 && held - (until + TURN) <= 0;
    }

    /** Whether it had reason to show an earlier content of it than before. */
    boolean wentBack(InstanceId id) {
        return wentBack.contains(id);
    }

    /** The content of it that was shown last, in whatever life whose disk was not lost since; 0 if it never was. */
    long showed(InstanceId id) {
        return exposed.getOrDefault(id, 0L);
    }

    /** Whether this life of it had it from its disk. */
    boolean hadOnDisk(InstanceId id) {
        return fromDisk.contains(id);
    }

    void killed(boolean late) {
        lateAtDeath = late;
        ends.put(life, now());
    }

    void diskLoses() {
        diskLost = true;
    }

    boolean diskLostSomething() {
        return diskLost || lateAtDeath;
    }

    void paused() {
        pausedAt = now();
        pausedInTurn = registry.disk.isBusy();
    }

    /** It is told who its peers are. */
    void toldPeers() {
        toldPeersAt = now();
        toldPeersInTurn = registry.disk.isBusy();
    }

    void resumed() {
        resumedAt = now();
        if (now() - pausedAt > LEASE / 3) {
            frozenUntil = now() + LEASE;
        }
    }

    /** Another node's message arrived. */
    void heardPeer(Registry from, boolean tellsChanges) {
        heardPeers.put(from, now());
        if (tellsChanges) {
            toldOfChangesAt = now();
        }
    }

    /** Another node's word arrived. */
    void heardOf(Registration registration, long order) {
        InstanceId id = registration.id();
        String publisher = registration.publisher().id();
        knows(id, publisher);
        HeardOf before = heardOf.get(id);
        if (before == null || before.generation < registration.generation()) {
            heardOf.put(id, new HeardOf(order, registration.generation(), publisher, now()));
        }
    }

    /** It has heard of who registered that one, or from him. */
    void knows(InstanceId id, String publisher) {
        publishers.computeIfAbsent(id, i -> new HashMap<>()).putIfAbsent(publisher, now());
    }

    /**
     * Whether that list is wrong to have an older content than the given one: the node had just heard of it, or a later one,
     * when it sent the list, and was to show it at the end of its turn. Nobody is told of a new generation alone.
     */
    boolean hasLaterToShow(ListedInstance listed, long order) {
        HeardOf heard = heardOf.get(listed.id());
        boolean isBehind = heard != null
                && heard.generation > listed.generation()
                && heard.generation > generationOf(listed.instance());
        if (heard == null || heard.order < order || !isBehind) {
            return false;
        }
        long ago = now() - heard.at;
        long slowest = world.swarm.slowest();
        boolean onItsWay = exposed.getOrDefault(listed.id(), 0L) < order
                && ago <= TURN + world.swarm.diskDelay().toNanos() + slowest;
        return onItsWay && ago > slowest;
    }

    /** The generation with which it lists just that; 0 if it does not. */
    private long generationOf(Instance content) {
        ServiceView view = shown.getOrDefault(content.service(), ServiceView.empty(content.service()));
        for (ListedInstance listed : view.instances()) {
            if (listed.instance().equals(content)) {
                return listed.generation();
            }
        }
        return 0;
    }

    void started(boolean trusted) {
        life++;
        startedAt = now();
        resumedAt = now();
        frozenUntil = now() + LEASE;
        toldOfChangesAt = now() - WINDOW;
        ready = false;
        diskLost = false;
        lateAtDeath = false;
        heldSince.clear();
        evictions.clear();
        uncertainlyGone.clear();
        wavering.clear();
        heardPeers.clear();
        heardOf.clear();
        fromDisk.clear();
        if (!world.registries.contains(registry)) {
            shown.replaceAll((service, before) -> registry.node().view(service));
            shown.values().forEach(this::noteContents);
            return; // not one of ours: what it shows is its own affair
        }
        oracle().nodeStarted(registry, trusted);
        if (!trusted) {
            everUntrusted = true;
            exposed.clear();
            gone.clear();
        }
        for (Map.Entry<ServiceKey, ServiceView> entry : shown.entrySet()) {
            ServiceView before = entry.getValue();
            ServiceView restored = registry.node().view(entry.getKey());
            entry.setValue(restored);
            history(entry.getKey()).add(new Shown(restored.digest(), now()));
            world.coverage.effect(Effects.RESTORED, restored.instances().size());
            if (trusted) {
                restoredRight(before, restored);
            } else {
                noteContents(restored);
            }
            Map<InstanceId, ListedInstance> is = byId(restored);
            fromDisk.addAll(is.keySet());
            is.keySet().forEach(id -> oracle().whole(registry, is, id)); // perhaps written though never shown before
        }
    }

    private void restoredRight(ServiceView before, ServiceView restored) {
        Map<InstanceId, ListedInstance> was = byId(before);
        Map<InstanceId, ListedInstance> is = byId(restored);
        is.forEach((id, listed) -> {
            long order = oracle().order(listed.instance(), "the restored view");
            if (!was.containsKey(id)) {
                notResurrected(listed, order, "is back after a restart");
            }
            notBack(id, order, "with a restart");
        });
        was.forEach((id, listed) -> {
            if (!is.containsKey(id) && listed.standing() != Standing.HELD) {
                boolean explained = oracle().saidGoodbye(id)
                        || oracle().isForced(id)
                        || oracle().mayHaveLeft(id, false)
                        || oracle().probedDead(id, exact());
                if (!explained && world.isSingle()) {
                    throw wrong("B10", id + " was lost with a restart");
                }
                Gone lost = new Gone(now(), RemovalCause.ORPHANED, life, listed.generation());
                shows(id, lost);
            }
        });
    }

    static Map<InstanceId, ListedInstance> byId(ServiceView view) {
        Map<InstanceId, ListedInstance> out = new LinkedHashMap<>();
        view.instances().forEach(listed -> out.put(listed.id(), listed));
        return out;
    }

    // ---- what it shows; called after every step

    void look() {
        if (!registry.isUp()) {
            return;
        }
        if (!ready) { // until then it keeps what it is told
            ready = registry.node().status().ready();
            toldOfChangesAt = toldOfChangesAt - startedAt >= 0 ? now() : toldOfChangesAt;
        } else if (lookedLoop == registry.loop() && lookedTurn == lookedLoop.turns()) {
            return; // views change on the node's loop only, which the catalog asserts
        }
        lookedLoop = registry.loop();
        lookedTurn = lookedLoop.turns();
        for (Map.Entry<ServiceKey, ServiceView> entry : shown.entrySet()) {
            ServiceView after = registry.node().view(entry.getKey());
            ServiceView before = entry.getValue();
            if (after != before) {
                entry.setValue(after);
                if (after.revision() != 0 || before.revision() != 0) {
                    moved(before, after);
                }
            }
        }
    }

    /**
     * Of a machine that is not one of ours: its lists are not judged, but processes may be told who left them, and what went
     * back there.
     */
    void overhear() {
        if (!registry.isUp()) {
            return;
        }
        for (Map.Entry<ServiceKey, ServiceView> entry : shown.entrySet()) {
            ServiceView after = registry.node().view(entry.getKey());
            ServiceView before = entry.setValue(after);
            if (after == before) {
                continue;
            }
            noteContents(after);
            Map<InstanceId, ListedInstance> is = byId(after);
            Set<InstanceId> left = new HashSet<>();
            before.instances().stream()
                    .map(ListedInstance::id)
                    .filter(id -> !is.containsKey(id))
                    .forEach(left::add);
            for (Removal removal : after.removals()) {
                if (left.contains(removal.instance())) {
                    Gone over = new Gone(now(), removal.cause(), life, removal.generation());
                    everGone.put(removal.instance(), over);
                    oracle().said(removal.instance(), removal.cause());
                }
            }
        }
    }

    private void noteContents(ServiceView view) {
        for (ListedInstance listed : view.instances()) {
            oracle().knownOrder(listed.instance()).ifPresent(order -> {
                Long before = exposed.put(listed.id(), order);
                if (before != null && order < before) {
                    wentBack.add(listed.id());
                }
            });
        }
    }

    /** How often a list came to say something else; generations alone do not count. */
    int contents() {
        return contents;
    }

    private void moved(ServiceView before, ServiceView after) {
        world.coverage.effect(Effects.VIEWS);
        world.nodeShowed(registry);
        world.trace.list(
                now(),
                registry.name + " shows " + after.service().name(),
                after.revision(),
                after.digest(),
                after.instances());
        history(after.service()).add(new Shown(after.digest(), now()));
        contents += after.digest() != before.digest() ? 1 : 0;
        if (after.revision() <= before.revision()) {
            throw wrong("B2", "revision " + before.revision() + " is followed by " + after.revision());
        }
        if (Digest.of(after.instances()) != after.digest()) {
            throw wrong("digest", "the digest of " + after.service() + " is not that of its list");
        }
        if (before.instances().equals(after.instances())
                && generations(before).equals(generations(after))
                && before.underProtection() == after.underProtection()) {
            throw wrong("A9", "revision " + after.revision() + " of " + after.service() + " changes nothing");
        }
        Map<InstanceId, ListedInstance> was = byId(before);
        Map<InstanceId, ListedInstance> is = byId(after);
        boolean held = false;
        List<InstanceId> fresh = new ArrayList<>();
        for (ListedInstance listed : after.instances()) {
            listed(listed, was.get(listed.id()));
            held |= listed.standing() == Standing.HELD;
            if (!was.containsKey(listed.id())) {
                fresh.add(listed.id());
            }
        }
        if (held != after.underProtection()) {
            throw wrong("B8", after.service() + " says protected=" + after.underProtection() + ", which is not so");
        }
        removals(before, after, was, is);
        fresh.forEach(id -> oracle().whole(registry, is, id));
    }

    private void listed(ListedInstance listed, @Nullable ListedInstance was) {
        InstanceId id = listed.id();
        long order = oracle().order(listed.instance(), registry.name);
        if (!oracle().wasHeard(id, order)) {
            throw wrong("A5", id + " shows " + listed.instance() + ", which no node ever heard");
        }
        if (was == null) {
            notResurrected(listed, order, "is back");
            oracle().leftAt(id)
                    .filter(left -> now() - left > TURN && !oracle().anyUntrusted() && exactAfter(left))
                    .ifPresent(left -> {
                        throw wrong("A10", id + " is back, though its deregistration was confirmed");
                    });
        }
        notBack(id, order, "");
        if (listed.standing() == Standing.SUSPECT && (was == null || was.standing() != Standing.SUSPECT)) {
            if (!oracle().outOfTouch(id, exact())) {
                throw wrong("E7", id + " is suspect though its publisher is in touch");
            }
            wavers(id);
        }
        if (listed.standing() == Standing.HELD) {
            if (was == null || was.standing() != Standing.HELD) {
                world.coverage.effect(Effects.HELD);
                heldSince.put(id, now());
                oracle().alone(id); // of its batch, others may be told without it
                uncertainly(id, "held");
            }
        } else {
            heldSince.remove(id);
        }
    }

    /** Whether what other nodes know counts here: all have been connected for long enough. */
    private boolean exact() {
        return world.isSingle() || world.isCalm() && now() - startedAt > World.SETTLING;
    }

    private boolean exactAfter(long then) {
        return world.isSingle() || exact() && now() - then > world.reach();
    }

    /** A3: what it showed as gone comes back only when somebody registers it again. */
    private void notResurrected(ListedInstance listed, long order, String what) {
        InstanceId id = listed.id();
        Gone tombstone = gone.get(id);
        if (tombstone == null) {
            return;
        }
        long tolerated = TURN + (world.isSingle() ? 0 : world.reach());
        if (oracle().heardSince(id, order, tombstone.at - tolerated)) {
            return;
        }
        boolean explained = !exact() && mayBeBack(listed, order, tombstone, tolerated);
        if (!explained) {
            throw wrong(
                    "A3",
                    id + " " + what + ", though nobody registered it after it was shown as gone for "
                            + tombstone.cause);
        }
        world.coverage.effect(Effects.BACK_AFTER_PARTITION);
    }

    /** Whether another node may have had a word that this one did not know when it showed the removal. */
    private boolean mayBeBack(ListedInstance listed, long order, Gone tombstone, long tolerated) {
        InstanceId id = listed.id();
        boolean inTouch = oracle().heardOfPublisherSince(id, tombstone.at - LEASE - tolerated);
        long shownBefore = exposed.getOrDefault(id, 0L);
        boolean later = order >= shownBefore || oracle().isLease(id) || oracle().saidAfter(id, order, shownBefore);
        if (oracle().homes(id) > 1 && later) {
            return true; // what two nodes said one after the other may arrive here the other way round
        }
        return switch (tombstone.cause) {
            case DEREGISTERED ->
                oracle().registeredSinceGoodbye(id, tombstone.at)
                        || oracle().isLease(id)
                                && isNews(listed, order, tombstone); // kept by a frozen node, be it silent
            case OPERATOR ->
                oracle().registeredSinceGoodbye(id, tombstone.at)
                        || inTouch && oracle().isWanted(id)
                        || isNews(listed, order, tombstone);
            default ->
                inTouch
                        || oracle().heardSince(id, order, tombstone.known - tolerated)
                        || isNews(listed, order, tombstone);
        };
    }

    /**
     * Whether it is what its home had accepted, and of which nobody had told this node when it showed the removal of an earlier
     * one: what is said later than all that it ever showed, beyond the generation that was removed; or what a later process
     * registered, be it the same. That its publisher is dead, too, or has taken it back, only that home knows.
     */
    private boolean isNews(ListedInstance listed, long order, Gone tombstone) {
        HeardOf heard = heardOf.get(listed.id());
        if (heard == null || heard.generation != listed.generation()) {
            return false;
        }
        if (heard.generation > tombstone.generation
                && oracle().saidAfter(listed.id(), order, exposed.getOrDefault(listed.id(), 0L))) {
            return true;
        }
        Map<String, Long> all = publishers.getOrDefault(listed.id(), Map.of());
        Set<String> known = new HashSet<>();
        all.forEach((publisher, since) -> {
            if (since - (tombstone.known - TURN) < 0) {
                known.add(publisher);
            }
        });
        return oracle().isLaterThanAll(heard.publisher, known);
    }

    private static List<Long> generations(ServiceView view) {
        return view.instances().stream().map(ListedInstance::generation).toList();
    }

    /** B2: the content does not go back. */
    private void notBack(InstanceId id, long order, String how) {
        long highest = exposed.getOrDefault(id, 0L);
        if (order < highest) {
            boolean tolerated = oracle().isAmended(id)
                    || oracle().atOnce(id, order, highest)
                    || !exact() && !oracle().sameSession(id, order, highest);
            if (tolerated) {
                wentBack.add(id);
            } else {
                throw wrong("B2", id + " went back from content " + highest + " to " + order + " " + how);
            }
        }
        exposed.put(id, order);
    }

    /** E7: whoever stays in touch with one home does not waver in the eyes of another node. */
    private void wavers(InstanceId id) {
        ArrayDeque<Long> times = wavering.computeIfAbsent(id, i -> new ArrayDeque<>());
        times.addLast(now());
        while (now() - times.peekFirst() > 2 * LEASE) {
            times.removeFirst();
        }
        if (times.size() > 1 && oracle().supportedFor(id) > 2 * LEASE) {
            throw wrong("E7", id + " wavers " + times.size() + " times within 30 s though its publisher is in touch");
        }
    }

    private void removals(
            ServiceView before,
            ServiceView after,
            Map<InstanceId, ListedInstance> was,
            Map<InstanceId, ListedInstance> is) {
        Map<InstanceId, Removal> told = new HashMap<>();
        for (Removal removal : after.removals()) {
            told.put(removal.instance(), removal);
        }
        int certain = 0;
        int uncertain = 0;
        int heldBefore = 0;
        for (ListedInstance listed : was.values()) {
            InstanceId id = listed.id();
            boolean wasHeld = listed.standing() == Standing.HELD;
            ListedInstance now = is.get(id);
            boolean isBack = now != null && now.standing() != Standing.HELD; // and counts among those who stay
            heldBefore += wasHeld && !isBack ? 1 : 0;
            if (now != null) {
                continue;
            }
            Removal removal = told.get(id);
            RemovalCause cause = removal == null ? null : removal.cause();
            if (cause == null && after.removals().size() >= REMEMBERED) {
                cause = oracle().likely(id, exact()); // more left at once than a view remembers
            }
            if (cause == null) {
                throw wrong("cause", id + " left " + after.service() + " without a cause");
            }
            world.trace.event(now(), id.address() + " leaves, " + cause);
            long known = wasHeld && !cause.certain() ? heldSince.getOrDefault(id, now()) : now();
            Gone left =
                    new Gone(now(), cause, life, known, removal == null ? listed.generation() : removal.generation());
            shows(id, left);
            oracle().goneFrom(id, cause);
            if (!wasHeld || cause.certain()) {
                justified(id, cause);
            }
            if (cause.certain()) {
                certain += wasHeld ? 0 : 1;
                departures.addLast(now());
            } else if (wasHeld) {
                world.coverage.effect(Effects.HOLD_RELEASED);
                if (now() - heldSince.getOrDefault(id, 0L) < CONFIRMATION - TURN) {
                    throw wrong("B7", id + " was held for too short");
                }
            } else {
                uncertain++;
                uncertainly(id, "removed");
            }
            heldSince.remove(id);
        }
        if (uncertain > 0) {
            protectedRight(before, uncertain, certain, heldBefore);
        }
    }

    private void protectedRight(ServiceView before, int uncertain, int certain, int heldBefore) {
        ArrayDeque<Long> lately = uncertainlyGone.computeIfAbsent(before.service(), s -> new ArrayDeque<>());
        while (!lately.isEmpty() && now() - lately.peekFirst() >= LEASE - TURN) {
            lately.removeFirst();
        }
        int listed = before.instances().size() - heldBefore - certain;
        int away = lately.size() + uncertain;
        if (uncertain == listed || away >= 2 && away * 2 > listed + lately.size()) {
            throw wrong(
                    "B7",
                    uncertain + " of " + listed + " instances of " + before.service() + " left at once, "
                            + lately.size() + " shortly before, and none was held");
        }
        for (int i = 0; i < uncertain; i++) {
            lately.addLast(now());
        }
    }

    /** Every removal has its cause. */
    private void justified(InstanceId id, RemovalCause cause) {
        boolean so = switch (cause) {
            case DEREGISTERED -> oracle().saidGoodbye(id);
            case LEASE_EXPIRED -> oracle().silentForALease(id, exact());
            case CONNECTION_LOST -> oracle().brokenForTheGrace(id, exact());
            case ORPHANED -> oracle().orphaned(id, exact());
            case PROBE_FAILED -> oracle().probedDead(id, exact());
            case OPERATOR -> oracle().isForced(id);
        };
        if (!so) {
            throw wrong(cause.certain() ? "A8" : "E6", id + " was removed for " + cause + ", which is not so");
        }
        boolean asked = cause == RemovalCause.DEREGISTERED || cause == RemovalCause.OPERATOR;
        if (exact() && !asked && oracle().supportedFor(id) > world.reach()) {
            throw wrong("A11", id + " was removed for " + cause + " though its publisher is in touch");
        }
        if (oracle().isAtHome(id, registry) && !asked && oracle().supportedFor(id) > TURN) {
            throw wrong("A8", id + " was removed for " + cause + " by the home of a publisher that is in touch");
        }
        world.coverage.effect(
                switch (cause) {
                    case DEREGISTERED -> Effects.DEREGISTERED;
                    case LEASE_EXPIRED -> Effects.EXPIRED;
                    case CONNECTION_LOST -> Effects.CONNECTION_LOST;
                    case ORPHANED -> Effects.ORPHANED;
                    case PROBE_FAILED -> Effects.PROBED;
                    case OPERATOR -> Effects.FORCED;
                });
    }

    /** Whether nobody can have told it to remove something just now. */
    private boolean decidesAlone() {
        return now() - toldOfChangesAt > TURN + world.swarm.diskDelay().toNanos();
    }

    /** Freeze and cap: what may not happen without certainty. */
    private void uncertainly(InstanceId id, String what) {
        boolean decidedBefore = pausedInTurn && now() - resumedAt <= TURN;
        if (decidesAlone() && !decidedBefore) {
            if (now() - frozenUntil < 0) {
                throw wrong(
                        "E6",
                        id + " was " + what + " " + Duration.ofNanos(frozenUntil - now())
                                + " before the freeze was over");
            }
            boolean decidedAmongOthers = toldPeersInTurn && now() - toldPeersAt <= TURN;
            if (!decidedAmongOthers && isolated()) {
                throw wrong("E6", id + " was " + what + " by a node that sees fewer than half of its peers");
            }
        }
        if (!oracle().mayHaveLeft(id, exact())) {
            throw wrong("E6", id + " was " + what + " though its publisher was in touch");
        }
        if (exact() && oracle().supportedFor(id) > world.reach()) {
            throw wrong("A11", id + " was " + what + " though its publisher is in touch with another node");
        }
        while (!evictions.isEmpty() && now() - evictions.peekFirst() >= WINDOW - TURN) {
            evictions.removeFirst();
        }
        while (!departures.isEmpty() && now() - departures.peekFirst() >= WINDOW) {
            departures.removeFirst();
        }
        if (!decidesAlone()) {
            return; // another node's cap, or several
        }
        evictions.addLast(now());
        int listed = evictions.size() + departures.size(); // the decision may be older than they
        listed += world.durable.listed(registry);
        for (ServiceView view : shown.values()) {
            listed += view.instances().size();
        }
        // Several nodes also have what another one's copy hides, and it counts.
        double base = world.isSingle() ? listed : 2.0 * listed;
        int allowed = Math.max(world.swarm.evictionFloor(), (int) (0.15 * base));
        if (evictions.size() > allowed) {
            throw wrong("B9", evictions.size() + " evictions within a minute, of about " + listed);
        }
    }

    /** Whether it has long heard of fewer than half of the peers it was given, by themselves or through others. */
    private boolean isolated() {
        Set<Registry> heardOf = new LinkedHashSet<>(Set.of(registry));
        ArrayDeque<Registry> tellers = new ArrayDeque<>(heardOf);
        while (!tellers.isEmpty()) {
            for (Registry each : tellers.removeFirst().witness.heardLately()) {
                if (heardOf.add(each)) {
                    tellers.add(each);
                }
            }
        }
        Set<String> names = new HashSet<>(); // a copy of a node's directory is taken for the node while that is away
        heardOf.forEach(each -> names.add(each.node));
        int given = 0;
        int heard = 0;
        for (Registry peer : world.registries) {
            if (peer != registry && registry.configured().contains(peer.peerAddress())) {
                given++;
                heard += names.contains(peer.node) ? 1 : 0;
            }
        }
        return given > 0 && heard * 2 < given;
    }

    private List<Registry> heardLately() {
        List<Registry> lately = new ArrayList<>();
        heardPeers.forEach((peer, at) -> {
            if (now() - at < SILENCE) {
                lately.add(peer);
            }
        });
        return lately;
    }

    /** Now and then: no hold lasts for ever, and what must be listed is. */
    void inspect() {
        if (!registry.isUp() || registry.isPaused() || now() - resumedAt < 2_000_000_000L) {
            return;
        }
        heldSince.forEach((id, since) -> {
            if (now() - since > CONFIRMATION + 2_000_000_000L && now() - resumedAt > 2_000_000_000L) {
                throw wrong("B8", id + " is held for " + Duration.ofNanos(now() - since));
            }
        });
        world.coverage.effect(Effects.CAPPED, registry.node().status().expiryBacklog());
        if (exact()) {
            for (ServiceView view : shown.values()) {
                oracle().supported(view.service(), world.reach() + TURN).forEach((id, order) -> complete(view, id));
            }
        }
    }

    /**
     * A1: what a node in reach has accepted, from somebody who is in touch with it, is listed; and without doubt, unless
     * somebody else had the instance before: where nodes did not know of one another, his copy may have the higher
     * generation, and show until its lease ends.
     */
    private void complete(ServiceView view, InstanceId id) {
        world.coverage.effect(Effects.MUST_LIST);
        for (ListedInstance listed : view.instances()) {
            if (listed.id().equals(id)) {
                boolean doubted = listed.standing() != Standing.LIVE && listed.standing() != Standing.RESTORED;
                if (doubted && oracle().registrants(id) == 1) {
                    throw wrong("A1", id + " is listed as " + listed.standing() + " though its publisher is in touch");
                }
                return;
            }
        }
        throw wrong("A1", id + " is not listed though its publisher is in touch: " + World.shown(view.instances()));
    }

    // ---- what it must have shown to somebody

    /** B4: the place in its history at which that list was shown, not before the given one; -1 when there is none. */
    int shownAt(ServiceKey service, long digest, int from) {
        List<Shown> history = history(service);
        for (int i = Math.max(0, from); i < history.size(); i++) {
            if (history.get(i).digest == digest) {
                return i;
            }
        }
        return -1;
    }

    /** What it showed at that moment. */
    int placeAt(ServiceKey service, long moment) {
        List<Shown> history = history(service);
        int place = Collections.binarySearch(history, new Shown(0, moment), (a, b) -> Long.signum(a.at - b.at));
        int at = place >= 0 ? place : -place - 2;
        while (at > 0 && history.get(at).at == moment) {
            at--; // of several at one moment, any
        }
        return Math.max(0, at);
    }

    Map<ServiceKey, ServiceView> shown() {
        return shown;
    }
}
