package io.mooring.server.edge.nacos.grpc;

import io.grpc.Attributes;
import io.grpc.CompressorRegistry;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.netty.NettyServerBuilder;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.Access;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.node.RegistryNode;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gRPC endpoint of Nacos clients. One I/O thread of its own reads, answers queries from the views, encodes and writes;
 * what changes something hops onto the event loop, and back when it is visible.
 */
public final class NacosGrpcServer implements NacosSubscribers, NacosConnections, Closeable {
    private static final Logger log = LoggerFactory.getLogger(NacosGrpcServer.class);
    private static final int SOCKET_BUFFER = 64 * 1024;
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(2);
    private static final int FLOW_CONTROL_WINDOW = 1 << 20;

    private final RegistryNode node;
    private final NacosGrpcSettings settings;
    private final Access access;
    private final NacosGrpcMeter meter;
    private final RandomGenerator random;
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("mooring-nacos-io", true), NioIoHandler.newFactory());
    private final EventLoop io = group.next();
    private final Crossing crossing;

    // ---- the I/O thread's own
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final SharedLists lists;
    private final Watches watches;
    private final Interfaces interfaces;
    private final Room room;
    private List<String> draining = List.of();
    private final Set<ServiceKey> resettled = new HashSet<>();
    private boolean drains;
    private int turn;

    private volatile @Nullable Acceptor acceptor;
    private @Nullable Server server;

    /** @param random for secrets, and for who is asked to go when */
    public NacosGrpcServer(
            RegistryNode node,
            NacosGrpcSettings settings,
            Access access,
            NacosGrpcMeter meter,
            RandomGenerator random) {
        this.node = node;
        this.settings = settings;
        this.access = access;
        this.meter = meter;
        this.random = random;
        this.crossing = new Crossing(node.loop(), io);
        this.lists = new SharedLists(node, settings.doubt());
        this.watches = new Watches(settings);
        this.interfaces = new Interfaces(node, settings.subscriptions());
        this.room = new Room(settings.outgoingBytes(), io);
    }

    /**
     * Begins to listen.
     *
     * @return the port
     * @throws IOException when the port is taken or the address is not ours
     */
    public int start() throws IOException {
        node.loop().execute(this::follow);
        NettyServerBuilder builder = NettyServerBuilder.forAddress(
                        new InetSocketAddress(settings.bind(), settings.port()), InsecureServerCredentials.create())
                .channelFactory(this::acceptor)
                .bossEventLoopGroup(group)
                .workerEventLoopGroup(group)
                .withOption(ChannelOption.SO_BACKLOG, 4_096)
                .withOption(ChannelOption.SO_REUSEADDR, true)
                .withChildOption(ChannelOption.TCP_NODELAY, true)
                .withChildOption(ChannelOption.SO_SNDBUF, SOCKET_BUFFER)
                .withChildOption(ChannelOption.SO_RCVBUF, SOCKET_BUFFER)
                .directExecutor()
                .flowControlWindow(FLOW_CONTROL_WINDOW)
                .maxConcurrentCallsPerConnection(settings.calls())
                .maxInboundMessageSize(NacosGrpcSettings.MESSAGE_BYTES)
                // Go's and Python's clients ping every minute, with nothing open but the connection.
                .permitKeepAliveTime(settings.pingsApart().toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveWithoutCalls(true)
                .compressorRegistry(compressors())
                .addTransportFilter(new Transports());
        new Calls(this).services().forEach(builder::addService);
        Server started = builder.build().start();
        server = started;
        io.scheduleAtFixedRate(this::look, 1, 1, TimeUnit.SECONDS);
        return started.getPort();
    }

    private static CompressorRegistry compressors() {
        CompressorRegistry registry = CompressorRegistry.newEmptyInstance();
        registry.register(Outgoing.GZIPPED);
        return registry;
    }

    private Acceptor acceptor() {
        Acceptor made = new Acceptor(settings.connections(), meter::refused);
        acceptor = made;
        return made;
    }

    /** On the loop: which services there are, and will be. */
    private void follow() {
        Collection<ServiceKey> now = node.services();
        crossing.toIo(() -> watches.services().add(now));
        node.onChangedViews(views -> crossing.toIo(() -> watches.services().changed(views)));
        node.onSettings(service -> crossing.toIo(() -> settled(service)));
        node.onApplications(of -> crossing.toIo(() -> interfaces.changed(of)));
    }

    /** Lists may differ though views do not. What changes in one turn is looked at together. */
    private void settled(ServiceKey service) {
        if (resettled.isEmpty()) {
            io.execute(this::retell);
        }
        resettled.add(service);
    }

    private void retell() {
        Set<ServiceKey> services = Set.copyOf(resettled);
        resettled.clear();
        for (Connection connection : connections) {
            Session session = connection.session().orElse(null);
            Pushes pushes = connection.pushes().orElse(null);
            if (session != null && pushes != null) {
                pushes.outdated(services).forEach(service -> crossing.toLoop(() -> session.tellAgain(service)));
            }
        }
    }

    /** HTTP/2 connections come and go. */
    private final class Transports extends ServerTransportFilter {
        @Override
        public Attributes transportReady(Attributes transport) {
            Acceptor accepting = acceptor;
            Channel channel =
                    accepting == null ? null : accepting.speaks(transport.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
            if (channel == null) {
                return transport; // gone before it was here
            }
            Connection connection = new Connection(NacosGrpcServer.this, channel, secret());
            connections.add(connection);
            return transport.toBuilder().set(Calls.CONNECTION, connection).build();
        }

        @Override
        public void transportTerminated(@Nullable Attributes transport) {
            // Null for one that spoke no HTTP/2, and so was never ready.
            Connection connection = transport == null ? null : transport.get(Calls.CONNECTION);
            if (connection != null && connections.remove(connection)) {
                connection.gone();
            }
        }
    }

    private void look() {
        long now = System.nanoTime();
        Acceptor accepting = acceptor;
        if (accepting != null) {
            accepting.closeMute(now, settings.setUpWithin());
        }
        List<Session> heard = new ArrayList<>();
        for (Connection connection : List.copyOf(connections)) {
            try {
                if (connection.look(now)) {
                    connection.session().ifPresent(heard::add);
                }
            } catch (RuntimeException e) {
                log.error("Looking after a {} failed. This is a bug, please report it.", connection, e);
            }
        }
        if (!heard.isEmpty()) {
            crossing.toLoop(() -> heard.forEach(Session::heard));
        }
    }

    // ---- what connections share

    RegistryNode node() {
        return node;
    }

    NacosGrpcSettings settings() {
        return settings;
    }

    Access access() {
        return access;
    }

    NacosGrpcMeter meter() {
        return meter;
    }

    Crossing crossing() {
        return crossing;
    }

    SharedLists lists() {
        return lists;
    }

    /** Patterns of services, and with them the services there are. */
    Watches watches() {
        return watches;
    }

    /** Which applications offer which interface. */
    Interfaces interfaces() {
        return interfaces;
    }

    /** 128 random bits. */
    String secret() {
        byte[] bits = new byte[16];
        random.nextBytes(bits);
        return HexFormat.of().formatHex(bits);
    }

    /** For what is on its way. */
    Room room() {
        return room;
    }

    // ---- any thread

    /** The types of requests that are counted by themselves. */
    public static Set<String> requestTypes() {
        return Requests.TYPES;
    }

    @Override
    public List<Subscriber> of(ServiceKey service) {
        return asked(
                List.of(),
                answer -> answer.complete(connections.stream()
                        .flatMap(connection -> connection.subscriptions(service).stream())
                        .toList()));
    }

    @Override
    public List<String> ids() {
        return asked(
                List.of(),
                answer -> answer.complete(connections.stream()
                        .filter(connection -> connection.shown().isPresent())
                        .map(Connection::id)
                        .toList()));
    }

    @Override
    public Optional<Client> find(String id) {
        return asked(Optional.empty(), answer -> {
            Connection connection = byId(id).orElse(null);
            Session session = connection == null ? null : connection.session().orElse(null);
            Client shown = connection == null ? null : connection.shown().orElse(null);
            if (session == null || shown == null) {
                answer.complete(Optional.empty());
                return;
            }
            crossing.toLoop(() -> answer.complete(Optional.of(new Client(
                    shown.id(),
                    shown.ip(),
                    shown.port(),
                    shown.agent(),
                    shown.app(),
                    shown.updatedAt(),
                    session.published(),
                    shown.subscribed()))));
        });
    }

    @Override
    public Map<InstanceId, String> publishers(ServiceKey service) {
        return asked(Map.of(), answer -> {
            Map<String, Session> sessions = new HashMap<>();
            connections.forEach(
                    connection -> connection.session().ifPresent(session -> sessions.put(connection.id(), session)));
            crossing.toLoop(() -> {
                Map<InstanceId, String> publishers = new HashMap<>();
                sessions.forEach(
                        (id, session) -> session.published(service).forEach(instance -> publishers.put(instance, id)));
                answer.complete(publishers);
            });
        });
    }

    @Override
    public boolean move(String id, String host) {
        return asked(false, answer -> {
            Optional<Connection> connection = byId(id).filter(Connection::isSetUp);
            connection.ifPresent(one -> one.askToMove(host));
            answer.complete(connection.isPresent());
        });
    }

    private Optional<Connection> byId(String id) {
        return connections.stream()
                .filter(connection -> connection.id().equals(id))
                .findFirst();
    }

    /** What the I/O thread answers, soon; otherwise, what there is when it does not. */
    private <T> T asked(T otherwise, Consumer<CompletableFuture<T>> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        try {
            io.execute(() -> question.accept(answer));
            return answer.get(ANSWERS_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return otherwise;
        } catch (ExecutionException | TimeoutException | RejectedExecutionException e) {
            log.debug("Nobody says who is connected over gRPC: {}", e.toString());
            return otherwise;
        }
    }

    /** Open connections, those that are not set up among them. */
    public int connections() {
        Acceptor accepting = acceptor;
        return accepting == null ? 0 : accepting.open();
    }

    /**
     * Asks connections to go to other nodes; if it is all of them, those that come later too.
     *
     * @param within over which they spread, for clients go at once
     * @param hosts of the other nodes; empty: wherever they like
     * @param most how many
     */
    public void move(Duration within, List<String> hosts, int most) {
        List<String> targets = List.copyOf(hosts);
        io.execute(() -> {
            if (most == Integer.MAX_VALUE) {
                drains = true;
                draining = targets;
            }
            List<Connection> candidates = new ArrayList<>(connections);
            candidates.removeIf(connection -> !connection.isSetUp());
            for (int asked = 0; asked < most && asked < candidates.size(); asked++) {
                int at = random.nextInt(asked, candidates.size());
                Connection connection = candidates.get(at);
                candidates.set(at, candidates.get(asked));
                String target = target(targets);
                long delay = (long) (random.nextDouble() * within.toMillis());
                io.schedule(() -> connection.askToMove(target), delay, TimeUnit.MILLISECONDS);
            }
        });
    }

    /** Whoever is set up while the node drains is asked to go on. */
    void setUp(Connection connection) {
        if (drains) {
            connection.askToMove(target(draining));
        }
    }

    private String target(List<String> targets) {
        return targets.isEmpty() ? "" : targets.get(Math.floorMod(turn++, targets.size()));
    }

    /** Stops listening and closes what is open. Waits a second at most. */
    @Override
    public void close() {
        Server stopping = server;
        server = null;
        if (stopping != null) {
            stopping.shutdown();
            io.execute(() -> {
                Acceptor accepting = acceptor;
                if (accepting != null) {
                    accepting.channels().forEach(channel -> channel.unsafe().close(channel.voidPromise()));
                }
            });
            try {
                stopping.awaitTermination(1, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
