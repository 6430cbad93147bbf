package io.mooring.compatibility;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class CompatibilityIT {
    @TempDir
    Path home;

    @TestFactory
    Stream<DynamicTest> unmodifiedClientsWork() throws Exception {
        List<Result> results =
                Compatibility.run(Clients.ALL, Path.of("../../registry-server/target/registry-server.jar"), home);
        return results.stream()
                .map(result -> DynamicTest.dynamicTest(result.client() + ": " + result.scenario(), () -> {
                    Throwable failure = result.failure();
                    if (failure != null) {
                        throw failure;
                    }
                    Assumptions.assumeTrue(result.lacking() == null, "not in this client: " + result.lacking());
                }));
    }
}
