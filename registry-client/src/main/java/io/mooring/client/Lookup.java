package io.mooring.client;

import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All that lookups need, finished: swapped in by the loop as a whole, read by any thread without a lock.
 *
 * <p>A lookup is one volatile read, the picker's work, and one volatile read of the picked instance's {@link Track}.
 */
final class Lookup {
    /** So many times a picker is asked by its own rule; from then on it walks, so that everybody is tried. */
    static final int DRAWS = 8;

    final ServiceKey service;
    final List<ListedInstance> listed;
    final Candidate[] roster; // all of the listed, in the same order
    final List<Instance> callable;
    final Candidates candidates;
    final Prepared[] prepared; // the first is the service's own
    final Source source;
    final Freshness freshness;
    final boolean underProtection;
    final boolean incomplete;

    Lookup(
            ServiceKey service,
            List<ListedInstance> listed,
            Candidate[] roster,
            List<Instance> callable,
            Candidates candidates,
            Prepared[] prepared,
            Source source,
            Freshness freshness,
            boolean underProtection,
            boolean incomplete) {
        this.service = service;
        this.listed = listed;
        this.roster = roster;
        this.callable = callable;
        this.candidates = candidates;
        this.prepared = prepared;
        this.source = source;
        this.freshness = freshness;
        this.underProtection = underProtection;
        this.incomplete = incomplete;
    }

    /** The same list with another origin. */
    Lookup with(Source newSource, Freshness newFreshness, boolean protection, boolean newIncomplete) {
        return new Lookup(
                service,
                listed,
                roster,
                callable,
                candidates,
                prepared,
                newSource,
                newFreshness,
                protection,
                newIncomplete);
    }

    Lookup with(Prepared[] newPrepared) {
        return new Lookup(
                service,
                listed,
                roster,
                callable,
                candidates,
                newPrepared,
                source,
                freshness,
                underProtection,
                incomplete);
    }

    ServiceSnapshot snapshot(long now) {
        Duration age = source == Source.NONE ? Duration.ZERO : freshness.age(now);
        return new ServiceSnapshot(service, listed, callable, source, age, underProtection, incomplete);
    }

    /** The picked candidate's index, or -1. */
    int choose(Balancer.Picker picker, String key, Outliers outliers) {
        int size = candidates.size();
        if (size == 0) {
            return -1;
        }
        int index = picker.pick(key, 0);
        if (index < 0 || index >= size) {
            return -1;
        }
        if (candidates.at(index).track.state() == Track.NORMAL) {
            return index;
        }
        return chooseAround(index, picker, key, outliers);
    }

    /** The first pick is ejected, or on trial. Seldom, as ejected ones leave the candidates right afterwards. */
    private int chooseAround(int first, Balancer.Picker picker, String key, Outliers outliers) {
        int index = first;
        for (int attempt = 1; ; attempt++) {
            Candidate candidate = candidates.at(index);
            int state = candidate.track.state();
            if (state == Track.NORMAL || state == Track.TRIAL && outliers.takeTrial(candidate)) {
                return index;
            }
            if (attempt >= DRAWS + candidates.size()) {
                return first; // everybody is ejected: better one of them than nobody
            }
            int next = picker.pick(key, attempt);
            index = next < 0 || next >= candidates.size() ? index : next;
        }
    }

    /**
     * The one for a retry: of those not ejected the one that answered well last, else any other by {@code picker}; else of
     * the ejected and doubtful the one that answered well last. Only when there is nobody else, {@code failed} itself.
     */
    Optional<Instance> chooseAnother(InstanceId failed, Balancer.Picker picker, String key, Outliers outliers) {
        Candidate best = null;
        for (int i = 0; i < candidates.size(); i++) {
            Candidate candidate = candidates.at(i);
            boolean proven = candidate.track.state() == Track.NORMAL && candidate.track.everSucceeded();
            if (proven && !candidate.instance.id().equals(failed)) {
                best = later(best, candidate);
            }
        }
        for (int attempt = 0; best == null && attempt < DRAWS + candidates.size(); attempt++) {
            int index = picker.pick(key, attempt);
            if (index < 0 || index >= candidates.size()) {
                return Optional.empty();
            }
            Candidate candidate = candidates.at(index);
            if (!candidate.instance.id().equals(failed) && candidate.track.state() == Track.NORMAL) {
                best = candidate;
            }
        }
        if (best == null) {
            int index = choose(picker, key, outliers);
            best = index < 0 || candidates.at(index).instance.id().equals(failed) ? null : candidates.at(index);
        }
        for (int round = 0; best == null && round < 3; round++) {
            for (Candidate candidate : roster) {
                boolean sure = !candidate.listed.standing().inDoubt();
                boolean fits = round == 2 || sure && (round == 1 || candidate.track.everSucceeded());
                if (fits && candidate.takesCalls() && !candidate.instance.id().equals(failed)) {
                    best = later(best, candidate);
                }
            }
        }
        if (best != null) {
            return best.answer;
        }
        Optional<Candidate> itself = find(failed).filter(Candidate::takesCalls);
        return itself.isPresent() ? itself.get().answer : Optional.empty();
    }

    /** Of the two, the one that answered well later. */
    private static Candidate later(@Nullable Candidate best, Candidate candidate) {
        if (best == null || candidate.track.lastSuccess() - best.track.lastSuccess() > 0) {
            return candidate;
        }
        return best;
    }

    Optional<Candidate> find(InstanceId id) {
        int at = Mirror.find(listed, id);
        return at >= 0 ? Optional.of(roster[at]) : Optional.empty();
    }

    /** What a balancer made of the candidates. */
    record Prepared(Balancer balancer, Balancer.Picker picker) {}

    /** When the registry last confirmed a list; shared by all lists of a connection, which keeps it up to date. */
    static final class Freshness {
        private final Duration before;
        private volatile long confirmedAt;
        private long settledAt;

        /**
         * @param before how old the list was already
         * @param now the loop's time
         */
        Freshness(Duration before, long now) {
            this.before = before;
            this.confirmedAt = now;
            this.settledAt = now;
        }

        /** What another node had told may still be on its way to this one until then. On the loop. */
        void settles(long at) {
            settledAt = at;
        }

        long settledAt() {
            return settledAt;
        }

        void confirm(long now) {
            confirmedAt = now;
        }

        Duration age(long now) {
            return before.plusNanos(Math.max(0, now - confirmedAt));
        }
    }
}
