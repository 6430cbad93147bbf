package io.mooring.compatibility;

import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/** Lists of instances, whatever their order. */
final class Places {
    private Places() {}

    /** Whether both have the same instances, all of them as said. */
    static boolean same(List<Instance> seen, List<Instance> expected) {
        return sorted(seen).equals(sorted(expected));
    }

    private static List<Instance> sorted(List<Instance> instances) {
        return instances.stream()
                .sorted(Comparator.comparing(Instance::address))
                .toList();
    }

    static Predicate<Seen> exactly(List<Instance> expected) {
        return seen -> same(seen.instances(), expected);
    }
}
