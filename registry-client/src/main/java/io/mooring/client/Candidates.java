package io.mooring.client;

import io.mooring.model.Instance;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * The instances a lookup may choose from: enabled, with a weight, not in doubt (or all in doubt), not ejected (or all
 * ejected). Immutable, but for the number of calls under way; in the order of their ids.
 */
public final class Candidates {
    private final Candidate[] candidates;
    private final int[] origins; // empty: each is its own
    private final RandomGenerator random;

    Candidates(Candidate[] candidates, RandomGenerator random) {
        this(candidates, new int[0], random);
    }

    private Candidates(Candidate[] candidates, int[] origins, RandomGenerator random) {
        this.candidates = candidates;
        this.origins = origins;
        this.random = random;
    }

    public int size() {
        return candidates.length;
    }

    /** @param index from 0 to {@code size() - 1} */
    public Instance instance(int index) {
        return candidates[index].instance;
    }

    /** Calls begun with {@link Service#begin()} and not over yet. */
    public int activeCalls(int index) {
        return candidates[index].track.activeCalls();
    }

    /** Where chance comes from; usable from any thread. */
    public RandomGenerator random() {
        return random;
    }

    /** Those that the predicate accepts, in the same order; {@link #origin} leads back. */
    public Candidates where(Predicate<? super Instance> accepted) {
        List<Candidate> part = new ArrayList<>();
        int[] from = new int[candidates.length];
        for (int i = 0; i < candidates.length; i++) {
            if (accepted.test(candidates[i].instance)) {
                from[part.size()] = i;
                part.add(candidates[i]);
            }
        }
        return new Candidates(part.toArray(new Candidate[0]), from, random);
    }

    /** The index that this candidate has in the candidates that {@link #where} was called on. */
    public int origin(int index) {
        return origins.length == 0 ? index : origins[index];
    }

    Candidate at(int index) {
        return candidates[index];
    }
}
