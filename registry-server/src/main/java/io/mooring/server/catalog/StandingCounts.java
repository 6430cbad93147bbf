package io.mooring.server.catalog;

import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;
import java.util.EnumMap;

/** How many instances stand how, over all services. Written on the loop. */
public final class StandingCounts {
    private final EnumMap<Standing, Integer> counts = new EnumMap<>(Standing.class);

    void add(ListedInstance listed) {
        counts.merge(listed.standing(), 1, Integer::sum);
    }

    void drop(ListedInstance listed) {
        counts.merge(listed.standing(), -1, Integer::sum);
    }

    public int of(Standing standing) {
        return counts.getOrDefault(standing, 0);
    }

    public int total() {
        int total = 0;
        for (int count : counts.values()) {
            total += count;
        }
        return total;
    }
}
