package io.mooring.client;

import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
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
 * <p>A node that says itself that its list is incomplete may be behind what this client has seen at another one: nobody is
 * missing then but those who left before its eyes. Whom it only remembers to have left is held until it knows everybody; of
 * whom it says something else than was shown, what was shown stays until then, or until that changes before its eyes.
 */
final class Guard {
    private Guard() {}

    /**
     * What was said about an instance that left.
     *
     * @param believed whether that needs no second opinion
     * @param maybeOvertaken whether it was told as something of the past, so that who told it may lack what came after
     */
    record Departure(RemovalCause cause, boolean believed, boolean maybeOvertaken) {
        Departure(RemovalCause cause, boolean believed) {
            this(cause, believed, false);
        }
    }

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
            if (incomplete && departure != null && departure.maybeOvertaken() && !confirmed.contains(before.id())) {
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
            kept.add(
                    missing.standing() == Standing.HELD
                            ? missing
                            : new ListedInstance(missing.instance(), Standing.HELD));
        }
        kept.sort((a, b) -> a.id().compareTo(b.id()));
        return new Verdict(merged(told, kept), held);
    }

    /** The instances that are in both lists and say something else in the second. */
    static Set<InstanceId> differing(List<ListedInstance> shown, List<ListedInstance> told) {
        Set<InstanceId> differing = new HashSet<>(0);
        for (ListedInstance now : told) {
            int at = Mirror.find(shown, now.id());
            if (at >= 0 && !shown.get(at).instance().equals(now.instance())) {
                differing.add(now.id());
            }
        }
        return differing;
    }

    /** What is told, but for those instances, which stay as they are shown. */
    static List<ListedInstance> sparing(Set<InstanceId> spared, List<ListedInstance> shown, List<ListedInstance> told) {
        List<ListedInstance> out = new ArrayList<>(told.size());
        for (ListedInstance now : told) {
            int at = spared.contains(now.id()) ? Mirror.find(shown, now.id()) : -1;
            out.add(at >= 0 ? shown.get(at) : now);
        }
        return List.copyOf(out);
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
