package io.mooring.server.config;

import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.edge.disk.FileStorage;
import io.mooring.server.edge.peer.PeerMeter;
import io.mooring.server.edge.probe.TcpProber;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.shard.NodeId;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The node and what it lives on: its loop, its directory, and the way to its peers. */
final class Core implements AutoCloseable {
    private final ThreadEventLoop loop;
    private final @Nullable FileStorage storage;
    private final @Nullable ClusterEdge cluster;
    private final RegistryNode node;

    private Core(
            ThreadEventLoop loop, @Nullable FileStorage storage, @Nullable ClusterEdge cluster, RegistryNode node) {
        this.loop = loop;
        this.storage = storage;
        this.cluster = cluster;
        this.node = node;
    }

    /** @throws StartRefusedException when the data directory or the port of peers cannot be used */
    static Core start(MooringProperties properties, EventLoopGroup group, PeerMeter meter) {
        ThreadEventLoop loop = new ThreadEventLoop("mooring-core");
        Path directory = properties.dataDirectory();
        FileStorage storage = null;
        ClusterEdge cluster = null;
        try {
            storage = properties.restore().enabled() ? new FileStorage(directory, loop) : null;
            NodeId self = new NodeId(name(properties, storage));
            cluster = ClusterEdge.of(properties, loop, meter).orElse(null);
            return new Core(loop, storage, cluster, onLoop(self, loop, properties, group, storage, cluster));
        } catch (IOException e) {
            close(loop, storage, cluster);
            throw StartRefusedException.unusable(directory, e);
        } catch (RuntimeException e) {
            close(loop, storage, cluster);
            throw e;
        }
    }

    private static String name(MooringProperties properties, @Nullable FileStorage storage) throws IOException {
        String given = properties.node().name();
        String otherwise = MooringProperties.Node.hostName();
        if (storage == null) {
            return given.isEmpty() ? otherwise : given;
        }
        return NodeName.settle(storage, properties.dataDirectory(), given, otherwise);
    }

    private static RegistryNode onLoop(
            NodeId self,
            ThreadEventLoop loop,
            MooringProperties properties,
            EventLoopGroup group,
            @Nullable FileStorage storage,
            @Nullable ClusterEdge cluster)
            throws IOException {
        Prober prober = properties.probe().enabled()
                ? new TcpProber(group, loop, properties.probe().timeout())
                : Prober.none();
        NodeSettings settings = settings(self, properties, cluster);
        CompletableFuture<RegistryNode> made = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                RegistryNode node = new RegistryNode(
                        settings,
                        loop,
                        new SecureRandom(), // nonces must not be guessed
                        prober,
                        Optional.ofNullable(storage),
                        cluster == null ? PeerDialer.none() : cluster.dialer(),
                        System::currentTimeMillis);
                if (cluster != null) {
                    cluster.open(node);
                }
                made.complete(node);
            } catch (IOException | RuntimeException e) {
                made.completeExceptionally(e);
            }
        });
        try {
            return made.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException unreadable) {
                throw unreadable;
            }
            throw new IllegalStateException("the core does not start", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while starting", e);
        }
    }

    private static NodeSettings settings(NodeId self, MooringProperties properties, @Nullable ClusterEdge cluster) {
        MooringProperties.Limits limits = properties.limits();
        MooringProperties.Protection protection = properties.protection();
        LeaseSettings lease = new LeaseSettings(
                properties.lease().ttl(),
                properties.lease().grace(),
                protection.evictionWindow(),
                protection.evictionShare(),
                protection.evictionFloor(),
                limits.instances(),
                limits.services(),
                limits.instancesPerService(),
                limits.instancesPerSession(),
                limits.sessions());
        return new NodeSettings(
                self,
                lease,
                new ProtectionSettings(
                        protection.window(), protection.share(), protection.atLeast(), protection.confirmation()),
                properties.restore().patience(),
                properties.restore().required(),
                cluster == null ? ClusterSettings.ALONE : cluster.settings());
    }

    RegistryNode node() {
        return node;
    }

    /** Tasks that wait for the loop. */
    int backlog() {
        return loop.backlog();
    }

    /** The port of peers; nothing for a node by itself. */
    Optional<ClusterEdge> cluster() {
        return Optional.ofNullable(cluster);
    }

    @Override
    public void close() {
        close(loop, storage, cluster);
    }

    private static void close(ThreadEventLoop loop, @Nullable FileStorage storage, @Nullable ClusterEdge cluster) {
        if (cluster != null) {
            cluster.close();
        }
        if (storage != null) {
            storage.close(); // before the loop: what it still has to say, it says there
        }
        loop.close();
    }
}
