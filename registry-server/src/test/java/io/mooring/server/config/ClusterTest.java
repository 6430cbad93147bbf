package io.mooring.server.config;

import static io.mooring.server.membership.PeerStatus.State.ALIVE;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.session.WireClient;
import io.mooring.server.membership.PeerStatus;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
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

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as("within 30 s: " + what).isNegative();
            Thread.yield();
        }
    }

    private static boolean sees(RunningServer server, String name, PeerStatus.State state) {
        return server.node().status().peers().stream()
                .anyMatch(peer -> peer.name().equals(name) && peer.state() == state);
    }

    private static boolean hasProblem(RunningServer server, String words) {
        return server.node().status().peers().stream()
                .anyMatch(peer -> peer.problem().orElse("").contains(words));
    }

    private static RunningServer start(String name, String peers, String... more) {
        List<String> properties = new ArrayList<>(List.of(
                "--mooring.node.name=" + name, "--mooring.cluster.secret=shared", "--mooring.cluster.peers=" + peers));
        properties.addAll(List.of(more));
        return RunningServer.start(properties.toArray(String[]::new));
    }

    private static String here(RunningServer server) {
        return "127.0.0.1:" + server.peerPort();
    }

    @Test
    void whatOneNodeIsToldTheOtherKnowsAndOneThatIsGoneIsMissed() {
        Instance instance = Instance.of(ServiceKey.of("orders"), "10.0.0.7", 8080);
        try (RunningServer a = start("a", "127.0.0.1:1")) {
            try (RunningServer b = start("b", here(a))) {
                await("they see each other", () -> sees(a, "b", ALIVE) && sees(b, "a", ALIVE));
                await(
                        "both are ready",
                        () -> a.node().status().ready() && b.node().status().ready());
                a.node().loop().execute(() -> a.node().put(instance, Duration.ofMinutes(1), outcome -> {}));
                await(
                        "it is known there",
                        () -> b.node().view(instance.service()).instances().size() == 1);
            }
            await("it is missed", () -> !sees(a, "b", ALIVE));
            assertThat(a.node().view(instance.service()).instances()).hasSize(1);
        }
    }

    @Test
    void strangersAreRefusedInWordsOnBothSidesAndMergeNothing() {
        try (RunningServer a = start("a", "127.0.0.1:1");
                RunningServer otherSecret = start("b", here(a), "--mooring.cluster.secret=other");
                RunningServer otherCluster = start("c", here(a), "--mooring.cluster.name=other");
                RunningServer sameName = start("a", here(a))) {
            await("the secret", () -> hasProblem(otherSecret, "secret"));
            await("the cluster", () -> hasProblem(otherCluster, "cluster"));
            await("the name", () -> hasProblem(sameName, "another process calls itself a"));
            for (RunningServer server : List.of(a, otherSecret, otherCluster, sameName)) {
                assertThat(server.node().status().peers()).noneMatch(peer -> peer.state() == ALIVE);
            }
            MeterRegistry meters = a.bean(MeterRegistry.class);
            for (String code : List.of("secret", "cluster", "duplicate")) {
                await(
                        code + " is counted",
                        () -> meters.get("mooring.replication.refused")
                                        .tag("code", code)
                                        .functionCounter()
                                        .count()
                                > 0);
            }
        }
    }

    private static int status(int port, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(20))
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .statusCode();
    }

    /** E6: not ready first, then sessions are asked to go, then the ports shut. */
    @Test
    void aNodeThatIsToldToStopHandsItsSessionsOverWhileItStillServes() throws Exception {
        int sessionsOfA = freePort();
        int sessionsOfB = freePort();
        try (RunningServer a = start("a", "127.0.0.1:1", "--mooring.session.port=" + sessionsOfA);
                RunningServer b = start("b", here(a), "--mooring.session.port=" + sessionsOfB)) {
            await("a knows where else to go", () -> a.node().sessionAddresses().contains("127.0.0.1:" + sessionsOfB));
            await("a is ready", () -> a.node().status().ready());
            assertThat(status(a.operationsPort(), "/actuator/health/readiness")).isEqualTo(200);
            int rest = a.port();
            int operations = a.operationsPort();
            Thread stopping = new Thread(a::close, "stopping");
            try (WireClient session = WireClient.greeted(sessionsOfA, WireClient.SESSION)) {
                await("the session is attached", () -> a.node().status().sessions() == 1);
                stopping.start();
                assertThat(session.until("\"type\":\"move\"")).contains("127.0.0.1:" + sessionsOfB);
                assertThat(status(operations, "/actuator/health/readiness")).isEqualTo(503);
                assertThat(status(operations, "/actuator/health/liveness")).isEqualTo(200);
                assertThat(status(rest, "/v1/nodes")).isEqualTo(200);
                assertThat(stopping.isAlive()).isTrue();
            }
            stopping.join(TimeUnit.SECONDS.toMillis(30));
            assertThat(stopping.isAlive()).isFalse();
            await("b misses it", () -> !sees(b, "a", ALIVE));
        }
    }
}
