package io.mooring.bench;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/**
 * Changes made one after the other: the next one is sent when all subscribers, and the publisher its answer, have had the one
 * before. All of it is on one I/O thread, so that times and counters need no care.
 */
abstract class ClosedLoop {
    private final Histogram latencies = new Histogram(3);
    private final int awaited;
    private CompletableFuture<Void> phase = new CompletableFuture<>();
    private int version;
    private int left;
    private int target;
    private long sentAt;
    private long lastAt;
    private boolean stopped;

    /** @param subscribers that each change reaches */
    ClosedLoop(int subscribers) {
        awaited = subscribers + 1;
    }

    /** Makes that change, counted from 1; {@linkplain #stamp stamps} it before it is sent. */
    abstract void send(int version);

    /** Runs that on the I/O thread and waits for its end. */
    abstract void onThread(Runnable task);

    /** What all subscribers have received until now. */
    abstract long receivedBytes();

    /** All have had that change. */
    void arrived(int version) {}

    /** @throws IllegalStateException when what arrived was not what was sent */
    void verify() {}

    /** The time of a change counts from here. */
    final void stamp() {
        sentAt = System.nanoTime();
    }

    /** @param at when a subscriber had it; 0 for the publisher's answer, whose time does not count */
    final void received(long at) {
        if (at != 0 && left > 0) {
            lastAt = at;
        }
        if (--left > 0) {
            return;
        }
        latencies.recordValue(lastAt - sentAt);
        arrived(version);
        if (version == target || stopped) {
            phase.complete(null);
        } else {
            next();
        }
    }

    private void next() {
        version++;
        left = awaited;
        send(version);
    }

    /** Makes that many changes, one after the other, or as many as fit; returns how many. */
    private int change(int count, int seconds) {
        phase = new CompletableFuture<>();
        target = version + count;
        int before = version;
        stopped = false;
        onThread(this::next);
        try {
            phase.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            onThread(() -> stopped = true);
            phase.orTimeout(30, TimeUnit.SECONDS).join();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("measuring was broken off", e);
        }
        return version - before;
    }

    /** A row: how many changes, their latencies, and what each cost the server's processor, the subscribers and the wire. */
    final void measure(String what, ServerProcess process, int warmUp, int changes, int seconds, Table table) {
        change(warmUp, seconds);
        latencies.reset();
        long bytes = receivedBytes();
        long cpu = process.cpuNanos();
        long[] before = Loopback.now();
        long start = System.nanoTime();
        int made = change(changes, seconds);
        double took = System.nanoTime() - start;
        long[] after = Loopback.now();
        double spent = process.cpuNanos() - cpu;
        bytes = receivedBytes() - bytes;
        verify();
        table.row(
                what,
                String.valueOf(made),
                Table.millis((double) latencies.getValueAtPercentile(50)),
                Table.millis((double) latencies.getValueAtPercentile(99)),
                Table.millis((double) latencies.getMaxValue()),
                Table.millis(spent / made),
                Table.number((double) bytes / made),
                Table.number((double) (after[0] - before[0]) / made),
                Table.number((double) (after[1] - before[1]) / made),
                Table.number(made * 1e9 / took));
    }
}
