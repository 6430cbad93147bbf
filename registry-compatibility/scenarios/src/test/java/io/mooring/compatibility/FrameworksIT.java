package io.mooring.compatibility;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A test per framework and scenario, all from one run. */
class FrameworksIT {
    @TestFactory
    Stream<DynamicTest> applicationsFindOneAnother() throws Exception {
        boolean full = System.getProperty("mooring.compatibility", "").equals("full");
        Path home = Files.createDirectories(Path.of("target/frameworks"));
        return Frameworks.run(
                        Path.of("../../registry-server/target/registry-server.jar"),
                        home,
                        framework -> full || framework.client().representative())
                .stream()
                .map(result -> DynamicTest.dynamicTest(result.client() + ": " + result.scenario(), () -> {
                    Throwable failure = result.failure();
                    if (failure != null) {
                        throw failure;
                    }
                }));
    }
}
