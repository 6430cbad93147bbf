package io.mooring.simulation;

import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.lease.Prober;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One seed: a registry, processes, leases and what happens to them, in two phases. While things go wrong, safety is
 * checked after every step; then everything heals, and within a bound everybody must see what is so, and nothing moves
 * any more.
 */
final class World {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int MOST_STEPS_AT_ONCE = 100_000;
    private static final Duration QUIET = Duration.ofSeconds(25);

    /** After trouble, until all nodes know everything again: to find that lines are dead, to dial, to copy. */
    static final long SETTLING = Duration.ofSeconds(30).toNanos();

    static final String CLUSTER = "mooring";

    final long seed;
    final Swarm swarm;
    final VirtualTime time;
    final VirtualTime.Loop net;
    final Coverage coverage = new Coverage();
    final Trace trace;
    /** The nodes of the registry. */
    final List<Registry> registries = new ArrayList<>();

    final PeerNet peerNet;
    final Strangers strangers;
    final Oracle oracle;
    final DurableWorks durable;
    final Options options;
    final List<ClientProcess> clients = new ArrayList<>();
    final List<LeaseProvider> leases = new ArrayList<>();
    final SplittableRandom chance;
    final SplittableRandom nodeChance;

    final List<ServiceKey> services = new ArrayList<>();

    private final SplittableRandom plan;
    private final SplittableRandom faultChance;
    private final Faults faults;
    private final List<Registry> others = new ArrayList<>();
    private final Set<Registry> dead = new HashSet<>();
    private final Map<InstanceId, List<Instance>> amendments = new HashMap<>();
    private final Map<String, ClientProcess> byHost = new HashMap<>();
    private Optional<Registry> foreign = Optional.empty();
    private final Map<String, Set<Long>> everShown = new HashMap<>();
    private final Map<String, Long> firstShownAt = new HashMap<>();
    private final Map<String, List<Instance>> formerly = new HashMap<>();
    private final Set<String> safelyOnDisk = new HashSet<>();
    private final long origin;
    private long versions;
    private long steps;
    private boolean healing;
    private long nextInspection;
    private @Nullable Violation violation;
    private int troubles;
    private long calmSince;
    private long links;
    private int machines;
    private final Set<Fault> lately = new LinkedHashSet<>();

    /**
     * How to run a seed otherwise than it is drawn.
     *
     * @param wallJumps false: the wall clocks stay right, which must make no difference to anything
     * @param nodes how many; empty: as drawn
     * @param without numbers of faults to leave out
     * @param horizon when to stop making trouble, if before what is drawn
     * @param clients more than 0: a calm world with so many, to see how fast it goes
     */
    record Options(
            boolean wallJumps, OptionalInt nodes, Set<Integer> without, Optional<Duration> horizon, int clients) {
        static final Options DRAWN = new Options(true, OptionalInt.empty(), Set.of(), Optional.empty(), 0);

        Options withNodes(int count) {
            return new Options(wallJumps, OptionalInt.of(count), without, horizon, clients);
        }

        Options withHorizon(Duration newHorizon) {
            return new Options(wallJumps, nodes, without, Optional.of(newHorizon), clients);
        }

        Options without(Set<Integer> faults) {
            return new Options(wallJumps, nodes, Set.copyOf(faults), horizon, clients);
        }

        Options withoutWallJumps() {
            return new Options(false, nodes, without, horizon, clients);
        }

        Options calmWith(int newClients) {
            return new Options(wallJumps, nodes, without, horizon, newClients);
        }

        boolean leftOut(int fault) {
            return without.contains(fault);
        }
    }

    /**
     * What a run came to.
     *
     * @param property that did not hold, by its name
     * @param story the faults
     */
    record Result(
            long seed,
            long steps,
            Duration simulated,
            long traceHash,
            Coverage coverage,
            Optional<String> failure,
            String property,
            List<String> story) {}

    World(long seed) {
        this(seed, Options.DRAWN);
    }

    World(long seed, Options options) {
        this.seed = seed;
        this.options = options;
        SplittableRandom root = new SplittableRandom(seed);
        Swarm drawn = Swarm.draw(root.split(), options.nodes());
        swarm = options.clients() > 0 ? drawn.calm(options.clients()) : drawn;
        origin = swarm.origin();
        nextInspection = origin;
        time = new VirtualTime(origin);
        net = time.loop("net");
        trace = new Trace(origin);
        chance = root.split();
        nodeChance = root.split();
        plan = root.split();
        faultChance = root.split();
        calmSince = origin;
        for (int i = 0; i < swarm.services(); i++) {
            services.add(ServiceKey.of("service-" + i));
        }
        oracle = new Oracle(this);
        peerNet = new PeerNet(this, root.split());
        strangers = new Strangers(this);
        for (int i = 0; i < swarm.nodes(); i++) {
            String name = "n" + (i + 1);
            registries.add(new Registry(
                    this,
                    machines++,
                    name,
                    name,
                    CLUSTER,
                    new SimDisk(time, swarm.diskDelay(), root.split(), coverage)));
        }
        List<String> addresses = registries.stream().map(Registry::peerAddress).toList();
        registries.forEach(registry -> registry.configure(addresses));
        faults = new Faults(this);
        for (int i = 0; i < swarm.clients(); i++) {
            ClientProcess client = new ClientProcess(this, i, root.split());
            client.configure(knownAddresses());
            clients.add(client);
            byHost.put(client.host, client);
        }
        for (int i = 0; i < swarm.leases(); i++) {
            InstanceId id = new InstanceId(
                    services.get(plan.nextInt(services.size())), InstanceId.DEFAULT_CLUSTER, "10.1.0." + (i + 1), 80);
            leases.add(new LeaseProvider(this, id, Duration.ofSeconds(6 + plan.nextInt(15))));
        }
        durable = new DurableWorks(this, root.split()); // the last: the others draw as they did without it
    }

    /** Some of the nodes, in any order, and perhaps an address where nobody is. */
    private List<String> knownAddresses() {
        List<String> some = new ArrayList<>();
        for (Registry registry : registries) {
            if (plan.nextInt(3) != 0) {
                some.add(registry.sessionAddress());
            }
        }
        for (int i = some.size() - 1; i > 0; i--) {
            Collections.swap(some, i, plan.nextInt(i + 1));
        }
        if (some.isEmpty()) {
            some.add(registries.get(plan.nextInt(registries.size())).sessionAddress());
        }
        if (swarm.secondAddress()) {
            some.add(plan.nextInt(some.size() + 1), "nowhere:9847");
        }
        return some;
    }

    // ---- what others ask

    long elapsed() {
        return time.now() - origin;
    }

    long nextVersion() {
        return ++versions;
    }

    /** Correlated labels: a mixture of two versions would not fit its checksum. */
    Metadata labels(InstanceId id, long version, int batchOf) {
        Map<String, String> labels = new TreeMap<>();
        labels.put("version", Long.toString(version));
        labels.put("check", Integer.toString((id + "#" + version).hashCode()));
        if (batchOf > 1) {
            labels.put("batch", Long.toString(version));
        }
        return Metadata.of(labels);
    }

    /** The node shows something new. */
    void nodeShowed(Registry node) {
        faults.nodeShowed(node);
    }

    long origin() {
        return origin;
    }

    boolean isSingle() {
        return registries.size() == 1;
    }

    boolean isHealing() {
        return healing;
    }

    boolean anyUp() {
        return registries.stream().anyMatch(Registry::isUp);
    }

    long nextLink() {
        return ++links;
    }

    /** Something between the nodes goes wrong just now. */
    void troubled() {
        calmSince = time.now();
    }

    /** Something between the nodes is wrong from now on (1), or no more (-1). */
    void trouble(int more) {
        troubles += more;
        calmSince = time.now();
    }

    /** Whether the nodes have been connected, each with each, for long enough to know of one another what there is. */
    boolean isCalm() {
        return troubles == 0 && time.now() - calmSince > SETTLING;
    }

    /** Nanoseconds in which a change that one node shows is shown by all, while they are connected. */
    long reach() {
        long way = swarm.latency().plus(swarm.peerJitter()).toNanos();
        long batch = 60 * 400L * 1_000_000_000L / swarm.peerBandwidth();
        return Duration.ofSeconds(1).toNanos() + 4 * way + batch + swarm.slowest();
    }

    Optional<Registry> registryAtPeer(String address) {
        return machines(address, true);
    }

    Optional<Registry> registryAtSessions(String address) {
        return machines(address, false);
    }

    private Optional<Registry> machines(String address, boolean peers) {
        for (List<Registry> some : List.of(registries, others)) {
            for (Registry each : some) {
                if (address.equals(peers ? each.peerAddress() : each.sessionAddress())) {
                    return Optional.of(each);
                }
            }
        }
        return Optional.empty();
    }

    /** The node to which a load balancer sends the next request; mostly it knows by then who does not answer. */
    Registry balanced() {
        int from = isSingle() ? 0 : chance.nextInt(registries.size());
        Registry drawn = registries.get(from);
        if (isSingle() || drawn.isUp() || !healing && chance.nextInt(4) == 0) {
            return drawn;
        }
        for (int i = 1; i < registries.size(); i++) {
            Registry next = registries.get((from + i) % registries.size());
            if (next.isUp()) {
                return next;
            }
        }
        return drawn;
    }

    /** A machine that does not belong to the registry. */
    Registry another(String name, String node, String cluster, SimDisk disk) {
        Registry made = new Registry(this, machines++, name, node, cluster, disk);
        others.add(made);
        return made;
    }

    /** A node of another cluster that was given the addresses of this one. */
    Registry foreign() {
        if (foreign.isEmpty()) {
            Registry made = another(
                    "f1", "f1", "elsewhere", new SimDisk(time, swarm.diskDelay(), nodeChance.split(), coverage));
            made.configure(registries.stream().map(Registry::peerAddress).toList());
            foreign = Optional.of(made);
        }
        return foreign.get();
    }

    /** Something of the other cluster's, which nobody here may ever show. */
    void putAtForeign(Registry node) {
        ServiceKey service = services.get(0);
        InstanceId id = new InstanceId(service, InstanceId.DEFAULT_CLUSTER, "10.9.0.1", 80);
        node.onLoop(running -> running.put(
                new Instance(id, 1, true, Metadata.of(Map.of())), LeaseTerms.of(Duration.ofMinutes(2)), outcome -> {}));
    }

    /** Whether hearing that again from a peer is the same as hearing it once. */
    boolean repeatable(byte[] message) {
        return true;
    }

    /** A fault begins: it counts as met by those of the last half minute. */
    void happening(Fault fault) {
        lately.forEach(other -> coverage.met(fault, other));
        lately.add(fault);
        net.schedule(Duration.ofSeconds(30), () -> lately.remove(fault));
    }

    /** A node has just promised that something is on its disk: the worst moment for its machine to stop. */
    void promised(Registry registry, SplittableRandom dice) {
        if (!healing && swarm.faults().contains(Fault.SERVER_KILL_TAIL_CUT) && dice.nextInt(20) == 0) {
            net.schedule(Duration.ZERO, () -> faults.cutTail(registry, dice));
        }
    }

    /** Remembers the first violation and stops the run. */
    Violation fatal(Violation found) {
        if (violation == null) {
            violation = found;
        }
        return found;
    }

    Prober.Verdict probe(Registry from, String host, int port) {
        for (ClientProcess client : clients) {
            if (client.host.equals(host)) {
                Path path = client.path(from);
                boolean cutOff = path.lostUp || path.lostDown;
                if (client.state == ClientProcess.State.OFF || cutOff) {
                    return Prober.Verdict.UNKNOWN;
                }
                return client.serves(port) ? Prober.Verdict.ANSWERED : Prober.Verdict.REFUSED;
            }
        }
        for (LeaseProvider lease : leases) {
            if (lease.id.host().equals(host)) {
                return lease.isAlive() ? Prober.Verdict.ANSWERED : Prober.Verdict.REFUSED;
            }
        }
        return Prober.Verdict.UNKNOWN;
    }

    boolean answers(Instance instance) {
        ClientProcess client = byHost.get(instance.host());
        if (client != null) {
            return client.isRunning() && client.serves(instance.port());
        }
        for (LeaseProvider lease : leases) {
            if (lease.id.equals(instance.id())) {
                return lease.isAlive();
            }
        }
        return false;
    }

    private static String cacheKey(ClientProcess client, ServiceKey service) {
        return client.name + "/" + service;
    }

    void noteShown(ClientProcess client, ServiceSnapshot view) {
        String key = cacheKey(client, view.service());
        everShown.computeIfAbsent(key, k -> new HashSet<>()).add(Digest.of(view.instances()));
        firstShownAt.putIfAbsent(key, time.now());
    }

    boolean wasShown(ClientProcess client, ServiceKey service, long digest) {
        return digest == Digest.EMPTY
                || everShown.getOrDefault(cacheKey(client, service), Set.of()).contains(digest);
    }

    /** An earlier life of the process had a list for long enough, and nothing was wrong with its cache. */
    boolean shouldBeOnDisk(ClientProcess client, ServiceKey service) {
        return safelyOnDisk.contains(cacheKey(client, service)) && !client.cache.everFailed();
    }

    void noteDeath(ClientProcess client, boolean portsWereFine) {
        formerly.put(
                client.name,
                client.wanted.values().stream()
                        .map(ClientProcess.Wanted::instance)
                        .toList());
        for (ServiceKey service : services) {
            Long at = firstShownAt.remove(cacheKey(client, service));
            if (at != null && portsWereFine && time.now() - at > 3 * SECOND.toNanos()) {
                safelyOnDisk.add(cacheKey(client, service));
            }
        }
    }

    static String shown(Collection<ListedInstance> list) {
        StringBuilder out = new StringBuilder("[");
        for (ListedInstance listed : list) {
            out.append(out.length() > 1 ? ", " : "")
                    .append(listed.instance().address())
                    .append("#")
                    .append(listed.instance().metadata().get("version"))
                    .append(listed.standing() == Standing.LIVE ? "" : " " + listed.standing());
        }
        return out.append(']').toString();
    }

    // ---- the run

    Result run() {
        Optional<String> failure;
        try {
            play();
            failure = Optional.empty();
        } catch (Violation e) {
            failure = Optional.of(report(violation == null ? e : violation));
        } catch (RuntimeException e) {
            failure = Optional.of(report(violation == null ? e : violation));
        }
        if (failure.isEmpty() && violation != null) {
            failure = Optional.of(report(violation));
        }
        String property = violation == null ? "an exception" : violation.property();
        return new Result(
                seed, steps, Duration.ofNanos(elapsed()), trace.hash(), coverage, failure, property, faults.story());
    }

    private String report(RuntimeException what) {
        StringBuilder at = new StringBuilder();
        if (!(what instanceof Violation)) {
            for (StackTraceElement element : what.getStackTrace()) {
                at.append("        at ").append(element).append('\n');
            }
        }
        return trace.last() + at + "seed " + seed + ", step " + steps + ", " + (healing ? "healing, " : "") + "after "
                + Duration.ofNanos(elapsed()) + ": " + what.getMessage() + "\n" + swarm;
    }

    private void play() {
        net.run(() -> {
            registries.forEach(Registry::start);
            for (ClientProcess client : clients) {
                client.start();
            }
            net.schedule(between(swarm.operationEvery()), this::operate);
            net.schedule(faultGap(), this::hurt);
            net.schedule(swarm.callEvery(), this::call);
            durable.begin();
        });
        forSteps(options.horizon().orElse(swarm.faultPhase()), () -> false);
        healing = true;
        net.run(this::heal);
        forSteps(Duration.ofSeconds(5), () -> false); // the ends of broken connections are still on their way
        Duration bound = bound();
        boolean settled = forSteps(bound, this::isSettled);
        if (!settled) {
            throw new Violation(
                    "C10",
                    "not settled within " + bound + ": "
                            + unsettled().map(Supplier::get).orElse(""));
        }
        coverage.effect(Effects.EQUAL_DIGESTS);
        long greetings = oracle.greetings();
        // Who has just become certain of the others says again what they may not have heard.
        forSteps(Duration.ofNanos(Witness.TURN + reach()), () -> false);
        if (!forSteps(Duration.ofSeconds(5), () -> new HashSet<>(allDigests()).size() == 1)) {
            throw new Violation("A7", "all list the same, and hold unequal digests: " + allDigests());
        }
        List<Integer> contents = contents();
        List<Map<String, String>> digests = allDigests();
        long bytes = peerNet.bytes();
        trace.event(time.now(), "settled");
        forSteps(QUIET, () -> false);
        trafficBounded(peerNet.bytes() - bytes);
        boolean moved = oracle.greetings() != greetings;
        if (moved) {
            untilNobodyMoves(bound);
        }
        Optional<Supplier<String>> unsettled = unsettled();
        if (unsettled.isPresent()) {
            throw new Violation(
                    "B1", "settled, and then not: " + unsettled.get().get());
        }
        boolean saidAnew = moved && oracle.isAnyAmended(); // who moves says its own word, which ends an operator's
        if (!saidAnew && !contents().equals(contents)) {
            throw new Violation("A9", "the nodes go on changing though nobody does anything");
        }
        List<Map<String, String>> later = allDigests();
        if (!moved && !later.equals(digests)) {
            throw new Violation(
                    "A9",
                    "the nodes go on telling one another though nobody does anything: " + digests + ", and then "
                            + later);
        }
        figuresRight();
        greetedInOrder();
    }

    /** Some went where there is more room: what they leave behind, hidden, ends in its time, as do their earlier connections. */
    private void untilNobodyMoves(Duration bound) {
        long greetings;
        int rounds = 0;
        do {
            if (rounds++ > 10 * clients.size()) {
                throw new Violation("A9", "sessions go on moving though nobody does anything");
            }
            greetings = oracle.greetings();
            forSteps(Duration.ofSeconds(5), () -> false);
            forSteps(bound, this::isSettled);
        } while (oracle.greetings() != greetings);
    }

    /** What nodes say to one another arrives in the order in which it was said, unless somebody alters it. */
    private void greetedInOrder() {
        boolean isAltered = !Collections.disjoint(
                swarm.faults(), Set.of(Fault.PEER_MESSAGES_CUT, Fault.PEER_MESSAGES_REPEATED, Fault.STRANGER));
        for (Registry registry : core()) {
            Long refused = registry.node().replication().counts().refused().get("out of order");
            if (refused != null && !isAltered) {
                throw new Violation("D3", registry.name + " ended " + refused + " lines that were out of order");
            }
        }
    }

    private List<Integer> contents() {
        List<Integer> all = new ArrayList<>();
        core().forEach(registry -> all.add(registry.witness.contents()));
        return all;
    }

    private void figuresRight() {
        int watching = 0;
        int watched = 0;
        for (ClientProcess client : clients) {
            watching += client.isOpen() ? client.watching.size() : 0;
        }
        for (Registry registry : core()) {
            int instances = 0;
            for (ServiceKey service : services) {
                instances += registry.node().view(service).instances().size();
            }
            instances += durable.listed(registry);
            var status = registry.node().status();
            if (status.instances() != instances || status.live() != instances) {
                throw new Violation("E9", registry.name + " counts " + status + ", but lists " + instances);
            }
            if (status.waitingSubscribers() != 0) {
                throw new Violation("E9", registry.name + " has subscribers that wait: " + status);
            }
            watched += status.subscriptions();
        }
        if (watched != watching) {
            throw new Violation("E9", "the nodes keep " + watched + " subscriptions of " + watching);
        }
    }

    /** E14: what idle nodes say to one another depends on their number alone. */
    private void trafficBounded(long bytes) {
        int n = core().size();
        long heartbeats = QUIET.toSeconds() / 2 + 2;
        long most = 600L * n
                + (long) n
                        * (n - 1)
                        * heartbeats
                        * (200 + 150L * registries.size()); // each looks at its own address once
        if (bytes > most) {
            throw new Violation("E14", bytes + " bytes between " + n + " idle nodes in " + QUIET + " (" + most + ")");
        }
    }

    /** Runs for that long, or until it is done, and looks at everything after each step. */
    private boolean forSteps(Duration limit, java.util.function.BooleanSupplier done) {
        long[] asked = {time.now()};
        long[] stood = {time.now(), 0};
        boolean[] ended = new boolean[1];
        time.runUntil(
                () -> {
                    steps++;
                    for (Registry registry : registries) {
                        registry.witness.look();
                    }
                    for (Registry other : others) {
                        other.witness.overhear();
                    }
                    for (ClientProcess client : clients) {
                        client.look();
                    }
                    long now = time.now();
                    stood[1] = stood[0] == now ? stood[1] + 1 : 0;
                    stood[0] = now;
                    if (stood[1] > MOST_STEPS_AT_ONCE) {
                        throw new Violation("E9", "somebody spins: time stands still");
                    }
                    if (now - nextInspection >= 0) {
                        nextInspection = now + SECOND.toNanos();
                        registries.forEach(registry -> registry.witness.inspect());
                        durable.inspect();
                        clients.forEach(ClientProcess::inspect);
                    }
                    if (violation != null) {
                        return true;
                    }
                    if (now - asked[0] >= SECOND.toNanos() / 4) {
                        asked[0] = now;
                        ended[0] = done.getAsBoolean();
                    }
                    return ended[0];
                },
                limit);
        if (violation != null) {
            throw violation;
        }
        return ended[0];
    }

    private Duration between(Duration mean) {
        return Duration.ofNanos(1 + plan.nextLong(2 * mean.toNanos()));
    }

    private ClientProcess someClient() {
        return clients.get(plan.nextInt(clients.size()));
    }

    private ServiceKey someService() {
        return services.get(plan.nextInt(services.size()));
    }

    private void call() {
        for (ClientProcess client : clients) {
            for (ServiceKey service : services) {
                client.call(service);
            }
        }
        net.schedule(swarm.callEvery(), this::call);
    }

    // ---- operations

    private void operate() {
        if (healing) {
            return;
        }
        net.schedule(between(swarm.operationEvery()), this::operate);
        List<Operation> all = Operation.drawn();
        Operation operation = all.get(plan.nextInt(all.size()));
        if (operation == Operation.AMEND || operation == Operation.FORCE_REMOVE) {
            if (plan.nextInt(4) == 0) {
                interfere(operation);
            }
        } else if (operation.name().startsWith("LEASE")) {
            if (!leases.isEmpty()) {
                operate(operation, leases.get(plan.nextInt(leases.size())));
            }
        } else {
            ClientProcess client = someClient();
            if (client.isOpen()) {
                operate(operation, client);
            } else if (client.isGone() && plan.nextInt(3) == 0) {
                restart(client);
            }
        }
    }

    /** Whether that is how an operator left it. */
    boolean isAmended(Instance instance) {
        return amendments.getOrDefault(instance.id(), List.of()).contains(instance);
    }

    private void amend(Registry registry, InstanceId id) {
        double weight = 100 + nextVersion() / 100.0;
        registry.onLoop(node -> node.amend(
                id,
                before -> {
                    Instance after = oracle.made(before.withWeight(weight));
                    amendments.computeIfAbsent(id, i -> new ArrayList<>()).add(after);
                    oracle.amended(after, registry);
                    return after;
                },
                outcome -> {}));
    }

    /** An operator changes or removes what somebody else registered, at any node. */
    private void interfere(Operation operation) {
        Registry registry = balanced();
        var listed = registry.isUp() ? registry.node().view(someService()).instances() : List.<ListedInstance>of();
        if (listed.isEmpty()) {
            return;
        }
        InstanceId id = listed.get(plan.nextInt(listed.size())).id();
        coverage.did(operation);
        trace.event(time.now(), "an operator: " + operation + " " + id.address() + " at " + registry.name);
        if (operation == Operation.AMEND) {
            amend(registry, id);
        } else {
            registry.onLoop(node -> {
                oracle.forced(id);
                node.remove(id, true, "operator", outcome -> {});
            });
        }
    }

    private void operate(Operation operation, LeaseProvider lease) {
        switch (operation) {
            case LEASE_PUT, LEASE_UPDATE, LEASE_RENEW -> lease.put();
            case LEASE_REMOVE -> {
                if (lease.isAlive()) {
                    lease.remove();
                }
            }
            case LEASE_LATE_RENEW -> lease.renewLate();
            default -> {
                if (lease.isAlive()) {
                    lease.die();
                }
            }
        }
    }

    private void operate(Operation operation, ClientProcess client) {
        List<InstanceId> mine = List.copyOf(client.wanted.keySet());
        Optional<InstanceId> one = mine.isEmpty() ? Optional.empty() : Optional.of(mine.get(plan.nextInt(mine.size())));
        ServiceKey service = someService();
        trace.event(
                time.now(),
                client.name + " " + operation + " "
                        + one.map(InstanceId::address).orElse(""));
        switch (operation) {
            case REGISTER, REGISTER_BATCH -> {
                int count = operation == Operation.REGISTER ? 1 : 2 + plan.nextInt(swarm.largestBatch());
                if (mine.size() + count <= 70) {
                    client.register(service, count);
                    coverage.did(operation);
                }
            }
            case REGISTER_AGAIN ->
                one.ifPresent(id -> {
                    ClientProcess.Wanted wanted = client.wanted.get(id);
                    if (wanted != null) {
                        client.registerAgain(List.of(wanted.instance()));
                        coverage.did(operation);
                    }
                });
            case UPDATE_METADATA, UPDATE_WEIGHT ->
                one.ifPresent(id -> {
                    client.update(id, operation == Operation.UPDATE_WEIGHT);
                    coverage.did(operation);
                });
            case DEREGISTER ->
                one.ifPresent(id -> {
                    client.deregister(id);
                    coverage.did(operation);
                });
            case DRAIN ->
                one.ifPresent(id -> {
                    client.drain(id);
                    coverage.did(operation);
                });
            case GOODBYE -> {
                if (plan.nextInt(4) == 0) {
                    client.goodbye();
                    coverage.did(operation);
                }
            }
            case SUBSCRIBE -> {
                client.watch(service);
                coverage.did(operation);
            }
            case UNSUBSCRIBE -> {
                if (client.watching.containsKey(service) && plan.nextInt(3) == 0) {
                    client.unwatch(service);
                    coverage.did(operation);
                }
            }
            case LISTENER_CLOSE -> {
                ClientProcess.Watching watched = client.watching.get(service);
                if (watched != null) {
                    if (watched.recorders.size() > 1) {
                        client.unlisten(watched);
                        coverage.did(operation);
                    } else {
                        client.listen(watched);
                    }
                }
            }
            default -> {}
        }
    }

    /** The process comes back at the same address, with the same cache, and mostly registers the same again. */
    void restart(ClientProcess client) {
        if (!client.isGone()) {
            return;
        }
        client.start();
        for (ServiceKey service : services) {
            if (plan.nextInt(3) != 0) {
                client.watch(service);
            }
        }
        List<Instance> before = formerly.getOrDefault(client.name, List.of());
        if (!before.isEmpty() && plan.nextInt(4) != 0) {
            client.registerAgain(before);
        }
    }

    private void hurt() {
        if (!healing) {
            net.schedule(faultGap(), this::hurt);
            faults.hurt(faultChance.split());
        }
    }

    private Duration faultGap() {
        return Duration.ofNanos(1 + faultChance.nextLong(2 * swarm.faultEvery().toNanos()));
    }

    // ---- healing

    private void heal() {
        trace.event(time.now(), "everything heals");
        peerNet.replay(0);
        peerNet.truncate(0);
        others.forEach(each -> each.kill(false));
        SplittableRandom dice = plan.split();
        chooseTheDead(dice);
        Set<Registry> apart = whoStayApart();
        List<String> right = registries.stream().map(Registry::peerAddress).toList();
        for (Registry registry : registries) {
            faults.resume(registry);
            registry.disk.slow(swarm.diskDelay());
            registry.disk.hang(false);
            registry.disk.fill(false);
            registry.configureNow(right);
            boolean deliver = dice.nextBoolean();
            for (Registry other : registries) {
                if (other == registry) {
                    continue;
                }
                if (apart.contains(registry) && apart.contains(other)) {
                    peerNet.lose(registry, other, Fault.PEERS_PAIR);
                } else {
                    peerNet.heal(registry, other, deliver);
                }
            }
        }
        core().forEach(faults::startAgain);
        for (ClientProcess client : clients) {
            client.resume();
            client.failPorts(false);
            client.failListeners(false);
            client.cache.fill(false);
            boolean deliver = dice.nextBoolean();
            registries.forEach(registry -> faults.heal(client, registry, deliver));
        }
        leases.forEach(LeaseProvider::registryLostSomething);
        troubles = 0;
        calmSince = time.now();
    }

    /** A minority never returns. */
    private void chooseTheDead(SplittableRandom dice) {
        int most = (registries.size() - 1) / 2;
        int count = most == 0 || dice.nextBoolean() ? 0 : 1 + dice.nextInt(most);
        boolean silently = dice.nextBoolean();
        for (int i = 0; i < count; i++) {
            Registry chosen = registries.get(dice.nextInt(registries.size()));
            dead.add(chosen);
            boolean reachable = clients.stream()
                    .allMatch(client ->
                            core().stream().anyMatch(node -> client.configured().contains(node.sessionAddress())));
            if (!reachable) {
                dead.remove(chosen); // who knows no other node could not come back
                continue;
            }
            faults.resume(chosen);
            chosen.kill(silently);
            coverage.effect(Effects.NEVER_BACK);
        }
    }

    /**
     * Two who never reach each other again, or nobody: the others tell them. Not where leases are renewed over HTTP, as each
     * of the two would go on taking over what is renewed at the other, nor where somebody is missing already: a node that
     * sees too few takes nobody off.
     */
    private Set<Registry> whoStayApart() {
        SplittableRandom dice = new SplittableRandom(~seed); // by itself: seeds without such a pair stay what they were
        boolean isPossible = registries.size() > 2 && dead.isEmpty() && leases.isEmpty() && !durable.isActive();
        if (!isPossible || dice.nextInt(3) > 0) {
            return Set.of();
        }
        int one = dice.nextInt(registries.size());
        int other = (one + 1 + dice.nextInt(registries.size() - 1)) % registries.size();
        coverage.effect(Effects.NEVER_MET);
        return Set.of(registries.get(one), registries.get(other));
    }

    private List<Registry> core() {
        return registries.stream().filter(each -> !dead.contains(each)).toList();
    }

    boolean staysAway(Registry registry) {
        return dead.contains(registry);
    }

    /**
     * Detection, back-off, freeze and orphans, the cap, one hold at the node and one at the SDK, and a little. With
     * several nodes: the longest that one keeps an orphan whose address answers, and what the slowest line takes.
     */
    private Duration bound() {
        int listed = 0;
        for (Registry registry : core()) {
            int here = 0;
            for (ServiceKey service : services) {
                here += registry.isUp()
                        ? registry.node().view(service).instances().size()
                        : 70 * clients.size();
            }
            here = Math.max(here, registry.isUp() ? held(registry) : 0); // with what others hide
            listed = Math.max(listed, here);
        }
        Duration capped = Duration.ofSeconds(60L * (listed / swarm.evictionFloor() + 1));
        Duration orphans = isSingle() ? Duration.ZERO : Duration.ofSeconds(6 + 15 + 8 * 15 + 60);
        Duration copying = Duration.ofSeconds(400L * registries.size() * listed / swarm.peerBandwidth());
        return Duration.ofSeconds(15 + 60 + 45 + 60 + 60 + 60)
                .plus(swarm.guardWindow())
                .plus(orphans)
                .plus(copying)
                .plus(capped);
    }

    /** What may be listed in the end: one of these contents, or nothing if that is allowed, too. */
    private record Expected(List<Instance> contents, boolean maybeAbsent) {}

    private Map<InstanceId, Expected> expected() {
        Map<InstanceId, Expected> all = new TreeMap<>();
        for (ClientProcess client : clients) {
            if (!client.isGone()) {
                client.wanted.forEach((id, wanted) -> all.put(id, expected(wanted.instance(), oracle.isForced(id))));
            }
        }
        for (LeaseProvider lease : leases) {
            // Whoever removed it: its next renewal finds that, and it is put again.
            lease.wanted().ifPresent(instance -> all.put(instance.id(), expected(instance, false)));
        }
        return all;
    }

    private Expected expected(Instance wanted, boolean maybeAbsent) {
        List<Instance> contents = new ArrayList<>(List.of(wanted));
        contents.addAll(amendments.getOrDefault(wanted.id(), List.of()));
        return new Expected(contents, maybeAbsent);
    }

    private boolean isSettled() {
        return mayBeSettled() && unsettled().isEmpty();
    }

    /** Part of the question, answered at little cost: mostly the answer is no. */
    private boolean mayBeSettled() {
        List<Registry> core = core();
        for (Registry registry : core) {
            if (!registry.isUp()) {
                return false;
            }
            int shown = durable.listedLeases(registry);
            for (ServiceKey service : services) {
                ServiceView view = registry.node().view(service);
                shown += view.instances().size();
                if (view.digest() != core.get(0).node().view(service).digest()) {
                    return false;
                }
            }
            if (!isSingle() && held(registry) != shown) {
                return false;
            }
        }
        return true;
    }

    /** What is not as it should be in the end; put into words only if somebody reads them. */
    private Optional<Supplier<String>> unsettled() {
        Optional<Supplier<String>> unsettled = ofRegistrations();
        return unsettled.isPresent() ? unsettled : durable.unsettled(core()).map(what -> () -> what);
    }

    private Optional<Supplier<String>> ofRegistrations() {
        for (Registry registry : core()) {
            if (!registry.isUp() || registry.isDraining()) {
                return Optional.of(() -> registry.name + " is not up, or about to go");
            }
        }
        for (LeaseProvider lease : leases) {
            if (lease.isAboutToPut()) {
                return Optional.of(() -> lease.id.address() + " is about to be put again");
            }
        }
        for (Registry registry : core()) {
            // Until then leases by HTTP may still find on one node what a disk had, and are put again.
            boolean restoring = time.now() - registry.witness.startedAt() < 5 * Witness.LEASE / 2;
            boolean anyLeases = !leases.isEmpty() || durable.listedLeases(registry) > 0;
            if (restoring && !isSingle() && anyLeases) {
                return Optional.of(() -> registry.name + " has started just now");
            }
            if (hasWhatALostNodeLeft(registry)) {
                return Optional.of(() -> registry.name + " still has what a lost node left: " + digests(registry));
            }
            if (anyLeases && hearsOfSomebodyThroughOthers(registry)) {
                return Optional.of(
                        () -> registry.name + " has no line to somebody: it takes over what is renewed there");
            }
        }
        Map<InstanceId, Expected> all = expected();
        Map<ServiceKey, List<ListedInstance>> listed = new LinkedHashMap<>();
        for (ServiceKey service : services) {
            for (Registry registry : core()) {
                Optional<Supplier<String>> unsettled = unsettled(registry, service, all);
                if (unsettled.isPresent()) {
                    return unsettled;
                }
                List<ListedInstance> here = registry.node().view(service).instances();
                List<ListedInstance> first = listed.computeIfAbsent(service, s -> here);
                if (!here.equals(first)) {
                    return Optional.of(() -> registry.name + " lists " + shown(here) + " instead of " + shown(first));
                }
            }
        }
        for (ClientProcess client : clients) {
            if (client.isRunning()) {
                Optional<String> unsettled = client.unsettled(listed);
                if (unsettled.isPresent()) {
                    return unsettled.map(what -> () -> what);
                }
            }
        }
        Optional<String> unequal = unequalDigests();
        return (unequal.isPresent() ? unequal : hidden(listed)).map(what -> () -> what);
    }

    private List<String> coreNames() {
        return core().stream().map(each -> each.node).toList();
    }

    /** Whether it has something of the node that does not return, be it that it has not missed that one yet. */
    private boolean hasWhatALostNodeLeft(Registry registry) {
        List<String> all = coreNames();
        return registry.node().replication().shards().stream()
                        .anyMatch(digest -> digest.instances() > 0
                                && !all.contains(digest.shard().origin().name()))
                || hasOrphans(registry);
    }

    /** Be they hidden: a renewal that meets one of them may have its lease put again. */
    private static boolean hasOrphans(Registry registry) {
        boolean[] any = new boolean[1];
        registry.node().replication().orphans(Duration.ZERO, orphan -> any[0] = true);
        return any[0];
    }

    /** Whether it cannot ask another node about a lease that is renewed at this one. */
    private boolean hearsOfSomebodyThroughOthers(Registry registry) {
        List<String> others = coreNames();
        return registry.node().replication().peers().stream()
                .anyMatch(peer -> !peer.via().isEmpty() && others.contains(peer.name()));
    }

    /** What sessions left behind where they were before ends there, too, in time: only what is listed is in a shard. */
    private Optional<String> hidden(Map<ServiceKey, List<ListedInstance>> listed) {
        if (isSingle()) {
            return Optional.empty(); // nobody else could hide anything
        }
        int ofProcesses = listed.values().stream().mapToInt(List::size).sum();
        for (Registry registry : core()) {
            int held = held(registry);
            int shown = ofProcesses + durable.listedLeases(registry);
            if (held != shown) {
                return Optional.of(registry.name + " holds " + held + " registrations and lists " + shown + ": "
                        + digests(registry));
            }
        }
        return Optional.empty();
    }

    private static int held(Registry registry) {
        return registry.node().replication().shards().stream()
                .mapToInt(PeerMessage.Digest::instances)
                .sum();
    }

    private Optional<Supplier<String>> unsettled(Registry registry, ServiceKey service, Map<InstanceId, Expected> all) {
        var view = registry.node().view(service);
        boolean right = !view.underProtection();
        for (int i = 0; right && i < view.instances().size(); i++) {
            ListedInstance each = view.instances().get(i);
            Expected should = all.get(each.id());
            right = should != null && each.standing() == Standing.LIVE && should.contents.contains(each.instance());
        }
        return right && missing(view, all).isEmpty()
                ? Optional.empty()
                : Optional.of(() -> registry.name + " lists " + shown(view.instances()) + " and lacks "
                        + shown(missing(view, all)) + " of " + shownWanted(service, all) + "; from others it has "
                        + copies(registry, service) + "; " + registry.node().status());
    }

    private static List<ListedInstance> missing(ServiceView view, Map<InstanceId, Expected> all) {
        Map<InstanceId, ListedInstance> is = Witness.byId(view);
        List<ListedInstance> missing = new ArrayList<>();
        all.forEach((id, should) -> {
            if (id.service().equals(view.service()) && !is.containsKey(id) && !should.maybeAbsent) {
                missing.add(new ListedInstance(should.contents.get(0), Standing.LIVE));
            }
        });
        return missing;
    }

    private static List<String> copies(Registry registry, ServiceKey service) {
        List<String> all = new ArrayList<>();
        registry.node().replication().forEachReplica((shard, registration) -> {
            if (registration.id().service().equals(service)) {
                all.add(shard + " " + registration.id().address() + " generation " + registration.generation());
            }
        });
        return all;
    }

    private static String shownWanted(ServiceKey service, Map<InstanceId, Expected> all) {
        List<ListedInstance> should = new ArrayList<>();
        all.forEach((id, each) -> {
            if (id.service().equals(service)) {
                should.add(new ListedInstance(each.contents.get(0), Standing.LIVE));
            }
        });
        return shown(should);
    }

    /** A7: all nodes hold the same of every shard. */
    private Optional<String> unequalDigests() {
        Map<String, String> first = new LinkedHashMap<>();
        for (Registry registry : core()) {
            Map<String, String> here = digests(registry);
            if (first.isEmpty()) {
                first.putAll(here);
            } else if (!first.equals(here)) {
                return Optional.of(registry.name + " holds " + here + " instead of " + first);
            }
        }
        return Optional.empty();
    }

    private List<Map<String, String>> allDigests() {
        return core().stream().map(World::digests).toList();
    }

    private static Map<String, String> digests(Registry registry) {
        Map<String, String> digests = new TreeMap<>();
        for (PeerMessage.Digest digest : registry.node().replication().shards()) {
            if (digest.instances() > 0) {
                digests.put(
                        digest.shard().toString(),
                        digest.revision() + " "
                                + (digest.checksum().isPresent()
                                        ? Long.toHexString(digest.checksum().getAsLong())
                                        : "unsettled")
                                + " of " + digest.instances());
            }
        }
        return digests;
    }
}
