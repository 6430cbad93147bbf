package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.Guard.Departure;
import io.mooring.client.Guard.Verdict;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GuardTest {
    private static final List<RemovalCause> CAUSES = List.of(RemovalCause.values());

    private static ListedInstance listed(int number) {
        return new ListedInstance(Stage.instance(number), Standing.LIVE);
    }

    private static List<ListedInstance> list(int from, int to) {
        List<ListedInstance> out = new ArrayList<>();
        for (int i = from; i < to; i++) {
            out.add(listed(i));
        }
        out.sort((a, b) -> a.id().compareTo(b.id()));
        return out;
    }

    private static Map<InstanceId, Departure> left(int from, int to, RemovalCause cause) {
        Map<InstanceId, Departure> out = new HashMap<>();
        for (int i = from; i < to; i++) {
            out.put(
                    Stage.instance(i).id(),
                    new Departure(new Removal(Stage.instance(i).id(), cause), cause.certain()));
        }
        return out;
    }

    private static Verdict judge(int shown, int toldFrom, int toldTo) {
        return Guard.judge(list(0, shown), list(toldFrom, toldTo), Map.of(), false, Set.of());
    }

    @Test
    void howManyAreTooMany() {
        int[][] tooMany = {{1, 1}, {2, 2}, {2, 3}, {3, 5}, {6, 10}, {10, 10}};
        int[][] fine = {{0, 0}, {0, 5}, {1, 2}, {1, 3}, {2, 4}, {5, 10}};
        for (int[] c : tooMany) {
            assertTrue(Guard.tooMany(c[0], c[1]), c[0] + " of " + c[1]);
        }
        for (int[] c : fine) {
            assertFalse(Guard.tooMany(c[0], c[1]), c[0] + " of " + c[1]);
        }
    }

    @Test
    void nothingMissingIsTakenAsItIs() {
        List<ListedInstance> told = list(0, 12);
        Verdict verdict = Guard.judge(list(0, 10), told, Map.of(), false, Set.of());
        assertSame(told, verdict.shown());
        assertTrue(verdict.held().isEmpty());
    }

    @Test
    void aMinorityMayGoWithoutAReason() {
        assertEquals(5, judge(10, 0, 5).shown().size());
        assertEquals(1, judge(2, 0, 1).shown().size());
    }

    @Test
    void theMajorityOrAllStayAndAreMarked() {
        Verdict verdict = judge(10, 0, 4);
        assertEquals(10, verdict.shown().size());
        assertEquals(6, verdict.held().size());
        for (ListedInstance listed : verdict.shown()) {
            boolean held = verdict.held().contains(listed.id());
            assertEquals(held ? Standing.HELD : Standing.LIVE, listed.standing());
        }
        assertEquals(1, judge(1, 0, 0).shown().size());
    }

    @Test
    void allReplacedByOthersShowsBoth() {
        Verdict verdict = judge(3, 3, 6);
        assertEquals(6, verdict.shown().size());
        assertEquals(3, verdict.held().size());
    }

    @Test
    void certainCausesPassEveryProtection() {
        for (RemovalCause cause : RemovalCause.values()) {
            Verdict verdict = Guard.judge(list(0, 10), List.of(), left(0, 10, cause), false, Set.of());
            assertEquals(cause.certain() ? 0 : 10, verdict.shown().size(), cause.name());
        }
    }

    @Test
    void whatRemainsBehindTheExplainedIsTheMeasure() {
        Verdict verdict = Guard.judge(list(0, 10), List.of(), left(0, 8, RemovalCause.DEREGISTERED), false, Set.of());
        assertEquals(2, verdict.shown().size()); // the rest went without a reason, and with it everything
        assertEquals(2, verdict.held().size());
    }

    @Test
    void confirmedLossesGo() {
        Set<InstanceId> confirmed = new HashSet<>();
        list(0, 10).forEach(listed -> confirmed.add(listed.id()));
        assertEquals(
                0,
                Guard.judge(list(0, 10), List.of(), Map.of(), false, confirmed)
                        .shown()
                        .size());
        assertEquals(
                10,
                Guard.judge(list(0, 10), List.of(), Map.of(), true, confirmed)
                        .shown()
                        .size());
    }

    @Test
    void incompleteViewsOnlyAddButForNamedRemovals() {
        Verdict verdict =
                Guard.judge(list(0, 10), list(10, 11), left(0, 2, RemovalCause.CONNECTION_LOST), true, Set.of());
        assertEquals(9, verdict.shown().size());
        assertTrue(verdict.held().isEmpty());
        verdict.shown().forEach(listed -> assertEquals(Standing.LIVE, listed.standing()));
        Verdict many = Guard.judge(list(0, 10), List.of(), left(0, 8, RemovalCause.CONNECTION_LOST), true, Set.of());
        assertEquals(10, many.shown().size());
        assertEquals(8, many.held().size());
        Verdict said = Guard.judge(list(0, 10), List.of(), left(0, 8, RemovalCause.DEREGISTERED), true, Set.of());
        assertEquals(2, said.shown().size());
    }

    @Test
    void returningPublishersEndTheHold() {
        List<ListedInstance> held = judge(10, 0, 2).shown();
        Verdict verdict = Guard.judge(held, list(0, 6), Map.of(), false, Set.of());
        assertEquals(6, verdict.shown().size());
        assertTrue(verdict.held().isEmpty());
    }

    @Test
    void neverEmptiesNorShrinksByMoreThanHalfWithoutAReason() {
        for (long seed = 0; seed < 2_000; seed++) {
            Random random = new Random(seed);
            List<ListedInstance> shown = new ArrayList<>();
            List<ListedInstance> told = new ArrayList<>();
            Map<InstanceId, Departure> departures = new HashMap<>();
            boolean incomplete = random.nextInt(4) == 0;
            int certain = 0;
            for (ListedInstance listed : list(0, random.nextInt(20))) {
                boolean before = random.nextBoolean();
                boolean after = random.nextBoolean();
                if (before) {
                    shown.add(listed);
                }
                if (after) {
                    told.add(listed);
                }
                if (before && !after && random.nextBoolean()) {
                    RemovalCause cause = CAUSES.get(random.nextInt(CAUSES.size()));
                    departures.put(listed.id(), new Departure(new Removal(listed.id(), cause), cause.certain()));
                    certain += cause.certain() ? 1 : 0;
                }
            }
            Verdict verdict = Guard.judge(shown, told, departures, incomplete, Set.of());
            Set<InstanceId> ids = new HashSet<>();
            verdict.shown().forEach(listed -> ids.add(listed.id()));
            assertEquals(verdict.shown().size(), ids.size(), "twice; seed " + seed);
            List<ListedInstance> ordered = new ArrayList<>(verdict.shown());
            ordered.sort((a, b) -> a.id().compareTo(b.id()));
            assertEquals(ordered, verdict.shown(), "order; seed " + seed);
            for (ListedInstance listed : told) {
                assertTrue(ids.contains(listed.id()), "listed ones show; seed " + seed);
            }
            int lost = 0;
            for (ListedInstance listed : shown) {
                lost += ids.contains(listed.id()) ? 0 : 1;
            }
            int unexplained = lost - certain;
            assertFalse(Guard.tooMany(unexplained, shown.size() - certain), "seed " + seed);
        }
    }
}
