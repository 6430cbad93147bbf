package io.mooring.server.config;

import static io.mooring.server.membership.PeerStatus.State.ALIVE;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.edge.peer.Certificates;
import io.mooring.server.edge.session.WireClient;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.shard.LeaseTerms;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Servers with peers, and without. */
class ClusterTest {
    private static final ThreadEventLoop LOOKING = new ThreadEventLoop("test-looking");

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
    void aListThatIsNotThereYetDoesNotKeepANodeFromStartingAndIsFollowedLater(@TempDir Path directory)
            throws IOException {
        Path file = directory.resolve("peers");
        try (RunningServer a = RunningServer.start("--mooring.node.name=a", "--mooring.cluster.peers-file=" + file)) {
            Files.writeString(file, "# nobody yet\n");
            try (RunningServer b =
                    RunningServer.start("--mooring.node.name=b", "--mooring.cluster.peers-file=" + file)) {
                assertThat(answer(a.peerPort())).startsWith("HTTP/1.1 404");
                Files.writeString(file, here(a) + "\n" + here(b) + " # the new one\n");
                await("they see each other", () -> sees(a, "b", ALIVE) && sees(b, "a", ALIVE));
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Looks from time to time, so that the servers have the processors. */
    private static void await(String what, BooleanSupplier condition) {
        CompletableFuture<Void> held = new CompletableFuture<>();
        LOOKING.execute(() -> look(condition, held));
        try {
            assertThat(held).as(what).succeedsWithin(Duration.ofSeconds(60));
        } finally {
            held.cancel(false);
        }
    }

    private static void look(BooleanSupplier condition, CompletableFuture<Void> held) {
        if (condition.getAsBoolean()) {
            held.complete(null);
        } else if (!held.isDone()) {
            LOOKING.schedule(Duration.ofMillis(20), () -> look(condition, held));
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
    void whatOneNodeIsToldTheOtherKnowsAndOneThatIsGoneIsMissed() throws Exception {
        Instance instance = Instance.of(ServiceKey.of("orders"), "10.0.0.7", 8080);
        try (RunningServer a = start("a", "127.0.0.1:1")) {
            try (RunningServer b = start("b", here(a))) {
                await("they see each other", () -> sees(a, "b", ALIVE) && sees(b, "a", ALIVE));
                await(
                        "both are ready",
                        () -> a.node().status().ready() && b.node().status().ready());
                a.node()
                        .loop()
                        .execute(() -> a.node().put(instance, LeaseTerms.of(Duration.ofMinutes(1)), outcome -> {}));
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

    @Test
    void nodesWithCertificatesOfOneAuthorityAreACluster(@TempDir Path directory) throws Exception {
        Certificates authority = new Certificates(directory, "authority");
        authority.sign("node");
        String[] tls = {
            "--mooring.cluster.tls.certificate=" + authority.certificate("node"),
            "--mooring.cluster.tls.key=" + authority.key("node"),
            "--mooring.cluster.tls.trust=" + authority.trust()
        };
        try (RunningServer a = start("a", "127.0.0.1:1", tls);
                RunningServer b = start("b", here(a), tls);
                RunningServer plain = start("c", here(a))) {
            await("they see each other", () -> sees(a, "b", ALIVE) && sees(b, "a", ALIVE));
            await(
                    "the other cannot",
                    () -> plain.node().status().peers().stream()
                            .anyMatch(peer -> peer.problem().isPresent()));
            assertThat(sees(a, "c", ALIVE)).isFalse();
        }
    }

    private static HttpResponse<String> get(int port, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(20))
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    private static int status(int port, String path) throws Exception {
        return get(port, path).statusCode();
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
