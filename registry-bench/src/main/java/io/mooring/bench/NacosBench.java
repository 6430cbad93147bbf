package io.mooring.bench;

import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** What clients of Nacos get from a registry, over gRPC; each measurement has servers of its own. */
final class NacosBench {
    private static final int SERVICES_PER_CONNECTION = 100;

    private final EventLoopGroup threads;
    private final Path jar;
    private final List<String> jvm;
    private final List<String> flags;
    private final int core;
    private final int port;

    /** @param core the one that a single server may use; those of a cluster may use all */
    NacosBench(EventLoopGroup threads, Path jar, List<String> jvm, List<String> flags, int core, int port) {
        this.threads = threads;
        this.jar = jar;
        this.jvm = jvm;
        this.flags = flags;
        this.core = core;
        this.port = port;
    }

    void run(Options options) throws IOException {
        Set<String> only =
                Set.of(options.text("only", "rates,push,cluster,memory").split(","));
        int connections = options.number("connections", 50);
        List<Integer> windows = options.numbers("windows", "1,50");
        int services = options.number("services", 1_000);
        int queries = options.number("queries", 1_000);
        int warmUps = options.number("warmups", 4);
        int rounds = options.number("rounds", 5);
        String sizes = options.text("sizes", "1000x100,1000x500,100x1000");
        int changes = options.number("changes", 1_500);
        int warmChanges = options.number("warm-changes", 1_500);
        int seconds = options.number("seconds", 15);
        int samples = options.number("samples", 1_000);
        int rate = options.number("rate", 100);
        int instances = options.number("instances", 10_000);
        options.refuseUnknown();

        if (only.contains("rates")) {
            rates(connections, windows, services, queries, warmUps, rounds);
        }
        if (only.contains("push")) {
            push(List.of(sizes.split(",")), warmChanges, changes, seconds);
        }
        if (only.contains("cluster")) {
            cluster(samples, rate);
        }
        if (only.contains("memory")) {
            memory(instances);
        }
    }

    private ClusterNodes nodes(List<String> jvmFlags, int where, int count) throws IOException {
        return new ClusterNodes(jar, jvmFlags, flags, where, port, count);
    }

    private void rates(int connections, List<Integer> windows, int services, int queries, int warmUps, int rounds)
            throws IOException {
        Table table = new Table("requests", "per second", "min – max", "server CPU µs", "p50 ms", "p99 ms");
        try (ClusterNodes node = nodes(jvm, core, 1)) {
            node.startAll();
            NacosRate rate = new NacosRate(threads, node.nacos(0), node.process(0), connections, services);
            for (int window : windows) {
                rate.register(window, warmUps, rounds, table);
            }
            for (int window : windows) {
                rate.query(10, window, queries, warmUps, rounds, table);
            }
        }
        table.print("Requests of Nacos clients: " + connections + " connections; new instances of " + services
                + " services, one of each for a connection; " + rounds + " rounds (median) of "
                + connections * services + " registrations, of " + connections * queries + " queries; " + warmUps
                + " rounds before");
    }

    private void push(List<String> sizes, int warmChanges, int changes, int seconds) throws IOException {
        Table table = new Table(
                "instances × subscribers",
                "changes",
                "p50 ms",
                "p99 ms",
                "max ms",
                "server CPU ms",
                "bytes to all",
                "lo bytes",
                "lo packets",
                "changes/s");
        try (ClusterNodes node = nodes(jvm, core, 1)) {
            node.startAll();
            NacosPush push = new NacosPush(threads, node.nacos(0), node.process(0));
            for (String size : sizes) {
                String[] parts = size.split("x");
                push.measure(
                        Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), warmChanges, changes, seconds, table);
            }
        }
        table.print(
                "Pushes to Nacos clients: change sent to last subscriber; processor time, what all subscribers received,"
                        + " and what went over lo, per change; up to " + warmChanges + " changes or " + seconds
                        + " s before");
    }

    private void cluster(int samples, int rate) throws IOException {
        Table table = new Table("registered at A", "samples", "p50 ms", "p99 ms", "max ms");
        try (ClusterNodes nodes = nodes(jvm, -1, 3)) {
            nodes.startAll();
            for (int size : List.of(10, 1_000)) {
                NacosPush.across(threads, nodes.nacos(0), nodes.nacos(1), size, samples / 2, samples, rate, table);
            }
        }
        table.print("A to B among three nodes: a registration sent to A until its push is there, " + rate
                + " per second, nobody kept to a core");
    }

    private void memory(int instances) throws IOException {
        Table table = new Table("instances", "connections", "live heap MiB", "resident MiB");
        try (ClusterNodes node = nodes(List.of("-Xmx1200m"), core, 1)) {
            node.startAll();
            ServerProcess process = node.process(0);
            int connections = instances / SERVICES_PER_CONNECTION;
            // Once for the classes and pools that stay.
            NacosClient.closeAll(fill(node, 1));
            row(table, process, 0, 0);
            List<NacosClient> clients = fill(node, connections);
            row(table, process, instances, connections);
            NacosClient.closeAll(clients);
        }
        table.print(
                "Heap after two full collections, a hundred services with an instance of each connection, -Xmx1200m");
    }

    private List<NacosClient> fill(ClusterNodes node, int connections) {
        List<NacosClient> clients = NacosClient.openMany(threads, node.nacos(0), connections);
        for (int c = 0; c < connections; c++) {
            for (int s = 0; s < SERVICES_PER_CONNECTION; s++) {
                NacosPush.ask(
                        clients.get(c),
                        "InstanceRequest",
                        NacosWorkload.register(s, c * SERVICES_PER_CONNECTION + s, 0));
            }
        }
        return new ArrayList<>(clients);
    }

    private static void row(Table table, ServerProcess process, int instances, int connections) throws IOException {
        long heap = ServerMemory.settledHeap(process);
        table.row(
                String.valueOf(instances),
                String.valueOf(connections),
                Table.number(heap / 1_048_576.0),
                Table.number(process.residentBytes() / 1_048_576.0));
    }
}
