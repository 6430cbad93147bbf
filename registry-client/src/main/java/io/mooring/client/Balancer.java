package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.Metadata;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A way to choose an instance. Whatever takes time is done in {@link #prepare}, once per change of the list; the
 * {@link Picker} it returns then answers each lookup.
 *
 * <p>Keep one balancer object and use it again: the client remembers what it prepared by the object. Up to 16 balancers
 * per service are remembered; further ones are prepared anew in each lookup.
 */
@FunctionalInterface
public interface Balancer {
    /**
     * Looks at who is there. Called off the lookups' path, on the client's own thread or a caller's; must not block.
     *
     * @param candidates at least one
     */
    Picker prepare(Candidates candidates);

    /** Answers lookups among the candidates it was prepared for. Called from many threads at once. */
    @FunctionalInterface
    interface Picker {
        /**
         * Must not block, and should not allocate.
         *
         * @param key what the request is about, for balancers that keep equal keys together; empty when there is none
         * @param attempt 0 at first; asked again with 1, 2 … when the instance picked turned out to be ejected just now
         * @return the index of a candidate, or -1 when none of them will do
         */
        int pick(String key, int attempt);
    }

    /** At random, in proportion to the weights. The default. Constant time and no allocation, whatever the size. */
    static Balancer weightedRandom() {
        return WeightedRandom.BALANCER;
    }

    /** One after the other, all alike: weights other than 0 are not looked at. Starts at a random place. */
    static Balancer roundRobin() {
        return RoundRobin.BALANCER;
    }

    /**
     * Of two drawn by weight, the one with fewer calls under way for its weight. Counts the calls made with {@link
     * Service#begin()}; without them it is {@link #weightedRandom()}.
     */
    static Balancer leastActive() {
        return LeastActive.BALANCER;
    }

    /**
     * Equal keys go to the same instance, in every process that has the same list, and few keys move when the list changes.
     * Maglev hashing (Eisenbud et al., NSDI 2016), in proportion to the weights. A lookup without a key is random.
     */
    static Balancer consistentHash() {
        return ConsistentHash.BALANCER;
    }

    /**
     * Those whose label {@value io.mooring.model.Metadata#ZONE} is {@code zone}, if there are any; otherwise all.
     *
     * @param within chooses among them
     */
    static Balancer zoneFirst(String zone, Balancer within) {
        return Narrowed.preferring(instance -> zone.equals(instance.metadata().get(Metadata.ZONE)), within);
    }

    /** Only those that carry all of these labels. None of them there: the lookup finds nothing. */
    static Balancer withMetadata(Map<String, String> labels, Balancer within) {
        Metadata wanted = Metadata.of(labels);
        return only(instance -> instance.metadata().entrySet().containsAll(wanted.entrySet()), within);
    }

    /** Only those that the predicate accepts. None of them there: the lookup finds nothing. */
    static Balancer only(Predicate<? super Instance> accepted, Balancer within) {
        return Narrowed.only(accepted, within);
    }
}
