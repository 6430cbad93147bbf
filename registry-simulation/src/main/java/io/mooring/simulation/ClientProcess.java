package io.mooring.simulation;

import io.mooring.client.Call;
import io.mooring.client.CallResult;
import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import io.mooring.client.MooringPorts;
import io.mooring.client.RegisteredInstance;
import io.mooring.client.Service;
import io.mooring.client.ServiceChange;
import io.mooring.client.ServiceSnapshot;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.client.Subscription;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.runtime.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A process with the real SDK: it provides, subscribes and calls, and dies and comes back at the same address. */
final class ClientProcess {
    private static final long SECOND = 1_000_000_000L;

    /** What became of the process. */
    enum State {
        RUNNING,
        PAUSED,
        /** Its host answers that nobody listens. */
        DEAD,
        /** Its host is gone. */
        OFF
    }

    /** An instance this process wants registered. */
    record Wanted(RegisteredInstance handle, Instance instance) {}

    final String name;
    final String host;
    final SimCache cache;
    final Map<InstanceId, Wanted> wanted = new TreeMap<>();
    final Map<ServiceKey, Watching> watching = new LinkedHashMap<>();
    State state = State.DEAD;

    private final World world;
    private final SplittableRandom chance;
    private final List<Link> links = new ArrayList<>();
    private @Nullable Mooring mooring;
    private List<VirtualTime.Loop> loops = List.of();
    private int life;
    private int nextPort = 8_000;
    private long startedAt;
    private long resumedAt;
    private long lastFrameAt;
    private @Nullable Link lastLink;
    private @Nullable Link lastFrameOn;
    private boolean toldWhileMoving;
    private Optional<Registry.Accepted> toldBy = Optional.empty();
    private long toldOf; // when that was said
    private final Map<Registry, Path> paths = new LinkedHashMap<>();
    private List<String> servers = List.of();
    private boolean portThrows;
    private boolean portEverThrew;
    private boolean everPaused;
    private boolean listenersThrow;
    private boolean closing;
    private boolean touched; // since it was looked at
    private long wallOffset;
    private final Set<Integer> serving = new HashSet<>();

    ClientProcess(World world, int number, SplittableRandom chance) {
        this.world = world;
        this.chance = chance;
        this.name = "c" + number;
        this.host = "10.0.0." + (number + 1);
        this.cache = new SimCache(world.coverage);
    }

    /** The way to that node. */
    Path path(Registry node) {
        return paths.computeIfAbsent(
                node, n -> new Path(world.time, world.net, world.swarm, chance.split(), world.coverage));
    }

    /** Which addresses of nodes it is given when it starts. */
    void configure(List<String> addresses) {
        servers = addresses;
    }

    List<String> configured() {
        return servers;
    }

    /** Its connections to that node break. */
    void cut(Registry node) {
        List.copyOf(links).stream().filter(link -> link.leadsTo(node)).forEach(Link::cut);
    }

    /** One service this process looks at. */
    final class Watching {
        final Service service;
        final List<Recorder> recorders = new ArrayList<>();
        final long openedAt = world.time.now();
        ServiceSnapshot seen;
        int at = -1; // how far in the node's history
        Optional<Registry.Accepted> teller = Optional.empty();

        /** Per instance the latest content delivered. */
        final Map<InstanceId, Long> versions = new HashMap<>();

        /** Contents told by a life of a node whose disk lost them, to this process or the one before. */
        final Map<InstanceId, Long> inherited = new HashMap<>();

        Watching(Service service) {
            this.service = service;
            this.seen = service.view();
        }
    }

    /** A listener that keeps its own list by the changes it is told. */
    final class Recorder {
        final ServiceKey key;
        final Map<InstanceId, ListedInstance> list = new TreeMap<>();

        @Nullable
        Subscription subscription;

        boolean told;
        boolean ended;

        Recorder(ServiceKey key) {
            this.key = key;
        }

        void onChange(ServiceChange change) {
            if (ended) {
                throw world.fatal(new Violation("B13", name + " was told of " + key + " after its listener had ended"));
            }
            world.oracle.change(ClientProcess.this, this, change);
            told = true;
            if (listenersThrow && chance.nextInt(3) == 0) {
                world.coverage.tookEffect(Fault.LISTENER_THROWS);
                throw new IllegalStateException("a listener that fails");
            }
        }
    }

    // ---- life and death

    boolean isGone() {
        return state == State.DEAD || state == State.OFF;
    }

    boolean isRunning() {
        return state == State.RUNNING;
    }

    /** Whether it listens on that port. */
    boolean serves(int port) {
        return !isGone() && serving.contains(port);
    }

    void start() {
        life++;
        state = State.RUNNING;
        startedAt = world.time.now();
        resumedAt = startedAt;
        lastFrameAt = startedAt;
        toldOf = startedAt;
        lastFrameOn = null;
        closing = false;
        portThrows = false;
        portEverThrew = false;
        everPaused = false;
        VirtualTime.Loop loop = world.time.loop(name + "-" + life);
        VirtualTime.Loop listeners = world.time.loop(name + "-listeners");
        VirtualTime.Loop writer = world.time.loop(name + "-cache");
        loops = List.of(loop, listeners, writer);
        Executor cacheExecutor = task -> {
            if (portThrows()) {
                throw new IllegalStateException("a port that fails");
            }
            writer.schedule(Duration.ofMillis(3), task);
        };
        Executor listenerExecutor = task -> {
            if (portThrows()) {
                throw new IllegalStateException("a port that fails");
            }
            listeners.schedule(Duration.ofNanos(chance.nextInt(20_000_000)), task); // a pool that is busy
        };
        MooringPorts ports = new MooringPorts(
                new FailingLoop(loop),
                chance.split(),
                chance.split(),
                () -> Instant.ofEpochSecond(1_700_000_000L).plusNanos(world.elapsed() + wallOffset),
                (address, listener) -> {
                    if (portThrows()) {
                        throw new IllegalStateException("a port that fails");
                    }
                    Link link = new Link(world, this, world.registryAtSessions(address), listener);
                    links.removeIf(Link::isEnded);
                    links.add(link);
                    link.connect();
                    return link;
                },
                Optional.of(cache),
                cacheExecutor,
                listenerExecutor,
                () -> {});
        mooring = Mooring.builder()
                .servers(servers)
                .clientName(name)
                .guardWindow(world.swarm.guardWindow())
                .ports(ports)
                .build();
        world.trace.event(world.time.now(), name + " starts");
    }

    /** The loop, whose schedule may fail like any other port. */
    private final class FailingLoop implements EventLoop {
        private final VirtualTime.Loop loop;

        FailingLoop(VirtualTime.Loop loop) {
            this.loop = loop;
        }

        @Override
        public void execute(Runnable task) {
            loop.execute(() -> survive(task));
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            if (portThrows()) {
                throw new IllegalStateException("a port that fails");
            }
            return loop.schedule(delay, () -> survive(task));
        }

        /** As ThreadEventLoop: what a task throws is logged, and the loop goes on. Without failing ports it is a bug. */
        private void survive(Runnable task) {
            touched = true;
            try {
                task.run();
            } catch (IllegalStateException e) {
                if (!portEverThrew) {
                    throw e;
                }
            }
        }

        @Override
        public long now() {
            return loop.now();
        }

        @Override
        public boolean inLoop() {
            return loop.inLoop();
        }
    }

    void die(boolean silently) {
        if (isGone()) {
            return;
        }
        world.trace.event(world.time.now(), name + (silently ? " loses its power" : " is killed"));
        world.noteDeath(this, !portEverThrew && !everPaused);
        wanted.keySet().forEach(world.oracle::notWanted);
        serving.clear();
        forgetLinks(silently);
        state = silently ? State.OFF : State.DEAD;
        loops.forEach(VirtualTime.Loop::stop);
        mooring = null;
        wanted.clear();
        watching.clear();
        listenersThrow = false;
    }

    private void forgetLinks(boolean silently) {
        links.forEach(link -> link.processDied(silently));
        links.clear();
    }

    /** An orderly end. */
    void goodbye() {
        Mooring ending = mooring;
        if (ending == null) {
            return;
        }
        world.trace.event(world.time.now(), name + " says goodbye");
        wanted.keySet().forEach(world.oracle::notWanted);
        wanted.clear();
        int ended = life;
        world.net.schedule(Duration.ofSeconds(2), () -> {
            if (life == ended && state == State.RUNNING) {
                die(false);
            }
        });
        ending.closeAsync();
        closing = true;
    }

    boolean isOpen() {
        return isRunning() && !closing;
    }

    /** Whether one step may have done two things: what it should, and losing the connection over a failing port. */
    boolean portEverThrew() {
        return portEverThrew;
    }

    /** Who spoke last. */
    Optional<Registry.Accepted> toldBy() {
        return toldBy;
    }

    /** How long ago the registry said what it acted upon last: it may have waited at the node, on its way, and here. */
    long toldAgo() {
        return world.time.now() - toldOf;
    }

    /** Whether the registry said something just now. */
    boolean wasToldNow() {
        return lastFrameAt == world.time.now();
    }

    void pause() {
        everPaused = true;
        state = State.PAUSED;
        loops.forEach(VirtualTime.Loop::pause);
        world.trace.event(world.time.now(), name + " is paused");
    }

    void resume() {
        if (state == State.PAUSED) {
            state = State.RUNNING;
            resumedAt = world.time.now();
            world.trace.event(world.time.now(), name + " goes on");
            loops.forEach(VirtualTime.Loop::resume);
        }
    }

    void cut() {
        List.copyOf(links).forEach(Link::cut);
    }

    /** The node it has a connection to. */
    Optional<Registry> connectedTo() {
        return isConnected()
                ? links.stream()
                        .filter(link -> !link.isEnded())
                        .flatMap(link -> link.accepted().stream())
                        .map(Registry.Accepted::registry)
                        .findFirst()
                : Optional.empty();
    }

    boolean isConnected() {
        Mooring running = mooring;
        return running != null && running.status().state() == ClientStatus.State.CONNECTED;
    }

    void jump(Duration by) {
        wallOffset += by.toNanos();
    }

    void failPorts(boolean now) {
        portThrows = now;
        portEverThrew |= now;
    }

    void failListeners(boolean now) {
        listenersThrow = now;
    }

    boolean portThrows() {
        if (portThrows && chance.nextInt(4) == 0) {
            world.coverage.tookEffect(Fault.PORT_THROWS);
            return true;
        }
        return false;
    }

    void frameArrived(Link link) {
        touched = true;
        if (!link.isEnded() && !isGone()) {
            lastFrameOn = link;
        }
    }

    /** It has acted upon what was said then. The next frame, which it asks for in the same step, may be much younger. */
    void frameHandled(long saidAt) {
        toldOf = saidAt;
    }

    // ---- providing

    void register(ServiceKey key, int count) {
        Mooring running = mooring;
        if (running == null) {
            return;
        }
        List<Instance> instances = new ArrayList<>();
        long batch = world.nextVersion();
        for (int i = 0; i < count; i++) {
            InstanceId id = new InstanceId(key, InstanceId.DEFAULT_CLUSTER, host, nextPort++);
            instances.add(world.oracle.made(new Instance(id, 1, true, world.labels(id, batch, count))));
        }
        world.oracle.batch(batch, instances);
        take(running.register(instances), instances);
    }

    /** The same again, or after a restart of the process. */
    void registerAgain(List<Instance> instances) {
        Mooring running = mooring;
        if (running != null) {
            instances.forEach(instance -> world.oracle.wantedAgain(instance.id()));
            take(running.register(instances), instances);
        }
    }

    private void take(List<RegisteredInstance> handles, List<Instance> instances) {
        for (int i = 0; i < handles.size(); i++) {
            Instance instance = instances.get(i);
            wanted.put(instance.id(), new Wanted(handles.get(i), instance));
            serving.add(instance.port());
            world.oracle.asked(instance);
            expect(handles.get(i).whenRegistered(), instance);
        }
    }

    /** D2: an answer means that the node had the request, and no other. */
    private void expect(CompletableFuture<Void> future, Instance instance) {
        CompletableFuture<Void> unused = future.whenComplete((done, failure) -> {
            if (failure == null) {
                world.oracle.confirmed(name, instance);
            }
        });
    }

    void update(InstanceId id, boolean weight) {
        Wanted before = wanted.get(id);
        if (before == null) {
            return;
        }
        long version = world.nextVersion();
        if (weight) {
            Instance next = world.oracle.made(before.instance.withWeight(1 + version / 100.0));
            wanted.put(id, new Wanted(before.handle, next));
            world.oracle.asked(next);
            expect(before.handle.updateWeight(next.weight()), next);
        } else {
            Instance next = world.oracle.made(before.instance.withMetadata(world.labels(id, version, 0)));
            wanted.put(id, new Wanted(before.handle, next));
            world.oracle.asked(next);
            expect(before.handle.updateMetadata(next.metadata()), next);
        }
    }

    void deregister(InstanceId id) {
        Wanted before = wanted.remove(id);
        if (before != null) {
            world.oracle.notWanted(id);
            left(id, before.handle.deregister());
        }
    }

    void drain(InstanceId id) {
        // A drain whose timer cannot be set does not happen; the loop of a real process refuses none.
        Wanted before = portThrows ? null : wanted.remove(id);
        if (before != null) {
            world.oracle.made(before.instance.withEnabled(false));
            world.oracle.notWanted(id);
            left(id, before.handle.drain(Duration.ofSeconds(2)));
        }
    }

    private void left(InstanceId id, CompletableFuture<Void> future) {
        CompletableFuture<Void> unused = future.whenComplete((done, failure) -> {
            if (failure == null) {
                world.oracle.leftConfirmed(id);
            }
        });
    }

    // ---- looking

    void watch(ServiceKey key) {
        Mooring running = mooring;
        if (running == null || watching.containsKey(key)) {
            return;
        }
        Service service = running.service(key);
        Watching fresh = new Watching(service);
        watching.put(key, fresh);
        touched = true;
        world.oracle.opened(this, fresh);
        listen(fresh);
    }

    void listen(Watching watched) {
        Recorder recorder = new Recorder(watched.service.key());
        watched.recorders.add(recorder);
        recorder.subscription = watched.service.onChange(recorder::onChange);
    }

    void unlisten(Watching watched) {
        if (!watched.recorders.isEmpty()) {
            Recorder recorder = watched.recorders.remove(0);
            Subscription subscription = recorder.subscription;
            if (subscription != null) {
                subscription.close();
            }
            recorder.ended = true;
            world.coverage.effect(Effects.CLOSED_LISTENERS);
        }
    }

    void unwatch(ServiceKey key) {
        Watching watched = watching.remove(key);
        if (watched != null) {
            while (!watched.recorders.isEmpty()) {
                unlisten(watched);
            }
            watched.service.close();
        }
    }

    /** Looks at all lists; cheap when nothing moved. */
    void look() {
        if (!touched || isGone()) {
            return;
        }
        touched = state != State.RUNNING;
        Link on = lastFrameOn;
        if (on != null && state == State.RUNNING) {
            lastFrameOn = null;
            lastFrameAt = world.time.now();
            lastLink = on;
            toldWhileMoving = isMoving();
            toldBy = on.accepted();
        }
        for (Watching watched : watching.values()) {
            ServiceSnapshot now = watched.service.view();
            if (now.instances() != watched.seen.instances()) {
                ServiceSnapshot before = watched.seen;
                watched.seen = now;
                world.oracle.seen(this, watched, before, now);
                if (isOpen() && !watched.recorders.isEmpty() && chance.nextInt(40) == 0) {
                    // At the worst moment: the listener's call is on its way.
                    unlisten(watched);
                    listen(watched);
                    world.coverage.did(Operation.LISTENER_CLOSE);
                }
            }
        }
    }

    /** Whether it has connections to two nodes. */
    private boolean isMoving() {
        return links.stream().filter(link -> !link.isEnded()).count() > 1;
    }

    /** C6, C11: what the status says, now and then. */
    void inspect() {
        Mooring running = mooring;
        if (!isOpen() || running == null) {
            return;
        }
        ClientStatus status = running.status();
        long now = world.time.now();
        if (status.doubts() > 0) {
            throw new Violation("D2", name + " doubts what the registry says: " + status.lastFailure());
        }
        if (status.repairs() > 0) {
            throw new Violation("B4", name + " was told a change that did not fit what it had been told before");
        }
        if (!portEverThrew && status.internalFailures() > 0) {
            throw new Violation("C11", name + " had an internal failure");
        }
        if (!portEverThrew && !everPaused && status.watchdogRestarts() > 0) {
            throw new Violation("C11", name + " was saved by its watchdog");
        }
        long idle = Math.min(status.withoutAttempt().toNanos(), now - resumedAt);
        if (idle > (portEverThrew ? 36 : 31) * SECOND) {
            throw new Violation("C11", name + " did not try to connect for " + Duration.ofNanos(idle));
        }
        if (status.guardHolds() > 0) {
            world.coverage.effect(Effects.GUARD);
        }
        for (Watching watched : watching.values()) {
            ServiceSnapshot view = watched.service.view();
            boolean connected = status.state() == ClientStatus.State.CONNECTED;
            if (view.source() == Source.LIVE && !connected) {
                throw new Violation("C6", name + " calls the list of " + view.service() + " live without a connection");
            }
            long silent = now - lastFrameAt;
            long age = view.age().toNanos();
            // While it moves, it hears of two nodes: what either says then need not confirm anything, nor what the next
            // one says before it tells this list, if the one before dies just then; nor the last word on the one it
            // left.
            boolean moves = isMoving()
                    || toldWhileMoving
                    || lastLink == null
                    || lastLink.isEnded()
                    || !lastLink.hasTold(view.service());
            if (view.source() == Source.LIVE && silent > 0 && (moves ? age < silent : age != silent)) {
                throw new Violation(
                        "C6",
                        name + " says " + view.age() + " of a list confirmed " + Duration.ofNanos(silent) + " ago");
            }
            if (view.source() == Source.MEMORY && view.age().toNanos() < silent) {
                throw new Violation(
                        "C6", name + " says " + view.age() + " but heard nothing for " + Duration.ofNanos(silent));
            }
        }
    }

    // ---- calling

    /** One call as an application makes it: choose, call, and one retry elsewhere if nobody was there. */
    void call(ServiceKey key) {
        Watching watched = watching.get(key);
        if (watched == null || !isOpen()) {
            return;
        }
        world.coverage.did(Operation.CALL);
        if (!world.anyUp()) {
            world.coverage.effect(Effects.CALLS_IN_OUTAGE);
        }
        Service service = watched.service;
        List<Instance> callable = service.instances();
        Optional<Call> first = service.begin();
        if (first.isEmpty()) {
            if (healthy(callable) > 0) {
                throw new Violation("C1", name + " finds nobody to call, of " + service.view());
            }
            return;
        }
        try (Call call = first.get()) {
            if (world.answers(call.instance())) {
                call.report(CallResult.SUCCESS);
                return;
            }
            call.report(CallResult.UNREACHABLE);
            world.coverage.effect(Effects.RETRIES);
            Optional<Instance> other = service.chooseAnother(call.instance());
            boolean failed = other.isEmpty() || !world.answers(other.get());
            int healthy = failed ? healthy(callable) : 0;
            if (failed && healthy > 0 && callable.size() == healthy + 1) {
                throw new Violation("C1", name + " failed a call with one dead of " + (healthy + 1));
            }
            if (!failed) {
                service.report(other.get(), CallResult.SUCCESS);
            } else if (healthy > 0) {
                world.coverage.effect("calls failed with several dead at once");
                other.ifPresent(instance -> service.report(instance, CallResult.UNREACHABLE));
            }
        }
    }

    private int healthy(List<Instance> instances) {
        int healthy = 0;
        for (Instance instance : instances) {
            healthy += world.answers(instance) ? 1 : 0;
        }
        return healthy;
    }

    // ---- at the end

    /** What is not as it should be yet; empty when all is well. */
    Optional<String> unsettled(Map<ServiceKey, List<ListedInstance>> expected) {
        Mooring running = mooring;
        if (running == null || closing) {
            return Optional.empty();
        }
        ClientStatus status = running.status();
        if (status.state() != ClientStatus.State.CONNECTED) {
            return Optional.of(name + " is not connected: " + status);
        }
        boolean reaches = links.stream()
                .filter(link -> !link.isEnded())
                .flatMap(link -> link.accepted().stream())
                .anyMatch(Registry.Accepted::isOpen);
        if (!reaches) {
            return Optional.of(name + " believes to be connected to a node that is not there any more");
        }
        if (status.confirmedRegistrations() != wanted.size() || status.registrations() != wanted.size()) {
            return Optional.of(name + " has " + status.confirmedRegistrations() + " of " + wanted.size()
                    + " registrations confirmed");
        }
        for (Watching watched : watching.values()) {
            ServiceSnapshot view = watched.service.view();
            List<ListedInstance> should = expected.getOrDefault(watched.service.key(), List.of());
            if (view.source() != Source.LIVE || view.incomplete() || view.underProtection()) {
                return Optional.of(name + " sees " + view.service() + " as " + view.source() + " incomplete="
                        + view.incomplete() + " protected=" + view.underProtection());
            }
            if (!view.instances().equals(should)) {
                return Optional.of(
                        name + " sees " + World.shown(view.instances()) + " instead of " + World.shown(should));
            }
            for (Recorder recorder : watched.recorders) {
                if (Digest.of(recorder.list.values()) != Digest.of(should)) {
                    return Optional.of("a listener of " + name + " was told " + World.shown(recorder.list.values())
                            + " instead of " + World.shown(should));
                }
            }
        }
        return Optional.empty();
    }

    long startedAt() {
        return startedAt;
    }
}
