package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** From a registration sent to A until a subscriber at B has it, and what replication costs for each. */
final class ClusterPush {
    private static final int PER_MESSAGE = 100;
    private static final int COST_SESSIONS = 4;
    private static final int COST_WINDOW = 64;

    private final EventLoopGroup threads;
    private final ClusterNodes nodes;

    ClusterPush(EventLoopGroup threads, ClusterNodes nodes) {
        this.threads = threads;
        this.nodes = nodes;
    }

    /** One change at a time at a moderate rate, in a service of that many instances. */
    void latency(int instances, int warmUp, int samples, int perSecond, Table table) throws IOException {
        String namespace = "a-b-" + instances;
        Session publisher = Session.open(threads, nodes.sessions(0), namespace);
        Session near = Session.open(threads, nodes.sessions(0), namespace);
        Session far = Session.open(threads, nodes.sessions(1), namespace);
        Workload workload = new Workload("orders-", 1, 1);
        register(publisher, workload, 0, instances);
        ClusterNodes.await("B knows them", () -> contains(far, workload, instances));
        for (Session listener : List.of(near, far)) {
            CompletableFuture<Void> there = new CompletableFuture<>();
            listener.onReceive((from, payload, at) -> there.complete(null));
            listener.send("[{\"type\":\"subscribe\",\"id\":9,\"service\":\"" + workload.serviceName(0) + "\"}]");
            there.orTimeout(30, TimeUnit.SECONDS).join();
        }
        Histogram here = new Histogram(3);
        Histogram there = new Histogram(3);
        Histogram confirmed = new Histogram(3);
        for (int i = 1; i <= warmUp + samples; i++) {
            if (i == warmUp + 1) {
                here.reset();
                there.reset();
                confirmed.reset();
            }
            long tick = System.nanoTime();
            byte[] marker = Workload.marker(i);
            CompletableFuture<Long> done = new CompletableFuture<>();
            CompletableFuture<Long> nearHas = new CompletableFuture<>();
            CompletableFuture<Long> farHas = new CompletableFuture<>();
            publisher.onReceive((from, payload, at) -> {
                if (Scan.count(payload, Scan.DONE) > 0) {
                    done.complete(at);
                }
            });
            near.onReceive((from, payload, at) -> complete(nearHas, payload, marker, at));
            far.onReceive((from, payload, at) -> complete(farHas, payload, marker, at));
            ByteBuf frame = publisher.buffer(400);
            Workload.text(frame, "[{\"type\":\"register\",\"id\":");
            Workload.number(frame, 1_000 + i);
            Workload.text(frame, ",\"instances\":[");
            workload.instance(frame, i % instances, i);
            Workload.text(frame, "]}]");
            long sent = System.nanoTime();
            publisher.send(frame);
            confirmed.recordValue(within(done) - sent);
            here.recordValue(within(nearHas) - sent);
            there.recordValue(within(farHas) - sent);
            StartTime.pause(tick + 1_000_000_000L / perSecond - System.nanoTime());
        }
        table.latencies(instances + " instances: answered by A", confirmed);
        table.latencies(instances + " instances: subscriber at A", here);
        table.latencies(instances + " instances: subscriber at B", there);
        Session.byeAll(List.of(publisher, near, far));
    }

    private static boolean contains(Session far, Workload workload, int instances) {
        CompletableFuture<Boolean> there = new CompletableFuture<>();
        byte[] last = ("-" + (instances - 1) + "\"").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        far.onReceive((from, payload, at) -> {
            if (Scan.count(payload, Scan.VIEW) > 0) {
                there.complete(Scan.contains(payload, last));
            }
        });
        far.send("[{\"type\":\"subscribe\",\"id\":7,\"service\":\"" + workload.serviceName(0)
                + "\"},{\"type\":\"unsubscribe\",\"id\":8,\"service\":\"" + workload.serviceName(0) + "\"}]");
        return there.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void complete(CompletableFuture<Long> has, ByteBuf payload, byte[] marker, long at) {
        if (Scan.contains(payload, marker)) {
            has.complete(at);
        }
    }

    private static long within(CompletableFuture<Long> future) {
        return future.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private static void register(Session publisher, Workload workload, int first, int count) {
        int messages = (count + PER_MESSAGE - 1) / PER_MESSAGE;
        CompletableFuture<Void> all = new CompletableFuture<>();
        int[] left = {messages};
        publisher.onReceive((from, payload, at) -> {
            left[0] -= Scan.count(payload, Scan.DONE);
            if (left[0] == 0) {
                all.complete(null);
            }
        });
        for (int m = 0; m < messages; m++) {
            int from = m * PER_MESSAGE;
            ByteBuf frame = publisher.buffer(PER_MESSAGE * 200);
            frame.writeByte('[');
            workload.register(frame, m + 1, first + from, Math.min(PER_MESSAGE, count - from));
            frame.writeByte(']');
            publisher.send(frame);
        }
        all.orTimeout(60, TimeUnit.SECONDS).join();
    }

    /**
     * New instances at A, each a message and a frame of its own, and what they cost each node.
     *
     * @param perSecond 0: as fast as it goes, a few sessions with a window each
     */
    void cost(int changes, int perSecond, Table table) throws IOException {
        List<Session> sessions = Session.openMany(threads, nodes.sessions(0), "cost-" + perSecond, COST_SESSIONS);
        Workload workload = new Workload("orders-", 1_000, 1);
        for (int round = -2; round < 1; round++) { // the first ones are for the compilers
            long[] cpu = new long[nodes.count()];
            for (int n = 0; n < nodes.count(); n++) {
                cpu[n] = nodes.process(n).cpuNanos();
            }
            long bytes = nodes.count() > 1 ? nodes.peerBytes() : 0;
            long start = System.nanoTime();
            int first = (round + 2) * changes;
            if (perSecond > 0) {
                paced(sessions.get(0), workload, first, changes, perSecond);
            } else {
                flatOut(sessions, workload, first, changes);
            }
            double took = (System.nanoTime() - start) / 1e9;
            StartTime.pause(TimeUnit.MILLISECONDS.toNanos(500));
            if (round == 0) {
                table.row(
                        (nodes.count() > 1 ? nodes.count() + " nodes" : "one node") + ", "
                                + (perSecond > 0 ? perSecond + "/s" : "flat out"),
                        Table.number(changes / took),
                        micros(0, cpu, changes),
                        nodes.count() > 1 ? micros(1, cpu, changes) : "",
                        nodes.count() > 1
                                ? Table.number((double) (nodes.peerBytes() - bytes) / changes / (nodes.count() - 1))
                                : "");
            }
        }
        Session.byeAll(sessions);
    }

    private String micros(int node, long[] before, int changes) {
        return Table.number((nodes.process(node).cpuNanos() - before[node]) / 1e3 / changes);
    }

    private static void paced(Session session, Workload workload, int first, int changes, int perSecond) {
        int[] left = {changes};
        CompletableFuture<Void> all = new CompletableFuture<>();
        session.onReceive((from, payload, at) -> {
            left[0] -= Scan.count(payload, Scan.DONE);
            if (left[0] == 0) {
                all.complete(null);
            }
        });
        long start = System.nanoTime();
        for (int i = 0; i < changes; i++) {
            StartTime.pause(start + i * 1_000_000_000L / perSecond - System.nanoTime());
            one(session, workload, first + i, i + 1);
        }
        all.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private static void one(Session session, Workload workload, int n, long id) {
        ByteBuf frame = session.buffer(400);
        frame.writeByte('[');
        workload.register(frame, id, n, 1);
        frame.writeByte(']');
        session.send(frame);
    }

    private static void flatOut(List<Session> sessions, Workload workload, int first, int changes) {
        int each = changes / sessions.size();
        List<CompletableFuture<Void>> all = new java.util.ArrayList<>();
        for (int s = 0; s < sessions.size(); s++) {
            Session session = sessions.get(s);
            int from = first + s * each;
            int[] sent = {0};
            int[] answered = {0};
            CompletableFuture<Void> done = new CompletableFuture<>();
            all.add(done);
            session.onReceive((who, payload, at) -> {
                answered[0] += Scan.count(payload, Scan.DONE);
                while (sent[0] < each && sent[0] - answered[0] < COST_WINDOW) {
                    one(session, workload, from + sent[0], ++sent[0]);
                }
                if (answered[0] == each) {
                    done.complete(null);
                }
            });
            session.onThread(() -> {
                while (sent[0] < Math.min(each, COST_WINDOW)) {
                    one(session, workload, from + sent[0], ++sent[0]);
                }
            });
        }
        all.forEach(done -> done.orTimeout(120, TimeUnit.SECONDS).join());
    }
}
