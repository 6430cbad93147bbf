package io.mooring.client;

import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides what callers see, from what they saw and what the registry says now. Pure functions.
 *
 * <p>What is there is believed at once. What is missing is believed when there is a reason: its publisher, an operator or a
 * probe said so; or the registry itself had held it back, and has now let it go; or the registry has confirmed the absence for
 * a whole window. Without a reason it is believed unless it is everything, or more than half and at least two, of what
 * would otherwise remain: then the missing ones stay listed, as {@link Standing#HELD}. So there is always a way out,
 * and never a sudden emptiness.
 *
 * <p>A node that says itself that its list is incomplete may be behind what this client has seen at another one. Generations
 * tell: its word on an instance counts unless what is shown is of a higher one, and nobody is missing but those of whom it
 * knows that they left. Whom it knows to have left in a lower generation only is held until it knows everybody.
 */
final class Guard {
    private Guard() {}

    /**
     * What was said about an instance that left.
     *
     * @param believed whether that needs no second opinion
     */
    record Departure(Removal removal, boolean believed) {}

    /**
     * @param shown what callers see from now on, in order
     * @param held those of them that the registry no longer lists and that are kept because the loss is too large
     */
    record Verdict(List<ListedInstance> shown, Set<InstanceId> held) {}

    /**
     * @param shown what callers see now, in order
     * @param told what the registry lists now, in order
     * @param departures what was said about those that left
     * @param incomplete whether the registry may not know everybody yet: nobody is missing then but those named in {@code
     *     departures}
     * @param confirmed whose absence the registry has confirmed for the whole window
     */
    static Verdict judge(
            List<ListedInstance> shown,
            List<ListedInstance> told,
            Map<InstanceId, Departure> departures,
            boolean incomplete,
            Set<InstanceId> confirmed) {
        List<ListedInstance> kept = new ArrayList<>(); // missing, but the registry does not know enough to say so
        List<ListedInstance> overtaken = new ArrayList<>();
        List<ListedInstance> doubtful = new ArrayList<>();
        int gone = 0;
        int t = 0;
        for (ListedInstance before : shown) {
            while (t < told.size() && told.get(t).id().compareTo(before.id()) < 0) {
                t++;
            }
            if (t < told.size() && told.get(t).id().equals(before.id())) {
                continue;
            }
            Departure departure = departures.get(before.id());
            boolean overtakes = departure == null || departure.removal().generation() >= before.generation();
            if (incomplete && !overtakes && !confirmed.contains(before.id())) {
                overtaken.add(before);
            } else if (departure != null && departure.believed() || !incomplete && confirmed.contains(before.id())) {
                gone++;
            } else if (incomplete && departure == null) {
                kept.add(before);
            } else {
                doubtful.add(before);
            }
        }
        boolean believable = !tooMany(doubtful.size(), shown.size() - gone);
        if (believable && overtaken.isEmpty()) {
            return kept.isEmpty() ? new Verdict(told, Set.of()) : new Verdict(merged(told, kept), Set.of());
        }
        if (!believable) {
            overtaken.addAll(doubtful);
        }
        Set<InstanceId> held = new HashSet<>();
        for (ListedInstance missing : overtaken) {
            held.add(missing.id());
            kept.add(missing.held());
        }
        kept.sort((a, b) -> a.id().compareTo(b.id()));
        return new Verdict(merged(told, kept), held);
    }

    /** What is told, but for instances that are shown in a higher generation: these stay as they are shown. */
    static List<ListedInstance> latest(List<ListedInstance> shown, List<ListedInstance> told) {
        List<ListedInstance> out = new ArrayList<>(told.size());
        boolean same = true;
        int s = 0;
        for (ListedInstance now : told) {
            while (s < shown.size() && shown.get(s).id().compareTo(now.id()) < 0) {
                s++;
            }
            boolean older = s < shown.size()
                    && shown.get(s).generation() > now.generation()
                    && shown.get(s).id().equals(now.id());
            out.add(older ? shown.get(s) : now);
            same &= !older;
        }
        return same ? told : List.copyOf(out);
    }

    /** Whether losing that many of so many is too much to be believed at once. */
    static boolean tooMany(int lost, int of) {
        return lost > 0 && (lost == of || lost >= 2 && lost * 2L > of);
    }

    private static List<ListedInstance> merged(List<ListedInstance> one, List<ListedInstance> other) {
        List<ListedInstance> out = new ArrayList<>(one.size() + other.size());
        int o = 0;
        for (ListedInstance listed : one) {
            while (o < other.size() && other.get(o).id().compareTo(listed.id()) < 0) {
                out.add(other.get(o++));
            }
            out.add(listed);
        }
        out.addAll(other.subList(o, other.size()));
        return List.copyOf(out);
    }
}
