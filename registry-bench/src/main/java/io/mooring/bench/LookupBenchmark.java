package io.mooring.bench;

import io.mooring.client.Balancer;
import io.mooring.client.Mooring;
import io.mooring.client.Service;
import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.edge.session.SessionMeter;
import io.mooring.server.edge.session.SessionServer;
import io.mooring.server.edge.session.SessionSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a call pays to find whom to call: the real SDK, with a list that a real registry sent it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class LookupBenchmark {
    @Param({"10", "100", "1000"})
    int instances;

    private final ThreadEventLoop loop = new ThreadEventLoop("registry");
    private final EventLoopGroup threads = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Balancer roundRobin = Balancer.roundRobin();
    private @Nullable SessionServer server;
    private @Nullable Mooring mooring;
    private @Nullable Service service;

    /** Starts a registry and a client, and fills the list. */
    @Setup
    public void start() throws IOException {
        CompletableFuture<RegistryNode> node = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                node.complete(new RegistryNode(
                        NodeSettings.defaults("n1"),
                        loop,
                        new SplittableRandom(1),
                        Prober.none(),
                        Optional.empty(),
                        PeerDialer.none(),
                        System::currentTimeMillis));
            } catch (IOException e) {
                node.completeExceptionally(e);
            }
        });
        server = new SessionServer(node.join(), SessionSettings.defaults(0), SessionMeter.NONE, threads);
        int port = server.start();
        mooring = Mooring.builder().servers("127.0.0.1:" + port).cacheDisabled().build();
        List<Instance> all = new ArrayList<>();
        for (int i = 0; i < instances; i++) {
            all.add(Instance.of(ServiceKey.of("orders"), "10.1." + i / 256 + "." + i % 256, 8_080)
                    .withWeight(1 + i % 3)
                    .withMetadata(Map.of("zone", "zone-" + i % 3, "version", "1.4." + i % 10, "protocol", "grpc")));
        }
        mooring.register(all)
                .forEach(handle ->
                        handle.whenRegistered().orTimeout(30, TimeUnit.SECONDS).join());
        service = mooring.service("orders");
        service.whenLive().orTimeout(30, TimeUnit.SECONDS).join();
        int listed = service.instances().size();
        if (listed != instances) {
            throw new IllegalStateException("instances: " + listed + " (expected: " + instances + ")");
        }
    }

    @TearDown
    public void stop() {
        if (mooring != null) {
            mooring.close();
        }
        if (server != null) {
            server.close();
        }
        threads.shutdownGracefully().syncUninterruptibly();
        loop.close();
    }

    /** One of them, by weight. */
    @Benchmark
    public Optional<Instance> weightedRandom() {
        return service().choose();
    }

    /** One of them, in turn. */
    @Benchmark
    public Optional<Instance> roundRobin() {
        return service().choose(roundRobin);
    }

    /** All of them. */
    @Benchmark
    public List<Instance> wholeList() {
        return service().instances();
    }

    private Service service() {
        if (service == null) {
            throw new IllegalStateException("not started");
        }
        return service;
    }
}
