package io.mooring.simulation;

import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.lease.Prober;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
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

    final long seed;
    final Swarm swarm;
    final VirtualTime time;
    final VirtualTime.Loop net;
    final Coverage coverage = new Coverage();
    final Trace trace;
    final Registry registry;
    final Oracle oracle;
    final List<ClientProcess> clients = new ArrayList<>();
    final List<LeaseProvider> leases = new ArrayList<>();
    final SplittableRandom chance;
    final SplittableRandom nodeChance;

    private final SplittableRandom plan;
    private final SplittableRandom wallChance;
    private final boolean wallJumps;
    private final List<ServiceKey> services = new ArrayList<>();
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
    private Optional<Runnable> atNextView = Optional.empty();

    /** What a run came to. */
    record Result(
            long seed, long steps, Duration simulated, long traceHash, Coverage coverage, Optional<String> failure) {}

    World(long seed) {
        this(seed, true);
    }

    /** @param wallJumps false: the wall clocks stay right, which must make no difference to anything */
    World(long seed, boolean wallJumps) {
        this.seed = seed;
        this.wallJumps = wallJumps;
        SplittableRandom root = new SplittableRandom(seed);
        swarm = Swarm.draw(root.split());
        origin = swarm.origin();
        nextInspection = origin;
        time = new VirtualTime(origin);
        net = time.loop("net");
        trace = new Trace(origin);
        chance = root.split();
        nodeChance = root.split();
        plan = root.split();
        wallChance = root.split();
        for (int i = 0; i < swarm.services(); i++) {
            services.add(ServiceKey.of("service-" + i));
        }
        oracle = new Oracle(this, services);
        registry = new Registry(this, new SimDisk(time, swarm.diskDelay(), root.split(), coverage));
        for (int i = 0; i < swarm.clients(); i++) {
            clients.add(new ClientProcess(this, i, root.split()));
        }
        for (int i = 0; i < swarm.leases(); i++) {
            InstanceId id = new InstanceId(
                    services.get(plan.nextInt(services.size())), InstanceId.DEFAULT_CLUSTER, "10.1.0." + (i + 1), 80);
            leases.add(new LeaseProvider(this, id, Duration.ofSeconds(6 + plan.nextInt(15))));
        }
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
    void nodeShowed() {
        atNextView.ifPresent(kill -> after(Duration.ofNanos(plan.nextInt(12_000_000)), kill));
        atNextView = Optional.empty();
    }

    /** Remembers the first violation and stops the run. */
    Violation fatal(Violation found) {
        if (violation == null) {
            violation = found;
        }
        return found;
    }

    Prober.Verdict probe(String host, int port) {
        for (ClientProcess client : clients) {
            if (client.host.equals(host)) {
                boolean cutOff = client.path.lostUp || client.path.lostDown;
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
        for (ClientProcess client : clients) {
            if (client.host.equals(instance.host())) {
                return client.isRunning() && client.serves(instance.port());
            }
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
        return new Result(seed, steps, Duration.ofNanos(elapsed()), trace.hash(), coverage, failure);
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
            registry.start();
            for (ClientProcess client : clients) {
                client.start();
            }
            net.schedule(between(swarm.operationEvery()), this::operate);
            net.schedule(between(swarm.faultEvery()), this::hurt);
            net.schedule(swarm.callEvery(), this::call);
        });
        forSteps(swarm.faultPhase(), () -> false);
        healing = true;
        net.run(this::heal);
        forSteps(Duration.ofSeconds(5), () -> false); // the ends of broken connections are still on their way
        Duration bound = bound();
        boolean settled = forSteps(bound, () -> unsettled().isEmpty());
        if (!settled) {
            throw new Violation(
                    "C10", "not settled within " + bound + ": " + unsettled().orElse(""));
        }
        List<Long> revisions = revisions();
        trace.event(time.now(), "settled");
        forSteps(QUIET, () -> false);
        Optional<String> unsettled = unsettled();
        if (unsettled.isPresent()) {
            throw new Violation("B1", "settled, and then not: " + unsettled.get());
        }
        if (!revisions().equals(revisions)) {
            throw new Violation("A9", "the node goes on changing though nobody does anything");
        }
        figuresRight();
    }

    private List<Long> revisions() {
        return services.stream()
                .map(service -> registry.node().view(service).revision())
                .toList();
    }

    private void figuresRight() {
        int instances = 0;
        for (ServiceKey service : services) {
            instances += registry.node().view(service).instances().size();
        }
        var status = registry.node().status();
        if (status.instances() != instances || status.live() != instances) {
            throw new Violation("E9", "the node counts " + status + ", but lists " + instances);
        }
        int watching = 0;
        for (ClientProcess client : clients) {
            watching += client.isOpen() ? client.watching.size() : 0;
        }
        if (status.subscriptions() != watching || status.waitingSubscribers() != 0) {
            throw new Violation("E9", "the node keeps " + status.subscriptions() + " subscriptions of " + watching);
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
                    oracle.look();
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
                        oracle.inspect();
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

    private Duration within(double least, double most) {
        // More short ones than long ones.
        double share = plan.nextDouble();
        return Duration.ofMillis((long) (1_000 * (least + (most - least) * share * share * share)));
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
        Operation[] all = Operation.values();
        Operation operation = all[plan.nextInt(all.length)];
        if (operation.name().startsWith("LEASE")) {
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
    private void restart(ClientProcess client) {
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

    // ---- faults

    private void hurt() {
        if (healing) {
            return;
        }
        net.schedule(between(swarm.faultEvery()), this::hurt);
        if (swarm.faults().isEmpty()) {
            return;
        }
        List<Fault> kinds = List.copyOf(swarm.faults());
        Fault fault = kinds.get(plan.nextInt(kinds.size()));
        coverage.injected(fault);
        ClientProcess client = someClient();
        trace.event(time.now(), fault + " " + client.name);
        switch (fault) {
            case SERVER_KILL -> {
                Duration away = within(0.05, 40);
                if (plan.nextBoolean()) {
                    kill(fault, false, away);
                } else {
                    // At the worst moment: right after it showed something new.
                    atNextView = Optional.of(() -> kill(fault, false, away));
                }
            }
            case SERVER_KILL_DISK_LOST -> {
                kill(fault, false, within(0.05, 40));
                oracle.diskLoses();
                if (registry.disk.clear()) {
                    coverage.tookEffect(fault);
                }
            }
            case SERVER_KILL_TAIL_CUT -> {
                kill(fault, false, within(0.05, 40));
                oracle.diskLoses();
                if (registry.disk.cutTails()) {
                    coverage.tookEffect(fault);
                }
            }
            case SERVER_POWER_OFF -> kill(fault, true, within(1, 60));
            case SERVER_OUTAGE -> kill(fault, false, within(60, plan.nextInt(20) == 0 ? 16_000 : 900));
            case SERVER_PAUSE -> pause(within(0.1, 120));
            case LINE_BREAK -> {
                if (client.isConnected()) {
                    coverage.tookEffect(fault);
                }
                client.cut();
            }
            case BLACK_HOLE -> lose(client, true, true, fault);
            case LOSS_TO_SERVER -> lose(client, true, false, fault);
            case LOSS_TO_CLIENT -> lose(client, false, true, fault);
            case CONNECT_REFUSED -> {
                client.path.refused = true;
                client.cut();
                after(within(1, 100), () -> client.path.refused = false);
            }
            case SLOW_LINK -> {
                client.path.slow = within(0.1, 12);
                after(within(1, 60), () -> client.path.slow = Duration.ZERO);
            }
            case DISK_SLOW -> {
                registry.disk.slow(within(0.02, 0.4));
                coverage.tookEffect(fault);
                after(within(1, 60), () -> registry.disk.slow(swarm.diskDelay()));
            }
            case DISK_HUNG -> {
                registry.disk.hang(true);
                after(within(0.1, 60), () -> {
                    if (registry.disk.wasLate()) {
                        coverage.tookEffect(fault);
                    }
                    registry.disk.hang(false);
                });
            }
            case DISK_FULL -> {
                registry.disk.fill(true);
                after(within(0.1, 60), () -> registry.disk.fill(false));
            }
            case CACHE_FULL -> {
                client.cache.fill(true);
                after(within(1, 100), () -> client.cache.fill(false));
            }
            case CACHE_CORRUPT -> client.cache.rot(plan.nextInt(1 << 16));
            case CLIENT_KILL -> end(client, false, fault);
            case CLIENT_POWER_OFF -> end(client, true, fault);
            case CLIENT_MASS_KILL -> {
                for (ClientProcess each : clients) {
                    if (plan.nextInt(4) != 0) {
                        end(each, false, fault);
                    }
                }
            }
            case CLIENT_RESTART -> {
                if (client.isRunning()) {
                    end(client, false, fault);
                    after(within(0.5, 20), () -> restart(client));
                }
            }
            case CLIENT_PAUSE -> {
                if (client.isRunning()) {
                    client.pause();
                    coverage.tookEffect(fault);
                    after(within(0.1, 120), client::resume);
                }
            }
            case WALL_CLOCK_JUMP -> {
                coverage.tookEffect(fault);
                long[] jumps = {3_600, -3_600, 315_360_000L, -315_360_000L, 1, -1};
                Duration by = Duration.ofSeconds(jumps[wallChance.nextInt(jumps.length)]);
                if (wallJumps) {
                    client.jump(by);
                }
            }
            case PORT_THROWS -> {
                client.failPorts(true);
                after(within(0.1, 30), () -> client.failPorts(false));
            }
            case LISTENER_THROWS -> {
                client.failListeners(true);
                after(within(5, 120), () -> client.failListeners(false));
            }
        }
    }

    private void after(Duration delay, Runnable end) {
        net.schedule(delay, () -> {
            if (!healing) {
                end.run();
            }
        });
    }

    private void kill(Fault fault, boolean silently, Duration away) {
        if (registry.isUp()) {
            registry.kill(silently);
            coverage.tookEffect(fault);
            after(away, this::startRegistry);
        }
    }

    private void startRegistry() {
        if (!registry.isUp() && !registry.start()) {
            net.schedule(Duration.ofSeconds(5), this::startRegistry);
        }
    }

    private void pause(Duration length) {
        if (registry.isUp() && !registry.isPaused()) {
            registry.pause();
            oracle.registryPaused();
            coverage.tookEffect(Fault.SERVER_PAUSE);
            coverage.effect("seconds the registry was paused", length.toSeconds());
            after(length, this::resumeRegistry);
        }
    }

    private void resumeRegistry() {
        if (registry.isPaused()) {
            oracle.registryResumed();
            registry.resume();
        }
    }

    private void lose(ClientProcess client, boolean up, boolean down, Fault fault) {
        Path path = client.path;
        path.lostUp |= up;
        path.lostDown |= down;
        path.upFault = fault;
        path.downFault = fault;
        after(within(1, 120), () -> healPath(client));
    }

    private void healPath(ClientProcess client) {
        boolean deliver = plan.nextBoolean();
        client.path.heal(deliver);
        if (!deliver) {
            client.cut(); // a connection does not go on with a hole in it
        }
    }

    private void end(ClientProcess client, boolean silently, Fault fault) {
        if (!client.isGone()) {
            client.die(silently);
            coverage.tookEffect(fault);
        }
    }

    // ---- healing

    private void heal() {
        trace.event(time.now(), "everything heals");
        resumeRegistry();
        registry.disk.slow(swarm.diskDelay());
        registry.disk.hang(false);
        registry.disk.fill(false);
        startRegistry();
        for (ClientProcess client : clients) {
            client.resume();
            client.failPorts(false);
            client.failListeners(false);
            client.cache.fill(false);
            healPath(client);
        }
    }

    /** Detection, back-off, freeze and orphans, the cap, one hold at the node and one at the SDK, and a little. */
    private Duration bound() {
        int listed = 0;
        for (ServiceKey service : services) {
            listed +=
                    registry.isUp() ? registry.node().view(service).instances().size() : 70 * clients.size();
        }
        Duration capped = Duration.ofSeconds(60L * (listed / swarm.evictionFloor() + 1));
        return Duration.ofSeconds(15 + 60 + 45 + 60 + 60 + 60)
                .plus(swarm.guardWindow())
                .plus(capped);
    }

    private Optional<String> unsettled() {
        if (!registry.isUp()) {
            return Optional.of("the registry is not up");
        }
        Map<ServiceKey, List<ListedInstance>> expected = new LinkedHashMap<>();
        for (ServiceKey service : services) {
            Map<InstanceId, ListedInstance> live = new TreeMap<>();
            for (ClientProcess client : clients) {
                if (!client.isGone()) {
                    client.wanted.forEach((id, wanted) -> {
                        if (id.service().equals(service)) {
                            live.put(id, new ListedInstance(wanted.instance(), Standing.LIVE));
                        }
                    });
                }
            }
            for (LeaseProvider lease : leases) {
                lease.wanted()
                        .filter(instance -> instance.service().equals(service))
                        .ifPresent(instance -> live.put(instance.id(), new ListedInstance(instance, Standing.LIVE)));
            }
            List<ListedInstance> should = List.copyOf(live.values());
            expected.put(service, should);
            var view = registry.node().view(service);
            if (!view.instances().equals(should) || view.underProtection()) {
                return Optional.of("the node lists " + shown(view.instances()) + " instead of " + shown(should));
            }
        }
        for (ClientProcess client : clients) {
            if (client.isRunning()) {
                Optional<String> unsettled = client.unsettled(expected);
                if (unsettled.isPresent()) {
                    return unsettled;
                }
            }
        }
        return Optional.empty();
    }
}
