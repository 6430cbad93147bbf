package io.mooring.server.edge.peer;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.Closeable;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Names of peers and the addresses they had last: while DNS fails or hangs, those are used. Lookups block, so they have
 * a few threads of their own; nobody waits longer than the patience. Any thread.
 */
final class HostNames implements Closeable {
    private static final int MOST_LOOKUPS = 4;

    private final NameLookup lookup;
    private final ScheduledExecutorService timer;
    private final Duration patience;
    private final Cache<String, List<InetAddress>> lastGood =
            Caffeine.newBuilder().maximumSize(256).build();
    private final ThreadPoolExecutor threads =
            new ThreadPoolExecutor(0, MOST_LOOKUPS, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                Thread thread = new Thread(task, "mooring-peer-names");
                thread.setDaemon(true);
                return thread;
            });

    /** @param timer where answers come back */
    HostNames(NameLookup lookup, ScheduledExecutorService timer, Duration patience) {
        this.lookup = lookup;
        this.timer = timer;
        this.patience = patience;
    }

    /** Exactly one of the two is called, on the timer's thread. */
    void resolve(String name, Consumer<List<InetAddress>> found, Consumer<String> failed) {
        CompletableFuture<List<InetAddress>> answer = new CompletableFuture<>();
        try {
            threads.execute(() -> ask(name, answer));
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new UnknownHostException("the resolver does not answer"));
        }
        timer.schedule(
                () -> answer.completeExceptionally(new UnknownHostException("the resolver does not answer")),
                patience.toMillis(),
                TimeUnit.MILLISECONDS);
        answer.whenCompleteAsync(
                (addresses, failure) -> {
                    List<InetAddress> known = addresses != null ? addresses : lastGood.getIfPresent(name);
                    if (known != null) {
                        found.accept(known);
                    } else {
                        failed.accept("the name " + name + " is unknown: " + failure.getMessage());
                    }
                },
                timer);
    }

    /** An answer that comes too late is good for the next time. */
    private void ask(String name, CompletableFuture<List<InetAddress>> answer) {
        try {
            List<InetAddress> addresses = lookup.lookup(name);
            if (addresses.isEmpty()) {
                throw new UnknownHostException("it has no address");
            }
            lastGood.put(name, addresses);
            answer.complete(addresses);
        } catch (UnknownHostException | RuntimeException e) {
            answer.completeExceptionally(e);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
