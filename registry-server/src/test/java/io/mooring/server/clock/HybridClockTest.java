package io.mooring.server.clock;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class HybridClockTest {
    private static final long DAY = 1_700_000_000_000L;
    private long nanos = -5_000_000_000L; // its origin means nothing
    private long wall = DAY;
    private final HybridClock clock = new HybridClock(() -> nanos, () -> wall);

    private void pass(long millis) {
        nanos += millis * 1_000_000;
        wall += millis;
    }

    @Test
    void isTheTimeOfDay() {
        assertEquals(DAY, clock.millis());
        pass(1_234);
        assertEquals(DAY + 1_234, clock.millis());
    }

    @Test
    void goesOnWhenTheTimeOfDayIsSetBack() {
        clock.millis();
        wall -= 3_600_000;
        pass(10);
        assertEquals(DAY + 10, clock.millis());
    }

    @Test
    void isNotBehindWhatItHeardOf() {
        clock.heard(DAY + 5_000);
        assertEquals(DAY + 5_000, clock.millis());
        pass(7);
        assertEquals(DAY + 5_007, clock.millis());
        clock.heard(DAY);
        assertEquals(DAY + 5_007, clock.millis());
    }

    @Test
    void keepsThirteenDigitsWhateverItHears() {
        for (long nonsense : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, -1, 0, 10_000_000_000_000L}) {
            clock.heard(nonsense);
            assertEquals(DAY, clock.millis(), "after " + nonsense);
        }
        wall = Long.MAX_VALUE;
        assertEquals(13, Long.toString(clock.millis()).length());
    }

    @RepeatedTest(20)
    void neverGoesBack(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        long before = clock.millis();
        for (int i = 0; i < 1_000; i++) {
            switch (random.nextInt(4)) {
                case 0 -> wall += random.nextLong(-7_200_000, 7_200_000);
                case 1 -> clock.heard(wall + random.nextLong(-7_200_000, 7_200_000));
                default -> pass(random.nextLong(0, 3_000));
            }
            long now = clock.millis();
            assertTrue(now >= before, "seed " + seed + ", step " + i + ": " + now + " after " + before);
            before = now;
        }
    }
}
