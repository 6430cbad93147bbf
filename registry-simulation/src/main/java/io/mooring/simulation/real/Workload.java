package io.mooring.simulation.real;

import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import io.mooring.client.RegisteredInstance;
import io.mooring.client.Service;
import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.simulation.history.Entry.Answered;
import io.mooring.simulation.history.Entry.Asked;
import io.mooring.simulation.history.Entry.End;
import io.mooring.simulation.history.Entry.Ended;
import io.mooring.simulation.history.Entry.Seen;
import io.mooring.simulation.history.History;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Publishers and subscribers on the real SDK, and a reader at each node, all in this process and written down by its one
 * clock. Somebody registers, updates or deregisters something all the time.
 */
final class Workload implements AutoCloseable {
    /**
     * @param instances of each publisher, spread over the services
     * @param perSecond acts
     */
    record Size(int services, int publishers, int instances, int subscribers, int perSecond) {}

    private static final Duration READ_EVERY = Duration.ofMillis(30);
    private static final Duration GUARDED = Duration.ofSeconds(60);
    private static final Duration READ_WITHIN = Duration.ofSeconds(2);

    private final Cluster cluster;
    private final History history;
    private final String prefix;
    private final Size size;
    private final Random random;
    private final Doors doors = new Doors();
    private final List<Mooring> clients = new ArrayList<>();
    private final List<Own> owns = new ArrayList<>();
    private final List<Watch> watches = new ArrayList<>();
    private final List<Mortal> mortals = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<String, Map<String, Payload.View>> lastRead = new ConcurrentHashMap<>(); // by node, then service
    private final AtomicInteger acts = new AtomicInteger();
    private volatile boolean acting = true;
    private volatile boolean reading = true;

    /** An instance of one of our publishers. */
    private static final class Own {
        final Mooring client;
        final String service;
        final String host;
        final int port;
        final String name;

        @Nullable
        RegisteredInstance handle; // null: not registered

        long version;
        volatile boolean busy;
        volatile long confirmed; // the version that must be listed; 0: none

        Own(Mooring client, String service, String host, int port) {
            this.client = client;
            this.service = service;
            this.host = host;
            this.port = port;
            this.name = Payload.name(service, host, port);
        }
    }

    private record Watch(String name, String serviceName, Service service) {}

    private record Mortal(MortalProvider provider, String service, String host, String name) {}

    Workload(Cluster cluster, History history, String prefix, Size size, long seed) throws IOException {
        this.cluster = cluster;
        this.history = history;
        this.prefix = prefix;
        this.size = size;
        this.random = new Random(seed);
    }

    private String service(int number) {
        return prefix + "-" + number % size.services();
    }

    /** Everybody connects and registers; the recording begins. Publishers begin at different nodes. */
    void start() throws IOException {
        List<String> addresses = cluster.sessionAddresses();
        for (int p = 0; p < size.publishers(); p++) {
            Mooring client = client(addresses, p, "publisher-" + p, GUARDED);
            String host = cluster.terrain().provider(p);
            int port = doors.open(host);
            for (int i = 0; i < size.instances(); i++) {
                owns.add(new Own(client, service(p + i), host, port));
            }
        }
        for (int s = 0; s < size.subscribers(); s++) {
            // Only the first is guarded as applications are: the others show whatever a node tells them.
            Mooring client = client(addresses, s, "subscriber-" + s, s == 0 ? GUARDED : Duration.ZERO);
            for (int i = 0; i < size.services(); i++) {
                Watch watch = new Watch("subscriber-" + s, service(i), client.service(service(i)));
                watches.add(watch);
                watch.service().onChange(change -> seen(watch, change.view()));
            }
        }
        owns.forEach(this::register);
        for (ClusterNode node : cluster.nodes()) {
            run("reader of " + node.name(), () -> readForEver(node));
        }
        cluster.await("everybody is registered and seen everywhere", this::converged);
        run("acts", this::actForEver);
    }

    private Mooring client(List<String> addresses, int number, String name, Duration guardWindow) {
        List<String> rotated = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            rotated.add(addresses.get((i + number) % addresses.size()));
        }
        Mooring client = Mooring.builder()
                .servers(rotated)
                .clientName(name)
                .guardWindow(guardWindow)
                .cacheDisabled()
                .build();
        clients.add(client);
        return client;
    }

    private void run(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    // ---- acts

    private void actForEver() {
        long pause = 1_000_000_000L / size.perSecond();
        while (reading) {
            Own own = owns.get(random.nextInt(owns.size()));
            if (acting && !own.busy) {
                act(own);
            }
            Cluster.pass(Duration.ofNanos(pause));
        }
    }

    private void act(Own own) {
        acts.incrementAndGet();
        if (own.handle == null) {
            register(own);
        } else if (random.nextInt(6) == 0) {
            deregister(own, own.handle);
        } else {
            own.version++;
            own.busy = true;
            history.add(new Asked(System.nanoTime(), own.service, own.name, true, own.version));
            answered(own, own.version, own.handle.updateMetadata(Payload.of(own.name, own.version)));
        }
    }

    private void register(Own own) {
        own.version++;
        own.busy = true;
        history.add(new Asked(System.nanoTime(), own.service, own.name, true, own.version));
        RegisteredInstance handle = own.client.register(Instance.of(own.client.key(own.service), own.host, own.port)
                .withMetadata(Payload.of(own.name, own.version)));
        own.handle = handle;
        answered(own, own.version, handle.whenRegistered());
    }

    private void deregister(Own own, RegisteredInstance handle) {
        own.version++;
        own.busy = true;
        history.add(new Asked(System.nanoTime(), own.service, own.name, false, own.version));
        own.handle = null;
        answered(own, 0, handle.deregister());
    }

    /** @param confirmed the version that must be listed then */
    private void answered(Own own, long confirmed, CompletableFuture<Void> future) {
        long version = own.version;
        CompletableFuture<Void> unused = future.thenRun(() -> {
            history.add(new Answered(System.nanoTime(), own.name, version));
            own.confirmed = confirmed;
            own.busy = false;
        });
    }

    /** Registers so many instances whose publishers can be killed. */
    void addMortals(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            String host = cluster.terrain().provider(500 + mortals.size());
            int port = doors.open(host);
            String service = service(i);
            String name = Payload.name(service, host, port);
            history.add(new Asked(System.nanoTime(), service, name, true, 1));
            MortalProvider provider = new MortalProvider(
                    cluster.sessionAddresses().get(i % cluster.size()), service, host, port, Payload.of(name, 1));
            mortals.add(new Mortal(provider, service, host, name));
            cluster.await(name + " is registered", provider.registered::isDone);
            history.add(new Answered(System.nanoTime(), name, 1));
        }
    }

    /** All of these die, with their addresses, or fall silent. */
    void killMortals(End end) throws IOException {
        for (Mortal mortal : mortals) {
            history.add(new Ended(System.nanoTime(), mortal.name(), end));
            if (end == End.KILLED) {
                doors.shut(mortal.host());
                mortal.provider().die();
            } else {
                mortal.provider().fallSilent();
            }
        }
        mortals.clear();
    }

    /** Nothing more is asked; what was asked may still be answered. */
    void rest() {
        acting = false;
    }

    /** Acts again. */
    void goOn() {
        acting = true;
    }

    // ---- views

    private void readForEver(ClusterNode node) {
        while (reading) {
            for (int i = 0; i < size.services() && reading; i++) {
                read(node, service(i));
            }
            Cluster.pass(READ_EVERY);
        }
    }

    private void read(ClusterNode node, String service) {
        long from = System.nanoTime();
        Optional<String> body = node.get("/v1/services/" + service, READ_WITHIN);
        long at = System.nanoTime();
        if (body.isEmpty()) {
            lastRead.remove(node.name());
            return;
        }
        try {
            Payload.View view = Payload.parse(service, body.get());
            history.add(new Seen(from, at, node.name(), service, view.incomplete(), view.twice(), view.versions()));
            lastRead.computeIfAbsent(node.name(), n -> new ConcurrentHashMap<>())
                    .put(service, view);
        } catch (IOException e) {
            throw new IllegalStateException(node.name() + " answers " + body.get(), e);
        }
    }

    private void seen(Watch watch, ServiceSnapshot view) {
        long now = System.nanoTime();
        boolean nothingHeard = view.source() == ServiceSnapshot.Source.NONE;
        history.add(new Seen(now, now, watch.name(), watch.serviceName(), nothingHeard, 0, versions(watch, view)));
    }

    private static Map<String, Long> versions(Watch watch, ServiceSnapshot view) {
        Map<String, Long> versions = new HashMap<>();
        for (ListedInstance listed : view.instances()) {
            Instance instance = listed.instance();
            String name = Payload.name(watch.serviceName(), instance.host(), instance.port());
            versions.put(name, Payload.version(name, instance.metadata()));
        }
        return versions;
    }

    /** Whether every node and subscriber shows exactly what was confirmed, and all is confirmed. */
    boolean converged() {
        Map<String, Map<String, Long>> wanted = new HashMap<>();
        for (Own own : owns) {
            if (own.busy) {
                return false;
            }
            Map<String, Long> service = wanted.computeIfAbsent(own.service, s -> new HashMap<>());
            if (own.confirmed != 0) {
                service.put(own.name, own.confirmed);
            }
        }
        for (Mortal mortal : mortals) {
            wanted.computeIfAbsent(mortal.service(), s -> new HashMap<>()).put(mortal.name(), 1L);
        }
        for (Map.Entry<String, Map<String, Long>> service : wanted.entrySet()) {
            for (ClusterNode node : cluster.nodes()) {
                Payload.View view = lastRead.getOrDefault(node.name(), Map.of()).get(service.getKey());
                if (view == null || !view.versions().equals(service.getValue())) {
                    return false;
                }
            }
        }
        for (Watch watch : watches) {
            if (!versions(watch, watch.service().view()).equals(wanted.getOrDefault(watch.serviceName(), Map.of()))) {
                return false;
            }
        }
        return true;
    }

    int acts() {
        return acts.get();
    }

    /** What the clients themselves think went wrong; empty when nothing did. */
    String complaints() {
        StringBuilder out = new StringBuilder();
        for (Mooring client : clients) {
            ClientStatus status = client.status();
            if (status.doubts() + status.internalFailures() + status.watchdogRestarts() > 0) {
                out.append(status).append('\n');
            }
        }
        return out.toString();
    }

    /** How often clients connected, summed. */
    long connections() {
        return clients.stream()
                .mapToLong(client -> client.status().connections())
                .sum();
    }

    /** The last look of everybody. */
    void lookOnceMore() {
        for (ClusterNode node : cluster.nodes()) {
            for (int i = 0; i < size.services(); i++) {
                read(node, service(i));
            }
        }
        watches.forEach(watch -> seen(watch, watch.service().view()));
    }

    @Override
    public void close() {
        acting = false;
        reading = false;
        for (Thread thread : threads) {
            try {
                thread.join(3_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        for (Mortal mortal : mortals) {
            mortal.provider().die();
        }
        List<CompletableFuture<Void>> goodbyes =
                clients.stream().map(Mooring::closeAsync).toList();
        goodbyes.forEach(goodbye -> Cluster.within(Duration.ofSeconds(3), goodbye::isDone));
        doors.close();
    }
}
