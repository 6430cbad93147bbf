package io.mooring.simulation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What was asked for under durable keys, and what therefore may show. A write that a node acknowledged is above all of which
 * this node had heard: none of those may show on a node that has taken it, nor anywhere once all have met. Of writes that did not know of
 * one another any may stay. A write without an answer may have happened. What disks forget is taken into account: a write
 * that may have been lost is above nothing.
 */
final class DurableHistory {
    /** One write; no two say the same, but removals. */
    static final class Said {
        final String key;
        final String value;
        final Registry at;
        private final Set<Said> above;
        /** Disks that have it; a write that is on none is not certain any more. */
        private final Set<Registry> holders = new HashSet<>();

        private boolean acknowledged;
        private boolean refused;
        /** The disk of the node that accepted it has it for certain; after it was lost that node may have it from others. */
        private boolean forced;

        Said(String key, String value, Registry at, Set<Said> above) {
            this.key = key;
            this.value = value;
            this.at = at;
            this.above = above;
        }

        boolean isCertain() {
            return acknowledged && !holders.isEmpty();
        }

        boolean isCertainAmong(Collection<Registry> nodes) {
            return acknowledged && !Collections.disjoint(holders, nodes);
        }

        @Override
        public String toString() {
            return "'" + value + "' at " + at.name + (isCertain() ? "" : acknowledged ? " (lost)" : " (unsure)");
        }
    }

    private final Map<String, List<Said>> said = new LinkedHashMap<>();
    /** Of which writes a node has seen the generation: what it accepts is above them. */
    private final Map<Registry, Set<Said>> known = new HashMap<>();
    /** Which ones it has taken: what it shows is not below them. */
    private final Map<Registry, Set<Said>> taken = new HashMap<>();

    private Set<Said> known(Registry node) {
        return known.computeIfAbsent(node, n -> new LinkedHashSet<>());
    }

    private Set<Said> taken(Registry node) {
        return taken.computeIfAbsent(node, n -> new LinkedHashSet<>());
    }

    private void take(Registry node, Said write) {
        if (taken(node).add(write)) { // otherwise it has what that is above, too
            known(node).add(write);
            known(node).addAll(write.above);
        }
    }

    /** A request arrives at a node; an empty value is a removal. */
    Said asked(String key, String value, Registry at) {
        Said asked = new Said(key, value, at, new HashSet<>(known(at)));
        said.computeIfAbsent(key, k -> new ArrayList<>()).add(asked);
        return asked;
    }

    void acknowledged(Said write) {
        write.acknowledged = true;
        write.forced = true;
        write.holders.add(write.at);
        take(write.at, write);
    }

    /** It did not happen, and will not. */
    void refused(Said write) {
        write.refused = true;
    }

    /** A node shows it, and its disk has it. */
    void seen(String key, String value, Registry on) {
        for (Said each : said.getOrDefault(key, List.of())) {
            if (!value.isEmpty() && each.value.equals(value)) {
                take(on, each);
                each.holders.add(on);
            }
        }
    }

    /** The process died: what it had from others it may not have written. */
    void died(Registry node) {
        List<Said> own = taken(node).stream()
                .filter(each -> each.at == node && each.forced)
                .toList();
        known.remove(node);
        taken.remove(node);
        own.forEach(each -> take(node, each));
        said.values()
                .forEach(all -> all.forEach(each -> {
                    if (each.at != node || !each.forced) {
                        each.holders.remove(node);
                    }
                }));
    }

    /** The disk is gone. */
    void forgot(Registry node) {
        known.remove(node);
        taken.remove(node);
        said.values()
                .forEach(all -> all.forEach(each -> {
                    each.holders.remove(node);
                    each.forced &= each.at != node;
                }));
    }

    /** Why that node may not show that; empty when it may. */
    Optional<String> wrong(String key, String value, Registry on) {
        Set<Said> takenThere = taken(on);
        return wrong(key, value, each -> each.isCertain() && takenThere.contains(each), on.name);
    }

    /** The same when those nodes have met, and there are no others. */
    Optional<String> wrong(String key, String value, Collection<Registry> all) {
        return wrong(key, value, each -> each.isCertainAmong(all), "everybody");
    }

    private Optional<String> wrong(String key, String value, Predicate<Said> counts, String who) {
        List<Said> all = said.getOrDefault(key, List.of());
        boolean possible = value.isEmpty();
        for (Said each : all) {
            possible |= !each.refused && each.value.equals(value);
        }
        if (!possible) {
            return Optional.of(who + " shows " + key + " as '" + value + "', which nobody ever wrote");
        }
        List<Said> certain = new ArrayList<>();
        for (Said each : all) {
            if (counts.test(each)) {
                certain.add(each);
            }
        }
        boolean stands = value.isEmpty() && certain.isEmpty(); // as in the beginning
        for (int i = all.size() - 1; i >= 0 && !stands; i--) { // mostly it is the last
            Said each = all.get(i);
            stands = each.value.equals(value) && !each.refused && !isOver(each, certain);
        }
        return stands
                ? Optional.empty()
                : Optional.of(who + " shows " + key + " as '" + value + "', though it was overwritten: " + all);
    }

    private static boolean isOver(Said write, List<Said> certain) {
        for (Said each : certain) {
            if (each.above.contains(write)) {
                return true;
            }
        }
        return false;
    }

    Set<String> keys() {
        return said.keySet();
    }
}
