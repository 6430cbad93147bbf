package io.mooring.server.config;

import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.edge.disk.FileStorage;
import io.mooring.server.edge.probe.TcpProber;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.NodeId;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The node and what it lives on: its loop and its directory. */
final class Core implements AutoCloseable {
    private final ThreadEventLoop loop;
    private final @Nullable FileStorage storage;
    private final RegistryNode node;

    private Core(ThreadEventLoop loop, @Nullable FileStorage storage, RegistryNode node) {
        this.loop = loop;
        this.storage = storage;
        this.node = node;
    }

    /** @throws StartRefusedException when the data directory cannot be used */
    static Core start(MooringProperties properties, EventLoopGroup group) {
        ThreadEventLoop loop = new ThreadEventLoop("mooring-core");
        Path directory = properties.dataDirectory();
        FileStorage storage = null;
        try {
            storage = properties.restore().enabled() ? new FileStorage(directory, loop) : null;
            Prober prober = properties.probe().enabled()
                    ? new TcpProber(group, loop, properties.probe().timeout())
                    : Prober.none();
            return new Core(loop, storage, onLoop(loop, properties, prober, Optional.ofNullable(storage)));
        } catch (IOException e) {
            close(loop, storage);
            throw StartRefusedException.unusable(directory, e);
        }
    }

    private static RegistryNode onLoop(
            ThreadEventLoop loop, MooringProperties properties, Prober prober, Optional<Storage> storage)
            throws IOException {
        SplittableRandom random = new SplittableRandom(new SecureRandom().nextLong());
        CompletableFuture<RegistryNode> made = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                made.complete(new RegistryNode(settings(properties), loop, random, prober, storage, PeerDialer.none()));
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

    private static NodeSettings settings(MooringProperties properties) {
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
                new NodeId(properties.node().name()),
                lease,
                new ProtectionSettings(
                        protection.window(), protection.share(), protection.atLeast(), protection.confirmation()),
                properties.restore().patience(),
                properties.restore().required(),
                ClusterSettings.ALONE);
    }

    RegistryNode node() {
        return node;
    }

    /** Tasks that wait for the loop. */
    int backlog() {
        return loop.backlog();
    }

    @Override
    public void close() {
        close(loop, storage);
    }

    private static void close(ThreadEventLoop loop, @Nullable FileStorage storage) {
        if (storage != null) {
            storage.close(); // before the loop: what it still has to say, it says there
        }
        loop.close();
    }
}
