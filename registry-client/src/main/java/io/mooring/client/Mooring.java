package io.mooring.client;

import io.mooring.client.MooringPorts.CacheStore;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.client.Settings.OutlierSettings;
import io.mooring.model.Instance;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.ThreadEventLoop;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process's line to the registry: one session, whatever it registers and looks up. Make one per process and namespace,
 * keep it, close it at the end. Safe for use by any thread.
 *
 * <pre>{@code
 * Mooring mooring = Mooring.builder().servers("10.0.0.1", "10.0.0.2").build();
 * RegisteredInstance me = mooring.register("orders", "10.0.0.7", 8080);
 * Service payments = mooring.service("payments");
 * Optional<Instance> callee = payments.choose();
 * }</pre>
 *
 * <p>Nothing here waits for the registry or fails because it is away. What was registered is repeated on every new connection;
 * lookups go on from memory, and after a restart from disk.
 */
public final class Mooring implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Mooring.class);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(3);

    private final Settings settings;
    private final MooringPorts ports;
    private final Counters counters;
    private final Session session;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Mooring(Settings settings, MooringPorts ports) {
        this.settings = settings;
        this.ports = ports;
        this.counters = new Counters();
        this.session = new Session(ports, settings, counters);
        session.start();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The key of that service in this client's namespace and the default group. */
    public ServiceKey key(String service) {
        return new ServiceKey(settings.namespace(), ServiceKey.DEFAULT_GROUP, service);
    }

    // ---- registering

    /** Registers an enabled instance of weight 1 without labels. Returns at once. */
    public RegisteredInstance register(String service, String host, int port) {
        return register(Instance.of(key(service), host, port));
    }

    /**
     * Registers the instance and keeps it registered until the handle is closed. Returns at once, connected or not. A second
     * registration of the same instance takes over from the first.
     *
     * @throws InvalidValueException when it is of another namespace than this client, or of port 0
     */
    public RegisteredInstance register(Instance instance) {
        return register(List.of(instance)).get(0);
    }

    /** Registers all of them in one step, up to 1000: subscribers see all or none. More than that take several steps. */
    public List<RegisteredInstance> register(Collection<Instance> instances) {
        checkOpen();
        List<Instance> all = List.copyOf(instances);
        for (Instance instance : all) {
            checkNamespace(instance.service());
            if (instance.port() == 0) {
                throw new InvalidValueException("port", 0, "1-65535");
            }
        }
        List<RegisteredInstance> handles = new ArrayList<>(all.size());
        List<CompletableFuture<Void>> futures = new ArrayList<>(all.size());
        for (Instance instance : all) {
            CompletableFuture<Void> registered = new CompletableFuture<>();
            futures.add(registered);
            handles.add(new RegisteredInstance(instance.id(), session, ports, registered));
        }
        session.post("a registration", () -> {
            for (int i = 0; i < all.size(); i++) {
                session.registrations.register(handles.get(i), all.get(i), futures.get(i));
            }
        });
        return List.copyOf(handles);
    }

    // ---- discovering

    /** The service of that name in the default group. As {@link #service(ServiceKey)}. */
    public Service service(String name) {
        return service(key(name));
    }

    /**
     * Opens a service: subscribes, and reads what the disk has, so that a list may be there at once. Reads one small file when
     * the service is not open yet; never waits for the registry.
     *
     * @throws InvalidValueException when it is of another namespace than this client
     * @throws IllegalStateException when {@value Subscriptions#MOST} services are open already
     */
    public Service service(ServiceKey key) {
        checkOpen();
        checkNamespace(key);
        return new Service(session.subscriptions.retain(key), session.subscriptions, ports, counters);
    }

    private void checkNamespace(ServiceKey key) {
        if (!key.namespace().equals(settings.namespace())) {
            throw new InvalidValueException(
                    "namespace",
                    key.namespace(),
                    settings.namespace() + ", the client's; use Mooring.key(name), or a client for that namespace");
        }
    }

    private void checkOpen() {
        if (closed.get()) {
            throw new IllegalStateException("this client is closed; build another");
        }
    }

    // ---- looking at it

    /** How the client is doing now. Looks at every open service; not for the path of a call. */
    public ClientStatus status() {
        long now = ports.loop().now();
        Session.Phase phase = session.phase();
        boolean connected = phase == Session.Phase.ESTABLISHED;
        Map<Source, Integer> sources = new EnumMap<>(Source.class);
        Duration oldest = Duration.ZERO;
        int underProtection = 0;
        int ejected = 0;
        for (ServiceState state : session.subscriptions.states()) {
            ServiceSnapshot snapshot = state.lookup.snapshot(now);
            sources.merge(snapshot.source(), 1, Integer::sum);
            oldest = snapshot.age().compareTo(oldest) > 0 ? snapshot.age() : oldest;
            underProtection += snapshot.underProtection() ? 1 : 0;
            ejected += state.outliers.ejected();
        }
        return new ClientStatus(
                switch (phase) {
                    case WAITING -> ClientStatus.State.WAITING;
                    case CONNECTING, GREETING -> ClientStatus.State.CONNECTING;
                    case ESTABLISHED -> ClientStatus.State.CONNECTED;
                    case CLOSED -> ClientStatus.State.CLOSED;
                },
                session.node(),
                session.address(),
                session.lastFailure(),
                connected ? Duration.ZERO : since(session.disconnectedSince(), now),
                Duration.ofNanos(session.withoutAttempt(now)),
                since(session.heardAt(), now),
                counters.attempts.sum(),
                counters.connections.sum(),
                counters.watchdogRestarts.sum(),
                counters.internalFailures.sum(),
                counters.doubts.sum(),
                counters.lateReplies.sum(),
                counters.refused.sum(),
                session.registrations.promised.get(),
                session.registrations.confirmedCount.get(),
                Map.copyOf(sources),
                oldest,
                underProtection,
                counters.guardHolds.sum(),
                counters.repairs.sum(),
                ejected,
                counters.ejections.sum(),
                counters.diskFailures.sum(),
                counters.listenerFailures.sum());
    }

    private static Duration since(long then, long now) {
        return Duration.ofNanos(Math.max(0, now - then));
    }

    // ---- ending

    /**
     * Says goodbye: everything this process registered is removed at once, and what is not on disk yet goes there. Completes
     * when that is done, within about a second if the registry does not answer.
     */
    public CompletableFuture<Void> closeAsync() {
        if (closed.compareAndSet(false, true)) {
            session.close();
        }
        return session.closed.copy();
    }

    /** As {@link #closeAsync()}, and waits, 3 s at most. Idempotent. */
    @Override
    public void close() {
        CompletableFuture<Void> done = closeAsync();
        if (ports.loop().inLoop()) {
            return; // the loop cannot wait for itself
        }
        try {
            done.get(CLOSE_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            log.warn("The client did not end in time; its threads are daemons and do not keep the process", e);
        }
    }

    /** How to behave. Every setting has a safe default but the servers. */
    public static final class Builder {
        private List<String> servers = List.of();
        private String namespace = ServiceKey.DEFAULT_NAMESPACE;
        private String clientName = "mooring-java";
        private Optional<Path> cacheDirectory = Optional.empty();
        private boolean cacheEnabled = true;
        private Duration connectTimeout = Duration.ofSeconds(5);
        private Duration requestTimeout = Duration.ofSeconds(10);
        private Duration guardWindow = Duration.ofSeconds(60);
        private Balancer balancer = Balancer.weightedRandom();
        private OutlierSettings outliers = OutlierSettings.DEFAULTS;
        private Optional<MooringPorts> ports = Optional.empty();

        private Builder() {}

        /**
         * Session addresses of registry nodes: {@code host} or {@code host:port}, port 9847 by default. At least one; the
         * order means nothing, and the nodes tell of each other.
         */
        public Builder servers(String... addresses) {
            return servers(List.of(addresses));
        }

        /** As {@link #servers(String...)}. */
        public Builder servers(List<String> addresses) {
            List<String> checked = new ArrayList<>();
            for (String address : addresses) {
                checked.add(ServerAddress.parse(address)
                        .orElseThrow(() -> new InvalidValueException(
                                "servers", address, "host or host:port, with brackets around an IPv6 address"))
                        .toString());
            }
            if (checked.size() > AddressBook.MOST) {
                throw new InvalidValueException("servers", checked.size(), "at most " + AddressBook.MOST);
            }
            servers = List.copyOf(checked);
            return this;
        }

        /** Where this client's services live; {@value ServiceKey#DEFAULT_NAMESPACE} by default. */
        public Builder namespace(String name) {
            namespace = ServiceKey.checkedNamespace(name);
            return this;
        }

        /** What operators see this process as; at most 64 characters. Names no default port, secret or the like. */
        public Builder clientName(String name) {
            if (name.isBlank() || name.length() > 64) {
                throw new InvalidValueException("clientName", name, "1-64 characters");
            }
            clientName = name;
            return this;
        }

        /**
         * Where lists are kept for restarts during an outage; {@code .cache/mooring} in the user's home by default, or the
         * directory for temporary files. May be shared by processes. When it cannot be used, the client does without.
         */
        public Builder cacheDirectory(Path directory) {
            cacheDirectory = Optional.of(directory);
            cacheEnabled = true;
            return this;
        }

        /** Nothing is kept on disk: a process that starts during an outage will know nobody. */
        public Builder cacheDisabled() {
            cacheEnabled = false;
            return this;
        }

        /** For a connection, and again for the welcome behind it; 5 s by default, 1 ms to 15 s. */
        public Builder connectTimeout(Duration timeout) {
            connectTimeout = checked("connectTimeout", timeout, Duration.ofMillis(1), Duration.ofSeconds(15));
            return this;
        }

        /** After which an unanswered request is made again; 10 s by default, 1 ms to 10 min. */
        public Builder requestTimeout(Duration timeout) {
            requestTimeout = checked("requestTimeout", timeout, Duration.ofMillis(1), Duration.ofMinutes(10));
            return this;
        }

        /** How long a sudden loss must be confirmed before it is believed; 60 s by default, 0 to 1 h. */
        public Builder guardWindow(Duration window) {
            guardWindow = checked("guardWindow", window, Duration.ZERO, Duration.ofHours(1));
            return this;
        }

        /** How {@link Service#choose()} chooses; {@link Balancer#weightedRandom()} by default. */
        public Builder balancer(Balancer theBalancer) {
            balancer = theBalancer;
            return this;
        }

        /**
         * When an instance is left alone, by the results reported with {@link Service#report}: after one {@link
         * CallResult#UNREACHABLE}; after so many bad results in a row; or when that share of its last 64 calls, of 20 at
         * least, went badly. Never more than half of those that take calls at once. After the cool-down one call tries it.
         *
         * @param consecutiveFailures 5 by default; 0: as many as you like
         * @param failureShare 0.5 by default, above 0; above 1: any share
         * @param coolDown 10 s by default, 1 ms to 1 h
         */
        public Builder outlierEjection(int consecutiveFailures, double failureShare, Duration coolDown) {
            if (consecutiveFailures < 0) {
                throw new InvalidValueException("consecutiveFailures", consecutiveFailures, "0 or more");
            }
            if (!(failureShare > 0)) {
                throw new InvalidValueException("failureShare", failureShare, "above 0");
            }
            Duration wait = checked("coolDown", coolDown, Duration.ofMillis(1), Duration.ofHours(1));
            outliers = new OutlierSettings(true, consecutiveFailures, failureShare, wait);
            return this;
        }

        /** Results of calls eject nobody. */
        public Builder outlierEjectionDisabled() {
            outliers = new OutlierSettings(false, 0, 1, Duration.ofSeconds(10));
            return this;
        }

        /** <b>For tests and simulations:</b> everything from outside comes from here; the cache settings are not used. */
        public Builder ports(MooringPorts replacement) {
            ports = Optional.of(replacement);
            return this;
        }

        private static Duration checked(String name, Duration value, Duration least, Duration most) {
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new InvalidValueException(name, value, least + " to " + most);
            }
            return value;
        }

        /**
         * Builds the client and starts to connect. Returns at once, whether servers, resolver and disk are there or not.
         *
         * @throws InvalidValueException when no server was named
         */
        public Mooring build() {
            if (servers.isEmpty()) {
                throw new InvalidValueException(
                        "servers", "none", "at least one session address, as in servers(\"10.0.0.1:9847\")");
            }
            Settings settings = new Settings(
                    servers, namespace, clientName, connectTimeout, requestTimeout, guardWindow, balancer, outliers);
            return new Mooring(settings, ports.orElseGet(this::realPorts));
        }

        private MooringPorts realPorts() {
            ThreadEventLoop loop = new ThreadEventLoop("mooring-client");
            ThreadPoolExecutor writer = pool("mooring-cache", 1);
            ThreadPoolExecutor listeners = pool("mooring-listener", MOST_LISTENER_THREADS);
            ThreadPoolExecutor transport = pool("mooring-transport", 2);
            ThreadPoolExecutor resolving = new ThreadPoolExecutor(
                    0, 8, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons("mooring-resolver"));
            Optional<CacheStore> store = cacheEnabled
                    ? Optional.of(new DiskCache(cacheDirectories(), namespace, new FileDisk()))
                    : Optional.empty();
            JdkConnector connector =
                    new JdkConnector(connectTimeout, InetAddress::getAllByName, transport, resolving, store, writer);
            return new MooringPorts(
                    loop,
                    new SecureRandom(),
                    THREAD_LOCAL,
                    InstantSource.system(),
                    connector,
                    store,
                    writer,
                    listeners,
                    () -> {
                        loop.close();
                        listeners.shutdown();
                        writer.shutdown();
                        resolving.shutdown();
                        // The transport's threads end by themselves when idle: the JDK's client may still need them.
                    });
        }

        private List<Path> cacheDirectories() {
            if (cacheDirectory.isPresent()) {
                return List.of(cacheDirectory.get());
            }
            List<Path> directories = new ArrayList<>();
            String home = System.getProperty("user.home", "");
            if (home.length() > 1 && Path.of(home).isAbsolute()) { // "?" and "/" where a container has no home
                directories.add(Path.of(home, ".cache", "mooring"));
            }
            String user = System.getProperty("user.name", "").replaceAll("[^A-Za-z0-9]", "-");
            directories.add(Path.of(System.getProperty("java.io.tmpdir", "/tmp"), "mooring-" + user));
            return directories;
        }
    }

    /** So many listeners can block at once before they keep others waiting. */
    static final int MOST_LISTENER_THREADS = 64;

    private static final RandomGenerator THREAD_LOCAL =
            () -> ThreadLocalRandom.current().nextLong();

    private static ThreadPoolExecutor pool(String name, int threads) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), daemons(name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
