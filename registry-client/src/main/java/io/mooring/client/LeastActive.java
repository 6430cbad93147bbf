package io.mooring.client;

/** The better of two draws (Mitzenmacher, "The Power of Two Choices"). */
final class LeastActive implements Balancer.Picker {
    static final Balancer BALANCER = LeastActive::new;

    private final Candidates candidates;
    private final WeightedRandom draws;

    private LeastActive(Candidates candidates) {
        this.candidates = candidates;
        this.draws = new WeightedRandom(candidates);
    }

    @Override
    public int pick(String key, int attempt) {
        if (attempt >= Lookup.DRAWS) {
            return attempt % candidates.size();
        }
        int one = draws.draw();
        int other = draws.draw();
        return load(other) < load(one) ? other : one;
    }

    private double load(int index) {
        return (candidates.activeCalls(index) + 1) / candidates.instance(index).weight();
    }
}
