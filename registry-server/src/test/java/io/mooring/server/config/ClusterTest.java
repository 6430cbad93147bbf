package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers with peers, and without. */
class ClusterTest {
    private static String answer(int port) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void withoutPeersThereIsNoPortForThem() {
        assertThat(SharedServer.get().peerPort()).isNegative();
        assertThat(SharedServer.get().node().status().cluster().name()).isEmpty();
    }

    @Test
    void withPeersThePortIsOpenAndToldAndShutAtTheEnd() throws IOException {
        int port;
        try (RunningServer server = RunningServer.start("--mooring.cluster.peers=127.0.0.1:1")) {
            port = server.peerPort();
            assertThat(server.node().status().cluster().name()).isEqualTo("mooring");
            assertThat(server.node().status().cluster().advertised()).isEqualTo("127.0.0.1:" + port);
            assertThat(answer(port)).startsWith("HTTP/1.1 404").contains("the port between nodes");
        }
        try (Socket socket = new Socket("127.0.0.1", port)) {
            throw new AssertionError("still open: " + socket);
        } catch (ConnectException e) {
            assertThat(e).hasMessageContaining("refused");
        }
    }

    @Test
    void aListThatIsNotThereYetDoesNotKeepANodeFromStarting(@TempDir Path directory) throws IOException {
        try (RunningServer server = RunningServer.start("--mooring.cluster.peers-file=" + directory.resolve("later"))) {
            assertThat(answer(server.peerPort())).startsWith("HTTP/1.1 404");
        }
        Path empty = Files.createFile(directory.resolve("empty"));
        try (RunningServer server = RunningServer.start("--mooring.cluster.peers-file=" + empty)) {
            assertThat(answer(server.peerPort())).startsWith("HTTP/1.1 404");
        }
    }
}
