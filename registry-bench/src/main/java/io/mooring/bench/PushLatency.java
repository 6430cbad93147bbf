package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

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
            run.measure(instances + " × " + subscribers, process, warmUp, changes, seconds, table);
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

    private static final class Run extends ClosedLoop {
        private final Workload workload = new Workload("orders-", 1, 1);
        private final Session publisher;
        private final List<Session> listeners;
        private final int instances;
        private CompletableFuture<Void> prepared = new CompletableFuture<>();
        private int expected;
        private byte[] marker = {};

        Run(Session publisher, List<Session> listeners, int instances) {
            super(listeners.size());
            this.publisher = publisher;
            this.listeners = listeners;
            this.instances = instances;
        }

        void prepare() {
            int messages = (instances + PER_MESSAGE - 1) / PER_MESSAGE;
            expect(messages);
            publisher.onReceive((from, payload, at) -> has(Scan.count(payload, Scan.DONE)));
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
                listener.onReceive((from, payload, at) -> has(Scan.count(payload, Scan.VIEW)));
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
            prepared = new CompletableFuture<>();
            expected = count;
        }

        private void has(int count) {
            expected -= count;
            if (expected == 0) {
                prepared.complete(null);
            }
        }

        private void await() {
            prepared.orTimeout(60, TimeUnit.SECONDS).join();
        }

        @Override
        void send(int version) {
            marker = Workload.marker(version);
            ByteBuf frame = publisher.buffer(400);
            Workload.text(frame, "[{\"type\":\"register\",\"id\":");
            Workload.number(frame, 1_000 + version);
            Workload.text(frame, ",\"instances\":[");
            workload.instance(frame, version % instances, version);
            Workload.text(frame, "]}]");
            stamp();
            publisher.send(frame);
        }

        @Override
        void onThread(Runnable task) {
            publisher.onThread(task);
        }

        @Override
        long receivedBytes() {
            return payload(listeners);
        }
    }
}
