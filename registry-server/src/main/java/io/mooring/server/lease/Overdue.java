package io.mooring.server.lease;

import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** The registrations whose time is over, and which of them leave when: no faster than the cap on evictions allows. */
final class Overdue {
    private final Map<InstanceId, RemovalCause> causes = new LinkedHashMap<>();
    private final EvictionBudget budget;
    private final RandomGenerator random;

    Overdue(LeaseSettings settings, RandomGenerator random) {
        budget = new EvictionBudget(settings);
        this.random = random;
    }

    /** How many wait. */
    int size() {
        return causes.size();
    }

    void add(InstanceId id, RemovalCause cause) {
        causes.put(id, cause);
    }

    /** What is overdue already stays so for the cause it is. */
    void addIfAbsent(InstanceId id, RemovalCause cause) {
        causes.putIfAbsent(id, cause);
    }

    void remove(InstanceId id) {
        causes.remove(id);
    }

    /**
     * Removes as many as may go now.
     *
     * @param registered registrations in all
     * @param waits whether that one stays for now, whatever the cap allows
     */
    void evict(int registered, long now, Predicate<InstanceId> waits, BiConsumer<InstanceId, RemovalCause> removal) {
        if (causes.isEmpty()) {
            return;
        }
        int available = budget.available(registered, now);
        if (available == 0) {
            return;
        }
        List<InstanceId> candidates = new ArrayList<>(causes.keySet());
        candidates.removeIf(waits);
        int count = Math.min(available, candidates.size());
        for (int i = 0; i < count; i++) { // in random order, so that the cap hits no service on purpose
            if (count < candidates.size()) {
                int other = i + random.nextInt(candidates.size() - i);
                InstanceId chosen = candidates.get(other);
                candidates.set(other, candidates.get(i));
                candidates.set(i, chosen);
            }
            InstanceId id = candidates.get(i);
            removal.accept(id, causes.getOrDefault(id, RemovalCause.LEASE_EXPIRED));
        }
        budget.spend(count, now);
    }

    /** One that is not among these leaves in the same way. @return false when the cap is reached */
    boolean spendOne(int registered, long now) {
        if (budget.available(registered, now) < 1) {
            return false;
        }
        budget.spend(1, now);
        return true;
    }
}
