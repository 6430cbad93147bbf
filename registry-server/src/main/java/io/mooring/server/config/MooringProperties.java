package io.mooring.server.config;

import io.mooring.model.InvalidValueException;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.server.edge.peer.AddressSource;
import io.mooring.server.edge.peer.PeerAddress;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * All that can be set, under {@code mooring.}; the table in {@code docs/operations.md} has a sentence for each key.
 *
 * @param dataDirectory where the node keeps what a restart needs
 * @param bind address on which all ports listen
 * @param insecure allows listening beyond loopback although nobody has to authenticate
 * @param node what this node is called
 * @param http the REST interface
 * @param operations health and metrics
 * @param session the endpoint of sessions
 * @param nacos the endpoints of Nacos clients
 * @param cluster the other nodes
 * @param drain how the node leaves
 * @param lease how long a silent publisher is believed
 * @param limits what the node takes at most
 * @param protection when removals are too sudden to be believed
 * @param probe TCP probes of addresses whose publisher went away
 * @param checks of persistent instances
 * @param restore what is written to disk
 */
@ConfigurationProperties(prefix = "mooring", ignoreUnknownFields = false)
public record MooringProperties(
        @DefaultValue("data") Path dataDirectory,
        @DefaultValue("127.0.0.1") String bind,
        @DefaultValue("false") boolean insecure,
        @DefaultValue Node node,
        @DefaultValue Http http,
        @DefaultValue Operations operations,
        @DefaultValue Session session,
        @DefaultValue Nacos nacos,
        @DefaultValue Cluster cluster,
        @DefaultValue Drain drain,
        @DefaultValue Lease lease,
        @DefaultValue Limits limits,
        @DefaultValue Protection protection,
        @DefaultValue Probe probe,
        @DefaultValue Checks checks,
        @DefaultValue Restore restore) {
    /** They do not ask where it is. */
    private static final int NACOS_GRPC_OFFSET = 1_000;

    /** @throws StartRefusedException when it would listen beyond loopback without leave to do so */
    void checkBind() {
        InetAddress address;
        try {
            address = InetAddress.getByName(bind);
        } catch (UnknownHostException e) {
            throw StartRefusedException.unknownAddress(bind, e);
        }
        if (address.isLoopbackAddress() || insecure) {
            return;
        }
        if (cluster.isConfigured() && !cluster.authenticates()) {
            throw StartRefusedException.openPeers(bind);
        }
        throw StartRefusedException.open(bind);
    }

    /** Where Nacos clients that speak gRPC are served; 0: at any port that is free. */
    int nacosGrpcPort() {
        Integer given = nacos.grpcPort();
        if (given != null) {
            return given;
        }
        int where = http.port() + NACOS_GRPC_OFFSET;
        return http.port() == 0 || where > 65_535 ? 0 : where;
    }

    /** @throws StartRefusedException when what is said about the cluster cannot be meant together */
    void checkCluster() {
        cluster.check();
    }

    /** @param name how the node calls itself to clients, peers and people; empty: as before, or the host's name */
    public record Node(@DefaultValue("") String name) {
        public Node {
            name = name.strip();
            if (!name.isEmpty() && !fits(name)) {
                throw new InvalidValueException("name", name, NAME_RULE);
            }
        }

        static final String NAME_RULE = "1-64 letters, digits, '_', '-', '.', and not " + NodeId.ALL.name();

        static boolean fits(String name) {
            return !name.isEmpty()
                    && !name.equals(NodeId.ALL.name())
                    && name.length() <= 64
                    && name.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || "_-.".indexOf(c) >= 0));
        }

        static String hostName() {
            String given = System.getenv("HOSTNAME"); // set in containers; asks no resolver
            if (given == null || given.isBlank()) {
                try {
                    given = InetAddress.getLocalHost().getHostName();
                } catch (UnknownHostException e) {
                    given = ""; // a node without a name must start all the same
                }
            }
            String plain = given.replaceAll("[^A-Za-z0-9_.-]", "-");
            return plain.isBlank() ? "mooring" : plain.substring(0, Math.min(64, plain.length()));
        }
    }

    /**
     * @param name of the cluster; nodes of another one are refused
     * @param port of peers
     * @param peers where the nodes are; this one may be among them
     * @param peersFile with the same, an address per line; looked at every two seconds
     * @param dns a name whose addresses are those of the nodes; asked every ten seconds
     * @param address host at which peers and sessions reach this node; empty: the bound one, or a good guess
     * @param secret that all nodes share
     * @param secretFile where the secret is written
     * @param tls certificates for the lines between nodes
     * @param heartbeat how often nodes compare what they hold
     * @param startPatience how long a start waits for the peers' shards
     */
    public record Cluster(
            @DefaultValue("mooring") String name,
            @DefaultValue("9849") int port,
            @DefaultValue List<String> peers,
            @DefaultValue("") String peersFile,
            @DefaultValue("") String dns,
            @DefaultValue("") String address,
            @DefaultValue("") String secret,
            @DefaultValue("") String secretFile,
            @DefaultValue Tls tls,
            @DefaultValue("2s") Duration heartbeat,
            @DefaultValue("10s") Duration startPatience) {
        public Cluster {
            if (!Node.fits(name)) {
                throw new InvalidValueException("name", name, Node.NAME_RULE);
            }
            checkPort(port);
            peers = peers.stream()
                    .filter(peer -> !peer.isBlank())
                    .map(peer -> parsed("peers", peer.strip()).toString())
                    .distinct()
                    .toList();
            if (peers.size() > AddressSource.MOST) {
                throw new InvalidValueException("peers", peers.size() + " of them", "at most " + AddressSource.MOST);
            }
            dns = dns.isBlank() ? "" : parsed("dns", dns.strip()).toString();
            if (!address.isEmpty() && !PeerAddress.isHost(address)) {
                throw new InvalidValueException("address", address, "a host: a name or an IP address, without port");
            }
            checkRange("heartbeat", heartbeat, Duration.ofMillis(100), Duration.ofMinutes(1));
            checkRange("start-patience", startPatience, Duration.ZERO, Duration.ofMinutes(10));
        }

        private static PeerAddress parsed(String field, String text) {
            try {
                return PeerAddress.parse(text);
            } catch (InvalidValueException e) {
                throw new InvalidValueException(field, text, e.expected());
            }
        }

        /** Whether there is to be a cluster at all. */
        boolean isConfigured() {
            return !peers.isEmpty() || !peersFile.isEmpty() || !dns.isEmpty();
        }

        boolean authenticates() {
            return !secret.isEmpty() || !secretFile.isEmpty() || tls.isConfigured();
        }

        void check() {
            int sources = (peers.isEmpty() ? 0 : 1) + (peersFile.isEmpty() ? 0 : 1) + (dns.isEmpty() ? 0 : 1);
            if (sources > 1) {
                throw StartRefusedException.twoWays(
                        "mooring.cluster.peers, peers-file and dns",
                        "Peers are found in one way: set one of the three and remove the others.");
            }
            if (!secret.isEmpty() && !secretFile.isEmpty()) {
                throw StartRefusedException.twoWays(
                        "mooring.cluster.secret and secret-file", "Keep the file, and remove the other.");
            }
            if (!secret.isEmpty() && secret.isBlank()) {
                throw StartRefusedException.noSecret("mooring.cluster.secret is blank");
            }
            tls.check();
            sharedSecret();
        }

        /** What nodes prove to know; empty when they need not. */
        String sharedSecret() {
            if (secretFile.isEmpty()) {
                return secret;
            }
            String read;
            try {
                read = Files.readString(Path.of(secretFile)).strip();
            } catch (IOException e) {
                throw StartRefusedException.noSecret("mooring.cluster.secret-file: " + secretFile + " cannot be read");
            }
            if (read.isEmpty()) {
                throw StartRefusedException.noSecret("mooring.cluster.secret-file: " + secretFile + " is empty");
            }
            return read;
        }

        /** Without the secret. */
        @Override
        public String toString() {
            return "cluster " + name;
        }

        /**
         * @param certificate of this node, in PEM
         * @param key of the certificate, in PEM
         * @param trust authorities whose certificates are believed, in PEM
         */
        public record Tls(
                @DefaultValue("") String certificate,
                @DefaultValue("") String key,
                @DefaultValue("") String trust) {
            boolean isConfigured() {
                return !certificate.isEmpty() && !key.isEmpty() && !trust.isEmpty();
            }

            void check() {
                if (!isConfigured() && !(certificate + key + trust).isEmpty()) {
                    throw StartRefusedException.halfTls();
                }
            }
        }
    }

    /**
     * @param within over which sessions are asked to go elsewhere
     * @param patience after which the node goes although sessions are left
     */
    public record Drain(
            @DefaultValue("5s") Duration within,
            @DefaultValue("15s") Duration patience) {
        public Drain {
            checkRange("within", within, Duration.ZERO, Duration.ofMinutes(10));
            checkRange("patience", patience, Duration.ZERO, Duration.ofMinutes(10));
        }
    }

    /**
     * @param port of REST, for people and scripts
     * @param threads that handle requests; watchers and streams need none
     * @param connections at the same time
     * @param watchers long polls at the same time
     * @param streams streams of events at the same time
     * @param ttl of a lease whose publisher asks for none
     * @param ttlMin shortest lease that may be asked for
     * @param ttlMax longest lease that may be asked for
     */
    public record Http(
            @DefaultValue("8848") int port,
            @DefaultValue("16") int threads,
            @DefaultValue("4096") int connections,
            @DefaultValue("1000") int watchers,
            @DefaultValue("500") int streams,
            @DefaultValue("15s") Duration ttl,
            @DefaultValue("1s") Duration ttlMin,
            @DefaultValue("1h") Duration ttlMax) {
        public Http {
            checkPort(port);
            checkRange("threads", threads, 4, 1_024);
            checkRange("connections", connections, 16, 1_000_000);
            checkRange("watchers", watchers, 1, 1_000_000);
            checkRange("streams", streams, 1, 1_000_000);
            checkRange("ttl-min", ttlMin, Duration.ofMillis(100), ttl);
            checkRange("ttl", ttl, ttlMin, ttlMax);
            checkRange("ttl-max", ttlMax, ttl, Duration.ofDays(7));
        }
    }

    /** @param port of health and metrics */
    public record Operations(@DefaultValue("8850") int port) {
        public Operations {
            checkPort(port);
        }
    }

    /**
     * @param port of sessions
     * @param threads that read and write
     * @param connections at the same time, those that have not said hello yet among them
     * @param reconnectSpread over which clients spread their first try after losing a connection
     */
    public record Session(
            @DefaultValue("9847") int port,
            @DefaultValue("1") int threads,
            @DefaultValue("25000") int connections,
            @DefaultValue("1s") Duration reconnectSpread) {
        public Session {
            checkPort(port);
            checkRange("threads", threads, 1, 256);
            checkRange("connections", connections, 1, 1_000_000);
            checkRange("reconnect-spread", reconnectSpread, Duration.ZERO, Duration.ofMinutes(5));
        }
    }

    /**
     * @param enabled serves Nacos clients
     * @param grpcPort of those that speak gRPC; null: where they look for it, the port of HTTP plus 1000
     * @param connections over gRPC at the same time
     * @param ttl after which a silent connection is over
     * @param grace for which instances stay listed, in doubt, after their connection broke
     * @param patterns of services that one connection may watch
     * @param matches services that one pattern may match
     * @param usersFile with those who may use both endpoints; empty: everybody
     * @param udpSubscribers of v1 that hear of changes by UDP, each service counted; 0 for none
     */
    public record Nacos(
            @DefaultValue("true") boolean enabled,
            @Nullable Integer grpcPort,
            @DefaultValue("20000") int connections,
            @DefaultValue("20s") Duration ttl,
            @DefaultValue("10s") Duration grace,
            @DefaultValue("20") int patterns,
            @DefaultValue("500") int matches,
            @DefaultValue("") String usersFile,
            @DefaultValue("10000") int udpSubscribers) {
        public Nacos {
            if (grpcPort != null) {
                checkRange("grpc-port", grpcPort, 0, 65_535);
            }
            checkRange("connections", connections, 1, 1_000_000);
            checkRange("ttl", ttl, Duration.ofSeconds(11), Duration.ofHours(1)); // idle clients speak every 5 to 10 s
            checkRange("grace", grace, Duration.ZERO, Duration.ofHours(1));
            checkRange("patterns", patterns, 0, 10_000);
            checkRange("matches", matches, 1, 1_000_000);
            checkRange("udp-subscribers", udpSubscribers, 0, 1_000_000);
        }
    }

    /**
     * @param ttl after which a silent session is over
     * @param grace for which instances stay listed, in doubt, after their connection broke
     */
    public record Lease(
            @DefaultValue("15s") Duration ttl,
            @DefaultValue("3s") Duration grace) {
        public Lease {
            checkRange("ttl", ttl, Duration.ofSeconds(3), Duration.ofHours(1));
            checkRange("grace", grace, Duration.ZERO, ttl);
        }
    }

    /**
     * @param instances on this node
     * @param services on this node
     * @param instancesPerService listed for one service
     * @param sessions at the same time
     * @param instancesPerSession registered by one session
     * @param subscriptionsPerSession subscribed by one session
     */
    public record Limits(
            @DefaultValue("2000000") int instances,
            @DefaultValue("200000") int services,
            @DefaultValue("50000") int instancesPerService,
            @DefaultValue("20000") int sessions,
            @DefaultValue("100000") int instancesPerSession,
            @DefaultValue("10000") int subscriptionsPerSession) {
        public Limits {
            checkRange("instances", instances, 1, 100_000_000);
            checkRange("services", services, 1, 100_000_000);
            checkRange("instances-per-service", instancesPerService, 1, 100_000_000);
            checkRange("sessions", sessions, 1, 100_000_000);
            checkRange("instances-per-session", instancesPerSession, 1, 100_000_000);
            checkRange("subscriptions-per-session", subscriptionsPerSession, 1, 100_000_000);
        }

        ProtocolLimits ofProtocol() {
            ProtocolLimits defaults = ProtocolLimits.DEFAULTS;
            return new ProtocolLimits(
                    defaults.frameBytes(),
                    defaults.messagesPerFrame(),
                    defaults.instancesPerMessage(),
                    instancesPerSession,
                    subscriptionsPerSession);
        }
    }

    /**
     * @param window in which removals count together
     * @param share of a service that may leave at once and be believed
     * @param atLeast fewer than this may always leave and be believed, unless it is all of them
     * @param confirmation after which held removals are believed without any confirmation
     * @param evictionShare of all instances that may expire within {@code evictionWindow}
     * @param evictionFloor as many may expire within {@code evictionWindow} in any case
     * @param evictionWindow see {@code evictionShare}
     */
    public record Protection(
            @DefaultValue("15s") Duration window,
            @DefaultValue("0.5") double share,
            @DefaultValue("2") int atLeast,
            @DefaultValue("60s") Duration confirmation,
            @DefaultValue("0.15") double evictionShare,
            @DefaultValue("10") int evictionFloor,
            @DefaultValue("60s") Duration evictionWindow) {
        public Protection {
            checkRange("window", window, Duration.ofSeconds(1), Duration.ofHours(1));
            checkShare("share", share);
            checkRange("at-least", atLeast, 1, 100_000_000);
            checkRange("confirmation", confirmation, Duration.ofSeconds(1), Duration.ofHours(1));
            checkShare("eviction-share", evictionShare);
            checkRange("eviction-floor", evictionFloor, 1, 100_000_000);
            checkRange("eviction-window", evictionWindow, Duration.ofSeconds(1), Duration.ofHours(1));
        }
    }

    /**
     * @param enabled probes the address of an instance whose connection broke; a refusal removes it at once
     * @param timeout of a probe
     */
    public record Probe(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("1s") Duration timeout) {
        public Probe {
            checkRange("timeout", timeout, Duration.ofMillis(10), Duration.ofMinutes(1));
        }
    }

    /**
     * @param enabled asks persistent instances whether they are well, as is settled for their service; one node asks each
     * @param allowLocal asks also those at addresses of this machine and its link
     * @param timeout of a connection, and of an answer on it
     */
    public record Checks(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("false") boolean allowLocal,
            @DefaultValue("1s") Duration timeout) {
        public Checks {
            checkRange("timeout", timeout, Duration.ofMillis(10), Duration.ofMinutes(1));
        }
    }

    /**
     * @param enabled writes registrations to disk so that a restart serves the last view
     * @param required refuses what cannot be written to disk
     * @param patience for which telling waits for the disk before it goes ahead
     */
    public record Restore(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("false") boolean required,
            @DefaultValue("50ms") Duration patience) {
        public Restore {
            checkRange("patience", patience, Duration.ZERO, Duration.ofMinutes(1));
        }
    }

    private static void checkShare(String field, double value) {
        if (!(value > 0 && value <= 1)) { // written so that NaN fails
            throw new InvalidValueException(field, value, "more than 0, at most 1");
        }
    }

    private static void checkPort(int port) {
        checkRange("port", port, 0, 65_535);
    }

    private static void checkRange(String field, int value, int least, int most) {
        if (value < least || value > most) {
            throw new InvalidValueException(field, value, least + "-" + most);
        }
    }

    private static void checkRange(String field, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new InvalidValueException(field, value, least + " to " + most);
        }
    }
}
