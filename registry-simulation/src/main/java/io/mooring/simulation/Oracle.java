package io.mooring.simulation;

import io.mooring.client.ServiceChange;
import io.mooring.client.ServiceSnapshot;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Knows from the recorded history alone what may be seen: what each process asked for, what the node heard and when,
 * and what it showed. A view is wrong only if nothing that was heard explains it; a request without an answer may or
 * may not have taken effect.
 */
final class Oracle {
    private static final long LEASE = Duration.ofSeconds(15).toNanos();
    private static final long GRACE = Duration.ofSeconds(3).toNanos();
    private static final long WINDOW = Duration.ofSeconds(60).toNanos();
    private static final int REMEMBERED = 64;
    private static final long CONFIRMATION = Duration.ofSeconds(60).toNanos();

    /** From a decision to its being seen, at most: the node's patience with its disk. */
    private static final long TURN = Duration.ofMillis(100).toNanos();

    private final World world;

    // What was asked for.
    private final Map<Instance, Long> orders = new HashMap<>();
    private final Map<InstanceId, Instance> asked = new HashMap<>();
    private final Map<InstanceId, Long> left = new HashMap<>();
    private final Map<Long, List<Instance>> batches = new HashMap<>();

    // What the node heard.
    private final Map<String, SessionSeen> sessions = new HashMap<>();
    private final Map<Registry.Accepted, String> sessionOf = new HashMap<>();
    private final Map<InstanceId, String> owners = new HashMap<>();
    private final Map<InstanceId, Map<Long, Long>> received = new HashMap<>();
    private final Map<InstanceId, Long> goodbyes = new HashMap<>();
    private final Map<InstanceId, LeaseSeen> leases = new HashMap<>();
    private final Map<String, Long> refusedProbes = new HashMap<>();
    private final Set<InstanceId> registeredThisLife = new HashSet<>();

    // What it showed.
    private final Map<ServiceKey, ServiceView> shown = new LinkedHashMap<>();
    private final Map<ServiceKey, List<Long>> histories = new HashMap<>();
    private final Map<InstanceId, Long> exposed = new HashMap<>();
    private final Map<InstanceId, Gone> gone = new HashMap<>();
    private final Map<InstanceId, Gone> everGone =
            new HashMap<>(); // what processes may have been told, whatever was lost
    private final Map<InstanceId, Set<RemovalCause>> everCauses = new HashMap<>();
    private final Map<ServiceKey, Integer> departed = new HashMap<>();
    private final Map<InstanceId, Long> heldSince = new LinkedHashMap<>();
    private final Map<ServiceKey, ArrayDeque<Long>> uncertainlyGone = new HashMap<>();
    private final ArrayDeque<Long> evictions = new ArrayDeque<>();
    private final ArrayDeque<Long> departures = new ArrayDeque<>(); // certain ones, of the last minute
    private long startedAt;
    private long frozenUntil;
    private long resumedAt;
    private long pausedAt;
    private boolean pausedInTurn; // what was decided before may be shown after
    private int life;
    private boolean diskLost;
    private boolean lateAtDeath;
    private boolean everUntrusted;
    private final TreeSet<Integer> untrustedLives = new TreeSet<>();

    private static final class SessionSeen {
        long lastHeard;
        boolean broken;
        long brokenAt;
        /** When it came back; a decision of just before may still be on its way to the disk. */
        long backAt;

        Optional<Registry.Accepted> line = Optional.empty();
    }

    private record LeaseSeen(long lastHeard, long ttl, long backAt) {}

    private record Gone(long at, RemovalCause cause, int life) {}

    Oracle(World world, List<ServiceKey> services) {
        this.world = world;
        for (ServiceKey key : services) {
            shown.put(key, ServiceView.empty(key));
            List<Long> history = new ArrayList<>();
            history.add(Digest.EMPTY);
            histories.put(key, history);
        }
    }

    private Violation wrong(String property, String what) {
        return world.fatal(new Violation(property, what));
    }

    private long now() {
        return world.time.now();
    }

    // ---- what applications asked for

    /** Content that may be seen from now on. */
    Instance made(Instance instance) {
        orders.put(instance, (long) orders.size() + 1);
        return instance;
    }

    private long order(Instance instance, String where) {
        Long order = orders.get(instance);
        if (order == null) {
            throw wrong("A5", where + " shows what nobody ever registered: " + instance);
        }
        return order;
    }

    void asked(Instance instance) {
        if (asked.put(instance.id(), instance) != null) {
            // Said once more and by itself: it may be seen without the rest of its batch.
            batches.values()
                    .removeIf(batch -> batch.stream().anyMatch(each -> each.id().equals(instance.id())));
        }
        left.remove(instance.id());
    }

    void wantedAgain(InstanceId id) {
        left.remove(id);
    }

    void batch(long number, List<Instance> instances) {
        if (instances.size() > 1) {
            batches.put(number, instances);
        }
    }

    void notWanted(InstanceId id) {
        asked.remove(id);
        alone(id);
    }

    /** Something was said of it by itself: it may be seen without the rest of its batch. */
    private void alone(InstanceId id) {
        batches.values()
                .removeIf(batch -> batch.stream().anyMatch(each -> each.id().equals(id)));
    }

    /** A deregistration was answered. */
    void leftConfirmed(InstanceId id) {
        if (asked.containsKey(id)) {
            return; // registered anew meanwhile
        }
        Long goodbye = goodbyes.get(id);
        if (goodbye == null || goodbye - lastReceived(id) < 0) {
            return; // this process's registration never got there; an earlier one's is not its to take back
        }
        left.put(id, now());
        if (world.registry.isUp() && !everUntrusted && lists(id)) {
            throw wrong("A10", id + " is listed after its deregistration was confirmed");
        }
    }

    private long lastReceived(InstanceId id) {
        long last = startedAt;
        boolean any = false;
        for (long at : received.getOrDefault(id, Map.of()).values()) {
            last = any && last - at > 0 ? last : at;
            any = true;
        }
        return last;
    }

    private boolean lists(InstanceId id) {
        for (ListedInstance listed : world.registry.node().view(id.service()).instances()) {
            if (listed.id().equals(id)) {
                return true;
            }
        }
        return false;
    }

    /** A registration was answered. */
    void confirmed(String client, Instance instance) {
        long order = order(instance, client);
        boolean heard = false;
        for (long each : received.getOrDefault(instance.id(), Map.of()).keySet()) {
            heard |= each >= order; // a later content answers for the earlier one, too
        }
        if (!heard) {
            throw wrong("D2", client + " was told that " + instance + " is registered, but no node ever heard of it");
        }
    }

    // ---- what the node heard

    void heard(Registry.Accepted line, List<ClientMessage> messages) {
        long now = now();
        for (ClientMessage message : messages) {
            if (message instanceof ClientMessage.Hello hello) {
                SessionSeen session = sessions.computeIfAbsent(hello.session(), s -> new SessionSeen());
                if (session.line.isPresent() && session.line.get() != line) {
                    world.coverage.effect(Effects.REPLACED);
                }
                if (session.broken) {
                    session.backAt = now;
                }
                session.line = Optional.of(line);
                session.broken = false;
                sessionOf.put(line, hello.session());
            }
            String name = sessionOf.getOrDefault(line, "");
            SessionSeen session = sessions.get(name);
            if (session == null) {
                throw wrong("protocol", "the SDK sends " + message + " before hello");
            }
            if (now - session.lastHeard >= LEASE) {
                session.backAt = now;
            }
            session.lastHeard = now;
            if (message instanceof ClientMessage.Register register) {
                for (Instance instance : register.instances()) {
                    registered(instance, name);
                }
            } else if (message instanceof ClientMessage.Deregister deregister) {
                deregister.instances().forEach(id -> saidGoodbye(id, name));
            } else if (message instanceof ClientMessage.Bye) {
                List<InstanceId> all = new ArrayList<>();
                owners.forEach((id, owner) -> {
                    if (owner.equals(name)) {
                        all.add(id);
                    }
                });
                all.forEach(id -> saidGoodbye(id, name));
            }
        }
    }

    private void registered(Instance instance, String session) {
        received.computeIfAbsent(instance.id(), i -> new HashMap<>()).put(order(instance, "a register"), now());
        owners.put(instance.id(), session);
        leases.remove(instance.id());
        registeredThisLife.add(instance.id());
    }

    private void saidGoodbye(InstanceId id, String session) {
        if (session.equals(owners.get(id))) {
            goodbyes.put(id, now());
        }
    }

    /** The node writes a frame. */
    void said(Registry.Accepted line, byte[] frame) {
        String text = new String(frame, 0, Math.min(frame.length, 400), StandardCharsets.UTF_8);
        if (text.startsWith("[{\"type\":\"welcome") && text.contains("\"held\":true")) {
            welcomedWithHeld(line);
        }
        if (text.startsWith("[{\"type\":\"delta")) {
            world.coverage.effect(Effects.DELTAS);
        } else if (text.startsWith("[{\"type\":\"same")) {
            world.coverage.effect(Effects.SAMES);
        } else if (text.startsWith("[{\"type\":\"view")) {
            world.coverage.effect(Effects.FULL_VIEWS);
        }
    }

    /** The node said that it holds what the session has. */
    private void welcomedWithHeld(Registry.Accepted line) {
        String name = sessionOf.getOrDefault(line, "");
        world.coverage.effect(Effects.ADOPTED);
        owners.forEach((id, owner) -> {
            if (owner.equals(name) && asked.containsKey(id)) {
                registeredThisLife.add(id);
            }
        });
    }

    void disconnected(Registry.Accepted line) {
        String name = sessionOf.remove(line);
        SessionSeen session = name == null ? null : sessions.get(name);
        if (session != null && session.line.isPresent() && session.line.get() == line) {
            session.broken = true;
            session.brokenAt = now();
            session.line = Optional.empty();
        }
    }

    void leasePut(Instance instance, Duration ttl) {
        LeaseSeen next = heardAgain(instance.id(), ttl);
        registered(instance, "");
        leases.put(instance.id(), next);
    }

    private LeaseSeen heardAgain(InstanceId id, Duration ttl) {
        LeaseSeen before = leases.getOrDefault(id, new LeaseSeen(now(), ttl.toNanos(), now()));
        boolean away = now() - before.lastHeard >= before.ttl;
        return new LeaseSeen(now(), ttl.toNanos(), away ? now() : before.backAt);
    }

    void leaseRenewed(InstanceId id, Duration ttl) {
        leases.put(id, heardAgain(id, ttl));
        registeredThisLife.add(id);
    }

    void leaseRemoved(InstanceId id) {
        goodbyes.put(id, now());
    }

    void probeRefused(String host, int port) {
        refusedProbes.put(host + ":" + port, now());
    }

    // ---- the node's life

    void registryKilled(boolean late) {
        lateAtDeath = late;
    }

    void diskLoses() {
        diskLost = true;
    }

    boolean diskLostSomething() {
        return diskLost || lateAtDeath;
    }

    int life() {
        return life;
    }

    void registryPaused() {
        pausedAt = now();
        pausedInTurn = world.registry.disk.isBusy();
    }

    void registryResumed() {
        resumedAt = now();
        if (now() - pausedAt > LEASE / 3) {
            frozenUntil = now() + LEASE;
        }
    }

    void registryStarted(boolean trusted) {
        life++;
        startedAt = now();
        resumedAt = now();
        frozenUntil = now() + LEASE;
        diskLost = false;
        lateAtDeath = false;
        refusedProbes.clear();
        registeredThisLife.clear();
        heldSince.clear();
        evictions.clear();
        uncertainlyGone.clear();
        for (SessionSeen session : sessions.values()) {
            if (session.line.isPresent()) {
                session.line = Optional.empty();
                session.broken = true;
                session.brokenAt = now();
            }
        }
        if (!trusted) {
            everUntrusted = true;
            world.leases.forEach(LeaseProvider::registryLostSomething);
            exposed.clear();
            gone.clear();
            untrustedLives.add(life);
        }
        for (Map.Entry<ServiceKey, ServiceView> entry : shown.entrySet()) {
            ServiceView before = entry.getValue();
            ServiceView restored = world.registry.node().view(entry.getKey());
            entry.setValue(restored);
            histories.getOrDefault(entry.getKey(), new ArrayList<>()).add(restored.digest());
            world.coverage.effect(Effects.RESTORED, restored.instances().size());
            if (trusted) {
                restoredRight(before, restored);
            }
            Map<InstanceId, ListedInstance> is = byId(restored);
            is.keySet().forEach(id -> whole(is, id)); // written as a whole, though perhaps never shown before
        }
    }

    private void restoredRight(ServiceView before, ServiceView restored) {
        Map<InstanceId, ListedInstance> was = byId(before);
        Map<InstanceId, ListedInstance> is = byId(restored);
        is.forEach((id, listed) -> {
            long order = order(listed.instance(), "the restored view");
            Gone tombstone = gone.get(id);
            if (!was.containsKey(id) && tombstone != null && !heardSince(id, order, tombstone.at)) {
                throw wrong("A3", id + " is back after a restart, though it was shown as gone for " + tombstone.cause);
            }
            if (order < exposed.getOrDefault(id, 0L)) {
                throw wrong("A3", id + " went back to an earlier content with a restart: " + listed.instance());
            }
            exposed.merge(id, order, Math::max);
        });
        was.forEach((id, listed) -> {
            if (!is.containsKey(id) && listed.standing() != Standing.HELD) {
                boolean explained = goodbyes.containsKey(id) || mayHaveLeft(id) || probedDead(id);
                if (!explained) {
                    throw wrong("B10", id + " was lost with a restart");
                }
                gone.put(id, new Gone(now(), RemovalCause.ORPHANED, life));
            }
        });
    }

    private boolean heardSince(InstanceId id, long order, long then) {
        Long at = received.getOrDefault(id, Map.of()).get(order);
        return at != null && at - (then - TURN) >= 0;
    }

    private static Map<InstanceId, ListedInstance> byId(ServiceView view) {
        Map<InstanceId, ListedInstance> out = new LinkedHashMap<>();
        view.instances().forEach(listed -> out.put(listed.id(), listed));
        return out;
    }

    // ---- what the node shows; called after every step

    void look() {
        if (!world.registry.isUp()) {
            return;
        }
        for (Map.Entry<ServiceKey, ServiceView> entry : shown.entrySet()) {
            ServiceView after = world.registry.node().view(entry.getKey());
            ServiceView before = entry.getValue();
            if (after != before) {
                entry.setValue(after);
                if (after.revision() != 0 || before.revision() != 0) {
                    moved(before, after);
                }
            }
        }
    }

    private void moved(ServiceView before, ServiceView after) {
        world.coverage.effect(Effects.VIEWS);
        world.nodeShowed();
        world.trace.event(
                now(),
                "the node shows " + after.service().name() + " " + after.revision() + " "
                        + World.shown(after.instances()));
        histories.getOrDefault(after.service(), new ArrayList<>()).add(after.digest());
        if (after.revision() <= before.revision()) {
            throw wrong("B2", "revision " + before.revision() + " is followed by " + after.revision());
        }
        if (Digest.of(after.instances()) != after.digest()) {
            throw wrong("digest", "the digest of " + after.service() + " is not that of its list");
        }
        if (before.instances().equals(after.instances()) && before.underProtection() == after.underProtection()) {
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
        fresh.forEach(id -> whole(is, id));
    }

    private void listed(ListedInstance listed, @Nullable ListedInstance was) {
        InstanceId id = listed.id();
        long order = order(listed.instance(), "the node");
        if (was == null) {
            Gone tombstone = gone.get(id);
            if (!heardSince(id, order, tombstone == null ? startedAt : tombstone.at)
                    && (tombstone != null
                            || !received.getOrDefault(id, Map.of()).containsKey(order))) {
                throw wrong("A3", id + " is back, though nobody registered it after it was shown as gone");
            }
            Long leftAt = left.get(id);
            if (leftAt != null && now() - leftAt > TURN && !everUntrusted) {
                throw wrong("A10", id + " is back, though its deregistration was confirmed");
            }
        } else if (!received.getOrDefault(id, Map.of()).containsKey(order)) {
            throw wrong("A5", id + " shows " + listed.instance() + ", which the node never heard");
        }
        if (order < exposed.getOrDefault(id, 0L)) {
            throw wrong("B2", id + " went back to an earlier content: " + listed.instance());
        }
        exposed.put(id, order);
        if (listed.standing() == Standing.SUSPECT && (was == null || was.standing() != Standing.SUSPECT)) {
            if (!outOfTouch(id)) {
                throw wrong("E7", id + " is suspect though its publisher is in touch");
            }
        }
        if (listed.standing() == Standing.HELD) {
            if (was == null || was.standing() != Standing.HELD) {
                world.coverage.effect(Effects.HELD);
                heldSince.put(id, now());
                uncertainly(id, "held");
            }
        } else {
            heldSince.remove(id);
        }
    }

    private void removals(
            ServiceView before,
            ServiceView after,
            Map<InstanceId, ListedInstance> was,
            Map<InstanceId, ListedInstance> is) {
        Map<InstanceId, RemovalCause> causes = new HashMap<>();
        for (Removal removal : after.removals()) {
            causes.put(removal.instance(), removal.cause());
        }
        int certain = 0;
        int uncertain = 0;
        int heldBefore = 0;
        for (ListedInstance listed : was.values()) {
            InstanceId id = listed.id();
            boolean wasHeld = listed.standing() == Standing.HELD;
            heldBefore += wasHeld ? 1 : 0;
            if (is.containsKey(id)) {
                continue;
            }
            RemovalCause cause = causes.get(id);
            if (cause == null && after.removals().size() >= REMEMBERED) {
                cause = likely(id, wasHeld); // more left at once than a view remembers
            }
            if (cause == null) {
                throw wrong("cause", id + " left " + after.service() + " without a cause");
            }
            world.trace.event(now(), id.address() + " leaves, " + cause);
            gone.put(id, new Gone(now(), cause, life));
            everGone.put(id, new Gone(now(), cause, life));
            everCauses.computeIfAbsent(id, i -> new HashSet<>()).add(cause);
            departed.merge(id.service(), 1, Integer::sum);
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
            ArrayDeque<Long> lately = uncertainlyGone.computeIfAbsent(after.service(), s -> new ArrayDeque<>());
            while (!lately.isEmpty() && now() - lately.peekFirst() >= LEASE - TURN) {
                lately.removeFirst();
            }
            int listed = before.instances().size() - heldBefore - certain;
            int away = lately.size() + uncertain;
            if (uncertain == listed || away >= 2 && away * 2 > listed + lately.size()) {
                throw wrong(
                        "B7",
                        uncertain + " of " + listed + " instances of " + after.service() + " left at once, "
                                + lately.size() + " shortly before, and none was held");
            }
            for (int i = 0; i < uncertain; i++) {
                lately.addLast(now());
            }
        }
    }

    private @Nullable RemovalCause likely(InstanceId id, boolean wasHeld) {
        if (goodbyes.containsKey(id)) {
            return RemovalCause.DEREGISTERED;
        }
        if (silentForALease(id)) {
            return RemovalCause.LEASE_EXPIRED;
        }
        if (brokenForTheGrace(id)) {
            return RemovalCause.CONNECTION_LOST;
        }
        return wasHeld || orphaned(id) ? RemovalCause.ORPHANED : null;
    }

    /** Every removal has its cause. */
    private void justified(InstanceId id, RemovalCause cause) {
        boolean so = switch (cause) {
            case DEREGISTERED -> goodbyes.containsKey(id);
            case LEASE_EXPIRED -> silentForALease(id);
            case CONNECTION_LOST -> brokenForTheGrace(id);
            case ORPHANED -> orphaned(id);
            case PROBE_FAILED -> probedDead(id);
            case OPERATOR -> false;
        };
        if (!so) {
            throw wrong(cause.certain() ? "A8" : "E6", id + " was removed for " + cause + ", which is not so");
        }
        world.coverage.effect(
                switch (cause) {
                    case DEREGISTERED -> Effects.DEREGISTERED;
                    case LEASE_EXPIRED -> Effects.EXPIRED;
                    case CONNECTION_LOST -> Effects.CONNECTION_LOST;
                    case ORPHANED -> Effects.ORPHANED;
                    case PROBE_FAILED -> Effects.PROBED;
                    case OPERATOR -> "removed: operator";
                });
    }

    /** Freeze and cap: what may not happen without certainty. */
    private void uncertainly(InstanceId id, String what) {
        boolean decidedBefore = pausedInTurn && now() - resumedAt <= TURN;
        if (now() - frozenUntil < 0 && !decidedBefore) {
            throw wrong(
                    "E6",
                    id + " was " + what + " " + Duration.ofNanos(frozenUntil - now()) + " before the freeze was over");
        }
        if (!mayHaveLeft(id)) {
            throw wrong("E6", id + " was " + what + " though its publisher was in touch");
        }
        while (!evictions.isEmpty() && now() - evictions.peekFirst() >= WINDOW - TURN) {
            evictions.removeFirst();
        }
        while (!departures.isEmpty() && now() - departures.peekFirst() >= WINDOW) {
            departures.removeFirst();
        }
        evictions.addLast(now());
        int listed = evictions.size() + departures.size(); // the decision may be older than they
        for (ServiceView view : shown.values()) {
            listed += view.instances().size();
        }
        int allowed = Math.max(world.swarm.evictionFloor(), (int) (0.15 * listed));
        if (evictions.size() > allowed) {
            throw wrong("B9", evictions.size() + " evictions within a minute, of about " + listed);
        }
    }

    private boolean mayHaveLeft(InstanceId id) {
        return silentForALease(id) || brokenForTheGrace(id) || orphaned(id);
    }

    private Optional<SessionSeen> owner(InstanceId id) {
        return Optional.ofNullable(sessions.get(owners.getOrDefault(id, "")));
    }

    private boolean outOfTouch(InstanceId id) {
        return silentForALease(id) || owner(id).map(session -> session.broken).orElse(false);
    }

    private boolean silentForALease(InstanceId id) {
        LeaseSeen lease = leases.get(id);
        if (lease != null) {
            return now() - lease.lastHeard >= lease.ttl || now() - lease.backAt <= TURN;
        }
        return owner(id)
                .map(session -> now() - session.lastHeard >= LEASE || now() - session.backAt <= TURN)
                .orElse(false);
    }

    private boolean brokenForTheGrace(InstanceId id) {
        return owner(id)
                .map(session -> session.broken && now() - session.brokenAt >= GRACE || now() - session.backAt <= TURN)
                .orElse(false);
    }

    private boolean orphaned(InstanceId id) {
        return !registeredThisLife.contains(id) && now() - startedAt >= 2 * LEASE;
    }

    private boolean probedDead(InstanceId id) {
        Long at = refusedProbes.get(id.host() + ":" + id.port());
        if (at == null) {
            return false;
        }
        long heard = leases.containsKey(id)
                ? leases.getOrDefault(id, new LeaseSeen(0, 0, 0)).lastHeard
                : owner(id).map(session -> session.lastHeard).orElse(startedAt);
        return now() - at <= TURN || at - heard >= 0;
    }

    /** A12: who sees one of a batch for the first time sees all of it. */
    private void whole(Map<InstanceId, ListedInstance> is, InstanceId id) {
        ListedInstance listed = is.get(id);
        String number = listed == null ? null : listed.instance().metadata().get("batch");
        List<Instance> batch = number == null ? null : batches.remove(Long.parseLong(number));
        if (batch == null) {
            return;
        }
        for (Instance other : batch) {
            if (!is.containsKey(other.id()) && asked.containsKey(other.id())) {
                throw wrong("A12", "of a batch " + id + " is seen and " + other.id() + " is not");
            }
        }
        world.coverage.effect(Effects.BATCHES);
    }

    /** Now and then: no hold lasts for ever, and the node's own figures are right. */
    void inspect() {
        if (!world.registry.isUp() || world.registry.isPaused() || now() - resumedAt < 2_000_000_000L) {
            return;
        }
        heldSince.forEach((id, since) -> {
            if (now() - since > CONFIRMATION + 2_000_000_000L && now() - resumedAt > 2_000_000_000L) {
                throw wrong("B8", id + " is held for " + Duration.ofNanos(now() - since));
            }
        });
        world.coverage.effect(Effects.CAPPED, world.registry.node().status().expiryBacklog());
    }

    // ---- what processes see

    void opened(ClientProcess client, ClientProcess.Watching watched) {
        ServiceSnapshot view = watched.seen;
        if (view.source() == Source.DISK) {
            world.coverage.effect(Effects.FROM_DISK);
            long digest = Digest.of(view.instances());
            if (!world.wasShown(client, view.service(), digest)) {
                throw wrong("C3", client.name + " reads from disk what was never its list: " + view);
            }
        } else if (world.shouldBeOnDisk(client, view.service())) {
            throw wrong("C2", client.name + " finds nothing of " + view.service() + " on disk");
        }
        view.instances().forEach(listed -> order(listed.instance(), client.name));
    }

    void seen(ClientProcess client, ClientProcess.Watching watched, ServiceSnapshot before, ServiceSnapshot now) {
        if (now.incomplete()) {
            world.coverage.effect(Effects.INCOMPLETE);
        }
        if (now.instances().equals(before.instances())) {
            return;
        }
        String who = client.name + "'s list of " + now.service();
        if (now.source() != Source.LIVE && !client.wasToldNow() && !client.portEverThrew()) {
            throw wrong(
                    "C1",
                    who + " changed without a word of the registry, from " + World.shown(before.instances()) + " to "
                            + World.shown(now.instances()));
        }
        world.noteShown(client, now);
        world.trace.event(now(), who + " " + World.shown(now.instances()));
        Integer untrusted = untrustedLives.higher(watched.life);
        if (untrusted != null && untrusted <= client.toldByLife()) {
            watched.versions.clear(); // what the node lost cannot be known to anybody behind it
        }
        watched.life = client.toldByLife();
        Set<InstanceId> listed = new HashSet<>();
        for (ListedInstance instance : now.instances()) {
            long order = order(instance.instance(), who);
            listed.add(instance.id());
            if (order < watched.versions.getOrDefault(instance.id(), 0L)) {
                throw wrong("B2", who + " went back to an earlier content: " + instance.instance());
            }
            watched.versions.put(instance.id(), order);
        }
        guarded(who, before, now, listed, client.toldByLife());
        if (!now.incomplete() && !now.underProtection()) {
            conflated(who, watched, now);
        }
    }

    /** B7, B10 at the SDK: what may leave its list at once. */
    private void guarded(
            String who, ServiceSnapshot before, ServiceSnapshot now, Set<InstanceId> listed, int toldByLife) {
        // Whatever it says of itself: in its first lease a node may not know everybody.
        boolean mayNotKnow = now.incomplete() || toldByLife == life && now() - startedAt < LEASE;
        int explained = 0;
        int unexplained = 0;
        for (ListedInstance was : before.instances()) {
            if (listed.contains(was.id())) {
                continue;
            }
            Gone tombstone = everGone.get(was.id());
            // One that the SDK held back had been named before.
            if (mayNotKnow && was.standing() != Standing.HELD && (tombstone == null || tombstone.life < toldByLife)) {
                throw wrong("B10", who + " loses " + was.id() + " on the word of a node that does not know everybody");
            }
            if (was.standing() == Standing.HELD || everCertainlyGone(was.id())) {
                explained++;
            } else {
                unexplained++;
            }
        }
        int of = before.instances().size() - explained;
        if (unexplained > 0 && (unexplained == of || unexplained >= 2 && unexplained * 2 > of)) {
            throw wrong("B7", who + " loses " + unexplained + " of " + of + " at once without a reason");
        }
    }

    /** Words may arrive late: any of its ends may be the one that is told now. */
    private boolean everCertainlyGone(InstanceId id) {
        return everCauses.getOrDefault(id, Set.of()).stream().anyMatch(RemovalCause::certain);
    }

    /** B4: what is seen is what the node showed at some moment not before the last one. */
    private void conflated(String who, ClientProcess.Watching watched, ServiceSnapshot now) {
        List<Long> history = histories.getOrDefault(now.service(), List.of());
        long digest = Digest.of(now.instances());
        for (int i = Math.max(0, watched.at); i < history.size(); i++) {
            if (history.get(i) == digest) {
                watched.at = i;
                return;
            }
        }
        throw wrong("B4", who + " is none the node showed since the last one: " + World.shown(now.instances()));
    }

    private void toldRightly(String who, InstanceId id, RemovalCause cause) {
        // Of more than a view remembers, the node says the least certain.
        boolean forgotten = cause == RemovalCause.LEASE_EXPIRED && departed.getOrDefault(id.service(), 0) > REMEMBERED;
        if (!forgotten && !everCauses.getOrDefault(id, Set.of()).contains(cause)) {
            throw wrong("cause", who + " is told that " + id + " left for " + cause + ", which the node never said");
        }
    }

    /** B3, B4 at a listener: every change applies to what it was told before, and leads to the view that comes with it. */
    void change(ClientProcess client, ClientProcess.Recorder recorder, ServiceChange change) {
        String who = "a listener of " + client.name + " on " + recorder.key;
        if (recorder.told
                && change.added().isEmpty()
                && change.removed().isEmpty()
                && change.changed().isEmpty()) {
            throw wrong("B3", who + " is called for nothing");
        }
        for (ListedInstance added : change.added()) {
            if (recorder.list.put(added.id(), added) != null) {
                throw wrong("B3", who + " is told twice that " + added.id() + " is new");
            }
        }
        for (ServiceChange.Removed removed : change.removed()) {
            if (recorder.list.remove(removed.instance().id()) == null) {
                throw wrong("B3", who + " is told that " + removed.instance().id() + " left, which it did not know");
            }
            removed.cause()
                    .ifPresent(cause -> toldRightly(who, removed.instance().id(), cause));
        }
        for (ListedInstance changed : change.changed()) {
            ListedInstance before = recorder.list.put(changed.id(), changed);
            if (before == null || before.equals(changed)) {
                throw wrong("B3", who + " is told of a change that is none: " + changed);
            }
        }
        if (!List.copyOf(recorder.list.values()).equals(change.view().instances())) {
            throw wrong("B4", who + " cannot follow from its changes to the view that came with them");
        }
    }
}
