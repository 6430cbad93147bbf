package io.mooring.simulation;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How often each operation, fault and effect occurred. A fault counts only when it had an effect; one that never had
 * any means that the simulation no longer tries what it says it tries.
 */
final class Coverage {
    private final Map<Operation, Long> operations = new EnumMap<>(Operation.class);
    private final Map<Fault, Long> injected = new EnumMap<>(Fault.class);
    private final Map<Fault, Long> effective = new EnumMap<>(Fault.class);
    private final Map<String, Long> effects = new TreeMap<>();
    private final Map<String, Long> pairs = new TreeMap<>();

    void did(Operation operation) {
        operations.merge(operation, 1L, Long::sum);
    }

    void injected(Fault fault) {
        injected.merge(fault, 1L, Long::sum);
    }

    /** Two faults fell together, or one soon after the other. */
    void met(Fault fault, Fault other) {
        if (fault != other) {
            pairs.merge(pair(fault, other), 1L, Long::sum);
        }
    }

    private static String pair(Fault fault, Fault other) {
        return fault.compareTo(other) < 0 ? fault + " and " + other : other + " and " + fault;
    }

    /** The fault made a difference to somebody. */
    void tookEffect(Fault fault) {
        effective.merge(fault, 1L, Long::sum);
    }

    long tookEffectTimes(Fault fault) {
        return effective.getOrDefault(fault, 0L);
    }

    void effect(String name) {
        effect(name, 1);
    }

    void effect(String name, long count) {
        if (count != 0) {
            effects.merge(name, count, Long::sum);
        }
    }

    long effects(String name) {
        return effects.getOrDefault(name, 0L);
    }

    void add(Coverage other) {
        other.operations.forEach((operation, n) -> operations.merge(operation, n, Long::sum));
        other.injected.forEach((fault, n) -> injected.merge(fault, n, Long::sum));
        other.effective.forEach((fault, n) -> effective.merge(fault, n, Long::sum));
        other.effects.forEach((name, n) -> effects.merge(name, n, Long::sum));
        other.pairs.forEach((name, n) -> pairs.merge(name, n, Long::sum));
    }

    /** What never happened, or happened to no effect; empty when everything did. */
    String holes() {
        StringBuilder out = new StringBuilder();
        for (Operation operation : Operation.values()) {
            if (operations.getOrDefault(operation, 0L) == 0) {
                out.append("operation ").append(operation).append(" never happened\n");
            }
        }
        for (Fault fault : Fault.values()) {
            if (effective.getOrDefault(fault, 0L) == 0) {
                out.append("fault ").append(fault).append(" never took effect\n");
            }
        }
        for (String effect : Effects.EXPECTED) {
            if (effects(effect) == 0) {
                out.append("never seen: ").append(effect).append('\n');
            }
        }
        return out.toString();
    }

    /** Pairs of faults that never fell together; empty when all did. */
    String pairHoles() {
        StringBuilder out = new StringBuilder();
        for (Fault fault : Fault.values()) {
            for (Fault other : Fault.values()) {
                if (fault.compareTo(other) < 0 && !pairs.containsKey(pair(fault, other))) {
                    out.append("never together: ").append(pair(fault, other)).append('\n');
                }
            }
        }
        return out.toString();
    }

    private String pairFigures() {
        int possible = Fault.values().length * (Fault.values().length - 1) / 2;
        long least = pairs.size() < possible
                ? 0
                : pairs.values().stream().mapToLong(Long::longValue).min().orElse(0);
        return String.format(
                Locale.ROOT,
                "%d of %d pairs of faults fell together, each %d times or more%n",
                pairs.size(),
                possible,
                least);
    }

    String table() {
        StringBuilder out = new StringBuilder();
        out.append(String.format(Locale.ROOT, "%-34s %12s %12s%n", "operation", "times", ""));
        for (Operation operation : Operation.values()) {
            row(out, operation.name(), operations.getOrDefault(operation, 0L), "");
        }
        out.append(String.format(Locale.ROOT, "%-34s %12s %12s%n", "fault", "injected", "took effect"));
        for (Fault fault : Fault.values()) {
            row(
                    out,
                    fault.name(),
                    injected.getOrDefault(fault, 0L),
                    effective.getOrDefault(fault, 0L).toString());
        }
        out.append(String.format(Locale.ROOT, "%-34s %12s %12s%n", "effect", "times", ""));
        effects.forEach((name, n) -> row(out, name, n, ""));
        out.append(pairFigures());
        return out.toString();
    }

    private static void row(StringBuilder out, String name, long count, String more) {
        out.append(String.format(Locale.ROOT, "%-34s %12d %12s%n", name, count, more));
    }
}
