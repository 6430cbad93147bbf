package io.mooring.server.check;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.check.Checker.Result;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BiConsumer;
import java.util.random.RandomGenerator;

/**
 * Checks persistent instances, each by itself in its own rhythm, so many at once:
 *
 * <pre>
 * as it was said to be: every 1 s, 1.5 s … 5 s          otherwise: every second
 * healthy   ── refused, or failed three times in a row ──▶ unhealthy
 * unhealthy ── passed three times in a row ─────────────▶ healthy
 * </pre>
 *
 * What is said of an instance is what all nodes know of it, whoever found it out; this node says so only when its results
 * differ. A node that does not trust its own view of the network finds nobody unhealthy. Confined to the event loop.
 */
public final class HealthChecks {
    private static final Duration FIRST_WITHIN = Duration.ofSeconds(3);
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final double LONGER = 1.5;
    private static final int IN_A_ROW = 3;
    private static final int AT_ONCE = 64;

    private final EventLoop loop;
    private final RandomGenerator random;
    private final Checker checker;
    private final Wards wards;
    private final Map<InstanceId, Rhythm> rhythms = new HashMap<>();
    private final PriorityQueue<Rhythm> due;
    private int checking;
    private boolean starting;

    /** The instances, as the node has them. */
    public interface Wards {
        /**
         * Those that this node is to check, and how. Asked for now and then; at most as many as there are durable entries.
         *
         * @param each takes them, in any order
         */
        void forEach(BiConsumer<InstanceId, ClusterSettings> each);

        /** What is said of it. */
        boolean isHealthy(InstanceId instance);

        /** Whether this node trusts what it sees of the network. */
        boolean isTrusted();

        /** From now on it is to be said that it is, or is not. May come to nothing; then the next result says so again. */
        void found(InstanceId instance, boolean healthy);
    }

    /** One instance's. */
    private static final class Rhythm {
        final InstanceId id;
        ClusterSettings how;
        long at;
        Duration interval = SHORTEST;
        int otherwise;
        boolean over;

        Rhythm(InstanceId id, ClusterSettings how, long at) {
            this.id = id;
            this.how = how;
            this.at = at;
        }
    }

    /** @param random spreads first checks */
    public HealthChecks(EventLoop loop, RandomGenerator random, Checker checker, Wards wards) {
        this.loop = loop;
        this.random = random;
        this.checker = checker;
        this.wards = wards;
        due = new PriorityQueue<>((a, b) -> Long.signum(a.at - b.at)); // not a comparison: the clock may overflow
    }

    /** Looks who is to be checked, from now on until told otherwise. To be called every second or so. */
    public void look() {
        Map<InstanceId, ClusterSettings> now = new LinkedHashMap<>();
        wards.forEach((id, how) -> {
            if (how.check() != Check.NONE) {
                now.put(id, how);
            }
        });
        rhythms.values().removeIf(rhythm -> {
            rhythm.over = !now.containsKey(rhythm.id);
            return rhythm.over;
        });
        now.forEach((id, how) -> {
            Rhythm rhythm = rhythms.get(id);
            if (rhythm == null) {
                Rhythm fresh = new Rhythm(id, how, loop.now() + random.nextLong(FIRST_WITHIN.toNanos()));
                rhythms.put(id, fresh);
                plan(fresh);
            } else if (!rhythm.how.equals(how)) {
                rhythm.how = how;
                rhythm.otherwise = 0;
            }
        });
        next();
    }

    /** Instances this node checks. */
    public int checked() {
        return rhythms.size();
    }

    private void plan(Rhythm rhythm) {
        due.add(rhythm);
        loop.schedule(Duration.ofNanos(Math.max(0, rhythm.at - loop.now())), this::next);
    }

    private void next() {
        if (starting) {
            return; // a result that came at once, from within the loop below, which goes on anyway
        }
        starting = true;
        try {
            while (checking < AT_ONCE) {
                Rhythm first = due.peek();
                if (first == null || first.at - loop.now() > 0) {
                    return;
                }
                due.remove();
                if (!first.over) {
                    checking++;
                    checker.check(first.id, first.how, result -> answered(first, result));
                }
            }
        } finally {
            starting = false;
        }
    }

    private void answered(Rhythm rhythm, Result result) {
        loop.assertInLoop();
        checking--;
        if (!rhythm.over) {
            judge(rhythm, result);
            rhythm.at = loop.now() + rhythm.interval.toNanos();
            plan(rhythm);
        }
        next();
    }

    private void judge(Rhythm rhythm, Result result) {
        boolean healthy = wards.isHealthy(rhythm.id);
        boolean passed = result == Result.PASSED;
        if (result == Result.NOT_ASKED || passed == healthy) {
            rhythm.otherwise = 0;
            long longer = (long) (rhythm.interval.toNanos() * LONGER);
            rhythm.interval = Duration.ofNanos(Math.min(LONGEST.toNanos(), longer));
            return;
        }
        rhythm.interval = SHORTEST;
        rhythm.otherwise++;
        boolean sure = rhythm.otherwise >= IN_A_ROW || result == Result.REFUSED;
        if (sure && (passed || wards.isTrusted())) {
            rhythm.otherwise = 0;
            wards.found(rhythm.id, passed);
        }
    }
}
