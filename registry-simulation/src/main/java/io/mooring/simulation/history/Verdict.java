package io.mooring.simulation.history;

import java.util.List;
import java.util.Locale;

/**
 * What a history shows. Counts of what must not be are of acts or instances for each observer, once each, except where
 * it says otherwise.
 *
 * @param acts acknowledged registrations, updates and deregistrations
 * @param observations looks at a service
 * @param observers who looked
 * @param stable acknowledged acts that every observer showed by the end of their bound, or that nobody could miss any more
 * @param stale acknowledged acts that somebody had not seen yet when they were answered
 * @param lost listed to the last, and absent from somebody's last view
 * @param missing not shown by somebody when its bound was over, whether it came later or not
 * @param neverRead acknowledged, and shown by nobody although there was time
 * @param vanished shown, then absent, though nobody asked for that and its publisher lived
 * @param zombies still shown when the bound after their end was over
 * @param returned gone after their end, then shown again as they were
 * @param backwards shown in an older version than before by the same observer
 * @param fabricated shown in a version that nobody had asked for
 * @param twice listed more than once in one view, counted for each view
 * @param empties empty views although somebody had to be listed, counted for each view
 * @param stableMillis how long after its answer an act was unseen by somebody: p50, p99 and the longest
 * @param goneMillis the same for ends of publishers
 * @param problems the first of what must not be, in words
 */
public record Verdict(
        int acts,
        int observations,
        int observers,
        int stable,
        int stale,
        int lost,
        int missing,
        int neverRead,
        int vanished,
        int zombies,
        int returned,
        int backwards,
        int fabricated,
        int twice,
        int empties,
        Quantiles stableMillis,
        Quantiles goneMillis,
        List<String> problems) {

    /** Of so many values; zeros when there were none. */
    public record Quantiles(int count, double p50, double p99, double most) {
        static Quantiles of(List<Double> values) {
            List<Double> sorted = values.stream().sorted().toList();
            return sorted.isEmpty()
                    ? new Quantiles(0, 0, 0, 0)
                    : new Quantiles(sorted.size(), at(sorted, 0.5), at(sorted, 0.99), sorted.get(sorted.size() - 1));
        }

        private static double at(List<Double> sorted, double share) {
            return sorted.get((int) Math.min(sorted.size() - 1, Math.floor(share * sorted.size())));
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.0f / %.0f / %.0f ms of %d", p50, p99, most, count);
        }
    }

    public Verdict {
        problems = List.copyOf(problems);
    }

    /** Whether nothing was seen that must not be. */
    public boolean holds() {
        return violations() == 0;
    }

    /** The sum of all that must be zero. */
    public int violations() {
        return lost + missing + neverRead + vanished + zombies + returned + backwards + fabricated + twice + empties;
    }

    @Override
    public String toString() {
        return acts + " acts, " + observations + " views of " + observers + " observers: " + stable + " stable, "
                + stale
                + " stale (" + stableMillis + "), " + lost + " lost, " + missing + " missing, " + neverRead
                + " never read, " + vanished + " vanished, " + zombies + " zombies (" + goneMillis + "), " + returned
                + " returned, " + backwards + " backwards, " + fabricated + " fabricated, " + twice + " twice, "
                + empties
                + " empty" + (problems.isEmpty() ? "" : "\n  " + String.join("\n  ", problems));
    }
}
