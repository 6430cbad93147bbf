package io.mooring.compatibility;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResultsTest {
    /** What was not played is no success: it has its reason, and is counted by itself. */
    @Test
    void theTableSaysOfEachScenarioAndClientWhatBecameOfIt() {
        Duration second = Duration.ofSeconds(1);
        Results results = new Results(List.of(
                new Result("old 1", "register", null, null, second),
                new Result("old 1", "batch", "not in this client: came with 2", null, second),
                new Result("new 2", "register", null, new AssertionError("was empty"), second),
                new Result("new 2", "batch", null, null, second)));

        assertEquals("""
                A run.

                | | old 1 | new 2 |
                |---|---|---|
                | register | passed | **failed** |
                | batch | \u2013 (1) | passed |

                Passed: 2, failed: 1, not played: 1. 1: not in this client: came with 2.
                """, results.markdown("A run."));
        assertEquals(1, results.failed());
    }
}
