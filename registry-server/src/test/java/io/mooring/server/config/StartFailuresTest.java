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
            --mooring.nacos.ttl=10s        | mooring.nacos.ttl                   | Correct the value
            --mooring.bind=0.0.0.0         | beyond loopback                     | mooring.insecure=true
            --mooring.bind=256.1.1.1       | not an address of this machine      | 127.0.0.1
            --mooring.cluster.peers=a:b    | mooring.cluster.peers: a:b          | Correct the value
            --mooring.cluster.peers=a,[b   | mooring.cluster.peers: [b           | Correct the value
            --mooring.cluster.name=a b     | mooring.cluster.name: a b           | Correct the value
            --mooring.cluster.dns=a:0      | mooring.cluster.dns: a:0            | Correct the value
            --mooring.cluster.address=a:1  | mooring.cluster.address: a:1        | Correct the value
            --mooring.cluster.port=-1      | mooring.cluster.port: -1            | Correct the value
            --mooring.cluster.heartbeat=0s | mooring.cluster.heartbeat           | Correct the value
            --mooring.drain.patience=-1s   | mooring.drain.patience              | Correct the value
            """)
    void aWrongPropertyIsNamed(String property, String sentence, String action) {
        FailureAnalysis analysis = failure(new MockEnvironment(), property);

        assertThat(analysis.getDescription()).contains(sentence).doesNotContain("\n");
        assertThat(analysis.getAction()).contains(action).doesNotContain("\n");
    }

    /** What cannot be meant together, and what is needed and missing. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            cluster.peers=a,cluster.dns=b                     | More than one of mooring.cluster.peers         | one of the three
            cluster.peers=a,cluster.peers-file=b              | More than one of mooring.cluster.peers         | one of the three
            cluster.peers-file=a,cluster.dns=b                | More than one of mooring.cluster.peers         | one of the three
            cluster.secret=a,cluster.secret-file=b            | More than one of mooring.cluster.secret        | Keep the file
            cluster.secret-file=/nowhere/secret               | /nowhere/secret cannot be read                 | Write the secret
            cluster.secret-file=/dev/null                     | /dev/null is empty                             | Write the secret
            cluster.tls.certificate=a,cluster.tls.trust=b     | needs all of certificate, key and trust        | Set the missing
            cluster.peers=a,bind=0.0.0.0                      | peers need not prove                           | mooring.cluster.secret-file
            cluster.peers=a,bind=0.0.0.0,cluster.secret=b     | nobody has to authenticate                     | mooring.insecure=true
            """)
    void whatIsSaidOfTheClusterMustFit(String properties, String sentence, String action) {
        String[] all = properties.split(",", -1);
        for (int i = 0; i < all.length; i++) {
            all[i] = "--mooring." + all[i];
        }

        FailureAnalysis analysis = failure(new MockEnvironment(), all);

        assertThat(analysis.getDescription()).contains(sentence).doesNotContain("\n");
        assertThat(analysis.getAction()).contains(action).doesNotContain("\n");
    }

    @Test
    void certificatesThatCannotBeReadAreNamed(@TempDir Path directory) {
        FailureAnalysis analysis = failure(
                new MockEnvironment(),
                "--mooring.cluster.peers=127.0.0.1",
                "--mooring.cluster.tls.certificate=" + directory.resolve("a.pem"),
                "--mooring.cluster.tls.key=" + directory.resolve("b.pem"),
                "--mooring.cluster.tls.trust=" + directory.resolve("c.pem"));

        assertThat(analysis.getDescription()).contains("a.pem cannot be read");
        assertThat(analysis.getAction()).contains("PEM");
    }

    @Test
    void aNodeKeepsTheNameOfItsDirectory(@TempDir Path directory) throws IOException {
        String there = "--mooring.data-directory=" + directory;
        try (RunningServer first = RunningServer.start(there, "--mooring.node.name=a")) {
            assertThat(first.node().status().name()).isEqualTo("a");
        }
        assertThat(directory.resolve("node-name")).hasContent("a");
        try (RunningServer unnamed = RunningServer.start(there)) {
            assertThat(unnamed.node().status().name()).isEqualTo("a");
        }

        FailureAnalysis analysis = failure(new MockEnvironment(), there, "--mooring.node.name=b");

        assertThat(analysis.getDescription()).contains("mooring.node.name: b", "belongs to the node a");
        assertThat(analysis.getAction()).contains("mooring.node.name=a", "node-name");
        Files.writeString(directory.resolve("node-name"), "\u0000\u0000\u0000");
        assertThat(failure(new MockEnvironment(), there).getDescription()).contains("has no name in it");
        Files.delete(directory.resolve("node-name"));
        try (RunningServer renamed = RunningServer.start(there, "--mooring.node.name=b")) {
            assertThat(renamed.node().status().name()).isEqualTo("b");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "mooring.http.port, HTTP, server.port",
        "mooring.operations.port, operations, management.server.port",
        "mooring.session.port, sessions, none",
        "mooring.nacos.grpc-port, Nacos clients over gRPC, none",
        "mooring.cluster.port, peers, none"
    })
    void aTakenPortIsNamed(String property, String purpose, String springs) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();
            MockEnvironment environment = new MockEnvironment().withProperty(springs, String.valueOf(port));

            FailureAnalysis analysis =
                    failure(environment, "--" + property + "=" + port, "--mooring.cluster.peers=127.0.0.1");

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
