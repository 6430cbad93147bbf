package io.mooring.bench;

import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import io.mooring.client.RegisteredInstance;
import io.mooring.client.Service;
import io.mooring.client.ServiceChange;
import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/** Nodes are killed: what clients on the real SDK, unmodified timing included, notice of it. */
final class ClusterLoss {
    private static final String GENERATION = "generation";

    /** How often nodes have welcomed many sessions before: what is compiled the first times takes half of a core. */
    private static final int WARM_UPS = 20;

    private static final int SPREAD_MILLIS = 250; // in which the SDK tries another node, when it knows one

    private final EventLoopGroup threads;
    private final ClusterNodes nodes;

    ClusterLoss(EventLoopGroup threads, ClusterNodes nodes) {
        this.threads = threads;
        this.nodes = nodes;
    }

    private static Mooring client(String[] addresses, String name) {
        return Mooring.builder()
                .servers(addresses)
                .clientName(name)
                .cacheDisabled()
                .build();
    }

    /** What subscribers saw that they should not have. */
    private static final class Watch {
        final List<Service> services = new ArrayList<>();
        final AtomicInteger removed = new AtomicInteger();
        final AtomicInteger shortest = new AtomicInteger(Integer.MAX_VALUE);
        final Map<String, Long> seen =
                new ConcurrentHashMap<>(); // instance and generation → when the last watcher had it
        private final Map<String, AtomicInteger> watchers = new ConcurrentHashMap<>();
        private final int each;

        Watch(int each) {
            this.each = each;
        }

        void add(Service service) {
            services.add(service);
            service.onChange(this::changed);
        }

        private void changed(ServiceChange change) {
            long now = System.nanoTime();
            removed.addAndGet(change.removed().size());
            for (List<ListedInstance> listed : List.of(change.added(), change.changed())) {
                for (ListedInstance one : listed) {
                    Instance instance = one.instance();
                    String key = instance.address() + " " + instance.metadata().getOrDefault(GENERATION, "0");
                    seen.merge(key, now, Math::max);
                    watchers.computeIfAbsent(key, k -> new AtomicInteger()).incrementAndGet();
                }
            }
            if (change.view().instances().size() == each) {
                shortest.compareAndSet(Integer.MAX_VALUE, each); // from now on it counts
            }
            if (shortest.get() != Integer.MAX_VALUE) {
                shortest.accumulateAndGet(change.view().instances().size(), Math::min);
            }
        }

        boolean full() {
            for (Service service : services) {
                ServiceSnapshot view = service.view();
                if (view.instances().size() != each || view.source() != ServiceSnapshot.Source.LIVE) {
                    return false;
                }
            }
            return true;
        }

        boolean seenByAll(int generation, int instances, int watchersEach) {
            int count = 0;
            for (Map.Entry<String, AtomicInteger> entry : watchers.entrySet()) {
                if (entry.getKey().endsWith(" " + generation)
                        && entry.getValue().get() >= watchersEach) {
                    count++;
                }
            }
            return count >= instances;
        }

        void startCounting() {
            removed.set(0);
            shortest.set(each);
        }
    }

    /** Looks at every service over REST again and again. */
    private final class Reader implements AutoCloseable {
        private final String fleet;
        private final int services;
        private final int each;
        private final int[] at;
        private final Thread thread = new Thread(this::run, "reader");
        final AtomicLong reads = new AtomicLong();
        final AtomicInteger shrunk = new AtomicInteger();
        final AtomicInteger twice = new AtomicInteger();
        private volatile boolean closed;

        Reader(String fleet, int services, int each, int... at) {
            this.fleet = fleet;
            this.services = services;
            this.each = each;
            this.at = at;
            thread.setDaemon(true);
            thread.start();
        }

        private void run() {
            while (!closed) {
                for (int node : at) {
                    for (int s = 0; s < services && !closed; s++) {
                        look(nodes.get(node, "/v1/services/" + fleet + s));
                    }
                }
                StartTime.pause(TimeUnit.MILLISECONDS.toNanos(150)); // it takes the cores that it watches
            }
        }

        private void look(String body) {
            if (body.isEmpty() || body.contains("\"incomplete\":true")) {
                return;
            }
            int listed = body.split("\"port\":", -1).length - 1;
            reads.incrementAndGet();
            shrunk.addAndGet(listed < each ? 1 : 0);
            twice.addAndGet(listed > each ? 1 : 0);
        }

        @Override
        public void close() {
            closed = true;
            try {
                thread.join(5_000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Half of that many come to B and to C and go, again and again. */
    void warmUp(int sessions) {
        for (int node = 1; node < nodes.count(); node++) {
            for (int round = 0; round < WARM_UPS; round++) {
                List<Session> others = Session.openMany(threads, nodes.sessions(node), "before", sessions / 2);
                ServerMemory.fill(others, others.size());
                Session.byeAll(others);
            }
        }
    }

    /**
     * A dies with that many sessions, an instance each; at that moment every publisher changes its instance.
     *
     * @param time how often it has died then
     * @param real of these, on the SDK as it is; the others, to spare the machine, only do on the wire what it does, at the
     *     same moments
     * @param watchers at B and C, of every service
     */
    void kill(int time, int sessions, int real, int services, int watchers, Table table) throws IOException {
        String fleet = "fleet-" + time + "-";
        List<Mooring> clients = new ArrayList<>();
        List<RegisteredInstance> handles = new ArrayList<>();
        Watch watch = new Watch(sessions / services);
        for (int i = 0; i < real; i++) {
            Mooring client = client(new String[] {nodes.addresses(0)[0]}, "publisher"); // of the others it hears at A
            clients.add(client);
            handles.add(client.register(Instance.of(client.key(fleet + i % services), host(i), 8_080)
                    .withMetadata(Map.of(GENERATION, "0"))));
        }
        ClusterNodes.await(
                "they are registered",
                () -> handles.stream()
                        .allMatch(handle -> handle.whenRegistered().isDone()));
        List<Session> light = Session.openMany(threads, nodes.sessions(0), "public", sessions - real);
        for (int i = real; i < sessions; i++) {
            light.get(i - real).send(registration(i, fleet + i % services, 0));
        }
        for (int w = 0; w < watchers; w++) {
            Mooring client = client(nodes.addresses(1 + w % 2), "watcher");
            clients.add(client);
            for (int s = 0; s < services; s++) {
                watch.add(client.service(fleet + s));
            }
        }
        ClusterNodes.await("everybody is seen", watch::full);
        int atA = light.size();
        for (Mooring client : clients.subList(0, real)) {
            atA += client.status().node().equals("n1") ? 1 : 0;
        }
        StartTime.pause(TimeUnit.SECONDS.toNanos(5));
        watch.startCounting();
        long[] answered = new long[sessions];
        try (Reader reader = new Reader(fleet, services, sessions / services, 1, 2)) {
            light.forEach(session -> session.onThread(session::expectEnd));
            ServerProcess load = ServerProcess.running(ProcessHandle.current().pid());
            long nodesCpu = nodes.process(1).cpuNanos() + nodes.process(2).cpuNanos();
            long loadCpu = load.cpuNanos();
            long start = System.nanoTime();
            nodes.kill(0);
            List<CompletableFuture<Void>> changes = new ArrayList<>();
            for (int i = 0; i < real; i++) {
                int number = i;
                changes.add(handles.get(i)
                        .updateMetadata(Map.of(GENERATION, "1"))
                        .thenRun(() -> answered[number] = System.nanoTime()));
            }
            Random random = new Random(1);
            List<Session> moved = new CopyOnWriteArrayList<>();
            for (int i = real; i < sessions; i++) {
                changes.add(move(light.get(i - real), i, fleet + i % services, random, answered, moved));
            }
            ClusterNodes.await(
                    "every change is answered", () -> changes.stream().allMatch(CompletableFuture::isDone));
            ClusterNodes.await("every change is seen", () -> watch.seenByAll(1, sessions, watchers));
            nodesCpu = nodes.process(1).cpuNanos() + nodes.process(2).cpuNanos() - nodesCpu;
            loadCpu = load.cpuNanos() - loadCpu;
            Histogram homes = new Histogram(3);
            Histogram lightHomes = new Histogram(3);
            Histogram seen = new Histogram(3);
            for (int i = 0; i < sessions; i++) {
                (i < real ? homes : lightHomes).recordValue(Math.max(0, answered[i] - start));
                Long when = watch.seen.get(host(i) + ":8080 1");
                seen.recordValue(when == null ? Long.MAX_VALUE / 2 : Math.max(0, when - start));
            }
            StartTime.pause(TimeUnit.SECONDS.toNanos(20)); // the orphans of A are decided on meanwhile
            table.latencies("SDK re-homed: its change answered", homes);
            table.latencies("light session re-homed: its change answered", lightHomes);
            table.latencies("its change seen by all " + watchers + " watchers", seen);
            table.row("processor time of B and C until then, ms", Table.millis((double) nodesCpu), "", "", "");
            table.row("processor time of this load, ms", Table.millis((double) loadCpu), "", "", "");
            table.row("sessions at A when it died", String.valueOf(atA), "", "", "");
            table.row("removed from a watcher's list", String.valueOf(watch.removed.get()), "", "", "");
            table.row(
                    "shortest list (of " + sessions / services + ")", String.valueOf(watch.shortest.get()), "", "", "");
            table.row("reads of B and C", String.valueOf(reader.reads.get()), "", "", "");
            table.row("… shrunk or empty", String.valueOf(reader.shrunk.get()), "", "", "");
            table.row("… with one listed twice", String.valueOf(reader.twice.get()), "", "", "");
            Session.abandon(moved);
        }
        close(clients);
    }

    private static String host(int number) {
        return "host-" + number + ".example";
    }

    private static String registration(int number, String service, int generation) {
        return "[{\"type\":\"register\",\"id\":" + (generation + 1) + ",\"instances\":[{\"service\":\""
                + service + "\",\"host\":\"" + host(number) + "\",\"port\":8080,\"metadata\":{\""
                + GENERATION + "\":\"" + generation + "\"}}]}]";
    }

    /** As the SDK: to another node, at a random moment of the spread. */
    private CompletableFuture<Void> move(
            Session session, int number, String service, Random random, long[] answered, List<Session> moved) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        InetSocketAddress next = nodes.sessions(1 + number % 2);
        threads.next()
                .schedule(
                        () -> {
                            CompletableFuture<Void> unused = session.again(threads, next)
                                    .thenAccept(again -> {
                                        moved.add(again);
                                        again.onReceive((from, payload, at) -> {
                                            if (Scan.count(payload, Scan.DONE) > 0) {
                                                answered[number] = at;
                                                done.complete(null);
                                            }
                                        });
                                        again.send(registration(number, service, 1));
                                    });
                        },
                        random.nextInt(SPREAD_MILLIS),
                        TimeUnit.MILLISECONDS);
        return done;
    }

    private static void close(List<Mooring> clients) {
        List<CompletableFuture<Void>> ends =
                clients.stream().map(Mooring::closeAsync).toList();
        for (CompletableFuture<Void> end : ends) {
            try {
                end.get(5, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
                System.err.println("a client did not end: " + e);
            }
        }
    }

    /**
     * Publishers at A die together with A: how long their instances stay at a subscriber of B.
     *
     * @param evidence whether their addresses refuse connections then; otherwise nobody answers there
     */
    void die(int victims, int survivors, boolean evidence, Table table) throws IOException {
        String name = evidence ? "refused" : "silent";
        List<Mooring> clients = new ArrayList<>();
        Mooring keeper = client(nodes.addresses(1), "survivor");
        clients.add(keeper);
        for (int i = 0; i < survivors; i++) {
            keeper.register(Instance.of(keeper.key("fleet-" + name), "survivor-" + i + ".example", 8_080));
        }
        List<Session> dying = Session.openMany(threads, nodes.sessions(0), "public", victims);
        List<ServerSocket> doors = new ArrayList<>();
        for (int i = 0; i < victims; i++) {
            String host = "10.11.12." + (i + 1); // no route in a network namespace of its own: nobody can tell
            int port = 8_080;
            if (evidence) {
                ServerSocket door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                doors.add(door);
                host = "127.0.0.1";
                port = door.getLocalPort();
            }
            dying.get(i)
                    .send("[{\"type\":\"register\",\"id\":1,\"instances\":[{\"service\":\"fleet-" + name
                            + "\",\"host\":\"" + host + "\",\"port\":" + port + "}]}]");
        }
        Mooring watcher = client(nodes.addresses(1), "watcher");
        clients.add(watcher);
        Service service = watcher.service("fleet-" + name);
        List<Long> gone = new ArrayList<>();
        List<String> causes = new ArrayList<>();
        service.onChange(change -> {
            synchronized (gone) {
                for (ServiceChange.Removed removed : change.removed()) {
                    gone.add(System.nanoTime());
                    causes.add(removed.cause().map(Enum::name).orElse("?"));
                }
            }
        });
        ClusterNodes.await("all are listed", () -> service.view().instances().size() == victims + survivors);
        StartTime.pause(TimeUnit.SECONDS.toNanos(20)); // a node that has just started takes nobody off
        long start = System.nanoTime();
        nodes.kill(0);
        for (ServerSocket door : doors) {
            door.close();
        }
        Session.abandon(dying);
        ClusterNodes.await(
                "all of them are gone", () -> service.view().instances().size() == survivors);
        synchronized (gone) {
            table.row(
                    evidence ? "address refuses" : "address silent",
                    victims + " of " + (victims + survivors),
                    Table.number((gone.stream().mapToLong(Long::longValue).min().orElse(start) - start) / 1e9),
                    Table.number((gone.stream().mapToLong(Long::longValue).max().orElse(start) - start) / 1e9),
                    String.valueOf(causes.stream().distinct().toList()));
        }
        close(clients);
    }

    /** All nodes are killed at once and started again, as often as that. */
    void restarts(int times, int publishers, int each, int watchers, Table table) throws IOException {
        List<Mooring> clients = new ArrayList<>();
        Watch watch = new Watch(publishers);
        for (int p = 0; p < publishers; p++) {
            Mooring client = client(nodes.addresses(p % nodes.count()), "publisher");
            clients.add(client);
            List<Instance> all = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                all.add(Instance.of(client.key("fleet-" + i), "host-" + p + ".example", 8_080));
            }
            client.register(all);
        }
        for (int w = 0; w < watchers; w++) {
            Mooring client = client(nodes.addresses(w % nodes.count()), "watcher");
            clients.add(client);
            for (int s = 0; s < each; s++) {
                watch.add(client.service("fleet-" + s));
            }
        }
        ClusterNodes.await("everybody is seen", watch::full);
        StartTime.pause(TimeUnit.SECONDS.toNanos(2));
        watch.startCounting();
        Histogram back = new Histogram(3);
        Histogram live = new Histogram(3);
        long reads = 0;
        int shrunk = 0;
        int twice = 0;
        try (Reader reader = new Reader("fleet-", each, publishers, 0, 1, 2)) {
            for (int i = 0; i < times; i++) {
                List<Long> connections = clients.stream()
                        .map(client -> client.status().connections())
                        .toList();
                for (int node = 0; node < nodes.count(); node++) {
                    nodes.kill(node);
                }
                StartTime.pause(TimeUnit.MILLISECONDS.toNanos(500));
                for (int node = 0; node < nodes.count(); node++) {
                    nodes.start((node + i) % nodes.count());
                }
                ClusterNodes.await(
                        "the first node serves", () -> nodes.serves(0) || nodes.serves(1) || nodes.serves(2));
                long start = System.nanoTime();
                ClusterNodes.await("all sessions are back", () -> allBack(clients, connections, publishers, each));
                back.recordValue(System.nanoTime() - start);
                ClusterNodes.await("all lists are live and whole", watch::full);
                live.recordValue(System.nanoTime() - start);
                for (int node = 0; node < nodes.count(); node++) {
                    nodes.awaitReady(node);
                }
                StartTime.pause(TimeUnit.SECONDS.toNanos(1));
            }
            reads = reader.reads.get();
            shrunk = reader.shrunk.get();
            twice = reader.twice.get();
        }
        table.latencies("all sessions back, from the first node's port", back);
        table.latencies("every watcher's lists live and whole", live);
        table.row("removed from a watcher's list", String.valueOf(watch.removed.get()), "", "", "");
        table.row("shortest list (of " + publishers + ")", String.valueOf(watch.shortest.get()), "", "", "");
        table.row("reads of complete lists", String.valueOf(reads), "", "", "");
        table.row("… shrunk or empty", String.valueOf(shrunk), "", "", "");
        table.row("… with one listed twice", String.valueOf(twice), "", "", "");
        close(clients);
    }

    private static boolean allBack(List<Mooring> clients, List<Long> before, int publishers, int each) {
        for (int i = 0; i < clients.size(); i++) {
            ClientStatus status = clients.get(i).status();
            if (status.state() != ClientStatus.State.CONNECTED
                    || status.connections() <= before.get(i)
                    || i < publishers && status.confirmedRegistrations() != each) {
                return false;
            }
        }
        return true;
    }
}
