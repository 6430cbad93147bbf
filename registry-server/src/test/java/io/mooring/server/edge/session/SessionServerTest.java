package io.mooring.server.edge.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.runtime.ThreadEventLoop;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The endpoint on real sockets: what a client sees, and what a bad one cannot do. */
class SessionServerTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    private final ThreadEventLoop loop = new ThreadEventLoop("test-loop");
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private RegistryNode node;
    private SessionServer server;
    private int port;

    @BeforeEach
    void start() throws Exception {
        start(SessionSettings.defaults(0));
    }

    private void start(SessionSettings settings) throws Exception {
        CompletableFuture<RegistryNode> made = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                made.complete(new RegistryNode(
                        new NodeSettings(
                                NodeSettings.defaults("n1").self(),
                                LeaseSettings.DEFAULTS,
                                NodeSettings.defaults("n1").protection(),
                                Duration.ofMillis(50),
                                false,
                                ClusterSettings.ALONE),
                        loop,
                        new Random(1),
                        Prober.none(),
                        Optional.empty(),
                        PeerDialer.none(),
                        System::currentTimeMillis));
            } catch (IOException e) {
                made.completeExceptionally(e);
            }
        });
        node = made.get(5, TimeUnit.SECONDS);
        server = new SessionServer(node, settings, SessionMeter.NONE, group);
        port = server.start();
    }

    @AfterEach
    void stop() {
        server.close();
        loop.close();
        group.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - end < 0, "did not come to hold within 20 s");
            Thread.onSpinWait();
        }
    }

    private static String register(int id, int instancePort) {
        return "{\"type\":\"register\",\"id\":" + id + ",\"instances\":[{\"service\":\"orders\",\"host\":\"10.0.0.7\","
                + "\"port\":" + instancePort + "}]}";
    }

    @Test
    void theTranscriptOfTheProtocolHappens() throws IOException {
        try (WireClient client = new WireClient(port)) {
            assertTrue(client.handshake.startsWith("HTTP/1.1 101"), client.handshake);
            client.text("[{\"type\":\"hello\",\"version\":1,\"session\":\"" + WireClient.SESSION
                    + "\",\"namespace\":\"public\"},{\"type\":\"subscribe\",\"id\":1,\"service\":\"orders\"}]");
            String first = client.frame();
            assertTrue(
                    first.startsWith("[{\"type\":\"welcome\",\"version\":1,\"node\":\"n1\",\"epoch\":\"n1-1-"), first);
            assertTrue(
                    first.contains("{\"type\":\"view\",\"id\":1,\"service\":\"orders\",\"revision\":0,"
                            + "\"digest\":\"0000000000000000\",\"instances\":[],\"incomplete\":true}"),
                    first);
            client.text("[" + register(2, 8080) + "]");
            String delta = client.frame();
            assertTrue(delta.contains("\"type\":\"delta\",\"service\":\"orders\",\"from\":0,"), delta);
            assertTrue(delta.contains("\"put\":[{\"host\":\"10.0.0.7\",\"port\":8080,\"generation\":\"1\"}]"), delta);
            assertTrue(delta.contains("{\"type\":\"done\",\"id\":2}"), "what is queued leaves together: " + delta);
            client.text("[{\"type\":\"renew\",\"id\":3}]");
            assertEquals("[{\"type\":\"renewed\",\"id\":3}]", client.frame());
            client.text("[" + register(4, 0) + "]");
            assertEquals(
                    "[{\"type\":\"refused\",\"id\":4,\"code\":\"invalid\",\"field\":\"instances[0].port\","
                            + "\"value\":\"0\",\"expected\":\"1-65535\","
                            + "\"message\":\"instances[0].port: 0 (expected: 1-65535)\"}]",
                    client.frame());
            client.text("[{\"type\":\"bye\",\"id\":5}]");
            client.until("\"id\":5");
            assertEquals("close 1000", client.frame());
            assertEquals(List.of(), node.view(ORDERS).instances());
        }
    }

    @Test
    void aReconnectThatHoldsTheSameIsToldSo() throws IOException {
        try (WireClient first = WireClient.greeted(port, WireClient.SESSION)) {
            first.text("[" + register(1, 1) + "]");
            first.until("done");
        }
        await(() -> node.view(ORDERS).instances().get(0).standing() == Standing.SUSPECT);
        ServiceView view = node.view(ORDERS);
        try (WireClient second = new WireClient(port)) {
            String digest = io.mooring.model.Digest.format(
                    new io.mooring.model.ListedInstance(view.instances().get(0).instance(), Standing.LIVE)
                            .fingerprint());
            second.text("[{\"type\":\"hello\",\"version\":1,\"session\":\"" + WireClient.SESSION
                    + "\",\"holds\":\"" + digest + "\"},{\"type\":\"subscribe\",\"id\":1,\"service\":\"orders\","
                    + "\"digest\":\"" + digest + "\"}]");
            String welcome = second.until("welcome");
            assertTrue(welcome.contains("\"held\":true"), welcome);
            await(() -> node.view(ORDERS).instances().get(0).standing() == Standing.LIVE);
        }
    }

    @Test
    void theSessionsSecondConnectionReplacesTheFirst() throws IOException {
        try (WireClient first = WireClient.greeted(port, WireClient.SESSION);
                WireClient second = WireClient.greeted(port, WireClient.SESSION)) {
            assertTrue(first.until("closing").contains("replaced"));
            second.text("[{\"type\":\"renew\",\"id\":1}]");
            assertEquals("[{\"type\":\"renewed\",\"id\":1}]", second.frame());
        }
    }

    @Test
    void sessionsHearOfOtherNodesAndOfADrain() throws IOException {
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            server.peers(List.of("10.0.0.2:9847", "10.0.0.3:9847"));
            assertEquals("[{\"type\":\"peers\",\"peers\":[\"10.0.0.2:9847\",\"10.0.0.3:9847\"]}]", client.frame());
            server.move(Duration.ofSeconds(2), List.of("10.0.0.2:9847"));
            assertEquals("[{\"type\":\"move\",\"within\":2000,\"peers\":[\"10.0.0.2:9847\"]}]", client.frame());
        }
        try (WireClient late = new WireClient(port)) {
            String first = late.hello("e".repeat(32));
            assertTrue(first.contains("\"peers\":[\"10.0.0.2:9847\",\"10.0.0.3:9847\"]"), first);
            assertTrue(first.indexOf("\"type\":\"move\"") > first.indexOf("\"type\":\"welcome\""), first);
        }
    }

    @Test
    void anEarlierConnectionOfTheSessionThatComesLateIsSentAway() throws IOException {
        String hello = "[{\"type\":\"hello\",\"version\":1,\"session\":\"" + WireClient.SESSION + "\",\"attempt\":";
        try (WireClient second = new WireClient(port);
                WireClient first = new WireClient(port)) {
            second.text(hello + "2}]");
            second.until("welcome");
            first.text(hello + "1}," + register(1, 1) + "]");
            assertTrue(first.until("closing").contains("replaced"));
            second.text("[{\"type\":\"renew\",\"id\":1}]");
            assertEquals("[{\"type\":\"renewed\",\"id\":1}]", second.frame());
            assertEquals(List.of(), node.view(ORDERS).instances());
        }
    }

    /** Frames that end the connection: what the client is told first, as it comes. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|malformed",
                "[|malformed",
                "[{\"type\":\"renew\"}]|malformed",
                "[{\"type\":\"renew\",\"id\":0}]|malformed",
                "[{\"type\":\"renew\",\"id\":1e99}]|malformed",
                "[{\"type\":\"renew\",\"id\":1}] x|malformed",
                "[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]|malformed",
                "[{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\"}]|out_of_order",
            })
    void aFrameThatCannotBeTrustedEndsTheConnection(String frame, String code) throws IOException {
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            client.text(frame);
            String last = client.until("closing");
            assertTrue(last.contains("\"code\":\"" + code + "\""), last);
            assertFalse(last.contains("Exception"), last);
            assertTrue(client.frame().startsWith("close"));
        }
        stillServes();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[{\"type\":\"renew\",\"id\":1}]",
                "[{\"type\":\"hello\",\"version\":2,\"session\":\"0123456789abcdef0123456789abcdef\"}]",
                "[{\"type\":\"hello\",\"version\":1,\"session\":\"0123\"}]",
                "[{\"type\":\"hello\",\"version\":1}]",
                "[{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\","
                        + "\"namespace\":\"a/b\"}]",
            })
    void aWrongBeginningEndsTheConnection(String frame) throws IOException {
        try (WireClient client = new WireClient(port)) {
            client.text(frame);
            client.until("closing");
            assertTrue(client.frame().startsWith("close"));
        }
        stillServes();
    }

    @Test
    void badUtf8BinaryAndOversizeEndTheConnection() throws IOException {
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            client.frame(0x81, new byte[] {'[', '"', (byte) 0xc0, (byte) 0x80, '"', ']'});
            assertTrue(client.until("closing").contains("not UTF-8"));
        }
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            client.frame(0x82, new byte[] {1, 2, 3});
            client.until("malformed");
        }
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            client.frame(0x81, new byte[ProtocolLimits.DEFAULTS.frameBytes() + 1]);
            assertTrue(List.of("close 1009", "end").contains(client.frame()));
        } catch (java.net.SocketException e) {
            // closed while we were still sending: as good
        }
        try (WireClient client = WireClient.greeted(port, WireClient.SESSION)) {
            byte[] part = new byte[512 * 1024];
            client.frame(0x01, part); // fragments count together
            client.frame(0x00, part);
            client.frame(0x00, part);
            assertTrue(List.of("close 1009", "end").contains(client.frame()));
        } catch (java.net.SocketException e) {
            // closed while we were still sending: as good
        }
        stillServes();
    }

    @Test
    void otherPathsAndPlainRequestsAreAnsweredInWords() throws IOException {
        try (WireClient client = new WireClient(port, "/else", 0)) {
            assertTrue(client.handshake.startsWith("HTTP/1.1 404"), client.handshake);
        }
        try (java.net.Socket plain = new java.net.Socket("127.0.0.1", port)) {
            plain.setSoTimeout(10_000);
            plain.getOutputStream().write("GET /v1/session HTTP/1.1\r\nHost: x\r\n\r\n".getBytes());
            String answer = new String(plain.getInputStream().readAllBytes());
            assertTrue(answer.startsWith("HTTP/1.1 426"), answer);
        }
        try (java.net.Socket garbage = new java.net.Socket("127.0.0.1", port)) {
            garbage.setSoTimeout(10_000);
            garbage.getOutputStream().write("\u0016\u0003\u0001 nonsense\r\n\r\n".getBytes());
            assertTrue(new String(garbage.getInputStream().readAllBytes()).startsWith("HTTP/1.1 400"));
        }
        stillServes();
    }

    @Test
    void whoNeverSaysHelloIsLetGo() throws Exception {
        server.close();
        SessionSettings d = SessionSettings.defaults(0);
        start(new SessionSettings(
                d.bind(),
                0,
                1,
                d.lease(),
                d.renewEvery(),
                d.reconnectSpread(),
                Duration.ofMillis(200),
                d.stalledAfter(),
                d.maxConnections(),
                d.peers(),
                d.limits()));
        try (WireClient client = new WireClient(port)) {
            assertEquals("end", client.frame());
        }
        await(() -> server.connections() == 0);
    }

    @Test
    void aSubscriberThatStopsReadingIsClosedAndNobodyElseNotices() throws Exception {
        server.close();
        SessionSettings d = SessionSettings.defaults(0);
        start(new SessionSettings(
                d.bind(),
                0,
                1,
                d.lease(),
                d.renewEvery(),
                d.reconnectSpread(),
                d.helloWithin(),
                Duration.ofSeconds(2),
                d.maxConnections(),
                d.peers(),
                d.limits()));
        String filler = "x".repeat(4_000);
        try (WireClient stalled = new WireClient(port, "/v1/session", 4_096);
                WireClient provider = WireClient.greeted(port, "1".repeat(32));
                WireClient reader = WireClient.greeted(port, "2".repeat(32))) {
            stalled.hello(WireClient.SESSION);
            stalled.text("[{\"type\":\"subscribe\",\"id\":1,\"service\":\"orders\"}]");
            reader.text("[{\"type\":\"subscribe\",\"id\":1,\"service\":\"orders\"}]");
            reader.until("view");
            for (int round = 1; server.connections() == 3; round++) {
                provider.text("[{\"type\":\"register\",\"id\":" + round + ",\"instances\":[{\"service\":\"orders\","
                        + "\"host\":\"10.0.0.7\",\"port\":1,\"metadata\":{\"round\":\"" + round + "\",\"filler\":\""
                        + filler + "\"}}]}]");
                provider.until("\"id\":" + round + "}");
                reader.until("\"round\":\"" + round + "\"");
                assertTrue(round < 1_000_000, "the stalled one was never closed");
            }
            assertEquals(2, server.connections());
        }
    }

    @Test
    void aClientThatAsksWithoutReadingIsReadNoFurther() throws Exception {
        try (WireClient flood = WireClient.greeted(port, WireClient.SESSION)) {
            flood.socket.setSoTimeout(5_000);
            byte[] frame = "[{\"type\":\"renew\",\"id\":1}]".getBytes();
            Thread sender = new Thread(() -> {
                try {
                    for (int i = 0; i < 2_000_000; i++) {
                        flood.frame(0x81, frame);
                    }
                } catch (IOException e) {
                    // closed at the end of the test, while blocked: what we wanted
                }
            });
            sender.setDaemon(true);
            sender.start();
            await(() -> sender.getState() == Thread.State.RUNNABLE);
            stillServes();
        }
    }

    /** D4, D1: one reader and one thread serve everybody; from large to small, nothing of one is seen by another. */
    @Test
    void nothingOfOneSessionIsSeenByAnother() throws IOException {
        try (WireClient secretive = WireClient.greeted(port, "a".repeat(32));
                WireClient other = new WireClient(port)) {
            StringBuilder heard = new StringBuilder(other.hello("b".repeat(32), "tenant-b"));
            for (int id = 1; id <= 60; id++) {
                String canary = "canary-" + "x".repeat(Math.max(1, 8_000 - 140 * id));
                secretive.text(
                        "[{\"type\":\"register\",\"id\":" + id + ",\"instances\":[{\"service\":\"orders\",\"group\":"
                                + "\"canary-group\",\"host\":\"canary.host\",\"port\":" + id
                                + ",\"metadata\":{\"canary-key\":\""
                                + canary + "\"}}]}]");
                other.text("[{\"type\":\"register\",\"id\":" + id
                        + ",\"instances\":[{\"service\":\"orders\",\"host\":\"h\","
                        + "\"port\":" + id + "}]},{\"type\":\"subscribe\",\"id\":" + (1_000 + id)
                        + ",\"service\":\"orders\"},{\"type\":\"subscribe\",\"id\":" + (2_000 + id)
                        + ",\"service\":\"a/b\"}]");
                secretive.until("\"id\":" + id + "}");
                for (String answer : List.of("\"id\":" + (2_000 + id), "\"id\":" + (1_000 + id))) {
                    if (heard.indexOf(answer) < 0) {
                        for (String frame = other.frame(); ; frame = other.frame()) {
                            heard.append(frame);
                            if (frame.contains(answer) || frame.equals("end")) {
                                break;
                            }
                        }
                    }
                }
            }
            while (heard.indexOf("\"port\":60") < 0) { // its own, which it must hear of
                String frame = other.frame();
                assertFalse(frame.equals("end"), heard.toString());
                heard.append(frame);
            }
            assertEquals(-1, heard.indexOf("canary"), "of another's: " + heard);
        }
    }

    private void stillServes() throws IOException {
        try (WireClient client = WireClient.greeted(port, "f".repeat(32))) {
            client.text("[{\"type\":\"renew\",\"id\":9}]");
            assertEquals("[{\"type\":\"renewed\",\"id\":9}]", client.frame());
        }
    }
}
