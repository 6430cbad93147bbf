package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How many requests of Nacos clients a registry answers per second: each connection asks the next when it has its answers. */
final class NacosRate {
    private static final int QUERIED = 100;

    private final EventLoopGroup threads;
    private final InetSocketAddress server;
    private final ServerProcess process;
    private final int connections;
    private final int services;

    /** @param services each connection registers an instance in each of them */
    NacosRate(EventLoopGroup threads, InetSocketAddress server, ServerProcess process, int connections, int services) {
        this.threads = threads;
        this.server = server;
        this.process = process;
        this.connections = connections;
        this.services = services;
    }

    /** Writes the {@code i}th request of the {@code c}th connection. */
    private interface Asking {
        ByteBuf text(int c, int i);
    }

    private record Round(double perSecond, double cpuMicros) {}

    /** Rounds of one kind, the first ones of which are for the compilers. */
    private final class Series {
        private final List<Round> rounds = new ArrayList<>();
        private final Histogram times = new Histogram(3);
        private int warmUps;

        Series(int warmUps) {
            this.warmUps = warmUps;
        }

        void run(List<NacosClient> clients, int window, int each, String type, Asking asking) {
            if (warmUps == 0) {
                times.reset();
            }
            long cpu = process.cpuNanos();
            long start = System.nanoTime();
            List<Sender> senders = new ArrayList<>();
            for (int c = 0; c < clients.size(); c++) {
                senders.add(new Sender(clients.get(c), c, window, each, type, asking, times));
            }
            senders.forEach(Sender::start);
            senders.forEach(
                    sender -> sender.finished.orTimeout(120, TimeUnit.SECONDS).join());
            long took = System.nanoTime() - start;
            double all = (double) each * clients.size();
            if (--warmUps < 0) {
                rounds.add(new Round(all * 1e9 / took, (process.cpuNanos() - cpu) / 1e3 / all));
            }
        }

        void row(String name, Table table) {
            rounds.sort(Comparator.comparingDouble(Round::perSecond));
            Round median = rounds.get((rounds.size() - 1) / 2);
            table.row(
                    name,
                    Table.number(median.perSecond),
                    Table.number(rounds.get(0).perSecond) + " – "
                            + Table.number(rounds.get(rounds.size() - 1).perSecond),
                    Table.number(median.cpuMicros),
                    Table.millis((double) times.getValueAtPercentile(50)),
                    Table.millis((double) times.getValueAtPercentile(99)));
        }
    }

    /**
     * Registers new instances, and deregisters them between the rounds.
     *
     * @param window unanswered requests of each connection
     */
    void register(int window, int warmUps, int rounds, Table table) {
        List<NacosClient> clients = NacosClient.openMany(threads, server, connections);
        Series in = new Series(warmUps);
        Series out = new Series(warmUps);
        for (int round = -warmUps; round < rounds; round++) {
            in.run(
                    clients,
                    window,
                    services,
                    "InstanceRequest",
                    (c, i) -> NacosWorkload.register((i + c) % services, c * services + i, 0));
            out.run(
                    clients,
                    window,
                    services,
                    "InstanceRequest",
                    (c, i) -> NacosWorkload.deregister((i + c) % services, c * services + i));
        }
        refuseRefusals(clients);
        in.row("register, " + inFlight(window), table);
        out.row("deregister, " + inFlight(window), table);
        NacosClient.closeAll(clients);
    }

    /** Asks for services of so many instances. */
    void query(int instances, int window, int each, int warmUps, int rounds, Table table) {
        List<NacosClient> publishers = NacosClient.openMany(threads, server, instances);
        new Series(1)
                .run(
                        publishers,
                        1,
                        QUERIED,
                        "InstanceRequest",
                        (c, i) -> NacosWorkload.register(services + i, instances * i + c, 0));
        List<NacosClient> clients = NacosClient.openMany(threads, server, connections);
        Series series = new Series(warmUps);
        for (int round = -warmUps; round < rounds; round++) {
            series.run(
                    clients,
                    window,
                    each,
                    "ServiceQueryRequest",
                    (c, i) -> NacosWorkload.query(services + (c + i) % QUERIED));
        }
        refuseRefusals(publishers);
        refuseRefusals(clients);
        series.row("query of " + instances + " instances, " + inFlight(window), table);
        NacosClient.closeAll(publishers);
        NacosClient.closeAll(clients);
    }

    private String inFlight(int window) {
        return connections * window + " in flight";
    }

    private static void refuseRefusals(List<NacosClient> clients) {
        for (NacosClient client : clients) {
            client.onThread(() -> {
                if (client.refused() != 0) {
                    throw new IllegalStateException(
                            client.refused() + " requests were refused: the figure would be wrong");
                }
            });
        }
    }

    /** Keeps one connection's window full. Confined to the connection's thread once started. */
    private static final class Sender implements NacosClient.Receiver {
        private final CompletableFuture<Void> finished = new CompletableFuture<>();
        private final NacosClient client;
        private final int number;
        private final int window;
        private final int count;
        private final String type;
        private final Asking asking;
        private final Histogram times;
        private int asked;
        private int answered;

        Sender(NacosClient client, int number, int window, int count, String type, Asking asking, Histogram times) {
            this.client = client;
            this.number = number;
            this.window = window;
            this.count = count;
            this.type = type;
            this.asking = asking;
            this.times = times;
        }

        void start() {
            client.onReceive(this);
            client.onThread(this::fill);
        }

        @Override
        public void answered(NacosClient from, long sentAt, long at) {
            times.recordValue(at - sentAt);
            answered++;
            fill();
            if (answered == count) {
                finished.complete(null);
            }
        }

        private void fill() {
            while (asked < count && asked - answered < window) {
                client.request(type, asking.text(number, asked++));
            }
        }
    }
}
