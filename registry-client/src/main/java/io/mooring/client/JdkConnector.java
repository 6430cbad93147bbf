package io.mooring.client;

import io.mooring.client.MooringPorts.CacheStore;
import io.mooring.client.MooringPorts.Connector;
import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects by the JDK's WebSocket. One {@link HttpClient} for life, so that reconnecting leaves no selector thread behind.
 *
 * <p>Host names are resolved here, with a time limit, and the addresses that worked are remembered, on disk too: when the
 * resolver is dead, they are used as they are. Literal addresses never meet the resolver.
 */
final class JdkConnector implements Connector {
    private static final Logger log = LoggerFactory.getLogger(JdkConnector.class);
    private static final Duration RESOLVE_WITHIN = Duration.ofSeconds(2);
    private static final String REMEMBERED = "addresses";
    private static final int MOST_HOSTS = 64;
    private static final int MOST_ADDRESSES = 32;

    /** The system's resolver. */
    interface Resolver {
        InetAddress[] resolve(String host) throws UnknownHostException;
    }

    private final HttpClient client;
    private final Duration timeout;
    private final Resolver resolver;
    private final ThreadPoolExecutor resolving;
    private final Optional<CacheStore> store;
    private final Executor writer;

    private final Map<String, Host> hosts = new HashMap<>(); // guarded by this
    private boolean loaded; // guarded by this

    /** What is known of one host name. */
    private static final class Host {
        private List<String> remembered = List.of();
        private int turn; // raised by failures, so that each address has one
        private Optional<CompletableFuture<List<String>>> underWay = Optional.empty();
    }

    JdkConnector(
            Duration timeout,
            Resolver resolver,
            ThreadPoolExecutor transport,
            ThreadPoolExecutor resolving,
            Optional<CacheStore> store,
            Executor writer) {
        this.timeout = timeout;
        this.resolver = resolver;
        this.resolving = resolving;
        this.store = store;
        this.writer = writer;
        this.client = HttpClient.newBuilder()
                .executor(transport)
                .connectTimeout(timeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .proxy(HttpClient.Builder.NO_PROXY)
                .build();
    }

    @Override
    public Link open(String address, LinkListener listener) {
        ServerAddress server = ServerAddress.parse(address)
                .orElseThrow(() -> new IllegalArgumentException("address: " + address + " (expected: host:port)"));
        JdkLink link = new JdkLink(client, timeout, listener);
        if (server.literal()) {
            link.connect(uri(server.host(), server.port()), worked -> {});
            return link;
        }
        resolving.execute(() -> {
            List<String> candidates = addresses(server.host());
            if (candidates.isEmpty()) {
                link.fail("cannot resolve " + server.host() + ", and no address is remembered");
                return;
            }
            String chosen = candidates.get(turn(server.host()) % candidates.size());
            link.connect(uri(chosen, server.port()), worked -> note(server.host(), chosen, candidates, worked));
        });
        return link;
    }

    private static URI uri(String host, int port) {
        String literal = host.indexOf(':') >= 0 ? "[" + host.replace("%", "%25") + "]" : host;
        return URI.create("ws://" + literal + ":" + port + "/v1/session");
    }

    /** What the resolver says, then what worked before; the latter alone when it says nothing in time. */
    private List<String> addresses(String host) {
        Set<String> all = new LinkedHashSet<>();
        List<String> resolved = resolve(host);
        List<String> remembered = remembered(host);
        for (String before : remembered) {
            if (resolved.contains(before)) {
                all.add(before); // the last good one first
            }
        }
        all.addAll(resolved);
        all.addAll(remembered);
        return new ArrayList<>(all);
    }

    private List<String> resolve(String host) {
        CompletableFuture<List<String>> answer;
        synchronized (this) {
            Host known = host(host);
            // One question per host at a time, so that a resolver that hangs holds one thread, however often we ask.
            answer = known.underWay.filter(f -> !f.isDone()).orElseGet(() -> ask(host));
            known.underWay = Optional.of(answer);
        }
        try {
            return answer.get(RESOLVE_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        } catch (Exception e) {
            log.debug("The resolver is of no help for {}", host, e);
            return List.of();
        }
    }

    private CompletableFuture<List<String>> ask(String host) {
        try {
            return CompletableFuture.supplyAsync(() -> resolved(host), resolving);
        } catch (RejectedExecutionException full) { // of questions that hang; or the client closes
            log.debug("Nobody is free to resolve {}", host, full);
            return CompletableFuture.completedFuture(List.of());
        }
    }

    private List<String> resolved(String host) {
        try {
            List<String> found = new ArrayList<>();
            for (InetAddress address : resolver.resolve(host)) {
                if (found.size() < MOST_ADDRESSES) {
                    found.add(address.getHostAddress());
                }
            }
            return List.copyOf(found);
        } catch (UnknownHostException e) {
            return List.of();
        }
    }

    private synchronized Host host(String name) {
        if (!hosts.containsKey(name) && hosts.size() >= MOST_HOSTS) {
            hosts.keySet().remove(hosts.keySet().iterator().next());
        }
        return hosts.computeIfAbsent(name, n -> new Host());
    }

    private synchronized int turn(String host) {
        return host(host).turn;
    }

    private synchronized List<String> remembered(String host) {
        load();
        return host(host).remembered;
    }

    private void load() {
        if (loaded || store.isEmpty()) {
            return;
        }
        loaded = true;
        try {
            for (byte[] content : store.get().read(REMEMBERED)) {
                for (String line : new String(content, StandardCharsets.UTF_8).split("\n")) {
                    List<String> words = List.of(line.split(" "));
                    if (words.size() > 1 && hosts.size() < MOST_HOSTS) {
                        host(words.get(0)).remembered = words.stream()
                                .skip(1)
                                .limit(MOST_ADDRESSES)
                                .filter(word -> ServerAddress.parse(word.indexOf(':') >= 0 ? "[" + word + "]" : word)
                                        .filter(ServerAddress::literal)
                                        .isPresent())
                                .toList();
                    }
                }
                return;
            }
        } catch (Exception e) {
            log.debug("Could not read the remembered addresses", e);
        }
    }

    private void note(String host, String chosen, List<String> candidates, boolean worked) {
        String content;
        synchronized (this) {
            Host known = host(host);
            if (!worked) {
                known.turn = (known.turn + 1) & Integer.MAX_VALUE;
                return;
            }
            Set<String> good = new LinkedHashSet<>();
            good.add(chosen);
            good.addAll(candidates);
            List<String> next = good.stream().limit(MOST_ADDRESSES).toList();
            known.turn = 0; // the good one is the first from now on
            if (next.equals(known.remembered)) {
                return;
            }
            known.remembered = next;
            StringBuilder lines = new StringBuilder();
            hosts.forEach((name, entry) -> {
                if (!entry.remembered.isEmpty()) {
                    lines.append(name)
                            .append(' ')
                            .append(String.join(" ", entry.remembered))
                            .append('\n');
                }
            });
            content = lines.toString();
        }
        store.ifPresent(kept -> writer.execute(() -> {
            try {
                kept.write(REMEMBERED, content.getBytes(StandardCharsets.UTF_8));
            } catch (Exception e) {
                log.debug("Could not remember the addresses of {} on disk", host, e);
            }
        }));
    }
}
