package io.mooring.client;

import io.mooring.client.Settings.OutlierSettings;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What this process noted of one instance: calls under way, results, ejection. It outlives changes of the list.
 *
 * <p>Lookups read one volatile field. Transitions of {@code state}:
 *
 * <pre>
 * NORMAL  -- a bad result, and not too many ejected already --> EJECTED
 * EJECTED -- cool-down over, on the loop --> TRIAL
 * TRIAL   -- one lookup takes it --> EJECTED, until its result or another cool-down
 * any     -- a good result --> NORMAL
 * </pre>
 */
final class Track {
    static final int NORMAL = 0;
    static final int EJECTED = 1;
    static final int TRIAL = 2;

    /** The share of failures means nothing before that many calls. */
    static final int LEAST_CALLS = 20;

    private static final AtomicIntegerFieldUpdater<Track> STATE =
            AtomicIntegerFieldUpdater.newUpdater(Track.class, "state");

    private volatile int state = NORMAL;
    private volatile long ejections; // tells a timer whether it is about this ejection or an earlier one
    private final AtomicInteger active = new AtomicInteger();
    private final AtomicLong lastSuccess = new AtomicLong();
    private volatile boolean succeeded;

    private int inARow; // guarded by this
    private long history; // the last 64 results, 1 for a failure; guarded by this
    private int calls; // guarded by this

    int state() {
        return state;
    }

    int activeCalls() {
        return active.get();
    }

    void begin() {
        active.incrementAndGet();
    }

    void end() {
        active.decrementAndGet();
    }

    boolean everSucceeded() {
        return succeeded;
    }

    long lastSuccess() {
        return lastSuccess.get();
    }

    /** Notes a result. True when it asks for ejection. */
    synchronized boolean note(CallResult result, OutlierSettings settings, long now) {
        boolean bad = result != CallResult.SUCCESS;
        history = history << 1 | (bad ? 1 : 0);
        calls = Math.min(64, calls + 1);
        inARow = bad ? inARow + 1 : 0;
        if (!bad) {
            lastSuccess.set(now);
            succeeded = true;
            return false;
        }
        if (!settings.enabled()) {
            return false;
        }
        return result == CallResult.UNREACHABLE
                || settings.consecutiveFailures() > 0 && inARow >= settings.consecutiveFailures()
                || calls >= LEAST_CALLS && Long.bitCount(recent()) >= settings.failureShare() * calls;
    }

    private long recent() {
        return calls == 64 ? history : history & (1L << calls) - 1;
    }

    /** A number for this ejection, or 0 when it was ejected already. */
    long eject() {
        if (STATE.compareAndSet(this, NORMAL, EJECTED)) {
            return nextEjection();
        }
        return 0;
    }

    /** After a trial failed or stayed without a result: the cool-down starts anew. */
    synchronized long nextEjection() {
        ejections = ejections + 1;
        return ejections;
    }

    /** True when it was ejected or on trial. What led there is forgotten. */
    synchronized boolean restore() {
        calls = 0;
        inARow = 0;
        return STATE.getAndSet(this, NORMAL) != NORMAL;
    }

    /** The cool-down of that ejection is over. */
    boolean offerTrial(long ejection) {
        return ejections == ejection && STATE.compareAndSet(this, EJECTED, TRIAL);
    }

    /** One lookup wins. */
    boolean takeTrial() {
        return STATE.compareAndSet(this, TRIAL, EJECTED);
    }
}
