package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.edge.nacos.Access;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.restore.MemoryStorage;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** A node by itself, with the endpoint in front of it. */
final class TestEndpoint implements AutoCloseable {
    final ThreadEventLoop loop = new ThreadEventLoop("test-loop");
    final Map<String, Integer> refused = new ConcurrentHashMap<>();
    final Map<String, Integer> answered = new ConcurrentHashMap<>();
    final RegistryNode node;
    final NacosGrpcServer server;
    final int port;

    TestEndpoint() {
        this(settings -> {});
    }

    /** What a test wants otherwise. */
    static final class Wishes {
        int connections = 100;
        int subscriptions = 100;
        int patterns = 3;
        int matches = 25;
        Duration ttl = Duration.ofSeconds(20);
        Duration grace = Duration.ofSeconds(10);
        Duration setUpWithin = Duration.ofSeconds(30);
        Duration askAfter = Duration.ofSeconds(12);
        Duration ackWithin = Duration.ofSeconds(5);
        Duration answerTakenWithin = Duration.ofDays(1); // so that slow machines are told no more than quick ones
        Duration pingsApart = Duration.ofSeconds(10);
        long outgoingBytes = 64 << 20;
        Access access = Access.OPEN;
        LongSupplier wall = System::currentTimeMillis;
        LeaseSettings lease = LeaseSettings.DEFAULTS;
        boolean awaitReady = true;
        boolean disk;
    }

    TestEndpoint(Consumer<Wishes> wish) {
        Wishes wishes = new Wishes();
        wish.accept(wishes);
        NacosGrpcSettings defaults = NacosGrpcSettings.defaults(0);
        NacosGrpcSettings settings = new NacosGrpcSettings(
                "127.0.0.1",
                0,
                8848,
                wishes.connections,
                defaults.calls(),
                wishes.subscriptions,
                wishes.patterns,
                wishes.matches,
                wishes.ttl,
                wishes.grace,
                wishes.setUpWithin,
                wishes.askAfter,
                wishes.ackWithin,
                wishes.answerTakenWithin,
                defaults.stalledAfter(),
                wishes.pingsApart,
                wishes.outgoingBytes,
                defaults.doubt());
        CompletableFuture<RegistryNode> made = new CompletableFuture<>();
        NodeSettings standard = NodeSettings.defaults("n1");
        loop.execute(() -> {
            try {
                made.complete(new RegistryNode(
                        new NodeSettings(
                                standard.self(),
                                wishes.lease,
                                standard.protection(),
                                standard.diskPatience(),
                                false,
                                standard.cluster()),
                        loop,
                        new Random(1),
                        Prober.none(),
                        wishes.disk ? Optional.of(new MemoryStorage(loop)) : Optional.empty(),
                        PeerDialer.none(),
                        wishes.wall));
            } catch (IOException e) {
                made.completeExceptionally(e);
            }
        });
        try {
            node = made.get(5, TimeUnit.SECONDS);
            NacosGrpcMeter meter = new NacosGrpcMeter() {
                @Override
                public void answered(String type, String code) {
                    answered.merge(type + " " + code, 1, Integer::sum);
                }

                @Override
                public void pushed(long nanos) {
                    answered.merge("pushed", 1, Integer::sum);
                }

                @Override
                public void acked(boolean acked) {
                    answered.merge(acked ? "acked" : "unacked", 1, Integer::sum);
                }

                @Override
                public void refused(String code) {
                    refused.merge(code, 1, Integer::sum);
                }
            };
            server = new NacosGrpcServer(node, settings, wishes.access, meter, new Random(2));
            port = server.start();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        if (wishes.awaitReady) {
            await(() -> node.status().ready());
        }
    }

    ServiceView view(String service) {
        return node.view(ServiceKey.of(service));
    }

    /** Something that happens by itself, soon. */
    static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, "did not come to hold within 20 s");
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        server.close();
        loop.close();
    }
}
