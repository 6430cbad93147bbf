package io.mooring.compatibility;

import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A test per framework and scenario, all from one run. */
class FrameworksIT {
    @TestFactory
    Stream<DynamicTest> applicationsFindOneAnother() throws Exception {
        String named = System.getProperty("mooring.compatibility.clients", "");
        boolean full = System.getProperty("mooring.compatibility", "").equals("full");
        return Frameworks.run(
                        Path.of("../../registry-server/target/registry-server.jar"),
                        Path.of("target/frameworks"),
                        framework -> (full || framework.client().representative())
                                && Compatibility.named(framework.client().name(), named))
                .all()
                .stream()
                .map(result -> DynamicTest.dynamicTest(result.client() + ": " + result.scenario(), () -> {
                    Throwable failure = result.failure();
                    if (failure != null) {
                        throw failure;
                    }
                }));
    }
}
