package io.mooring.bench;

import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * From a change sent until the last Nacos client has it: one instance is registered anew with another label, again and again,
 * in a service of a given size with a given number of subscribers, each on a connection of its own. All take what is
 * compressed and acknowledge what they get; one of them inflates a list now and then, to see that it is the right one.
 */
final class NacosPush {
    private static final int PER_BATCH = 100;
    private static final int LOOKED_AT = 64; // each so many-th change is
    private static final int FIRST_SERVICE = 1_000_000;

    private final EventLoopGroup threads;
    private final InetSocketAddress server;
    private final ServerProcess process;

    NacosPush(EventLoopGroup threads, InetSocketAddress server, ServerProcess process) {
        this.threads = threads;
        this.server = server;
        this.process = process;
    }

    void measure(int instances, int subscribers, int warmUp, int changes, int seconds, Table table) {
        int service = FIRST_SERVICE + 1_000 * instances + subscribers; // of its own each time
        List<NacosClient> publishers = publish(threads, server, service, instances);
        List<NacosClient> listeners = subscribe(threads, server, service, subscribers);
        listeners.get(0).keepPushes();
        Run run = new Run(publishers.get(0), listeners, service);
        run.measure(instances + " × " + subscribers, process, warmUp, changes, seconds, table);
        NacosClient.closeAll(listeners);
        NacosClient.closeAll(publishers);
    }

    /** A service of that size; its first instance is alone on the first connection. */
    static List<NacosClient> publish(EventLoopGroup threads, InetSocketAddress server, int service, int instances) {
        int batches = (instances - 1 + PER_BATCH - 1) / PER_BATCH;
        List<NacosClient> publishers = NacosClient.openMany(threads, server, batches + 1);
        for (int b = 0; b <= batches; b++) {
            int first = 1 + (b - 1) * PER_BATCH;
            ask(
                    publishers.get(b),
                    b == 0 ? "InstanceRequest" : "BatchInstanceRequest",
                    b == 0
                            ? NacosWorkload.register(service, 0, 0)
                            : NacosWorkload.batch(service, first, Math.min(PER_BATCH, instances - first)));
        }
        return publishers;
    }

    /** Connections with a subscription each. */
    static List<NacosClient> subscribe(EventLoopGroup threads, InetSocketAddress server, int service, int count) {
        List<NacosClient> listeners = NacosClient.openMany(threads, server, count);
        for (NacosClient listener : listeners) {
            ask(listener, "SubscribeServiceRequest", NacosWorkload.subscribe(service));
        }
        return listeners;
    }

    /** Asks once and waits for the answer. */
    static void ask(NacosClient client, String type, io.netty.buffer.ByteBuf text) {
        CompletableFuture<Void> answered = new CompletableFuture<>();
        client.onReceive(new NacosClient.Receiver() {
            @Override
            public void answered(NacosClient from, long sentAt, long at) {
                answered.complete(null);
            }
        });
        client.request(type, text);
        answered.orTimeout(60, TimeUnit.SECONDS).join();
        client.onThread(() -> {
            if (client.refused() != 0) {
                throw new IllegalStateException("a " + type + " was refused");
            }
        });
    }

    private static long received(List<NacosClient> clients) {
        long[] sum = new long[1];
        clients.forEach(client -> client.onThread(() -> sum[0] += client.received()));
        return sum[0];
    }

    private static final class Run extends ClosedLoop implements NacosClient.Receiver {
        private final NacosClient publisher;
        private final List<NacosClient> listeners;
        private final int service;
        private final List<String> odd = new ArrayList<>();

        Run(NacosClient publisher, List<NacosClient> listeners, int service) {
            super(listeners.size());
            this.publisher = publisher;
            this.listeners = listeners;
            this.service = service;
            publisher.onReceive(this);
            listeners.forEach(listener -> listener.onReceive(this));
        }

        @Override
        void send(int version) {
            stamp();
            publisher.request("InstanceRequest", NacosWorkload.register(service, 0, version));
        }

        @Override
        void onThread(Runnable task) {
            publisher.onThread(task);
        }

        @Override
        long receivedBytes() {
            return NacosPush.received(listeners);
        }

        @Override
        public void answered(NacosClient from, long asked, long at) {
            received(0);
        }

        @Override
        public void pushed(NacosClient from, long at) {
            received(at);
        }

        @Override
        void arrived(int version) {
            NacosClient first = listeners.get(0);
            if (first.pushes() != version) {
                odd.add("after change " + version + " the first subscriber has had " + first.pushes() + " lists");
            }
            if (version % LOOKED_AT == 0 && !first.kept().contains(NacosWorkload.marker(version))) {
                odd.add("the list that came after change " + version + " does not have it");
            }
        }

        @Override
        void verify() {
            publisher.onThread(() -> {
                if (!odd.isEmpty()) {
                    throw new IllegalStateException(odd.size() + " times, the figures would be wrong: " + odd.get(0));
                }
            });
        }
    }

    /**
     * From a registration answered by one node until subscribers there and elsewhere have the list with it: one change at a time, at
     * a moderate rate.
     *
     * @param elsewhere where the second subscriber is
     */
    static void across(
            EventLoopGroup threads,
            InetSocketAddress here,
            InetSocketAddress elsewhere,
            int instances,
            int warmUp,
            int samples,
            int perSecond,
            Table table) {
        int service = FIRST_SERVICE + instances;
        List<NacosClient> publishers = publish(threads, here, service, instances);
        StartTime.pause(TimeUnit.SECONDS.toNanos(2)); // the other one knows all of them then
        NacosClient publisher = publishers.get(0);
        NacosClient near = subscribe(threads, here, service, 1).get(0);
        NacosClient far = subscribe(threads, elsewhere, service, 1).get(0);
        far.keepPushes();
        Histogram atNear = new Histogram(3);
        Histogram atFar = new Histogram(3);
        for (int i = 1; i <= warmUp + samples; i++) {
            if (i == warmUp + 1) {
                atNear.reset();
                atFar.reset();
            }
            long tick = System.nanoTime();
            CompletableFuture<Long> nearHas = new CompletableFuture<>();
            CompletableFuture<Long> farHas = new CompletableFuture<>();
            near.onReceive(pushed(nearHas));
            far.onReceive(pushed(farHas));
            long sent = System.nanoTime();
            publisher.request("InstanceRequest", NacosWorkload.register(service, 0, i));
            atNear.recordValue(nearHas.orTimeout(30, TimeUnit.SECONDS).join() - sent);
            atFar.recordValue(farHas.orTimeout(30, TimeUnit.SECONDS).join() - sent);
            String marker = NacosWorkload.marker(i);
            far.onThread(() -> {
                if (!far.kept().contains(marker)) {
                    throw new IllegalStateException("a list without the change, the figures would be wrong");
                }
            });
            StartTime.pause(tick + 1_000_000_000L / perSecond - System.nanoTime());
        }
        table.latencies(instances + " instances: subscriber at A", atNear);
        table.latencies(instances + " instances: subscriber at B", atFar);
        NacosClient.closeAll(List.of(near, far));
        NacosClient.closeAll(publishers);
    }

    private static NacosClient.Receiver pushed(CompletableFuture<Long> has) {
        return new NacosClient.Receiver() {
            @Override
            public void pushed(NacosClient from, long at) {
                has.complete(at);
            }
        };
    }
}
