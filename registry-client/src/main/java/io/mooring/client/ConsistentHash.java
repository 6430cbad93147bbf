package io.mooring.client;

import java.util.random.RandomGenerator;

/**
 * A Maglev table (Eisenbud et al., NSDI 2016): each candidate has its own order of preference over the slots and takes
 * turns, the more often the heavier it is. Orders come from the address alone, so processes with the same list agree.
 */
final class ConsistentHash implements Balancer.Picker {
    static final Balancer BALANCER = ConsistentHash::new;

    /** Slots per candidate, at least: shares differ from the weights by a few per cent at most. */
    private static final int SLOTS_EACH = 32;

    private static final int[] PRIMES = {257, 1_031, 4_099, 16_411, 65_537, 262_147, 1_048_583, 4_194_319};

    private final int[] slots;
    private final int size;
    private final RandomGenerator random;

    private ConsistentHash(Candidates candidates) {
        size = candidates.size();
        random = candidates.random();
        slots = new int[slotsFor(size)];
        fill(candidates);
    }

    private static int slotsFor(int candidates) {
        for (int prime : PRIMES) {
            if (prime / SLOTS_EACH >= candidates) {
                return prime;
            }
        }
        return PRIMES[PRIMES.length - 1];
    }

    private void fill(Candidates candidates) {
        int count = slots.length;
        long[] at = new long[size];
        long[] skip = new long[size];
        double heaviest = 0;
        for (int i = 0; i < size; i++) {
            String name = candidates.instance(i).cluster() + "/"
                    + candidates.instance(i).address();
            long hash = hash(name);
            at[i] = (hash >>> 32) % count;
            skip[i] = (hash & 0xffffffffL) % (count - 1) + 1;
            heaviest = Math.max(heaviest, candidates.instance(i).weight());
        }
        double[] turns = new double[size];
        boolean[] taken = new boolean[count];
        int left = count;
        while (left > 0) {
            for (int i = 0; i < size && left > 0; i++) {
                turns[i] += candidates.instance(i).weight() / heaviest;
                if (turns[i] < 1) {
                    continue;
                }
                turns[i] -= 1;
                while (taken[(int) at[i]]) {
                    at[i] = (at[i] + skip[i]) % count;
                }
                taken[(int) at[i]] = true;
                slots[(int) at[i]] = i;
                left--;
            }
        }
    }

    @Override
    public int pick(String key, int attempt) {
        if (attempt >= Lookup.DRAWS) {
            return attempt % size;
        }
        long hash = key.isEmpty() ? random.nextLong() : hash(key);
        long step = hash ^ attempt * 0x9e3779b97f4a7c15L;
        return slots[(int) Long.remainderUnsigned(step, slots.length)];
    }

    /** FNV-1a over the characters, then MurmurHash3's finalizer. */
    private static long hash(String text) {
        long h = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            h = (h ^ text.charAt(i)) * 0x100000001b3L;
        }
        h ^= h >>> 33;
        h *= 0xff51afd7ed558ccdL;
        h ^= h >>> 33;
        h *= 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }
}
