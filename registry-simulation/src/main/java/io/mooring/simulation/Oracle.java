package io.mooring.simulation;

import io.mooring.client.ServiceChange;
import io.mooring.client.ServiceSnapshot;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Knows from the recorded history alone what may be seen: what each process asked for, and what each node heard and
 * when. A view is wrong only if nothing that was heard explains it; a request without an answer may or may not have
 * taken effect. What each node showed is its {@link Witness}'s.
 */
final class Oracle {
    private static final long LEASE = Witness.LEASE;
    private static final long GRACE = Witness.GRACE;
    private static final long TURN = Witness.TURN;
    private static final long LONGEST_LEASE = Duration.ofSeconds(22).toNanos();
    private static final long IN_TOUCH = Duration.ofSeconds(10).toNanos();

    private final World world;

    // What was asked for.
    private final Map<Instance, Long> orders = new HashMap<>();
    private final Map<InstanceId, Instance> asked = new HashMap<>();
    private final Map<InstanceId, Long> left = new HashMap<>();
    private final Map<Long, Batch> batches = new HashMap<>();
    private final Set<InstanceId> amended = new HashSet<>();
    private final Map<InstanceId, Long> forced = new HashMap<>();

    // What the nodes heard.
    private final Map<String, SessionSeen> sessions = new HashMap<>();
    private final Map<Registry.Accepted, String> sessionOf = new HashMap<>();
    private final Map<InstanceId, String> owners = new HashMap<>();
    private final Map<InstanceId, Map<Long, Heard>> received = new HashMap<>();
    private final Map<InstanceId, Long> goodbyes = new HashMap<>();
    private final Map<Registry.Accepted, Map<Long, List<InstanceId>>> unansweredGoodbyes = new HashMap<>();
    private final Map<InstanceId, Registry> goodbyeAnswered = new HashMap<>(); // by which node last
    private final Map<InstanceId, Set<String>> earlyGoodbyes = new HashMap<>();
    private final Set<InstanceId> leftBehind = new HashSet<>(); // by an earlier process, and ended by a later one
    private final Map<InstanceId, LeaseSeen> leases = new HashMap<>();
    private final Map<InstanceId, Long> takenUp = new HashMap<>();
    private final Map<Errand, Taking> takings = new HashMap<>(); // which the node that asked has not heard of
    private final Map<String, Long> refusedProbes = new HashMap<>();
    private final Map<InstanceId, Map<Registry, Home>> homes = new HashMap<>();
    private final Map<InstanceId, Home> latest = new LinkedHashMap<>();
    private final Map<InstanceId, Home> perhaps = new HashMap<>(); // where it was confirmed, if that node had it
    private final Map<InstanceId, Set<Life>> lives = new HashMap<>();
    private final Map<Errand, Home> errands = new HashMap<>();
    private Optional<Errand> answered = Optional.empty();
    private long answeredAt;

    // What was ever shown by any of them.
    private final Map<InstanceId, Set<RemovalCause>> everCauses = new HashMap<>();
    private final Map<ServiceKey, Integer> departed = new HashMap<>();
    private boolean anyUntrusted;
    private long greetings;

    private static final class Batch {
        final List<Instance> instances;
        final Set<Registry> seenBy = new HashSet<>();

        /** Of whom some node has said that they left: its cap may let go of two, and of the rest a minute later. */
        final Set<InstanceId> ended = new HashSet<>();

        Batch(List<Instance> instances) {
            this.instances = instances;
        }
    }

    /** When and where a content was heard last, and from whom at any time. */
    private record Heard(long at, Registry where, Set<String> sessions) {}

    /**
     * Where an instance was registered, and in which of the node's lives.
     *
     * @param before where it was until then, or whose it was on that node, as long as others may not know of this one
     */
    private record Home(Registry registry, int life, long at, String session, Optional<Home> before) {
        Home(Registry registry, int life, long at, String session) {
            this(registry, life, at, session, Optional.empty());
        }

        Home after(Optional<Home> other) {
            return new Home(registry, life, at, session, other);
        }

        long end() {
            return registry.witness.endOf(life);
        }

        boolean stands() {
            return new Life(registry, life).stands();
        }
    }

    /** One of a node, in which an instance was registered there: what it left may be judged long after a later one's lease. */
    private record Life(Registry registry, int number) {
        boolean stands() {
            return registry.isUp() && registry.witness.life() == number;
        }

        long end() {
            return registry.witness.endOf(number);
        }
    }

    /** A question between nodes. */
    private record Errand(Registry by, Registry to, long number) {}

    /** A node is asked to go on with a lease that was another one's, or an earlier life's; and when one did so before. */
    private record Taking(InstanceId id, long at, Optional<Long> before) {}

    private static final class SessionSeen {
        long newest = -1; // its latest connection
        long hellos; // that it has said; not all need to have arrived
        final Map<Registry, At> at = new HashMap<>();
    }

    /** A session as one node knows it. */
    private static final class At {
        int life;
        long lastHeard;
        long since;
        boolean broken;
        long brokenAt;
        boolean everSilent;
        boolean everBroken;
        /** When it came back; a decision of just before may still be on its way to the disk. */
        long backAt;
        /** Whether the session said what it holds, and no answer to that has been written. */
        boolean unanswered;

        Optional<Registry.Accepted> line = Optional.empty();
    }

    private record LeaseSeen(long lastHeard, long ttl, long backAt) {}

    Oracle(World world) {
        this.world = world;
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
        orders.putIfAbsent(instance, (long) orders.size() + 1);
        return instance;
    }

    long order(Instance instance, String where) {
        Long order = orders.get(instance);
        if (order == null) {
            throw wrong("A5", where + " shows what nobody ever registered: " + instance);
        }
        return order;
    }

    /** Empty of what another cluster's application registered there. */
    OptionalLong knownOrder(Instance instance) {
        Long order = orders.get(instance);
        return order == null ? OptionalLong.empty() : OptionalLong.of(order);
    }

    void asked(Instance instance) {
        if (asked.put(instance.id(), instance) != null) {
            // Said once more and by itself: it may be seen without the rest of its batch.
            alone(instance.id());
        }
        left.remove(instance.id());
        goodbyeAnswered.remove(instance.id());
    }

    void wantedAgain(InstanceId id) {
        left.remove(id);
    }

    void batch(long number, List<Instance> instances) {
        if (instances.size() > 1) {
            batches.put(number, new Batch(instances));
        }
    }

    /** How many sessions ever registered it. */
    int registrants(InstanceId id) {
        return sessionsOf(id).size();
    }

    private Set<String> sessionsOf(InstanceId id) {
        Set<String> all = new HashSet<>();
        received.getOrDefault(id, Map.of()).values().forEach(heard -> all.addAll(heard.sessions));
        return all;
    }

    /** Whether it is registered by HTTP. */
    boolean isLease(InstanceId id) {
        return leases.containsKey(id);
    }

    /** On how many nodes it was ever registered. */
    int homes(InstanceId id) {
        return homes.getOrDefault(id, Map.of()).size();
    }

    boolean isWanted(InstanceId id) {
        return asked.containsKey(id);
    }

    void notWanted(InstanceId id) {
        asked.remove(id);
        alone(id);
    }

    /** Something was said of it by itself: it may be seen without the rest of its batch. */
    void alone(InstanceId id) {
        batches.values()
                .removeIf(batch ->
                        batch.instances.stream().anyMatch(each -> each.id().equals(id)));
    }

    /** An operator changes it in place. */
    void amended(Instance content, Registry where) {
        InstanceId id = content.id();
        amended.add(id);
        hear(id, order(content, "an operator"), where.name, where);
        alone(id);
    }

    boolean isAnyAmended() {
        return !amended.isEmpty();
    }

    boolean isAmended(InstanceId id) {
        return amended.contains(id);
    }

    /** An operator removes it. */
    void forced(InstanceId id) {
        forced.put(id, now());
        alone(id);
    }

    boolean isForced(InstanceId id) {
        return forced.containsKey(id);
    }

    /** A session was told that its deregistration was answered; by another node, perhaps, than it has by now. */
    void leftConfirmed(InstanceId id) {
        leftConfirmed(id, Optional.ofNullable(goodbyeAnswered.get(id)));
    }

    /** A deregistration was answered, by that node. */
    void leftConfirmed(InstanceId id, Optional<Registry> by) {
        if (asked.containsKey(id)) {
            return; // registered anew meanwhile
        }
        Long goodbye = goodbyes.get(id);
        if (goodbye == null || goodbye - lastReceived(id) < 0) {
            return; // this process's registration never got there; an earlier one's is not its to take back
        }
        left.put(id, now());
        boolean exact = world.isSingle() || world.isCalm();
        if (exact && !anyUntrusted && by.filter(Registry::isUp).isPresent() && lists(by.get(), id)) {
            throw wrong("A10", id + " is listed by " + by.get().name + " after its deregistration was confirmed");
        }
    }

    Optional<Long> leftAt(InstanceId id) {
        return Optional.ofNullable(left.get(id));
    }

    private long lastReceived(InstanceId id) {
        long last = world.origin();
        for (Heard heard : received.getOrDefault(id, Map.of()).values()) {
            last = last - heard.at > 0 ? last : heard.at;
        }
        return last;
    }

    private static boolean lists(Registry registry, InstanceId id) {
        for (ListedInstance listed : registry.node().view(id.service()).instances()) {
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

    // ---- what the nodes heard

    void heard(Registry.Accepted line, List<ClientMessage> messages) {
        for (ClientMessage message : messages) {
            if (message instanceof ClientMessage.Hello hello) {
                greeted(line, hello);
            }
            String name = sessionOf.getOrDefault(line, "");
            SessionSeen session = sessions.get(name);
            if (session == null) {
                throw wrong("protocol", "the SDK sends " + message + " before hello");
            }
            At at = at(session, line.registry());
            if (now() - at.lastHeard >= LEASE) {
                at.backAt = now();
                at.everSilent = true;
            }
            at.lastHeard = now();
            if (message instanceof ClientMessage.Register register) {
                for (Instance instance : register.instances()) {
                    registered(instance, name, line.registry(), line.number() >= session.newest);
                }
            } else if (message instanceof ClientMessage.Deregister deregister) {
                deregister.instances().forEach(id -> saysGoodbye(id, name));
                unansweredGoodbyes
                        .computeIfAbsent(line, l -> new HashMap<>())
                        .put(deregister.id(), deregister.instances());
            } else if (message instanceof ClientMessage.Bye) {
                List<InstanceId> all = new ArrayList<>();
                homes.keySet().forEach(id -> {
                    if (name.equals(owners.get(id)) || isHeldBy(name, id, line.registry())) {
                        all.add(id);
                    }
                });
                all.forEach(id -> saysGoodbye(id, name));
            }
        }
    }

    /** Whether that node has it from that session, though a word of a dead one may have been heard elsewhere since. */
    private boolean isHeldBy(String session, InstanceId id, Registry where) {
        Home home = homes.getOrDefault(id, Map.of()).get(where);
        return home != null && home.stands() && home.session.equals(session);
    }

    /** How often a session has come to a node. */
    long greetings() {
        return greetings;
    }

    private void greeted(Registry.Accepted line, ClientMessage.Hello hello) {
        greetings++;
        String name = hello.session();
        SessionSeen session = sessions.computeIfAbsent(name, s -> new SessionSeen());
        session.hellos = Math.max(session.hellos, hello.attempt());
        if (session.newest > line.number()) {
            world.coverage.effect(Effects.LATE_HELLO);
        } else if (session.newest >= 0 && !session.at.containsKey(line.registry())) {
            world.coverage.effect(Effects.MOVED);
        }
        session.newest = Math.max(session.newest, line.number());
        At at = at(session, line.registry());
        if (at.line.isPresent() && at.line.get() != line) {
            world.coverage.effect(Effects.REPLACED);
        }
        if (at.broken) {
            at.backAt = now();
        }
        at.line = Optional.of(line);
        at.broken = false;
        at.since = now();
        at.unanswered = hello.holds().isPresent();
        sessionOf.put(line, name);
    }

    private At at(SessionSeen session, Registry registry) {
        At at = session.at.computeIfAbsent(registry, r -> new At());
        if (at.life != registry.witness.life()) {
            at.life = registry.witness.life();
            at.lastHeard = now();
            at.backAt = now() - LEASE;
            at.broken = false;
            at.line = Optional.empty();
        }
        return at;
    }

    private void registered(Instance instance, String session, Registry where, boolean newest) {
        InstanceId id = instance.id();
        long order = order(instance, "a register");
        hear(id, order, session, where);
        leases.remove(id);
        atHome(id, session, where, newest);
    }

    private void hear(InstanceId id, long order, String session, Registry where) {
        Map<Long, Heard> all = received.computeIfAbsent(id, i -> new HashMap<>());
        Heard before = all.get(order);
        Set<String> sessions = before == null ? new HashSet<>() : before.sessions;
        sessions.add(session);
        all.put(order, new Heard(now(), where, sessions));
    }

    private void atHome(InstanceId id, String session, Registry where, boolean newest) {
        settles(id, new Home(where, where.witness.life(), now(), session), newest);
    }

    private void settles(InstanceId id, Home home, boolean newest) {
        home.registry.witness.knows(id, home.session);
        perhaps.remove(id);
        Map<Registry, Home> all = homes.computeIfAbsent(id, i -> new LinkedHashMap<>());
        all.put(home.registry, home.after(untold(all.get(home.registry))));
        lives.computeIfAbsent(id, i -> new HashSet<>()).add(new Life(home.registry, home.life));
        if (newest) {
            owners.put(id, home.session);
            latest.put(id, home.after(untold(latest.get(id))));
        }
    }

    /** That one, and behind it only what others may not know to be over. */
    private Optional<Home> untold(@Nullable Home home) {
        return Optional.ofNullable(home).map(each -> told(each) ? each.after(Optional.empty()) : each);
    }

    private void saysGoodbye(InstanceId id, String session) {
        if (session.equals(owners.get(id))) {
            goodbyes.put(id, now());
            latest.remove(id);
        } else if (!sessionsOf(id).contains(session) || !owners.containsKey(id) || isLater(session, owners.get(id))) {
            earlyGoodbyes.computeIfAbsent(id, i -> new HashSet<>()).add(session);
            if (endsWhatIsLeft(id, session)) {
                leftBehind.add(id);
            }
        }
    }

    /**
     * Whether what an earlier process left goes with the goodbye of a later one whose registration perhaps no node has heard:
     * he has said hello before, and nobody vouches for the earlier one.
     */
    private boolean endsWhatIsLeft(InstanceId id, String session) {
        SessionSeen seen = sessions.get(session);
        Home home = latest.get(id);
        boolean isVouched = home != null && home.stands() && world.isCalm();
        return seen != null && seen.hellos > 1 && !isVouched && isLater(session, owners.get(id));
    }

    /** Whether the other one is a process that had died before: a word of it was heard late, and took the instance. */
    private boolean isLater(String session, @Nullable String owner) {
        SessionSeen one = sessions.get(session);
        SessionSeen other = owner == null ? null : sessions.get(owner);
        return one != null && other != null && one.newest > other.newest;
    }

    /** Whether it is that of a process that connected later than all of those, which are of processes, too. */
    boolean isLaterThanAll(String session, Set<String> others) {
        return !others.isEmpty() && others.stream().allMatch(other -> isLater(session, other));
    }

    /**
     * Whether who registered it said goodbye, be it that his registration was stuck on an earlier connection and came later;
     * or somebody who took his place, be it that no node heard of that.
     */
    boolean saidGoodbye(InstanceId id) {
        return goodbyes.containsKey(id)
                || leftBehind.contains(id)
                || !Collections.disjoint(earlyGoodbyes.getOrDefault(id, Set.of()), sessionsOf(id));
    }

    /** Whether the last that anybody said of it was a goodbye. */
    private boolean isTakenBack(InstanceId id) {
        return goodbyes.containsKey(id) && !latest.containsKey(id);
    }

    boolean wasHeard(InstanceId id, long order) {
        return received.getOrDefault(id, Map.of()).containsKey(order);
    }

    /** Whether it was said since, or a node has gone on with its lease, as if it was put there. */
    boolean heardSince(InstanceId id, long order, long then) {
        Heard heard = received.getOrDefault(id, Map.of()).get(order);
        Long again = takenUp.get(id);
        return heard != null && (heard.at - then >= 0 || again != null && again - then >= 0);
    }

    /** Whether the one content was said after the other; an operator's may be known for longer, and be made later. */
    boolean saidAfter(InstanceId id, long order, long other) {
        Map<Long, Heard> all = received.getOrDefault(id, Map.of());
        Heard one = all.get(order);
        Heard two = all.get(other);
        return one != null && (two == null || one.at - two.at > 0);
    }

    /**
     * Whether anybody registered it after the last goodbye, or somebody else than who said it. Who has no session says it to
     * one node and not to another: then it is enough that his lease was not over.
     */
    boolean registeredSinceGoodbye(InstanceId id, long shownAsGone) {
        if (leases.containsKey(id) && heardOfPublisherSince(id, shownAsGone - LONGEST_LEASE)) {
            return true;
        }
        long goodbye = goodbyes.getOrDefault(id, world.origin());
        Long removed = forced.get(id);
        if (removed != null && (goodbye == world.origin() || goodbye - removed > 0)) {
            goodbye = removed; // one of the two, whichever was first
        }
        Set<String> registrants = new HashSet<>();
        for (Heard heard : received.getOrDefault(id, Map.of()).values()) {
            if (heard.at - (goodbye - TURN) >= 0) {
                return true;
            }
            registrants.addAll(heard.sessions);
        }
        return registrants.size() > 1;
    }

    /** Whether any node has heard from anybody who registered it. */
    boolean heardOfPublisherSince(InstanceId id, long then) {
        LeaseSeen lease = leases.get(id);
        if (lease != null && lease.lastHeard - then >= 0) {
            return true;
        }
        for (Heard heard : received.getOrDefault(id, Map.of()).values()) {
            if (heard.at - then >= 0) {
                return true;
            }
        }
        for (Home home : homes.getOrDefault(id, Map.of()).values()) {
            SessionSeen session = sessions.get(home.session);
            if (session != null && session.at.values().stream().anyMatch(at -> at.lastHeard - then >= 0)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether both were put by HTTP, at two nodes neither of which can have heard of the other's word yet. No session counts
     * them, so that nothing tells which was later; the registry only promises that all nodes will show the same one.
     */
    boolean atOnce(InstanceId id, long order, long other) {
        Map<Long, Heard> all = received.getOrDefault(id, Map.of());
        Heard one = all.get(order);
        Heard two = all.get(other);
        return one != null
                && two != null
                && one.sessions.contains("")
                && two.sessions.contains("")
                && one.where != two.where
                && Math.abs(one.at - two.at) <= world.reach();
    }

    /** Whether the same session said both, and no other did. */
    boolean sameSession(InstanceId id, long order, long other) {
        Map<Long, Heard> all = received.getOrDefault(id, Map.of());
        Heard one = all.get(order);
        Heard two = all.get(other);
        return one != null
                && two != null
                && one.sessions.size() == 1
                && one.sessions.equals(two.sessions)
                && !one.sessions.contains("");
    }

    /** The node writes a frame. */
    void said(Registry.Accepted line, byte[] frame) {
        if (!unansweredGoodbyes.getOrDefault(line, Map.of()).isEmpty()) {
            goodbyesAnswered(line, new String(frame, StandardCharsets.UTF_8));
        }
        String text = new String(frame, 0, Math.min(frame.length, 400), StandardCharsets.UTF_8);
        if (text.startsWith("[{\"type\":\"welcome")) {
            answered(line);
            if (text.contains("\"held\":true")) {
                welcomedWithHeld(line);
            }
        }
        if (text.startsWith("[{\"type\":\"delta")) {
            world.coverage.effect(Effects.DELTAS);
        } else if (text.startsWith("[{\"type\":\"same")) {
            world.coverage.effect(Effects.SAMES);
        } else if (text.startsWith("[{\"type\":\"view")) {
            world.coverage.effect(Effects.FULL_VIEWS);
        } else if (text.startsWith("[{\"type\":\"move")) {
            world.coverage.effect(Effects.MOVES);
        }
    }

    /** It says nothing of what has been asked for anew meanwhile. */
    private void goodbyesAnswered(Registry.Accepted line, String frame) {
        unansweredGoodbyes.getOrDefault(line, Map.of()).entrySet().removeIf(each -> {
            boolean isAnswered = frame.contains("{\"type\":\"done\",\"id\":" + each.getKey() + "}");
            if (isAnswered) {
                each.getValue().stream()
                        .filter(id -> !asked.containsKey(id))
                        .forEach(id -> goodbyeAnswered.put(id, line.registry()));
            }
            return isAnswered;
        });
    }

    private void answered(Registry.Accepted line) {
        At at = at(line);
        if (at != null) {
            at.unanswered = false;
        }
    }

    /** What is known of the session at that node; null if it has another connection there by now, or none. */
    private @Nullable At at(Registry.Accepted line) {
        SessionSeen session = sessions.get(sessionOf.getOrDefault(line, ""));
        At at = session == null ? null : session.at.get(line.registry());
        return at != null && at.line.filter(each -> each == line).isPresent() ? at : null;
    }

    /** The node said that it holds what the session has. */
    private void welcomedWithHeld(Registry.Accepted line) {
        String name = sessionOf.getOrDefault(line, "");
        SessionSeen session = sessions.get(name);
        world.coverage.effect(Effects.ADOPTED);
        if (session == null) {
            return;
        }
        List<InstanceId> held = ownedBy(name);
        held.forEach(id -> {
            atHome(id, name, line.registry(), line.number() >= session.newest);
            if (asked.containsKey(id)) {
                latestOf(id, name).ifPresent(order -> hear(id, order, name, line.registry())); // as if it said it again
            }
        });
    }

    private List<InstanceId> ownedBy(String session) {
        List<InstanceId> owned = new ArrayList<>();
        owners.forEach((id, owner) -> {
            if (owner.equals(session) && latest.containsKey(id)) { // whoever asked for it may be dead by now
                owned.add(id);
            }
        });
        return owned;
    }

    /** What that session said last of it. */
    private Optional<Long> latestOf(InstanceId id, String session) {
        return received.getOrDefault(id, Map.of()).entrySet().stream()
                .filter(each -> each.getValue().sessions.contains(session))
                .max((a, b) -> Long.signum(a.getValue().at - b.getValue().at))
                .map(Map.Entry::getKey);
    }

    void disconnected(Registry.Accepted line) {
        unansweredGoodbyes.remove(line);
        At at = at(line);
        if (at != null) {
            String name = sessionOf.getOrDefault(line, ""); // kept: the answer to its hello may come after its end
            at.broken = true;
            at.everBroken = true;
            at.brokenAt = now();
            at.line = Optional.empty();
            if (at.unanswered) { // the node may have found that it has what the session holds, and acts upon that
                Home home = new Home(line.registry(), at.life, now(), name);
                ownedBy(name).forEach(id -> perhaps.put(id, home));
            }
        }
    }

    void leasePut(Instance instance, Duration ttl, Registry where) {
        LeaseSeen next = heardAgain(instance.id(), ttl);
        registered(instance, "", where, true);
        leases.put(instance.id(), next);
    }

    private LeaseSeen heardAgain(InstanceId id, Duration ttl) {
        LeaseSeen before = leases.getOrDefault(id, new LeaseSeen(now(), ttl.toNanos(), now()));
        boolean away = now() - before.lastHeard >= before.ttl - late(); // its home heard it before whoever asked there
        return new LeaseSeen(now(), ttl.toNanos(), away ? now() : before.backAt);
    }

    /**
     * Its home is that node, unless another one has just told it that it has renewed the lease. Where another one was, or an
     * earlier life of the node, it is registered anew, perhaps by a node that has yet to hear that it was removed. Who has
     * heard that cannot.
     */
    void leaseRenewed(InstanceId id, Duration ttl, Registry where) {
        leases.put(id, heardAgain(id, ttl));
        Optional<Home> elsewhere = answered.filter(errand -> errand.by() == where && answeredAt == now())
                .map(errands::get);
        answered = Optional.empty();
        Home home = elsewhere.orElseGet(() -> new Home(where, where.witness.life(), now(), ""));
        if (wouldTakeUp(id, home)) {
            takenUp.put(id, now());
        }
        settles(id, home, true);
    }

    private boolean wouldTakeUp(InstanceId id, Home home) {
        Home before = latest.get(id);
        boolean isElsewhere = before != null && (before.registry != home.registry || before.life != home.life);
        return isElsewhere && home.registry.isUp() && lists(home.registry, id);
    }

    /** It goes on with the lease at once, and others may hear of that before the node that asked does. */
    private void askedToRenew(Errand errand, Home home, PeerMessage.Ask ask) {
        byte[] payload = ask.payload().bytes();
        try {
            InstanceId id = new ByteReader(payload, 0, payload.length, new SharedTexts()).id();
            if (wouldTakeUp(id, home)) {
                takings.put(errand, new Taking(id, now(), Optional.ofNullable(takenUp.put(id, now()))));
            }
        } catch (MalformedException e) {
            world.coverage.effect(Effects.MALFORMED); // a stranger's
        }
    }

    private void refusedToRenew(Errand errand) {
        Taking taking = takings.get(errand);
        if (taking != null && takenUp.remove(taking.id, taking.at)) {
            taking.before.ifPresent(at -> takenUp.put(taking.id, at));
        }
    }

    void leaseRemoved(InstanceId id) {
        goodbyes.put(id, now());
        latest.remove(id);
    }

    void probeRefused(String host, int port) {
        refusedProbes.put(host + ":" + port, now());
    }

    /** What nodes say to one another, as it arrives. */
    void peerSaid(Registry from, Registry to, PeerMessage message) {
        String kind = message.getClass().getSimpleName();
        boolean tells = kind.equals("Delta") || kind.equals("Page") || kind.equals("Snapshot");
        to.witness.heardPeer(from, tells);
        if (message instanceof PeerMessage.Page page) {
            page.registrations().forEach(registration -> told(to, registration));
            Set<InstanceId> left = new HashSet<>();
            page.burials().forEach(buried -> left.add(buried.instance()));
            page.registrations().forEach(registration -> left.remove(registration.id()));
            ended(left);
        } else if (message instanceof PeerMessage.Delta delta) {
            for (Change change : delta.changes()) {
                if (change instanceof Change.Granted granted) {
                    told(to, granted.registration());
                } else if (change instanceof Change.Removed removed
                        && removed.burial().generation() > 0) {
                    ended(Set.of(change.instance()));
                }
            }
        }
        answered = Optional.empty();
        if (message instanceof PeerMessage.Ask ask && ask.kind() == PeerMessage.Ask.RENEW) {
            Errand errand = new Errand(from, to, ask.id());
            Home home = new Home(to, to.witness.life(), now(), "");
            errands.put(errand, home);
            askedToRenew(errand, home, ask);
        } else if (message instanceof PeerMessage.Answer answer) {
            Errand errand = new Errand(to, from, answer.id());
            if (answer.ok()) {
                answered = Optional.of(errand);
                answeredAt = now();
            } else {
                refusedToRenew(errand);
            }
            takings.remove(errand);
        }
        world.coverage.effect("peers: " + kind);
    }

    private void ended(Set<InstanceId> left) {
        for (Batch batch : batches.values()) {
            for (Instance each : batch.instances) {
                if (left.contains(each.id())) {
                    batch.ended.add(each.id());
                }
            }
        }
    }

    private void told(Registry to, Registration registration) {
        Long order = orders.get(registration.instance());
        if (order != null) {
            to.witness.heardOf(registration, order);
        }
    }

    // ---- the nodes' lives

    void nodeStarted(Registry registry, boolean trusted) {
        if (world.isSingle()) {
            refusedProbes.clear();
        }
        if (!trusted) {
            anyUntrusted = true;
            world.troubled();
            world.leases.forEach(LeaseProvider::registryLostSomething);
        }
    }

    boolean anyUntrusted() {
        return anyUntrusted;
    }

    // ---- what may be said of an instance

    /** What left its view on that node, and why. */
    void goneFrom(InstanceId id, RemovalCause cause) {
        said(id, cause);
        departed.merge(id.service(), 1, Integer::sum);
        alone(id);
    }

    /** Some node, perhaps one that does not belong to the registry, says that it left. */
    void said(InstanceId id, RemovalCause cause) {
        everCauses.computeIfAbsent(id, i -> new HashSet<>()).add(cause);
    }

    /** Why it has left, of more than a view remembers. */
    RemovalCause likely(InstanceId id, boolean exact) {
        if (saidGoodbye(id)) {
            return RemovalCause.DEREGISTERED;
        }
        for (RemovalCause said : List.of(RemovalCause.PROBE_FAILED, RemovalCause.OPERATOR)) {
            if (everCauses.getOrDefault(id, Set.of()).contains(said)) {
                return said;
            }
        }
        if (silentForALease(id, exact)) {
            return RemovalCause.LEASE_EXPIRED;
        }
        if (brokenForTheGrace(id, exact)) {
            return RemovalCause.CONNECTION_LOST;
        }
        return RemovalCause.ORPHANED;
    }

    boolean mayHaveLeft(InstanceId id, boolean exact) {
        return silentForALease(id, exact) || brokenForTheGrace(id, exact) || orphaned(id, exact);
    }

    /** Whether anybody who registered it ever was, as a node that hears of it late may still say. */
    private boolean everOut(InstanceId id) {
        for (Heard heard : received.getOrDefault(id, Map.of()).values()) {
            for (String name : heard.sessions) {
                SessionSeen session = sessions.get(name);
                if (session == null || session.at.values().stream().anyMatch(at -> at.everBroken || at.everSilent)) {
                    return true;
                }
            }
        }
        return false;
    }

    boolean outOfTouch(InstanceId id, boolean exact) {
        return silentForALease(id, exact)
                || isFollowed(id)
                || anyHome(id, exact, home -> atHome(home).map(at -> at.broken).orElse(!home.stands()));
    }

    /** Who had it before, elsewhere, is in doubt as soon as his node hears who has it now: others may hear of that doubt first. */
    private boolean isFollowed(InstanceId id) {
        Home last = latest.get(id);
        if (last == null || told(last)) {
            return false;
        }
        return homes.getOrDefault(id, Map.of()).values().stream()
                .anyMatch(home -> home.registry != last.registry && !home.session.equals(last.session));
    }

    private interface Judged {
        boolean by(Home home);
    }

    /**
     * Exact: by the home that was registered with last, if it had time to tell the others, and by those that stand when it
     * does not. Otherwise any may be it.
     */
    private boolean anyHome(InstanceId id, boolean exact, Judged judged) {
        Home confirmed = perhaps.get(id);
        if (confirmed != null && judged.by(confirmed)) {
            return true;
        }
        Home last = latest.get(id);
        if (exact && last != null && told(last)) {
            return judged.by(last) || !last.stands() && anyStands(id, judged);
        }
        for (Home home : homes.getOrDefault(id, Map.of()).values()) {
            if (judged.by(home) || anyBefore(home, judged)) {
                return true;
            }
        }
        return last != null && anyBefore(last, judged);
    }

    /** On the same node a later session has taken its place there, and its end there may still be on the way. */
    private boolean anyBefore(Home home, Judged judged) {
        Optional<Home> before = home.before;
        while (before.isPresent()) {
            if (judged.by(before.get())) {
                return true;
            }
            before = told(before.get()) ? Optional.empty() : before.get().before;
        }
        return false;
    }

    /** What others had before is all there is when the last one is gone with what it had. */
    private boolean anyStands(InstanceId id, Judged judged) {
        for (Home home : homes.getOrDefault(id, Map.of()).values()) {
            if (home.stands() && judged.by(home)) {
                return true;
            }
        }
        return false;
    }

    /** What was decided just before may still be on its way to the disk, and is shown behind that. */
    private boolean told(Home home) {
        long until = home.stands() ? now() : home.end();
        return until - home.at > (world.isSingle() ? TURN : world.reach());
    }

    /** The home's session there, if it is one's. */
    private Optional<At> atHome(Home home) {
        SessionSeen session = sessions.get(home.session);
        At at = session == null ? null : session.at.get(home.registry);
        return at == null || at.life != home.life ? Optional.empty() : Optional.of(at);
    }

    boolean silentForALease(InstanceId id, boolean exact) {
        if (!exact && everOut(id)) {
            return true;
        }
        LeaseSeen lease = leases.get(id);
        if (isTakenBack(id) && now() - goodbyes.getOrDefault(id, now()) >= LEASE - late()) {
            return true; // nobody has said it since, whatever else he says
        }
        if (lease != null) {
            return now() - lease.lastHeard >= lease.ttl - late() || now() - lease.backAt <= TURN + late() || !exact;
        }
        return anyHome(
                id,
                exact,
                home -> atHome(home)
                        .map(at -> until(home) - at.lastHeard >= LEASE || now() - at.backAt <= TURN + late())
                        .orElse(false));
    }

    /** What other nodes decide arrives later. */
    private long late() {
        return world.isSingle() ? 0 : world.reach();
    }

    private long until(Home home) {
        return home.stands() ? now() : home.end();
    }

    boolean brokenForTheGrace(InstanceId id, boolean exact) {
        return !exact && everOut(id)
                || anyHome(
                        id,
                        exact,
                        home -> atHome(home)
                                .map(at -> at.broken && until(home) - at.brokenAt >= GRACE
                                        || now() - at.backAt <= TURN + late())
                                .orElse(false));
    }

    boolean orphaned(InstanceId id, boolean exact) {
        if (world.isSingle()) {
            Witness only = world.registries.get(0).witness;
            return anyHome(id, false, home -> home.life != only.life()) && now() - only.startedAt() >= 2 * LEASE;
        }
        return !exact
                || anyHome(id, true, home -> !home.stands() && now() - home.end() >= LEASE - late())
                || silentForALease(id, true)
                        && lives.getOrDefault(id, Set.of()).stream().anyMatch(life -> !life.stands())
                || isForcedSince(id)
                        && lives.getOrDefault(id, Set.of()).stream()
                                .anyMatch(life -> now() - life.end() >= LEASE - late());
    }

    /** Whether nobody speaks for it since an operator removed it, though who registered it is there: what a disk has is judged. */
    private boolean isForcedSince(InstanceId id) {
        Long removed = forced.get(id);
        Home home = latest.get(id);
        return removed != null && (home == null || removed - home.at >= 0);
    }

    /** @param exact whether the node that says so can know what others have heard since */
    boolean probedDead(InstanceId id, boolean exact) {
        Long at = refusedProbes.get(id.host() + ":" + id.port());
        if (at == null) {
            return false;
        }
        LeaseSeen lease = leases.get(id);
        Home home = latest.get(id);
        long heard = lease != null
                ? lease.lastHeard
                : home == null
                        ? world.origin()
                        : atHome(home).map(seen -> seen.lastHeard).orElse(home.at);
        boolean toldAgain = isTakenBack(id); // nobody speaks for it: an earlier verdict may end what a disk had
        return now() - at <= TURN + late() || at - heard >= 0 || toldAgain || !exact;
    }

    /**
     * How long the instance's publisher has been in touch, without a break, with a node that has it; -1 when it is not. Who was
     * away for so long that it left there has it registered when he has said it again.
     */
    long supportedFor(InstanceId id) {
        Home home = latest.get(id);
        if (home == null || !home.stands() || home.registry.isPaused() || forced.containsKey(id)) {
            return -1;
        }
        Optional<At> at = atHome(home);
        if (at.isEmpty() || at.get().line.isEmpty() || now() - at.get().lastHeard > IN_TOUCH) {
            return -1;
        }
        if (home.registry.witness.tookOff(id, home.at, at.get().since)) {
            return -1;
        }
        long since = Math.max(home.at - world.origin(), at.get().since - world.origin());
        since = Math.max(since, at.get().backAt - world.origin());
        return now() - world.origin() - since;
    }

    /** Whether that node is where the publisher is now. */
    boolean isAtHome(InstanceId id, Registry registry) {
        Home home = latest.get(id);
        return home != null && home.registry == registry && home.stands();
    }

    /** Who must be listed in a service, and at least with which content. */
    Map<InstanceId, Long> supported(ServiceKey service, long least) {
        Map<InstanceId, Long> out = new TreeMap<>();
        for (InstanceId id : latest.keySet()) {
            if (id.service().equals(service) && asked.containsKey(id) && supportedFor(id) > least) {
                out.put(id, 0L);
            }
        }
        return out;
    }

    /** A12: who sees one of a batch for the first time sees all of it. */
    void whole(Registry registry, Map<InstanceId, ListedInstance> is, InstanceId id) {
        ListedInstance listed = is.get(id);
        String number = listed == null ? null : listed.instance().metadata().get("batch");
        Batch batch = number == null ? null : batches.get(Long.parseLong(number));
        if (batch == null || !batch.seenBy.add(registry)) {
            return;
        }
        for (Instance other : batch.instances) {
            if (!is.containsKey(other.id()) && asked.containsKey(other.id()) && !batch.ended.contains(other.id())) {
                throw wrong("A12", registry.name + ": of a batch " + id + " is seen and " + other.id() + " is not");
            }
        }
        world.coverage.effect(Effects.BATCHES);
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
        view.instances().forEach(listed -> watched.versions.put(listed.id(), order(listed.instance(), client.name)));
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
        world.trace.list(now(), who, 0, Digest.of(now.instances()), now.instances());
        Optional<Registry.Accepted> teller = client.toldBy();
        if (teller.isPresent() && !teller.equals(watched.teller)) {
            movedTo(teller.get(), watched, now.service());
        }
        Set<InstanceId> listed = new HashSet<>();
        for (ListedInstance instance : now.instances()) {
            long order = order(instance.instance(), who);
            listed.add(instance.id());
            if (order == watched.inherited.getOrDefault(instance.id(), -1L)) {
                continue; // kept until its node, which may know it no more, has gathered what there is
            }
            long kept =
                    Optional.ofNullable(watched.inherited.remove(instance.id())).orElse(0L);
            // Who has seen it leave since has nothing to keep: he takes what an incomplete list adds.
            boolean isNew = now.incomplete()
                    && before.instances().stream().noneMatch(each -> each.id().equals(instance.id()));
            if (order < kept
                    && !isNew
                    && teller.filter(node -> node.registry().witness.hasLaterToShow(instance, kept))
                            .isPresent()) {
                throw wrong(
                        "B2",
                        who + " went back, on the word of a node that has just heard of a later one: " + instance);
            }
            boolean goesBack = order < watched.versions.getOrDefault(instance.id(), 0L);
            boolean told = teller.filter(node -> node.registry().witness.wentBack(instance.id()))
                    .isPresent();
            // Nor can a node that says so know that what its disk has was over; who has it no more cannot either.
            told |= isNew
                    && teller.filter(node -> node.registry().witness.hadOnDisk(instance.id()))
                            .isPresent();
            if (goesBack && !told && !amended.contains(instance.id())) {
                throw wrong("B2", who + " went back to an earlier content: " + instance.instance());
            }
            watched.versions.put(instance.id(), order);
        }
        guarded(client, who, before, now, listed, teller);
        if (!now.incomplete() && !now.underProtection()) {
            teller.map(Registry.Accepted::registry)
                    .filter(
                            world.registries
                                    ::contains) // somebody's copy may have taken the place of a node that was away
                    .ifPresent(node -> conflated(who, node, watched, now));
        }
    }

    /**
     * Another connection, perhaps to another node or another life of it, tells from now on. What a life told and its disk
     * lost, or what a node told that the next one could not hear, may go back: at once or, as the SDK keeps what it knows
     * while its node is incomplete, later. So may what an earlier process left on disk, long after any node's life.
     */
    private void movedTo(Registry.Accepted teller, ClientProcess.Watching watched, ServiceKey service) {
        Witness witness = teller.registry().witness;
        boolean same = watched.teller
                .filter(before -> before.registry() == teller.registry())
                .isPresent();
        boolean lost = watched.teller
                .map(before -> before.life() != teller.life() && witness.everUntrusted())
                .orElse(anyUntrusted);
        if (lost || !same && !(world.isCalm() && now() - witness.startedAt() > World.SETTLING)) {
            watched.inherited.putAll(watched.versions);
            watched.versions.clear(); // what a node does not know cannot be known to anybody behind it
        } else if (watched.teller.filter(Oracle::isOver).isPresent()) {
            watched.versions.entrySet().removeIf(told -> {
                boolean isLost = world.registries.stream()
                        .noneMatch(node -> node.isUp() && node.witness.showed(told.getKey()) >= told.getValue());
                if (isLost) { // with the only node that ever showed it
                    watched.inherited.put(told.getKey(), told.getValue());
                }
                return isLost;
            });
        }
        if (!same) {
            watched.at = witness.placeAt(service, teller.since());
        }
        watched.teller = Optional.of(teller);
    }

    private static boolean isOver(Registry.Accepted teller) {
        return !new Life(teller.registry(), teller.life()).stands();
    }

    /** B7, B10 at the SDK: what may leave its list at once. */
    private void guarded(
            ClientProcess client,
            String who,
            ServiceSnapshot before,
            ServiceSnapshot now,
            Set<InstanceId> listed,
            Optional<Registry.Accepted> teller) {
        // Whatever it says of itself: in its first lease a node may not know everybody.
        boolean mayNotKnow = now.incomplete()
                || teller.filter(told -> told.life() == told.registry().witness.life()
                                && now() - told.registry().witness.startedAt() < LEASE)
                        .isPresent();
        int explained = 0;
        int unexplained = 0;
        for (ListedInstance was : before.instances()) {
            if (listed.contains(was.id())) {
                continue;
            }
            // One that the SDK held back had been named before.
            if (mayNotKnow && was.standing() != Standing.HELD && teller.isPresent()) {
                Optional<Witness.Gone> tombstone =
                        teller.get().registry().witness.everGone(was.id());
                boolean named = tombstone
                                .filter(gone -> gone.life() >= teller.get().life())
                                .isPresent()
                        || !world.isSingle() && (anyUntrusted || everCauses.containsKey(was.id()));
                if (!named) {
                    throw wrong(
                            "B10", who + " loses " + was.id() + " on the word of a node that does not know everybody");
                }
            }
            // A goodbye may have been said to a node that is none of the registry's.
            if (was.standing() == Standing.HELD || everCertainlyGone(was.id()) || isTakenBack(was.id())) {
                explained++;
            } else {
                unexplained++;
            }
            if (!now.incomplete()) {
                notInTouch(client, who, was.id());
            }
        }
        int of = before.instances().size() - explained;
        if (unexplained > 0 && (unexplained == of || unexplained >= 2 && unexplained * 2 > of)) {
            throw wrong("B7", who + " loses " + unexplained + " of " + of + " at once without a reason");
        }
    }

    /**
     * E1, E2, A11: nobody who was in touch when the registry said so leaves a subscriber's list, whatever node either of
     * them is at.
     */
    private void notInTouch(ClientProcess client, String who, InstanceId id) {
        boolean exact = world.isSingle() || world.isCalm();
        long enough = client.toldAgo() + 2 * world.reach() + world.swarm.slowest();
        if (exact && asked.containsKey(id) && supportedFor(id) > enough) {
            throw wrong("A11", who + " loses " + id + " though its publisher is in touch");
        }
    }

    /** Words may arrive late: any of its ends may be the one that is told now. */
    private boolean everCertainlyGone(InstanceId id) {
        return everCauses.getOrDefault(id, Set.of()).stream().anyMatch(RemovalCause::certain);
    }

    /** B4: what is seen is what the node showed at some moment not before the last one. */
    private void conflated(String who, Registry node, ClientProcess.Watching watched, ServiceSnapshot now) {
        int place = node.witness.shownAt(now.service(), Digest.of(now.instances()), watched.at);
        if (place < 0) {
            throw wrong(
                    "B4",
                    who + " is none that " + node.name + " showed since the last one: " + World.shown(now.instances()));
        }
        watched.at = place;
    }

    private void toldRightly(String who, InstanceId id, RemovalCause cause) {
        // Of more than a view remembers, the node says the least certain.
        boolean forgotten =
                cause == RemovalCause.LEASE_EXPIRED && departed.getOrDefault(id.service(), 0) > Witness.REMEMBERED;
        if (!forgotten && !everCauses.getOrDefault(id, Set.of()).contains(cause)) {
            throw wrong("cause", who + " is told that " + id + " left for " + cause + ", which no node ever said");
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
