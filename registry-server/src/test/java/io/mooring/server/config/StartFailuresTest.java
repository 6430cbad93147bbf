package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.mock.env.MockEnvironment;

/** A start that cannot succeed ends with one sentence that names the trouble, and another that says what to do. */
class StartFailuresTest {
    private static FailureAnalysis failure(MockEnvironment environment, String... properties) {
        Throwable failure = catchThrowable(() -> RunningServer.start(properties).close());
        assertThat(failure)
                .as("the start should fail with " + List.of(properties))
                .isNotNull();
        return Objects.requireNonNull(new StartFailures(environment).analyze(failure), String.valueOf(failure));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --mooring.lease.tttl=1s        | no property mooring.lease.tttl      | mooring.lease.ttl
            --mooring.lease.ttl=soon       | mooring.lease.ttl: soon             | Correct the value
            --mooring.lease.ttl=1ms        | mooring.lease.ttl                   | Correct the value
            --mooring.http.port=70000      | mooring.http.port: 70000            | Correct the value
            --mooring.http.port=eighty     | mooring.http.port: eighty           | Correct the value
            --mooring.insecure=perhaps     | mooring.insecure: perhaps           | Correct the value
            --mooring.protection.share=NaN | mooring.protection.share: NaN       | Correct the value
            --mooring.node.name=a b        | mooring.node.name: a b              | Correct the value
            --mooring.bind=0.0.0.0         | beyond loopback                     | mooring.insecure=true
            --mooring.bind=256.1.1.1       | not an address of this machine      | 127.0.0.1
            """)
    void aWrongPropertyIsNamed(String property, String sentence, String action) {
        FailureAnalysis analysis = failure(new MockEnvironment(), property);

        assertThat(analysis.getDescription()).contains(sentence).doesNotContain("\n");
        assertThat(analysis.getAction()).contains(action).doesNotContain("\n");
    }

    @ParameterizedTest
    @CsvSource({
        "mooring.http.port, HTTP, server.port",
        "mooring.operations.port, operations, management.server.port",
        "mooring.session.port, sessions, none"
    })
    void aTakenPortIsNamed(String property, String purpose, String springs) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();
            MockEnvironment environment = new MockEnvironment().withProperty(springs, String.valueOf(port));

            FailureAnalysis analysis = failure(environment, "--" + property + "=" + port);

            assertThat(analysis.getDescription()).contains("Port " + port + " for " + purpose);
            assertThat(analysis.getAction()).contains(property);
        }
    }

    @Test
    void aDataDirectoryThatIsAFileIsNamed(@TempDir Path directory) throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        FailureAnalysis analysis = failure(new MockEnvironment(), "--mooring.data-directory=" + file);

        assertThat(analysis.getDescription()).contains(file.toString());
        assertThat(analysis.getAction()).contains("mooring.data-directory");
    }

    @Test
    void twoNodesDoNotShareADataDirectory(@TempDir Path directory) {
        String shared = "--mooring.data-directory=" + directory;
        try (RunningServer first = RunningServer.start(shared)) {
            assertThat(first.port()).isPositive();

            FailureAnalysis analysis = failure(new MockEnvironment(), shared);

            assertThat(analysis.getDescription()).contains("in use");
        }
    }

    /** What the operator sees: no trace, and an exit code that scripts can see. */
    @Test
    void theProcessEndsWithASentenceAndACode() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "io.mooring.server.MooringServer",
                "--mooring.htp.port=0"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output;
        try (InputStream out = process.getInputStream()) {
            output = new String(out.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isNotZero();
        assertThat(output)
                .contains("There is no property mooring.htp.port", "Did you mean mooring.http.port?")
                .doesNotContain("\tat ");
    }
}
