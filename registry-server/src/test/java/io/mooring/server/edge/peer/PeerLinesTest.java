package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.edge.session.WireClient;
import io.mooring.server.membership.PeerLine;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines between nodes on real sockets: what goes through, and what ends them. */
class PeerLinesTest {
    private static final int BINARY = 0x82;
    private static final int TEXT = 0x81;

    private static final byte KIND = (byte) 0xf0;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final TestEnds listening = new TestEnds();
    private final TestEnds dialling = new TestEnds();
    private final CountingMeter meter = new CountingMeter();
    private final CountingMeter dialMeter = new CountingMeter();
    private PeerServer server = new PeerServer(settings(), listening.loop, () -> listening, meter, group);
    private PeerClient client = client(settings(), name -> {
        throw new UnknownHostException("nobody is asked");
    });

    private PeerClient client(PeerSettings settings, NameLookup lookup) {
        return new PeerClient(settings, dialling.loop, () -> dialling, dialMeter, group, lookup);
    }

    private static PeerSettings settings() {
        return settings(64, 1 << 20, Duration.ofSeconds(2), Duration.ofSeconds(20));
    }

    private static PeerSettings settings(int connections, int mostWaiting, Duration connect, Duration speak) {
        return new PeerSettings(
                "127.0.0.1",
                0,
                connections,
                200_000,
                400_000,
                mostWaiting,
                64_000,
                500_000,
                connect,
                speak,
                Optional.empty());
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        listening.close();
        dialling.close();
    }

    private int listen() throws IOException {
        int port = server.bind();
        server.open();
        return port;
    }

    private int listen(PeerSettings settings) throws IOException {
        server = new PeerServer(settings, listening.loop, () -> listening, meter, group);
        return listen();
    }

    private static byte[] message(int kind, int length) {
        return TestEnds.message(kind, length);
    }

    private static byte[] wrapped(byte kind) {
        byte[] message = message(kind, 5);
        byte[] wrapped = new byte[message.length + 1];
        System.arraycopy(message, 0, wrapped, 1, message.length);
        return wrapped;
    }

    private PeerLine connect(int port) throws InterruptedException {
        dialling.dial(client, "127.0.0.1:" + port);
        return TestEnds.next(dialling.opened);
    }

    @Test
    void messagesGoBothWaysInOrderWhetherDeflatedOrNot() throws Exception {
        PeerLine there = connect(listen());
        PeerLine here = TestEnds.next(listening.opened);
        for (int i = 0; i < 2_000; i++) {
            dialling.send(there, message(0x80 + i % 100, 1 + i), i % 3 == 0);
            listening.send(here, message(0x80 + i % 90, 2_000 - i), i % 2 == 0);
            if (i % 200 == 199) { // so that little waits
                for (int j = i - 199; j <= i; j++) {
                    assertThat(TestEnds.next(listening.kinds)).isEqualTo(0x80 + j % 100);
                    assertThat(TestEnds.next(dialling.kinds)).isEqualTo(0x80 + j % 90);
                }
            }
        }
        assertThat(meter.received).hasValue(dialMeter.sent.get());
        assertThat(meter.received.get()).as("bytes, which deflate well").isLessThan(2_000 * 1_000);
        assertThat(listening.closed).isEmpty();
        assertThat(dialling.closed).isEmpty();
        assertThat(server.connections()).isEqualTo(1);
    }

    @Test
    void aLongMessageIsOneMessage() throws Exception {
        PeerLine there = connect(listen());
        dialling.send(there, message(KIND, 199_999), false);
        dialling.send(there, message(KIND + 1, 400_000), true);

        assertThat(TestEnds.next(listening.kinds)).isEqualTo(KIND & 0xff);
        assertThat(TestEnds.next(listening.kinds)).isEqualTo(KIND + 1 & 0xff);
    }

    @Test
    void whatWasSentBeforeTheEndArrivesAndBothHearOfTheEndOnce() throws Exception {
        PeerLine there = connect(listen());
        dialling.loop.execute(() -> {
            there.send(message(KIND, 100), false);
            there.close();
            there.send(message(KIND + 1, 100), false);
            there.close();
        });

        assertThat(TestEnds.next(dialling.closed)).isEqualTo("this node closed it");
        assertThat(TestEnds.next(listening.closed)).isEqualTo("the other side closed it: this node closed it");
        assertThat(listening.kinds).containsExactly(KIND & 0xff);
        assertThat(dialling.closed).isEmpty();
        assertThat(listening.closed).isEmpty();
    }

    @Test
    void aNodeThatStopsDialsNoMoreAndItsLinesEnd() throws Exception {
        int port = listen();
        PeerLine there = connect(port);
        PeerLine here = TestEnds.next(listening.opened);
        client.close();
        assertThat(TestEnds.next(dialling.closed)).isNotEmpty();
        assertThat(TestEnds.next(listening.closed)).isNotEmpty();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        dialling.send(there, message(KIND, 100), false);
        listening.loop.execute(here::close);
        dialling.dial(client, "127.0.0.1:" + port);
        assertThat(TestEnds.next(dialling.failed)).isEqualTo("this node stops");
    }

    @Test
    void connectionsWaitUntilTheNodeIsThere() throws Exception {
        int port = server.bind();
        dialling.dial(client, "127.0.0.1:" + port);
        assertThat(TestEnds.next(dialling.failed)).as("nobody answers yet").contains("did not answer within 2 s");
        dialling.dial(client, "127.0.0.1:" + port);
        server.open();
        TestEnds.next(dialling.opened);
    }

    @Test
    void whoCannotBeReachedIsToldInWords() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        dialling.dial(client, "127.0.0.1:" + free);
        assertThat(TestEnds.next(dialling.failed)).isEqualTo("Connection refused");
        dialling.dial(client, "no such host");
        assertThat(TestEnds.next(dialling.failed)).contains("address: no such host (expected: host or host:port");
        dialling.dial(client, "nowhere.example:1");
        assertThat(TestEnds.next(dialling.failed)).isEqualTo("the name nowhere.example is unknown: nobody is asked");
        assertThat(dialling.opened).isEmpty();
    }

    @Test
    void aWebServerIsNoNode() throws Exception {
        try (ServerSocket web = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread answering = new Thread(() -> {
                try (Socket socket = web.accept()) {
                    socket.getOutputStream()
                            .write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                                    .getBytes(StandardCharsets.UTF_8));
                    socket.getInputStream().read();
                } catch (IOException e) {
                    // the test is over
                }
            });
            answering.setDaemon(true);
            answering.start();
            dialling.dial(client, "127.0.0.1:" + web.getLocalPort());
            assertThat(TestEnds.next(dialling.failed)).contains("404");
        }
    }

    @Test
    void oneNameIsAskedEachTimeAndTheLastGoodAddressServesWhileNobodyAnswers() throws Exception {
        int port = listen();
        CountDownLatch never = new CountDownLatch(1);
        AtomicBoolean dead = new AtomicBoolean();
        AtomicBoolean hangs = new AtomicBoolean();
        client.close();
        client = client(settings(64, 1 << 20, Duration.ofMillis(300), Duration.ofSeconds(20)), name -> {
            if (hangs.get()) {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    throw new UnknownHostException("interrupted");
                }
            }
            if (dead.get()) {
                throw new UnknownHostException("no resolver");
            }
            return List.of(InetAddress.getByName("127.0.0.2"), InetAddress.getByName("127.0.0.1"));
        });
        dialling.dial(client, "node.example:" + port);
        assertThat(TestEnds.next(dialling.opened).remote()).isEqualTo("node.example:" + port);
        dead.set(true);
        dialling.dial(client, "node.example:" + port);
        TestEnds.next(dialling.opened);
        dialling.dial(client, "other.example:" + port);
        assertThat(TestEnds.next(dialling.failed)).contains("other.example is unknown: no resolver");
        hangs.set(true);
        for (int i = 0; i < 6; i++) { // more than may hang at once
            dialling.dial(client, "node.example:" + port);
            TestEnds.next(dialling.opened);
        }
        dialling.dial(client, "other.example:" + port);
        assertThat(TestEnds.next(dialling.failed)).contains("the resolver does not answer");
        never.countDown();
    }

    /** What ends a line: each is counted, told and harmless to the others. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "text",
                "empty",
                "form",
                "nothing",
                "checksum",
                "truncated",
                "bomb",
                "fragments",
                "oversize",
                "unmasked"
            })
    void aFrameThatCannotBeTrustedEndsTheLine(String bad) throws Exception {
        int port = listen();
        try (WireClient stranger = new WireClient(port, PeerSettings.PATH, 0)) {
            assertThat(stranger.handshake).startsWith("HTTP/1.1 101");
            stranger.frame(BINARY, wrapped(KIND));
            assertThat(TestEnds.next(listening.kinds)).isEqualTo(KIND & 0xff);
            try {
                say(stranger, bad);
                stranger.frame(BINARY, wrapped(KIND));
            } catch (SocketException e) {
                // closed while we were still sending: as good
            }
            assertThat(TestEnds.next(listening.malformed)).isNotEmpty();
            assertThat(TestEnds.next(listening.closed)).isNotEmpty();
            assertThat(stranger.frame()).matches("close (1002|1003|1007|1009)|end");
        }
        assertThat(listening.kinds).as("what came behind it").isEmpty();
        connect(port);
    }

    private static void say(WireClient stranger, String bad) throws IOException {
        byte[] deflated;
        try (Envelope envelope = new Envelope(1 << 20, 1 << 24)) {
            deflated = envelope.wrap(new byte[1 << 22], true);
        }
        switch (bad) {
            case "text" -> stranger.frame(TEXT, "{\"type\":\"hello\"}".getBytes(StandardCharsets.UTF_8));
            case "empty" -> stranger.frame(BINARY, new byte[0]);
            case "form" -> stranger.frame(BINARY, new byte[] {9, KIND});
            case "nothing" -> stranger.frame(BINARY, new byte[] {Envelope.RAW});
            case "checksum" -> stranger.frame(BINARY, new byte[] {Envelope.RAW, KIND, 1, 2, 3, 4, 5});
            case "truncated" -> {
                byte[] small = deflated.clone();
                small[1] = small[2] = small[3] = small[4] = 1;
                small[1] = small[2] = 0;
                stranger.frame(BINARY, Arrays.copyOf(small, small.length / 2));
            }
            case "bomb" -> stranger.frame(BINARY, deflated);
            case "fragments" -> {
                stranger.frame(0x02, new byte[150_000]);
                stranger.frame(0x80, new byte[150_000]);
            }
            case "oversize" -> stranger.frame(BINARY, new byte[200_001]);
            case "unmasked" -> stranger.send(new byte[] {(byte) BINARY, 1, Envelope.RAW});
            default -> throw new IllegalArgumentException(bad);
        }
    }

    @Test
    void whatCameBeforeAFrameThatCannotBeTrustedCounts() throws Exception {
        try (WireClient stranger = new WireClient(listen(), PeerSettings.PATH, 0)) {
            ByteBuffer atOnce = ByteBuffer.allocate(100);
            atOnce.put(new byte[] {(byte) BINARY, (byte) 0x86, 0, 0, 0, 0}).put(wrapped(KIND));
            atOnce.put(new byte[] {(byte) BINARY, (byte) 0x81, 0, 0, 0, 0}).put((byte) 9);
            stranger.send(Arrays.copyOf(atOnce.array(), atOnce.position()));

            assertThat(TestEnds.next(listening.malformed)).contains("form: 9");
            assertThat(listening.kinds).containsExactly(KIND & 0xff);
        }
    }

    @Test
    void othersAreAnsweredInWords() throws Exception {
        int port = listen();
        try (WireClient elsewhere = new WireClient(port, "/v1/session", 0)) {
            assertThat(elsewhere.handshake).startsWith("HTTP/1.1 404");
        }
        assertThat(plain(port, "GET /v1/peer HTTP/1.1\r\nHost: x\r\n\r\n")).startsWith("HTTP/1.1 426");
        assertThat(plain(port, "\u0016\u0003\u0001 nonsense\r\n\r\n")).startsWith("HTTP/1.1 400");
        assertThat(plain(
                        port,
                        "GET /v1/peer HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n"
                                + "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                + "Sec-WebSocket-Version: 13\r\n\r\n"))
                .as("a page in a browser on this machine")
                .startsWith("HTTP/1.1 403");
        assertThat(listening.opened).isEmpty();
    }

    private static String plain(int port, String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void whoConnectsAndSaysNothingIsLetGo() throws Exception {
        int port = listen(settings(64, 1 << 20, Duration.ofSeconds(2), Duration.ofMillis(200)));
        try (WireClient silent = new WireClient(port, PeerSettings.PATH, 0)) {
            assertThat(silent.frame()).isEqualTo("close 1008");
        }
        assertThat(TestEnds.next(listening.closed)).isEqualTo("it said nothing");
        assertThat(meter.refused).containsExactly("too_slow");
    }

    @Test
    void connectionsAreLimited() throws Exception {
        int port = listen(settings(2, 1 << 20, Duration.ofSeconds(2), Duration.ofSeconds(20)));
        PeerLine first = connect(port);
        connect(port);
        dialling.dial(client, "127.0.0.1:" + port);
        assertThat(TestEnds.next(dialling.failed)).isNotEmpty();
        assertThat(TestEnds.next(meter.refused)).isEqualTo("overloaded");
        dialling.loop.execute(first::close);
        TestEnds.next(listening.closed);
        connect(port);
    }

    @Test
    void whoDoesNotReadIsGivenUpAtABound() throws Exception {
        int port = listen();
        try (WireClient stalled = new WireClient(port, PeerSettings.PATH, 4_096)) {
            PeerLine line = TestEnds.next(listening.opened);
            stalled.frame(BINARY, wrapped(KIND));
            for (int i = 0; i < 10_000 && listening.closed.isEmpty(); i++) {
                listening.send(line, message(KIND, 50_000), false);
                listening.loop.execute(() -> assertWaiting(line));
            }
            assertThat(TestEnds.next(listening.closed)).contains("it does not read: more than 1048576 bytes wait");
            assertThat(meter.refused).contains("too_slow");
        }
    }

    private void assertWaiting(PeerLine line) {
        if (line.waiting() > (1 << 20) + 50_000) {
            listening.offTheLoop.addAndGet(1_000_000);
        }
    }

    /** As replication sends snapshots: on while little waits, again when it is told that the line is free. */
    @Test
    void aLineThatWasBusyTellsWhenItIsFreeSoThatNothingStops() throws Exception {
        int port = listen();
        PeerLine there = connect(port);
        int[] left = {400};
        for (int round = 0; left[0] > 0; round++) {
            CountDownLatch paused = new CountDownLatch(1);
            dialling.loop.execute(() -> {
                while (left[0] > 0 && there.waiting() < 500_000) {
                    there.send(message(KIND, 150_000), false);
                    left[0]--;
                }
                paused.countDown();
            });
            assertThat(paused.await(20, TimeUnit.SECONDS)).isTrue();
            if (left[0] > 0) {
                assertThat(TestEnds.next(dialling.free)).isSameAs(there);
            }
            assertThat(round).isLessThan(1_000);
        }
        for (int i = 0; i < 400; i++) {
            TestEnds.next(listening.kinds);
        }
        assertThat(dialling.closed).isEmpty();
    }

    @Test
    void aCoreThatIsBusyIsNotFloodedAndGetsEverythingLater() throws Exception {
        int messages = 300;
        client = client(settings(64, 1 << 30, Duration.ofSeconds(2), Duration.ofSeconds(20)), NameLookup.system());
        CountDownLatch busy = new CountDownLatch(1);
        PeerLine there = connect(listen());
        listening.loop.execute(() -> {
            try {
                busy.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        for (int i = 0; i < messages; i++) {
            dialling.send(there, message(KIND, 100_000), false);
        }
        giveTheIoThreadTurns();
        assertThat(meter.received.get())
                .as("bytes read for a core that does not take them")
                .isLessThan(3_000_000);
        busy.countDown();
        for (int i = 0; i < messages; i++) {
            TestEnds.next(listening.kinds);
        }
        assertThat(listening.closed).isEmpty();
    }

    /** On another line, to another core: in each of them it would read up to a megabyte of the first. */
    private void giveTheIoThreadTurns() throws Exception {
        try (TestEnds other = new TestEnds();
                PeerServer beside = new PeerServer(settings(), other.loop, () -> other, PeerMeter.NONE, group)) {
            int port = beside.bind();
            beside.open();
            PeerLine line = connect(port);
            for (int i = 0; i < 500; i++) {
                dialling.send(line, message(KIND, 100), false);
                TestEnds.next(other.kinds);
            }
        }
    }
}
