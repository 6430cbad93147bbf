package io.mooring.server.edge.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.check.Checker.Result;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NettyCheckerTest {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final NettyChecker checker = new NettyChecker(group, Runnable::run, Duration.ofSeconds(5), true);

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    }

    private static Result check(NettyChecker checker, String host, int port, ClusterSettings how) throws Exception {
        CompletableFuture<Result> result = new CompletableFuture<>();
        checker.check(new InstanceId(ServiceKey.of("s"), "DEFAULT", host, port), how, result::complete);
        return result.get(20, TimeUnit.SECONDS);
    }

    private static ClusterSettings http(String path, String headers, int expected) {
        return new ClusterSettings(Check.HTTP, path, headers, expected, 80, true, Metadata.empty());
    }

    /** Answers each connection with the same words. */
    private static final class Answering implements AutoCloseable {
        final ServerSocket socket;
        final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

        Answering(String answer) throws IOException {
            socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
            Thread thread = new Thread(() -> serve(answer));
            thread.setDaemon(true);
            thread.start();
        }

        private void serve(String answer) {
            while (!socket.isClosed()) {
                try (Socket connection = socket.accept()) {
                    byte[] request = new byte[4_096];
                    int length = connection.getInputStream().read(request);
                    heard.add(length < 0 ? "" : new String(request, 0, length, StandardCharsets.US_ASCII));
                    connection.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    heard.add("ended: " + e);
                }
            }
        }

        int port() {
            return socket.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    @Test
    void whoListensPassesAndWhoDoesNotIsRefused() throws Exception {
        try (Answering server = new Answering("")) {
            int port = server.port();
            assertEquals(Result.PASSED, check(checker, "127.0.0.1", port, ClusterSettings.DEFAULTS));
            ClusterSettings other = new ClusterSettings(Check.TCP, "", "", 200, port, false, Metadata.empty());
            assertEquals(Result.PASSED, check(checker, "127.0.0.1", 1, other), "the port of the cluster");
        }
        try (Socket nobody = new Socket()) {
            nobody.bind(new InetSocketAddress("127.0.0.1", 0)); // nobody else can take the port, and nobody listens
            int port = nobody.getLocalPort();
            assertEquals(Result.REFUSED, check(checker, "127.0.0.1", port, ClusterSettings.DEFAULTS));
            assertEquals(Result.REFUSED, check(checker, "127.0.0.1", port, http("/", "", 200)));
        }
    }

    @Test
    void theStatusDecides() throws Exception {
        try (Answering server = new Answering("HTTP/1.1 204 No Content\r\n\r\n")) {
            assertEquals(
                    Result.PASSED, check(checker, "127.0.0.1", server.port(), http("/health?x=1", "X-A: b|C:d", 204)));
            String request = server.heard.poll(5, TimeUnit.SECONDS);
            assertTrue(request.startsWith("GET /health?x=1 HTTP/1.1\r\n"), request);
            assertTrue(request.contains("X-A: b\r\n") && request.contains("C: d\r\n"), request);
            assertTrue(request.toLowerCase().contains("host: 127.0.0.1:" + server.port()), request);
            assertEquals(Result.FAILED, check(checker, "127.0.0.1", server.port(), http("/", "", 200)));
        }
    }

    @Test
    void anAnswerThatPointsElsewhereIsNotFollowed() throws Exception {
        try (Answering target = new Answering("HTTP/1.1 200 OK\r\n\r\n");
                Answering server = new Answering(
                        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:" + target.port() + "/\r\n\r\n")) {
            assertEquals(Result.FAILED, check(checker, "127.0.0.1", server.port(), http("/", "", 200)));
            assertEquals(Result.PASSED, check(checker, "127.0.0.1", server.port(), http("/", "", 302)));
            assertTrue(target.heard.isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense\r\n\r\n", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\nX: "})
    void whatIsNoAnswerFails(String answer) throws Exception {
        String endless = answer.endsWith("X: ") ? answer + "y".repeat(100_000) : answer;
        try (Answering server = new Answering(endless)) {
            assertEquals(Result.FAILED, check(checker, "127.0.0.1", server.port(), http("/", "", 200)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"no-slash", "/a b", "/a\r\nX: y", "/\u00e9"})
    void pathsThatWouldBeMoreThanAPathAreNotAsked(String path) throws Exception {
        try (Answering server = new Answering("HTTP/1.1 200 OK\r\n\r\n")) {
            assertEquals(Result.NOT_ASKED, check(checker, "127.0.0.1", server.port(), http(path, "", 200)));
            assertEquals(Result.NOT_ASKED, check(checker, "127.0.0.1", server.port(), http("/", "A: b\r\nC: d", 200)));
            assertTrue(server.heard.isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.8.8.8",
                "::1",
                "::ffff:127.0.0.1",
                "169.254.169.254",
                "fe80::1",
                "0.0.0.0",
                "::",
                "224.0.0.1",
                "ff02::1",
                "255.255.255.255",
                "localhost",
                "example.org"
            })
    void thisMachineAndItsLinkAreNotAskedUnlessAllowed(String host) throws Exception {
        NettyChecker careful = new NettyChecker(group, Runnable::run, Duration.ofSeconds(5), false);
        assertEquals(Result.NOT_ASKED, check(careful, host, 80, ClusterSettings.DEFAULTS));
    }

    @Test
    void portZeroIsNotAsked() throws Exception {
        assertEquals(Result.NOT_ASKED, check(checker, "127.0.0.1", 0, ClusterSettings.DEFAULTS));
    }
}
