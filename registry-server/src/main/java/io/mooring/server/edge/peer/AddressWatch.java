package io.mooring.server.edge.peer;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks again and again at where peers are written down and tells when it says something else. A source that fails, is
 * empty or makes no sense changes nothing: the last list stays. What is new must be the same at two looks in a row, so that
 * a file in the middle of being written is not believed.
 */
public final class AddressWatch implements Closeable {
    private static final Logger log = LoggerFactory.getLogger(AddressWatch.class);

    private final AddressSource source;
    private final Duration every;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread made = new Thread(task, "mooring-peer-list");
        made.setDaemon(true);
        return made;
    });

    private List<String> told = List.of(); // all of these: the thread's own
    private List<String> seen = List.of();
    private String problem = "";

    public AddressWatch(AddressSource source, Duration every) {
        this.source = source;
        this.every = every;
    }

    /** The list to begin with; empty, with a word in the log, when there is none within the patience. */
    public List<String> first(Duration patience) {
        CompletableFuture<List<String>> answer = new CompletableFuture<>();
        thread.execute(() -> {
            look(list -> {});
            begin(answer);
        });
        try {
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            if (answer.complete(List.of())) { // if it answers later, that is a change
                log.warn("Peers: {} did not answer within {} s; starting without", source, patience.toSeconds());
            }
            return answer.join();
        } catch (ExecutionException e) {
            throw new IllegalStateException("looking for peers failed", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    /** What was seen first is believed at once: there is nothing to fall back to. */
    void begin(CompletableFuture<List<String>> answer) {
        if (answer.complete(seen)) {
            told = seen;
        }
    }

    /** From now on {@code changed} gets each new list, on a thread of this. */
    public void start(Consumer<List<String>> changed) {
        thread.scheduleWithFixedDelay(() -> look(changed), every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
    }

    void look(Consumer<List<String>> changed) {
        List<String> now;
        try {
            now = source.read();
        } catch (IOException | RuntimeException e) {
            complain(e.getMessage() == null ? e.toString() : e.getMessage());
            return;
        }
        if (!problem.isEmpty()) {
            log.info("Peers: {} can be used again", source);
            problem = "";
        }
        boolean same = now.equals(seen);
        seen = now;
        if (same && !now.equals(told)) {
            told = now;
            log.info("Peers: {} says {}", source, now);
            changed.accept(now);
        }
    }

    /** Once for each thing that is wrong. */
    private void complain(String words) {
        seen = told;
        if (!problem.equals(words)) {
            problem = words;
            log.warn("Peers: {} cannot be used: {}; keeping {}", source, words, told.isEmpty() ? "none" : told);
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
