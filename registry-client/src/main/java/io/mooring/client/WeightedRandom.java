package io.mooring.client;

import java.util.random.RandomGenerator;

/** Vose's alias method: one draw, one comparison, whatever the number of candidates. Equal weights need no table. */
final class WeightedRandom implements Balancer.Picker {
    static final Balancer BALANCER = WeightedRandom::new;

    private final int size;
    private final RandomGenerator random;
    private final int[] alias; // empty: all weights are equal
    private final long[] threshold; // of 2^32: below, the column's own candidate

    WeightedRandom(Candidates candidates) {
        size = candidates.size();
        random = candidates.random();
        if (equalWeights(candidates)) {
            alias = new int[0];
            threshold = new long[0];
            return;
        }
        alias = new int[size];
        threshold = new long[size];
        fill(candidates);
    }

    private static boolean equalWeights(Candidates candidates) {
        double first = candidates.instance(0).weight();
        for (int i = 1; i < candidates.size(); i++) {
            if (candidates.instance(i).weight() != first) {
                return false;
            }
        }
        return true;
    }

    private void fill(Candidates candidates) {
        double total = 0;
        for (int i = 0; i < size; i++) {
            total += candidates.instance(i).weight();
        }
        double[] share = new double[size];
        int[] waiting = new int[size]; // the small ones from the left, the large ones from the right
        int small = 0;
        int large = size;
        for (int i = 0; i < size; i++) {
            share[i] = candidates.instance(i).weight() / total * size;
            if (share[i] < 1) {
                waiting[small++] = i;
            } else {
                waiting[--large] = i;
            }
        }
        while (small > 0 && large < size) {
            int poor = waiting[--small];
            int rich = waiting[large];
            threshold[poor] = (long) (share[poor] * 0x1p32);
            alias[poor] = rich;
            share[rich] -= 1 - share[poor];
            if (share[rich] < 1) {
                large++;
                waiting[small++] = rich;
            }
        }
        while (small > 0) { // only rounding leaves these
            int rest = waiting[--small];
            threshold[rest] = 1L << 32;
            alias[rest] = rest;
        }
        while (large < size) {
            int rest = waiting[large++];
            threshold[rest] = 1L << 32;
            alias[rest] = rest;
        }
    }

    @Override
    public int pick(String key, int attempt) {
        return attempt < Lookup.DRAWS ? draw() : attempt % size;
    }

    int draw() {
        long bits = random.nextLong();
        int column = (int) ((bits >>> 32) * size >>> 32);
        return alias.length == 0 || (bits & 0xffffffffL) < threshold[column] ? column : alias[column];
    }

    /** What the table makes of the weights, to be compared with them. */
    double[] shares() {
        double[] shares = new double[size];
        for (int i = 0; i < size; i++) {
            double own = alias.length == 0 ? 1 : threshold[i] / 0x1p32;
            shares[i] += own / size;
            if (own < 1) {
                shares[alias[i]] += (1 - own) / size;
            }
        }
        return shares;
    }
}
