package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/**
 * From a change sent until the last subscriber has it: one change of one instance at a time, in a service of a given
 * size with a given number of subscribers, each on a connection of its own.
 */
final class PushLatency {
    private static final int PER_MESSAGE = 100;

    private final EventLoopGroup threads;
    private final InetSocketAddress server;
    private final ServerProcess process;

    PushLatency(EventLoopGroup threads, InetSocketAddress server, ServerProcess process) {
        this.threads = threads;
        this.server = server;
        this.process = process;
    }

    void measure(int instances, int subscribers, int warmUp, int changes, int seconds, Table table) {
        // A namespace of its own each time: nothing of the run before is left in the service.
        String namespace = "push-" + instances + "-" + subscribers;
        Session publisher = Session.open(threads, server, namespace);
        List<Session> listeners = Session.openMany(threads, server, namespace, subscribers);
        Run run = new Run(publisher, listeners, instances);
        try {
            run.prepare();
            run.change(warmUp, seconds);
            run.latencies.reset();
            long bytes = payload(listeners);
            long cpu = process.cpuNanos();
            long[] before = Loopback.now();
            long start = System.nanoTime();
            int made = run.change(changes, seconds);
            double took = System.nanoTime() - start;
            long[] after = Loopback.now();
            double spent = process.cpuNanos() - cpu;
            bytes = payload(listeners) - bytes;
            Histogram h = run.latencies;
            table.row(
                    instances + " × " + subscribers,
                    String.valueOf(made),
                    Table.millis((double) h.getValueAtPercentile(50)),
                    Table.millis((double) h.getValueAtPercentile(99)),
                    Table.millis((double) h.getMaxValue()),
                    Table.millis(spent / made),
                    Table.number((double) bytes / made),
                    Table.number((double) (after[0] - before[0]) / made),
                    Table.number((double) (after[1] - before[1]) / made),
                    Table.number(made * 1e9 / took));
        } finally {
            Session.byeAll(listeners);
            publisher.bye();
        }
    }

    private static long payload(List<Session> sessions) {
        long sum = 0;
        for (Session session : sessions) {
            long[] one = new long[1];
            session.onThread(() -> one[0] = session.payloadBytes());
            sum += one[0];
        }
        return sum;
    }

    /** All of it on one I/O thread, so that times and counters need no care. */
    private static final class Run {
        private final Histogram latencies = new Histogram(3);
        private final Workload workload = new Workload("orders-", 1, 1);
        private final Session publisher;
        private final List<Session> listeners;
        private final int instances;
        private CompletableFuture<Void> phase = new CompletableFuture<>();
        private int expected;
        private int version;
        private int left;
        private int target;
        private long sentAt;
        private byte[] marker = {};
        private boolean stopped;

        Run(Session publisher, List<Session> listeners, int instances) {
            this.publisher = publisher;
            this.listeners = listeners;
            this.instances = instances;
        }

        void prepare() {
            int messages = (instances + PER_MESSAGE - 1) / PER_MESSAGE;
            expect(messages);
            publisher.onReceive((from, payload, at) -> arrived(Scan.count(payload, Scan.DONE)));
            for (int m = 0; m < messages; m++) {
                int first = m * PER_MESSAGE;
                ByteBuf frame = publisher.buffer(PER_MESSAGE * 200);
                frame.writeByte('[');
                workload.register(frame, m + 1, first, Math.min(PER_MESSAGE, instances - first));
                frame.writeByte(']');
                publisher.send(frame);
            }
            await();
            expect(listeners.size());
            for (Session listener : listeners) {
                listener.onReceive((from, payload, at) -> arrived(Scan.count(payload, Scan.VIEW)));
                listener.send("[{\"type\":\"subscribe\",\"id\":1,\"service\":\"" + workload.serviceName(0) + "\"}]");
            }
            await();
            for (Session listener : listeners) {
                listener.onReceive((from, payload, at) -> {
                    if (Scan.contains(payload, marker)) {
                        received(at);
                    }
                });
            }
            publisher.onReceive((from, payload, at) -> {
                if (Scan.count(payload, Scan.DONE) > 0) {
                    received(0);
                }
            });
        }

        private void expect(int count) {
            phase = new CompletableFuture<>();
            expected = count;
        }

        private void arrived(int count) {
            expected -= count;
            if (expected == 0) {
                phase.complete(null);
            }
        }

        private void await() {
            phase.orTimeout(60, TimeUnit.SECONDS).join();
        }

        /** Makes that many changes, one after the other, or as many as fit; returns how many. */
        int change(int count, int seconds) {
            phase = new CompletableFuture<>();
            target = version + count;
            int before = version;
            stopped = false;
            publisher.onThread(this::next);
            try {
                phase.get(seconds, TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                publisher.onThread(() -> stopped = true);
                phase.orTimeout(30, TimeUnit.SECONDS).join();
            } catch (InterruptedException | java.util.concurrent.ExecutionException e) {
                throw new IllegalStateException("measuring was broken off", e);
            }
            return version - before;
        }

        private void next() {
            version++;
            left = listeners.size() + 1;
            marker = Workload.marker(version);
            ByteBuf frame = publisher.buffer(400);
            Workload.text(frame, "[{\"type\":\"register\",\"id\":");
            Workload.number(frame, 1_000 + version);
            Workload.text(frame, ",\"instances\":[");
            workload.instance(frame, version % instances, version);
            Workload.text(frame, "]}]");
            sentAt = System.nanoTime();
            publisher.send(frame);
        }

        private void received(long at) {
            if (at != 0 && left > 0) {
                lastAt = at;
            }
            if (--left > 0) {
                return;
            }
            latencies.recordValue(lastAt - sentAt);
            if (version == target || stopped) {
                phase.complete(null);
            } else {
                next();
            }
        }

        private long lastAt;
    }
}
