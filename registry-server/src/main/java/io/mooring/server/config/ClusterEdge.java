package io.mooring.server.config;

import io.mooring.runtime.EventLoop;
import io.mooring.server.edge.peer.AddressSource;
import io.mooring.server.edge.peer.AddressWatch;
import io.mooring.server.edge.peer.NameLookup;
import io.mooring.server.edge.peer.OwnAddress;
import io.mooring.server.edge.peer.PeerAddress;
import io.mooring.server.edge.peer.PeerClient;
import io.mooring.server.edge.peer.PeerMeter;
import io.mooring.server.edge.peer.PeerServer;
import io.mooring.server.edge.peer.PeerSettings;
import io.mooring.server.edge.peer.PeerTls;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.replication.Peers;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The other nodes, seen from here: the port where they connect, the dialler, and where their addresses come from. Made
 * before the node, which has to say where it can be reached; opened once it is there.
 */
final class ClusterEdge implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ClusterEdge.class);
    private static final Duration FILE_EVERY = Duration.ofSeconds(2);
    private static final Duration NAME_EVERY = Duration.ofSeconds(10);
    private static final Duration FIRST_LIST = Duration.ofSeconds(2);

    /** One thread, apart from sessions and probes: a large snapshot must not delay them. */
    private final EventLoopGroup threads = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("mooring-peer-io", true), NioIoHandler.newFactory());

    private final EventLoop loop;
    private final PeerServer server;
    private final PeerClient client;
    private final @Nullable AddressWatch watch;
    private final ClusterSettings settings;
    private final int port;
    private final AtomicBoolean closed = new AtomicBoolean();
    private @Nullable Peers ends; // the event loop's own

    private ClusterEdge(MooringProperties properties, EventLoop loop, PeerMeter meter) {
        this.loop = loop;
        MooringProperties.Cluster cluster = properties.cluster();
        PeerSettings lines = PeerSettings.defaults(properties.bind(), cluster.port(), tls(cluster.tls()));
        server = new PeerServer(lines, loop, this::ends, meter, threads);
        client = new PeerClient(lines, loop, this::ends, meter, threads, NameLookup.system());
        watch = source(cluster)
                .map(source -> new AddressWatch(source, cluster.dns().isEmpty() ? FILE_EVERY : NAME_EVERY))
                .orElse(null);
        try {
            port = server.bind();
            settings = settings(properties, watch == null ? cluster.peers() : watch.first(FIRST_LIST));
        } catch (IOException e) {
            close();
            InetSocketAddress address = InetSocketAddress.createUnresolved(properties.bind(), cluster.port());
            throw StartRefusedException.portTaken("peers", address, "mooring.cluster.port", e);
        }
        if (!cluster.authenticates()) {
            log.warn("Peers need not prove that they belong to the cluster; set mooring.cluster.secret-file");
        }
        log.info(
                "Cluster {}: peers reach this node at {}, sessions {}; looking for {}",
                cluster.name(),
                settings.advertised(),
                settings.sessions().isEmpty() ? "at a port that is free" : "at " + settings.sessions(),
                watch == null || !settings.addresses().isEmpty() ? settings.addresses() : "peers");
    }

    /**
     * @return nothing when no peers are configured
     * @throws StartRefusedException when the port is taken or certificates cannot be used
     */
    static Optional<ClusterEdge> of(MooringProperties properties, EventLoop loop, PeerMeter meter) {
        return properties.cluster().isConfigured()
                ? Optional.of(new ClusterEdge(properties, loop, meter))
                : Optional.empty();
    }

    private static Optional<PeerTls> tls(MooringProperties.Cluster.Tls tls) {
        if (!tls.isConfigured()) {
            return Optional.empty();
        }
        try {
            return Optional.of(PeerTls.read(Path.of(tls.certificate()), Path.of(tls.key()), Path.of(tls.trust())));
        } catch (IOException e) {
            throw StartRefusedException.badTls(e);
        }
    }

    private static Optional<AddressSource> source(MooringProperties.Cluster cluster) {
        if (!cluster.peersFile().isEmpty()) {
            return Optional.of(AddressSource.file(Path.of(cluster.peersFile())));
        }
        return cluster.dns().isEmpty()
                ? Optional.empty()
                : Optional.of(AddressSource.name(PeerAddress.parse(cluster.dns()), NameLookup.system()));
    }

    private ClusterSettings settings(MooringProperties properties, List<String> peers) throws UnknownHostException {
        MooringProperties.Cluster cluster = properties.cluster();
        String host = cluster.address().isEmpty() ? OwnAddress.of(properties.bind(), peers) : cluster.address();
        int sessions = properties.session().port();
        Duration heartbeat = cluster.heartbeat();
        return new ClusterSettings(
                cluster.name(),
                peers,
                cluster.sharedSecret(),
                new PeerAddress(host, port).toString(),
                sessions == 0 ? "" : new PeerAddress(host, sessions).toString(),
                heartbeat,
                heartbeat.multipliedBy(3),
                heartbeat.multipliedBy(15).dividedBy(2),
                cluster.startPatience());
    }

    ClusterSettings settings() {
        return settings;
    }

    PeerDialer dialer() {
        return client;
    }

    /** On the loop, as soon as the node is there: lets other nodes in, and tells of those that are listed later. */
    void open(RegistryNode node) {
        ends = node.peers();
        server.open();
        if (watch != null) {
            watch.start(list -> loop.execute(() -> node.configured(list)));
        }
    }

    /** On the loop; lines are only opened by the node itself, or after {@link #open}. */
    private Peers ends() {
        Peers known = ends;
        if (known == null) {
            throw new IllegalStateException("a line is open before there is a node");
        }
        return known;
    }

    /** Where it listens. */
    int port() {
        return port;
    }

    int connections() {
        return server.connections();
    }

    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        if (watch != null) {
            watch.close();
        }
        server.close();
        client.close();
        threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
