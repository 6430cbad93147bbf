package io.mooring.simulation.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.simulation.history.Entry.Answered;
import io.mooring.simulation.history.Entry.Asked;
import io.mooring.simulation.history.Entry.End;
import io.mooring.simulation.history.Entry.Ended;
import io.mooring.simulation.history.Entry.Fault;
import io.mooring.simulation.history.Entry.Seen;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each thing that must not be seen is found, and what is explained is not. Times in seconds. */
class CheckerTest {
    private static final Bounds BOUNDS =
            new Bounds(Duration.ofSeconds(1), Duration.ofSeconds(5), Duration.ofSeconds(4), Duration.ofSeconds(17));

    private final History history = new History();

    private static long at(double seconds) {
        return (long) (seconds * 1e9) - Long.MAX_VALUE / 2; // some origin
    }

    private CheckerTest asked(double from, double answered, String instance, boolean listed, long version) {
        history.add(new Asked(at(from), "s", instance, listed, version));
        if (answered > 0) {
            history.add(new Answered(at(answered), instance, version));
        }
        return this;
    }

    private CheckerTest seen(double when, String observer, Map<String, Long> versions) {
        history.add(new Seen(at(when), at(when), observer, "s", false, 0, versions));
        return this;
    }

    private Verdict verdict() {
        return Checker.check(history, BOUNDS);
    }

    /** That count is one and nothing else is wrong. */
    private void only(ToIntFunction<Verdict> count) {
        Verdict verdict = verdict();
        assertEquals(1, count.applyAsInt(verdict), verdict.toString());
        assertEquals(1, verdict.violations(), verdict.toString());
        assertTrue(verdict.problems().size() >= 1, verdict.toString());
    }

    private void holds() {
        assertTrue(verdict().holds(), verdict().toString());
    }

    @Test
    void whatIsSeenInTimeHoldsAndIsMeasured() {
        asked(1, 1.1, "a", true, 1).seen(1.5, "n1", Map.of()).seen(1.6, "n1", Map.of("a", 1L));
        asked(2, 2.1, "a", true, 2).seen(2.05, "n1", Map.of("a", 2L)).seen(9, "n1", Map.of("a", 2L));
        holds();
        assertEquals(1, verdict().stale());
        assertEquals(2, verdict().stable());
        assertEquals(400, verdict().stableMillis().most(), 0.01);
    }

    @Test
    void anUpdateThatComesLateIsMissing() {
        asked(1, 1.1, "a", true, 1).asked(2, 2.1, "a", true, 2);
        seen(3, "n1", Map.of("a", 1L)).seen(3.2, "n1", Map.of("a", 1L)).seen(4, "n1", Map.of("a", 2L));
        only(Verdict::missing);
    }

    @Test
    void oneThatNobodyEverShowsIsLostAndNeverRead() {
        asked(1, 1.1, "a", true, 1).asked(1, 1.1, "b", true, 1);
        seen(1.5, "n1", Map.of("b", 1L)).seen(9, "n1", Map.of("b", 1L));
        Verdict verdict = verdict();
        assertEquals(1, verdict.lost());
        assertEquals(1, verdict.neverRead());
        assertEquals(1, verdict.missing());
    }

    @Test
    void oneThatGoesForAMomentHasVanished() {
        asked(1, 1.1, "a", true, 1).asked(1, -1, "b", true, 1);
        seen(1.5, "n1", Map.of("a", 1L, "b", 1L))
                .seen(1.6, "n1", Map.of("a", 1L))
                .seen(1.7, "n1", Map.of("a", 1L, "b", 1L));
        only(Verdict::vanished);
    }

    @Test
    void aDeregistrationExplainsAbsenceAnsweredOrNot() {
        asked(1, 1.1, "a", true, 1).asked(2, -1, "a", false, 2);
        seen(2.1, "n1", Map.of("a", 1L)).seen(9, "n1", Map.of()).seen(9, "n2", Map.of("a", 1L));
        holds();
    }

    @Test
    void registeredAgainBeforeAnObserverKnewOfTheEndIsNoLossForIt() {
        asked(1, 1.1, "a", true, 1).seen(1.5, "n1", Map.of("a", 1L));
        asked(2, 2.1, "a", false, 2).asked(2.2, 2.3, "a", true, 3);
        seen(2.4, "n1", Map.of()).seen(2.5, "n1", Map.of("a", 3L));
        holds();
    }

    @Test
    void whatWasDeregisteredIsAZombieWhenItStays() {
        asked(1, 1.1, "a", true, 1).asked(2, 2.1, "a", false, 2).seen(3.2, "n1", Map.of("a", 1L));
        only(Verdict::zombies);
    }

    @Test
    void whatWasDeregisteredMustNotReturn() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", 1L)).asked(2, 2.1, "a", false, 2);
        seen(2.2, "n1", Map.of()).seen(2.3, "n1", Map.of("a", 1L)).seen(2.4, "n1", Map.of());
        only(Verdict::returned);
    }

    @Test
    void whoHearsLateMayShowBetweenTwoDeregistrationsWhatWasListedThen() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", 1L)).asked(2, 2.1, "a", false, 2);
        asked(2.2, 2.3, "a", true, 3).asked(2.4, 2.5, "a", false, 4);
        seen(2.6, "n1", Map.of()).seen(2.7, "n1", Map.of("a", 3L)).seen(2.8, "n1", Map.of());
        holds();
    }

    @Test
    void theDeadLeaveWithinTheBoundOfTheirEnd() {
        asked(1, 1.1, "a", true, 1).asked(1, 1.1, "b", true, 1);
        history.add(new Ended(at(2), "a", End.KILLED));
        history.add(new Ended(at(2), "b", End.SILENT));
        seen(5, "n1", Map.of("a", 1L, "b", 1L));
        assertTrue(verdict().holds(), verdict().toString());
        assertEquals(3_000, verdict().goneMillis().most(), 0.01);
        seen(7, "n1", Map.of("a", 1L, "b", 1L));
        only(Verdict::zombies);
    }

    @Test
    void theDeadDoNotReturn() {
        asked(1, 1.1, "a", true, 1).seen(1.5, "n1", Map.of("a", 1L));
        history.add(new Ended(at(2), "a", End.KILLED));
        seen(3, "n1", Map.of()).seen(3.5, "n1", Map.of("a", 1L));
        only(Verdict::returned);
    }

    @Test
    void oneObserverDoesNotGoBack() {
        asked(1, 1.1, "a", true, 1).asked(2, -1, "a", true, 2);
        seen(2.1, "n1", Map.of("a", 2L)).seen(2.2, "n2", Map.of("a", 1L)).seen(2.3, "n1", Map.of("a", 1L));
        only(Verdict::backwards);
    }

    @Test
    void contentThatNobodyAskedForIsFabricated() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", Entry.FABRICATED));
        only(Verdict::fabricated);
    }

    @Test
    void anInstanceThatNobodyKnowsIsFabricated() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", 1L, "x", 1L));
        only(Verdict::fabricated);
    }

    @Test
    void whatIsSeenBeforeItWasAskedIsFabricated() {
        asked(1, 1.1, "a", true, 1).asked(3, 3.1, "a", true, 2).seen(2, "n1", Map.of("a", 2L));
        only(Verdict::fabricated);
    }

    @Test
    void anEmptyListIsCountedBesideTheLosses() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", 1L)).seen(1.3, "n1", Map.of());
        Verdict verdict = verdict();
        assertEquals(1, verdict.empties());
        assertEquals(1, verdict.vanished());
    }

    @Test
    void aViewThatSaysItIsIncompleteOnlyAdds() {
        asked(1, 1.1, "a", true, 1).seen(1.2, "n1", Map.of("a", 1L));
        history.add(new Seen(at(5), at(5), "n1", "s", true, 0, Map.of()));
        seen(6, "n1", Map.of("a", 1L));
        holds();
    }

    @Test
    void listedTwiceIsCounted() {
        asked(1, 1.1, "a", true, 1);
        history.add(new Seen(at(1.2), at(1.2), "n1", "s", false, 1, Map.of("a", 1L)));
        only(Verdict::twice);
    }

    @Test
    void boundsCountFromTheEndOfAFault() {
        asked(1, 1.1, "a", true, 1).asked(2.5, 2.6, "b", true, 1);
        history.add(new Fault(at(2), at(10), "partition"));
        seen(14.9, "n1", Map.of("a", 1L));
        holds();
        seen(15.1, "n1", Map.of("a", 1L));
        assertEquals(1, verdict().missing(), verdict().toString());
    }

    @Test
    void aFaultExcusesNoLoss() {
        asked(1, 1.1, "a", true, 1).asked(1, 1.1, "b", true, 1).seen(2, "n1", Map.of("a", 1L, "b", 1L));
        history.add(new Fault(at(2), at(10), "partition"));
        seen(3, "n1", Map.of("a", 1L)).seen(12, "n1", Map.of("a", 1L, "b", 1L));
        only(Verdict::vanished);
    }

    @Test
    void aHistoryIsTheSameFromItsText(@TempDir Path home) throws IOException {
        asked(1, 1.1, "a", true, 1).asked(2, 2.1, "a", false, 2).seen(3.2, "n1", Map.of("a", 1L, "b", 3L));
        history.add(new Ended(at(4), "a", End.KILLED));
        history.add(new Fault(at(2), at(10), "partition"));
        Path file = home.resolve("history");
        history.write(file);
        assertEquals(history.entries(), History.read(file).entries());
        assertThrows(IllegalArgumentException.class, () -> Entry.parse("seen\t1"));
    }
}
