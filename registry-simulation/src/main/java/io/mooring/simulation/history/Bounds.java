package io.mooring.simulation.history;

import java.time.Duration;

/**
 * How soon things must be seen everywhere while nothing is wrong. What is asked during a fault, or so shortly before that
 * the fault falls within the bound, counts from the end of the fault and has {@code healed}.
 *
 * @param visible from an answer to every view
 * @param healed from the end of a fault to every view
 * @param killed from a publisher's end by {@link Entry.End#KILLED} to its absence everywhere
 * @param silent the same for {@link Entry.End#SILENT}
 */
public record Bounds(Duration visible, Duration healed, Duration killed, Duration silent) {
    /** As promised: R, X, g + R with room for a hold to be confirmed by evidence, L + sweep + R. */
    public static final Bounds PROMISED =
            new Bounds(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofSeconds(30));

    public Bounds {
        for (Duration bound : new Duration[] {visible, healed, killed, silent}) {
            if (bound.isNegative()) {
                throw new IllegalArgumentException("bound: " + bound + " (expected: zero or more)");
            }
        }
    }
}
