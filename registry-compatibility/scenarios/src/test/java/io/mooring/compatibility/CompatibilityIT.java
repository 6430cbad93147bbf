package io.mooring.compatibility;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/** A test per client and scenario, all from one run. */
class CompatibilityIT {
    @TestFactory
    Stream<DynamicTest> unmodifiedClientsWork() throws Exception {
        Results results = Compatibility.run(
                System.getProperty("mooring.compatibility", "representative").equals("full"),
                System.getProperty("mooring.compatibility.clients", ""),
                System.getProperty("mooring.compatibility.scenarios", ""));
        return results.all().stream()
                .map(result -> DynamicTest.dynamicTest(result.client() + ": " + result.scenario(), () -> {
                    Throwable failure = result.failure();
                    if (failure != null) {
                        throw failure;
                    }
                    String skipped = result.skipped();
                    if (skipped != null) {
                        throw new TestAbortedException(skipped);
                    }
                }));
    }
}
