package io.mooring.simulation.history;

import io.mooring.simulation.history.Entry.Answered;
import io.mooring.simulation.history.Entry.Asked;
import io.mooring.simulation.history.Entry.End;
import io.mooring.simulation.history.Entry.Ended;
import io.mooring.simulation.history.Entry.Fault;
import io.mooring.simulation.history.Entry.Seen;
import io.mooring.simulation.history.Verdict.Quantiles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Compares what was seen with what was asked, in the manner of Jepsen's set-full: every acknowledged act must become visible
 * to every observer and stay so until the next. An act without an answer may or may not have taken effect; an observation is
 * wrong only if no choice of those explains it.
 */
public final class Checker {
    private static final int MOST_PROBLEMS = 20;
    private static final int ABSENT = -1;

    private final Bounds bounds;
    private final List<Fault> faults = new ArrayList<>();
    private final Map<String, Life> lives = new LinkedHashMap<>();
    private final Map<String, List<Life>> services = new HashMap<>();
    private final Map<String, Memory> memories = new HashMap<>();
    private final Set<String> observers = new LinkedHashSet<>();
    private final Map<String, Set<String>> found = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private int observations;
    private int twice;
    private int empties;
    private long start;

    private Checker(Bounds bounds) {
        this.bounds = bounds;
    }

    /** Judges a history that is complete. */
    public static Verdict check(History history, Bounds bounds) {
        Checker checker = new Checker(bounds);
        checker.read(history.entries());
        return checker.verdict();
    }

    /** One act and what became of it. */
    private static final class Act {
        final Asked asked;
        long answered = Long.MAX_VALUE;
        long superseded = Long.MAX_VALUE; // when the next was asked, or the publisher ended
        long lastUnseen = Long.MIN_VALUE; // the latest begin of a look, after the answer, that did not show it
        boolean shown;
        boolean looked; // somebody looked when its bound was over

        Act(Asked asked) {
            this.asked = asked;
        }
    }

    /** All that happened to one instance, in order. */
    private static final class Life {
        final String instance;
        final List<Act> acts = new ArrayList<>();
        long ended = Long.MAX_VALUE;
        End end = End.SILENT;
        long lastShownAfterEnd = Long.MIN_VALUE;

        Life(String instance) {
            this.instance = instance;
        }

        /** The index of the act that is visible as that version; {@link Integer#MIN_VALUE} when there is none. */
        int indexOf(long version) {
            for (int i = acts.size() - 1; i >= 0; i--) {
                if (acts.get(i).asked.version() == version && acts.get(i).asked.listed()) {
                    return i;
                }
            }
            return Integer.MIN_VALUE;
        }
    }

    /** What one observer showed of one instance before. */
    private static final class Memory {
        int highest = ABSENT;
        int last = ABSENT;
        long lookedLast = Long.MIN_VALUE; // not counting views that said they were incomplete
        boolean goneAfterEnd;
        int goneAfter = ABSENT; // it showed the absence that this deregistration asked for
    }

    private void read(List<Entry> entries) {
        start = entries.isEmpty() ? 0 : entries.get(0).at();
        for (Entry entry : entries) { // what was asked is known whole before anything is judged
            if (entry instanceof Fault fault) {
                faults.add(fault);
            } else if (entry instanceof Asked asked) {
                Life life = lives.computeIfAbsent(asked.instance(), Life::new);
                if (life.acts.isEmpty()) {
                    services.computeIfAbsent(asked.service(), s -> new ArrayList<>())
                            .add(life);
                } else {
                    life.acts.get(life.acts.size() - 1).superseded = asked.at();
                }
                life.acts.add(new Act(asked));
            } else if (entry instanceof Answered answered) {
                answered(answered);
            } else if (entry instanceof Ended ended && lives.containsKey(ended.instance())) {
                Life life = lives.get(ended.instance());
                life.ended = ended.at();
                life.end = ended.end();
                Act last = life.acts.get(life.acts.size() - 1);
                last.superseded = Math.min(last.superseded, ended.at());
            }
        }
        faults.sort(Comparator.comparingLong(Fault::from));
        for (Entry entry : entries) {
            if (entry instanceof Seen seen) {
                judge(seen);
            }
        }
    }

    private void answered(Answered answered) {
        Life life = lives.get(answered.instance());
        for (Act act : life == null ? List.<Act>of() : life.acts) {
            if (act.asked.version() == answered.version()) {
                act.answered = Math.min(act.answered, answered.at());
            }
        }
    }

    /** When something of that moment must be visible, given the faults around it. */
    private long due(long moment, Duration bound) {
        if (moment == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        long due = moment + bound.toNanos();
        for (Fault fault : faults) {
            if (fault.from() <= due && fault.at() >= moment) {
                due = Math.max(
                        due,
                        fault.at() + Math.max(bound.toNanos(), bounds.healed().toNanos()));
            }
        }
        return due;
    }

    private void judge(Seen seen) {
        observations++;
        observers.add(seen.observer());
        if (seen.twice() > 0) {
            twice += seen.twice();
            say("twice: " + seen.twice() + " instances", seen, "");
        }
        List<Life> here = services.getOrDefault(seen.service(), List.of());
        for (String instance : seen.versions().keySet()) {
            if (!lives.containsKey(instance)) {
                report("fabricated", instance, seen, "nobody asked for it");
            }
        }
        int absentees = 0;
        for (Life life : here) {
            absentees += judge(seen, life) ? 1 : 0;
        }
        if (absentees > 0 && seen.versions().isEmpty()) {
            empties++;
            say("empty", seen, absentees + " had to be listed");
        }
    }

    /** Whether the instance had to be listed and is not. */
    private boolean judge(Seen seen, Life life) {
        Memory memory = memories.computeIfAbsent(seen.observer() + "\t" + life.instance, k -> new Memory());
        Long version = seen.versions().get(life.instance);
        int shown = version == null ? ABSENT : life.indexOf(version);
        if (shown == Integer.MIN_VALUE
                || shown >= 0 && life.acts.get(shown).asked.at() > seen.at()) {
            report("fabricated", life.instance, seen, "version " + version);
            return false;
        }
        boolean wrong =
                shown == ABSENT ? !seen.incomplete() && absent(seen, life, memory) : listed(seen, life, memory, shown);
        if (shown != ABSENT || !seen.incomplete()) {
            memory.last = shown;
            memory.lookedLast = seen.from();
        }
        memory.highest = Math.max(memory.highest, shown);
        return wrong;
    }

    private boolean absent(Seen seen, Life life, Memory memory) {
        boolean over = life.ended <= seen.at();
        boolean wrong = false;
        for (int i = life.acts.size() - 1; i >= 0; i--) {
            Act act = life.acts.get(i);
            if (act.asked.at() > seen.at()) {
                continue;
            }
            if (!act.asked.listed()) {
                act.shown = true;
                break; // answered or not, it explains the absence of whatever was asked before
            }
            if (!over && act.answered < seen.from()) {
                unseen(act, seen);
                long due = due(act.answered, bounds.visible());
                act.looked |= due <= seen.from();
                if (due <= seen.from()) {
                    report("missing", life.instance, seen, "version " + act.asked.version());
                    wrong = true;
                }
                break; // what was asked earlier is not asked for any more
            }
        }
        if (memory.last >= 0 && !over && !askedToLeave(life, memory.last, seen.at())) {
            report(
                    "vanished",
                    life.instance,
                    seen,
                    "shown before as version "
                            + life.acts.get(memory.last).asked.version());
            wrong = true;
        }
        if (memory.last >= 0) { // what was absent before says nothing new
            memory.goneAfter = Math.max(memory.goneAfter, firstLeaveAfter(life, memory.last));
            memory.goneAfterEnd |= over && memory.last == life.acts.size() - 1;
        }
        return wrong;
    }

    /** Whether a deregistration after that act was asked for by then, answered or not. */
    private static boolean askedToLeave(Life life, int after, long by) {
        int leave = firstLeaveAfter(life, after);
        return leave >= 0 && life.acts.get(leave).asked.at() <= by;
    }

    /** The least that explains an absence behind that act: a later deregistration may not have come yet. */
    private static int firstLeaveAfter(Life life, int act) {
        for (int i = act + 1; i < life.acts.size(); i++) {
            if (!life.acts.get(i).asked.listed()) {
                return i;
            }
        }
        return ABSENT;
    }

    private static void unseen(Act act, Seen seen) {
        if (seen.from() < act.superseded) {
            act.lastUnseen = Math.max(act.lastUnseen, seen.from());
        }
    }

    private boolean listed(Seen seen, Life life, Memory memory, int shown) {
        for (int i = 0; i <= shown; i++) {
            life.acts.get(i).shown = true;
        }
        if (shown < memory.highest) {
            report(
                    "backwards",
                    life.instance,
                    seen,
                    "version " + life.acts.get(shown).asked.version() + " after "
                            + life.acts.get(memory.highest).asked.version());
        }
        if (memory.goneAfter > shown || memory.goneAfterEnd) {
            report(
                    "returned",
                    life.instance,
                    seen,
                    "version " + life.acts.get(shown).asked.version());
        }
        for (int i = shown; i < life.acts.size(); i++) {
            Act act = life.acts.get(i);
            if (act.answered >= seen.from()) {
                continue;
            }
            long due = due(act.answered, bounds.visible());
            act.looked |= due <= seen.from();
            if (i > shown) {
                unseen(act, seen);
                if (due <= seen.from()) {
                    report(
                            act.asked.listed() ? "missing" : "zombies",
                            life.instance,
                            seen,
                            "version " + life.acts.get(shown).asked.version() + " instead of " + act.asked.version());
                }
            }
        }
        if (life.ended < seen.from()) {
            life.lastShownAfterEnd = Math.max(life.lastShownAfterEnd, seen.from());
            if (due(life.ended, life.end == End.KILLED ? bounds.killed() : bounds.silent()) <= seen.from()) {
                report("zombies", life.instance, seen, "its publisher ended (" + life.end + ")");
            }
        }
        return false;
    }

    private void report(String what, String instance, Seen seen, String detail) {
        Set<String> kind = found.computeIfAbsent(what, k -> new LinkedHashSet<>());
        if (kind.add(seen.observer() + " " + instance + " " + detail)) {
            say(what + ": " + instance, seen, detail);
        }
    }

    private void say(String what, Seen seen, String detail) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add(String.format(
                    Locale.ROOT,
                    "%.3f s, %s of %s: %s; %s",
                    (seen.at() - start) / 1e9,
                    seen.observer(),
                    seen.service(),
                    what,
                    detail));
        }
    }

    private Verdict verdict() {
        int acts = 0;
        int stable = 0;
        int stale = 0;
        int lost = 0;
        int neverRead = 0;
        List<Double> stableMillis = new ArrayList<>();
        List<Double> goneMillis = new ArrayList<>();
        for (Life life : lives.values()) {
            for (Act act : life.acts) {
                if (act.answered == Long.MAX_VALUE) {
                    continue;
                }
                acts++;
                boolean unseen = act.lastUnseen != Long.MIN_VALUE;
                stable += act.shown ? 1 : 0;
                stale += unseen ? 1 : 0;
                if (act.asked.listed()) {
                    stableMillis.add(unseen ? (act.lastUnseen - act.answered) / 1e6 : 0);
                    if (!act.shown && act.looked) {
                        neverRead++;
                        problems.add("never read: " + life.instance + " version " + act.asked.version());
                    }
                }
            }
            if (life.ended != Long.MAX_VALUE) {
                goneMillis.add(
                        life.lastShownAfterEnd == Long.MIN_VALUE ? 0 : (life.lastShownAfterEnd - life.ended) / 1e6);
            } else {
                lost += lost(life);
            }
        }
        return new Verdict(
                acts,
                observations,
                observers.size(),
                stable,
                stale,
                lost,
                count("missing"),
                neverRead,
                count("vanished"),
                count("zombies"),
                count("returned"),
                count("backwards"),
                count("fabricated"),
                twice,
                empties,
                Quantiles.of(stableMillis),
                Quantiles.of(goneMillis),
                problems.subList(0, Math.min(problems.size(), MOST_PROBLEMS)));
    }

    /** How many observers last showed nothing of what is listed to the last. */
    private int lost(Life life) {
        Act last = life.acts.get(life.acts.size() - 1);
        if (!last.asked.listed() || last.answered == Long.MAX_VALUE) {
            return 0;
        }
        long due = due(last.answered, bounds.visible());
        int count = 0;
        for (String observer : observers) {
            Memory memory = memories.get(observer + "\t" + life.instance);
            if (memory != null && memory.last == ABSENT && memory.lookedLast >= due) {
                count++;
                problems.add("lost: " + life.instance + " at " + observer);
            }
        }
        return count;
    }

    private int count(String what) {
        return found.getOrDefault(what, Set.of()).size();
    }
}
