package io.mooring.bench;

import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What a cluster says to itself when nothing happens, and what a replica takes: memory, and time to load. */
final class ClusterSizes {
    private static final int PUBLISHERS = 1_000;

    private final EventLoopGroup threads;
    private final ClusterNodes nodes;

    ClusterSizes(EventLoopGroup threads, ClusterNodes nodes) {
        this.threads = threads;
        this.nodes = nodes;
    }

    /** Sessions evenly over the nodes, each with an instance; then nobody does anything but renew. */
    void idle(int sessions, int seconds, Table table) throws IOException {
        idleRow("no session", seconds, table);
        List<Session> all = new ArrayList<>();
        for (int node = 0; node < nodes.count(); node++) {
            List<Session> here = Session.openMany(threads, nodes.sessions(node), "idle", sessions / nodes.count());
            all.addAll(here);
        }
        idleRow(all.size() + " sessions", seconds, table);
        ServerMemory.fill(all, all.size());
        ClusterNodes.await("every node lists every instance", () -> listedEverywhere(all.size()));
        StartTime.pause(TimeUnit.SECONDS.toNanos(3));
        idleRow(all.size() + " sessions, an instance each", seconds, table);
        Session.abandon(all);
    }

    private boolean listedEverywhere(long count) {
        for (int node = 0; node < nodes.count(); node++) {
            if (nodes.listed(node) != count) {
                return false;
            }
        }
        return true;
    }

    private void idleRow(String what, int seconds, Table table) throws IOException {
        StartTime.pause(TimeUnit.SECONDS.toNanos(3));
        long bytes = nodes.peerBytes();
        long[] cpu = new long[nodes.count()];
        for (int n = 0; n < cpu.length; n++) {
            cpu[n] = nodes.process(n).cpuNanos();
        }
        long start = System.nanoTime();
        StartTime.pause(TimeUnit.SECONDS.toNanos(seconds));
        double took = (System.nanoTime() - start) / 1e9;
        double spent = 0;
        for (int n = 0; n < cpu.length; n++) {
            spent += (nodes.process(n).cpuNanos() - cpu[n]) / 1e9;
        }
        table.row(
                what,
                Table.number((nodes.peerBytes() - bytes) / took),
                Table.number(100 * spent / nodes.count() / took));
    }

    /**
     * A is filled while B follows; then C starts with nothing, again and again.
     *
     * @param loads how often C starts
     * @param table of what a node holds
     * @param load of how long C took
     */
    void replicas(int size, int loads, Table table, Table load) throws IOException {
        nodes.start(0);
        nodes.start(1);
        nodes.awaitReady(0);
        nodes.awaitReady(1);
        List<Session> sessions = Session.openMany(threads, nodes.sessions(0), "bench", PUBLISHERS);
        long[] empty = {
            ServerMemory.settledHeap(nodes.process(0)), ServerMemory.settledHeap(nodes.process(1)),
        };
        long start = System.nanoTime();
        ServerMemory.fill(sessions, size);
        double filled = (System.nanoTime() - start) / 1e9;
        nodes.awaitListed(1, size);
        double followed = (System.nanoTime() - start) / 1e9;
        row("A, which they registered at", 0, size, empty[0], filled, table);
        row("B, which followed", 1, size, empty[1], followed, table);
        for (int i = 0; i < loads; i++) {
            double whole = load(size, load);
            if (i == 0) {
                row("C, which loaded a snapshot", 2, size, empty[1], whole, table);
            }
            nodes.forget(2);
        }
        Session.abandon(sessions);
    }

    /** @return seconds until C, which has nothing when it starts, lists all */
    private double load(int size, Table load) throws IOException {
        long exec = System.nanoTime();
        nodes.start(2);
        nodes.awaitReady(2);
        double ready = (System.nanoTime() - exec) / 1e9;
        double spent = nodes.process(2).cpuNanos() / 1e9;
        long atReady = nodes.listed(2);
        nodes.awaitListed(2, size);
        double whole = (System.nanoTime() - exec) / 1e9;
        load.row(
                String.format(Locale.ROOT, "%,d", size),
                Table.number(ready),
                Table.number(spent),
                String.format(Locale.ROOT, "%,d", atReady),
                Table.number(whole));
        return whole;
    }

    private void row(String what, int node, int size, long empty, double seconds, Table table) throws IOException {
        long full = ServerMemory.settledHeap(nodes.process(node));
        table.row(
                what,
                String.format(Locale.ROOT, "%,d", size),
                Table.number(full / 1e6),
                Table.number((double) (full - empty) / size),
                Table.number(nodes.process(node).residentBytes() / 1e6),
                Table.number(seconds));
    }
}
