package io.mooring.simulation.real;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.simulation.real.FaultProxy.Direction;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each fault happens and says so; nothing is altered. No time is asserted, only order and counts. */
class FaultProxyTest {
    private static final int SEED = 7;

    private ServerSocket server;
    private FaultProxy proxy;
    private Socket near;
    private Socket far;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        proxy = new FaultProxy(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort()),
                new Random(SEED),
                (remote, port) -> "a");
    }

    @AfterEach
    void stop() throws IOException {
        for (Socket socket : Arrays.asList(near, far)) {
            if (socket != null) {
                socket.close();
            }
        }
        proxy.close();
        server.close();
    }

    private Socket dial() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private void connect() throws IOException {
        near = dial();
        far = server.accept();
        far.setSoTimeout(20_000);
    }

    private static byte[] some(int count) {
        byte[] bytes = new byte[count];
        new Random(SEED).nextBytes(bytes);
        return bytes;
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean() && System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
        assertTrue(condition.getAsBoolean());
    }

    private void passes(Socket from, Socket to, int count) throws IOException {
        byte[] sent = some(count);
        from.getOutputStream().write(sent);
        assertArrayEquals(sent, to.getInputStream().readNBytes(count));
    }

    @Test
    void withoutFaultsEverythingPassesBothWaysAndSoDoesTheEnd() throws IOException {
        connect();
        passes(near, far, 100_000);
        passes(far, near, 100_000);
        near.shutdownOutput();
        assertEquals(-1, far.getInputStream().read());
        passes(far, near, 1_000);
        far.close();
        assertEquals(-1, near.getInputStream().read());
        until(() -> proxy.count(Effect.PASSED) == 201_000);
        assertEquals(0, proxy.count(Effect.DELAYED));
    }

    @Test
    void lateBytesAreLateWholeAndInOrder() throws IOException {
        connect();
        proxy.set("a", Direction.OUT, Conduct.late(Duration.ofMillis(20), Duration.ofMillis(60)));
        for (int i = 0; i < 5; i++) {
            passes(near, far, 2_000);
        }
        assertEquals(10_000, proxy.count(Effect.DELAYED));
        assertTrue(proxy.count(Effect.DELAYED_MILLIS) >= 100);
        passes(far, near, 2_000);
        assertEquals(10_000, proxy.count(Effect.DELAYED), "the other direction was left alone");
    }

    @Test
    void aBlackHoleKeepsBytesAndEndsUntilItIsOver() throws IOException {
        connect();
        proxy.set("a", Direction.OUT, Conduct.BLACK_HOLE);
        byte[] sent = some(500);
        near.getOutputStream().write(sent);
        near.shutdownOutput();
        until(() -> proxy.count(Effect.HELD) == 500);
        passes(far, near, 100);
        far.setSoTimeout(50);
        InputStream in = far.getInputStream();
        assertThrows(SocketTimeoutException.class, in::read);
        far.setSoTimeout(20_000);
        proxy.clear();
        assertArrayEquals(sent, in.readNBytes(500));
        assertEquals(-1, in.read());
    }

    @Test
    void whoDialsIntoABlackHoleHearsNothingUntilItIsOver() throws IOException {
        proxy.set("a", Direction.BACK, Conduct.BLACK_HOLE);
        proxy.set("a", Direction.OUT, Conduct.BLACK_HOLE);
        near = dial();
        until(() -> proxy.count(Effect.SWALLOWED) == 1);
        server.setSoTimeout(50);
        assertThrows(SocketTimeoutException.class, server::accept);
        server.setSoTimeout(20_000);
        proxy.clear();
        far = server.accept();
        passes(near, far, 10);
    }

    @Test
    void othersAreLeftAlone() throws IOException {
        proxy.set("b", Direction.OUT, Conduct.BLACK_HOLE);
        connect();
        passes(near, far, 1_000);
        proxy.reset("b");
        passes(near, far, 1_000);
        assertEquals(0, proxy.count(Effect.HELD) + proxy.count(Effect.RESET));
    }

    @Test
    void aResetIsSeenAtBothEnds() throws IOException {
        connect();
        passes(near, far, 10);
        proxy.reset("a");
        assertThrows(SocketException.class, () -> near.getInputStream().read());
        assertThrows(SocketException.class, () -> far.getInputStream().read());
        assertEquals(1, proxy.count(Effect.RESET));
    }

    @Test
    void aCutComesAtItsByte() throws IOException {
        proxy.set("a", Direction.OUT, Conduct.cut(777));
        connect();
        near.getOutputStream().write(some(1_000));
        // A reset may overtake bytes that were not read yet, so what arrives is at most that many.
        until(() -> proxy.count(Effect.CUT) == 1);
        assertEquals(777, proxy.count(Effect.PASSED));
        assertThrows(SocketException.class, () -> near.getInputStream().read());
    }

    @Test
    void slowBytesAndSingleBytesArriveWhole() throws IOException {
        connect();
        proxy.set("a", Direction.OUT, Conduct.slow(20_000));
        passes(near, far, 5_000);
        until(() -> proxy.count(Effect.SLOWED) == 5_000);
        proxy.set("a", Direction.OUT, Conduct.ONE_BYTE);
        passes(near, far, 200);
        until(() -> proxy.count(Effect.SINGLE) == 200);
    }

    @Test
    void nobodyBehindItIsARefusalAsFarAsAProxyCan() throws IOException {
        server.close();
        near = dial();
        assertThrows(SocketException.class, () -> {
            if (near.getInputStream().read() < 0) {
                throw new SocketException("ended");
            }
        });
        until(() -> proxy.count(Effect.REFUSED) == 1);
    }

    @Test
    void aDiallerIsKnownByItsProcess() throws IOException {
        SocketOwners owners = new SocketOwners();
        owners.name("me", ProcessHandle.current().pid());
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort());
                Socket accepted = server.accept()) {
            InetSocketAddress remote = (InetSocketAddress) accepted.getRemoteSocketAddress();
            assertEquals("me", owners.nameOf(remote, server.getLocalPort()));
            owners.name("me", 1);
            assertEquals(SocketOwners.OTHERS, owners.nameOf(remote, server.getLocalPort()));
            assertTrue(socket.isConnected());
        }
    }
}
