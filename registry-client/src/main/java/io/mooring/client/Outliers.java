package io.mooring.client;

import io.mooring.client.Settings.OutlierSettings;
import io.mooring.runtime.EventLoop;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes instances that fail out of the lookups' way for a while: at most half of those that take calls. A result counts at
 * once, on the thread that reports it; the loop then takes the ejected out of the candidates and brings them back.
 */
final class Outliers {
    private final EventLoop loop;
    private final OutlierSettings settings;
    private final Counters counters;
    private final Runnable changed; // on the loop
    private final AtomicInteger ejected = new AtomicInteger();

    Outliers(EventLoop loop, OutlierSettings settings, Counters counters, Runnable changed) {
        this.loop = loop;
        this.settings = settings;
        this.counters = counters;
        this.changed = changed;
    }

    int ejected() {
        return ejected.get();
    }

    /** From any thread. */
    void report(Candidate candidate, CallResult result, int callable) {
        Track track = candidate.track;
        if (track.note(result, settings, loop.now())) {
            eject(track, callable);
        } else if (result == CallResult.SUCCESS && track.state() != Track.NORMAL && track.restore()) {
            ejected.decrementAndGet();
            loop.execute(changed);
        }
    }

    private void eject(Track track, int callable) {
        if (track.state() != Track.NORMAL) {
            return; // its trial failed; the cool-down started anew when the trial was taken
        }
        int now = ejected.incrementAndGet();
        long ejection = 2L * now <= callable ? track.eject() : 0;
        if (ejection == 0) {
            ejected.decrementAndGet();
            return;
        }
        counters.ejections.increment();
        coolDown(track, ejection);
    }

    /** One lookup may try it. */
    boolean takeTrial(Candidate candidate) {
        if (!candidate.track.takeTrial()) {
            return false;
        }
        coolDown(candidate.track, candidate.track.nextEjection());
        return true;
    }

    private void coolDown(Track track, long ejection) {
        loop.execute(() -> {
            try {
                changed.run();
                loop.schedule(settings.coolDown(), () -> endCoolDown(track, ejection));
            } catch (RuntimeException | Error e) { // without its timer it would stay out for ever
                endCoolDown(track, ejection);
                throw e;
            }
        });
    }

    private void endCoolDown(Track track, long ejection) {
        if (track.offerTrial(ejection)) {
            changed.run();
        }
    }

    /** It left the list; should it come back, it starts afresh. On the loop. */
    void forget(Track track) {
        if (track.restore()) {
            ejected.decrementAndGet();
        }
    }
}
