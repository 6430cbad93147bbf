package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.server.edge.nacos.grpc.TestClient.Message;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who is there, who is asked, and who is sent away. */
class LivenessTest {
    @Test
    void aSilentClientIsAskedAndItsAnswerKeepsIt() {
        try (TestEndpoint end = new TestEndpoint(wishes -> {
                    wishes.askAfter = Duration.ofMillis(300);
                    wishes.ttl = Duration.ofMinutes(1);
                });
                TestClient client = TestClient.connected(end.port)) {
            client.register("orders", 1);

            for (int i = 0; i < 2; i++) {
                Message asked = client.next();
                assertEquals("ClientDetectionRequest", asked.type());
                client.ack(asked, "ClientDetectionResponse");
            }

            assertTrue(client.isOpen());
        }
    }

    @Test
    void aClientThatDoesNotAnswerIsGone() {
        try (TestEndpoint end = new TestEndpoint(wishes -> {
                    wishes.askAfter = Duration.ofMillis(100);
                    wishes.ttl = Duration.ofMillis(1_500);
                });
                TestClient client = TestClient.connected(end.port)) {
            client.register("orders", 1);
            assertEquals("ClientDetectionRequest", client.next().type());

            client.end();

            TestEndpoint.await(() -> end.view("orders").instances().stream()
                    .allMatch(listed -> listed.standing().inDoubt()));
            TestEndpoint.await(() -> end.server.connections() == 0);
            assertEquals(1, end.refused.get("too_slow"));
        }
    }

    @Test
    void aConnectionThatIsNeverSetUpIsClosed() throws IOException {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.setUpWithin = Duration.ofMillis(100));
                Socket mute = new Socket("127.0.0.1", end.port);
                TestClient idle = new TestClient(end.port)) {
            mute.setSoTimeout(20_000);
            idle.request("ServerCheckRequest", "{}");
            TestEndpoint.await(() -> end.server.connections() == 0);
            InputStream in = mute.getInputStream();
            int read;
            do {
                read = in.read(new byte[1_024]); // its settings, and then the end
            } while (read > 0);
            assertEquals(-1, read);
            assertEquals(2, end.refused.get("too_slow"));
        }
    }

    @Test
    void thereIsALimitToConnections() throws IOException {
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.connections = 2);
                TestClient one = TestClient.connected(end.port)) {
            try (TestClient two = TestClient.connected(end.port);
                    Socket third = new Socket("127.0.0.1", end.port)) {
                third.setSoTimeout(20_000);
                assertEndsAtOnce(third);
                assertEquals(2, end.server.connections());
                assertTrue(two.isOpen());
            }
            TestEndpoint.await(() -> end.server.connections() == 1);
            try (TestClient another = TestClient.connected(end.port)) {
                another.assertNothing();
            }
            one.assertNothing();
        }
    }

    private static void assertEndsAtOnce(Socket socket) throws IOException {
        try {
            assertEquals(-1, socket.getInputStream().read());
        } catch (java.net.SocketException e) {
            assertTrue(e.getMessage().contains("reset"), e.getMessage());
        }
    }

    @Test
    void whoEndsItsStreamLeaves() {
        try (TestEndpoint end = new TestEndpoint()) {
            try (TestClient client = TestClient.connected(end.port)) {
                client.register("orders", 1);
                client.halfClose();
                client.end();
                TestEndpoint.await(() -> end.server.connections() == 0);
                TestEndpoint.await(() -> end.view("orders").instances().stream()
                        .allMatch(listed -> listed.standing().inDoubt()));
            }
        }
    }

    /** Trap: Go's client pings every minute with no call open, and would be sent away for it. */
    @Test
    void keepalivePingsWithoutStreamsAreFine() throws IOException {
        assertTrue(
                NacosGrpcSettings.defaults(0).pingsApart().compareTo(Duration.ofSeconds(10)) <= 0,
                "no client pings more often");
        try (TestEndpoint end = new TestEndpoint(wishes -> wishes.pingsApart = Duration.ofNanos(0));
                Socket socket = new Socket("127.0.0.1", end.port)) {
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            out.write(frame(4, 0, new byte[0])); // settings
            for (long ping = 1; ping <= 10; ping++) {
                out.write(frame(6, 0, ByteBuffer.allocate(8).putLong(ping).array()));
            }
            out.flush();
            List<Integer> types = new ArrayList<>();
            long answered = 0;
            InputStream in = socket.getInputStream();
            while (answered < 10) {
                byte[] head = in.readNBytes(9);
                assertEquals(9, head.length, "the connection has ended; frames were " + types);
                int length = (head[0] & 0xff) << 16 | (head[1] & 0xff) << 8 | head[2] & 0xff;
                byte[] body = in.readNBytes(length);
                types.add((int) head[3]);
                if (head[3] == 6 && (head[4] & 1) == 1 && ByteBuffer.wrap(body).getLong() <= 10) {
                    answered++;
                }
            }
            assertFalse(types.contains(7), "GOAWAY");
        }
    }

    private static byte[] frame(int type, int flags, byte[] body) {
        return ByteBuffer.allocate(9 + body.length)
                .put(new byte[] {0, 0, (byte) body.length, (byte) type, (byte) flags, 0, 0, 0, 0})
                .put(body)
                .array();
    }

    @Test
    void aNodeThatLeavesSendsItsClientsToTheOthers() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient one = TestClient.connected(end.port);
                TestClient two = TestClient.connected(end.port)) {
            one.register("orders", 1);

            end.server.move(Duration.ofMillis(50), List.of("10.0.0.2", "10.0.0.3"), Integer.MAX_VALUE);

            Message first = one.next();
            Message second = two.next();
            assertEquals("ConnectResetRequest", first.type());
            assertEquals("8848", first.json().get("serverPort").asString(), "texts, both");
            assertEquals(
                    List.of("10.0.0.2", "10.0.0.3"),
                    List.of(first, second).stream()
                            .map(message -> message.json().get("serverIp").asString())
                            .sorted()
                            .toList());
            try (TestClient late = TestClient.connected(end.port)) {
                assertEquals("ConnectResetRequest", late.next().type());
            }
        }
    }

    @Test
    void someAreAskedToGoAndNoMore() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient one = TestClient.connected(end.port);
                TestClient two = TestClient.connected(end.port)) {
            end.server.move(Duration.ZERO, List.of(), 1);

            TestEndpoint.await(() -> one.waiting() + two.waiting() == 1);
            Message asked = (one.waiting() == 1 ? one : two).next();
            assertFalse(asked.json().has("serverIp"));
            one.assertNothing();
            two.assertNothing();
        }
    }

    @Test
    void whoWasAskedToGoLeavesNoDoubt() {
        try (TestEndpoint end = new TestEndpoint()) {
            try (TestClient client = TestClient.connected(end.port)) {
                client.register("orders", 1);
                end.server.move(Duration.ZERO, List.of(), Integer.MAX_VALUE);
                client.next();
            }
            TestEndpoint.await(() -> end.server.connections() == 0);
            TestEndpoint.await(() -> end.node.status().cluster().ownSessions() == 0);
            assertFalse(end.view("orders").instances().get(0).standing().inDoubt(), "it registers at its next node");
        }
    }

    @Test
    void stoppingEndsEveryConnection() {
        try (TestEndpoint end = new TestEndpoint();
                TestClient client = TestClient.connected(end.port)) {
            end.server.close();
            client.end();
        }
    }
}
