package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The real transport against a server that misbehaves. The time limits only keep a failing test from hanging. */
@Timeout(60)
class JdkLinkTest {
    private final ThreadPoolExecutor transport =
            new ThreadPoolExecutor(2, 2, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
    private final ThreadPoolExecutor resolving =
            new ThreadPoolExecutor(0, 8, 1, TimeUnit.SECONDS, new SynchronousQueue<>());
    private final List<RawServer> servers = new ArrayList<>();
    private final Stage.MemoryStore store = new Stage.MemoryStore();

    @AfterEach
    void close() throws Exception {
        for (RawServer server : servers) {
            server.close();
        }
        resolving.shutdownNow();
        transport.allowCoreThreadTimeOut(true);
    }

    private RawServer server(RawServer.Script script) throws Exception {
        RawServer server = new RawServer(script);
        servers.add(server);
        return server;
    }

    private JdkConnector connector(Duration timeout, JdkConnector.Resolver resolver) {
        return new JdkConnector(timeout, resolver, transport, resolving, Optional.of(store), Runnable::run);
    }

    private JdkConnector connector() {
        return connector(Duration.ofSeconds(10), host -> {
            throw new UnknownHostException(host);
        });
    }

    private static final class Events implements LinkListener {
        final BlockingQueue<String> events = new LinkedBlockingQueue<>();
        final BlockingQueue<byte[]> frames = new LinkedBlockingQueue<>();

        @Override
        public void opened() {
            events.add("opened");
        }

        @Override
        public void received(byte[] frame) {
            frames.add(frame);
            events.add("received");
        }

        @Override
        public void sent() {
            events.add("sent");
        }

        @Override
        public void closed(String reason) {
            events.add("closed: " + reason);
        }

        String next() throws InterruptedException {
            String event = events.poll(30, TimeUnit.SECONDS);
            return event == null ? "nothing" : event;
        }
    }

    private static String address(RawServer server) {
        return "127.0.0.1:" + server.port();
    }

    @Test
    void aResolverThatNobodyIsFreeToAskIsAnsweredByMemory() throws Exception {
        ThreadPoolExecutor one = new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new SynchronousQueue<>());
        try {
            Events events = new Events();
            new JdkConnector(
                            Duration.ofSeconds(10),
                            host -> new InetAddress[] {InetAddress.getLoopbackAddress()},
                            transport,
                            one,
                            Optional.of(store),
                            Runnable::run)
                    .open("registry.example:9847", events);
            assertEquals("closed: cannot resolve registry.example, and no address is remembered", events.next());
        } finally {
            one.shutdownNow();
        }
    }

    @Test
    void exchangesFrames() throws Exception {
        RawServer echo = server(peer -> {
            peer.shakeHands();
            while (true) {
                peer.text(peer.read());
            }
        });
        Events events = new Events();
        Link link = connector().open(address(echo), events);
        assertEquals("opened", events.next());
        byte[] large = ("[\"" + "é€𝄞x".repeat(200_000) + "\"]").getBytes(StandardCharsets.UTF_8);
        for (byte[] frame : new byte[][] {"[]".getBytes(StandardCharsets.UTF_8), large}) {
            link.send(frame);
            List<String> both = new ArrayList<>(List.of(events.next(), events.next()));
            both.sort(null);
            assertEquals(List.of("received", "sent"), both);
            assertArrayEquals(frame, events.frames.take());
            link.next();
        }
        link.abort();
    }

    @Test
    void putsFragmentsTogetherWhereverTheyAreCut() throws Exception {
        byte[] message = "[\"aé€𝄞z𝄞\"]".getBytes(StandardCharsets.UTF_8);
        RawServer cutter = server(peer -> {
            peer.shakeHands();
            for (int cut = 1; cut < message.length; cut++) {
                peer.frame(false, 1, message, 0, cut);
                peer.frame(true, 0, message, cut, message.length - cut);
            }
            for (int i = 0; i < message.length; i++) {
                peer.frame(i == message.length - 1, i == 0 ? 1 : 0, message, i, 1);
            }
            peer.waitForTheEnd();
        });
        Events events = new Events();
        Link link = connector().open(address(cutter), events);
        assertEquals("opened", events.next());
        for (int i = 0; i < message.length; i++) {
            assertEquals("received", events.next(), "message " + i);
            assertArrayEquals(message, events.frames.take(), "message " + i);
            link.next();
        }
        link.abort();
    }

    /** The JDK has not been seen to cut a character, but nothing it says forbids that. */
    @Test
    void aCharacterCutBetweenTwoPartsIsWhole() {
        WebSocket socket = (WebSocket) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {WebSocket.class}, (self, method, arguments) -> null);
        Events events = new Events();
        JdkLink link = new JdkLink(HttpClient.newHttpClient(), Duration.ofSeconds(1), events);
        String text = "[\"𝄞a𝄞\"]";
        for (int cut = 0; cut <= text.length(); cut++) {
            assertEquals(null, link.onText(socket, text.substring(0, cut), false));
            assertEquals(null, link.onText(socket, text.substring(cut), true));
            assertArrayEquals(text.getBytes(StandardCharsets.UTF_8), events.frames.poll(), "cut at " + cut);
        }
        assertEquals(null, link.onText(socket, "\ud834", true)); // half a character, and the message ends
        assertTrue(String.join(",", events.events).endsWith("closed: the registry sent text that is not Unicode"));
    }

    @Test
    void deliversOneFrameAtATime() throws Exception {
        RawServer eager = server(peer -> {
            peer.shakeHands();
            peer.text("[1]");
            peer.text("[2]");
            peer.waitForTheEnd();
        });
        Events events = new Events();
        Link link = connector().open(address(eager), events);
        assertEquals("opened", events.next());
        assertEquals("received", events.next());
        assertEquals(null, events.events.poll(100, TimeUnit.MILLISECONDS)); // more only when asked
        link.next();
        assertEquals("received", events.next());
        link.abort();
    }

    @Test
    void aMessageOverTheLimitEndsTheConnection() throws Exception {
        RawServer flood = server(peer -> {
            peer.shakeHands();
            byte[] part = new byte[1 << 20];
            java.util.Arrays.fill(part, (byte) ' ');
            peer.frame(false, 1, part, 0, part.length);
            for (int i = 0; i < 40; i++) {
                peer.frame(false, 0, part, 0, part.length);
            }
            peer.waitForTheEnd();
        });
        Events events = new Events();
        connector().open(address(flood), events);
        assertEquals("opened", events.next());
        assertEquals("closed: the registry sent a message of more than 33554432 bytes", events.next());
    }

    @Test
    void aHandshakeThatNeverEndsIsGivenUpOnBothSides() throws Exception {
        CountDownLatch clientWent = new CountDownLatch(1);
        RawServer silent = server(peer -> {
            peer.waitForTheEnd();
            clientWent.countDown();
        });
        Events events = new Events();
        connector(Duration.ofMillis(200), InetAddress::getAllByName).open(address(silent), events);
        assertTrue(events.next().startsWith("closed: 127.0.0.1: "));
        assertTrue(clientWent.await(30, TimeUnit.SECONDS), "the socket of the handshake leaked");
    }

    @Test
    void abortDuringTheHandshakeSaysNothingAndLeavesNoConnection() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch aborted = new CountDownLatch(1);
        CountDownLatch clientWent = new CountDownLatch(1);
        RawServer late = server(peer -> {
            asked.countDown();
            aborted.await();
            peer.shakeHands();
            peer.waitForTheEnd();
            clientWent.countDown();
        });
        Events events = new Events();
        Link link = connector().open(address(late), events);
        assertTrue(asked.await(30, TimeUnit.SECONDS));
        link.abort();
        aborted.countDown();
        assertTrue(clientWent.await(30, TimeUnit.SECONDS), "the connection outlived its abort");
        assertEquals(0, events.events.size());
    }

    // An end in the middle of a message is not among them: the JDK passes over it in silence, and what notices is the
    // missing answer to the next renewal (RepliesTest).
    @Test
    void abruptEndsAreReportedOnce() throws Exception {
        List<RawServer.Script> ends = List.of(
                peer -> {
                    peer.shakeHands();
                    peer.read(); // so that the client has seen the handshake
                    peer.socket.setSoLinger(true, 0); // a reset
                },
                peer -> {
                    peer.shakeHands();
                    peer.frame(true, 8, new byte[] {3, (byte) 232}, 0, 2); // an orderly close
                    peer.waitForTheEnd();
                },
                peer -> {
                    peer.shakeHands();
                    peer.frame(true, 2, new byte[] {1}, 0, 1); // binary
                    peer.waitForTheEnd();
                },
                peer -> {
                    peer.shakeHands();
                    peer.frame(true, 1, new byte[] {(byte) 0xc3, 0x28}, 0, 2); // not UTF-8
                    peer.waitForTheEnd();
                });
        for (RawServer.Script end : ends) {
            Events events = new Events();
            Link link = connector().open(address(server(end)), events);
            assertEquals("opened", events.next());
            link.send("[]".getBytes(StandardCharsets.UTF_8));
            List<String> heard = new ArrayList<>(List.of(events.next()));
            if (heard.get(0).equals("sent")) {
                heard.add(events.next());
            }
            assertTrue(
                    heard.get(heard.size() - 1).startsWith("closed: "), "script " + ends.indexOf(end) + ": " + heard);
            assertEquals(null, events.events.poll(20, TimeUnit.MILLISECONDS));
        }
    }

    @Test
    void refusedAndNotAWebSocketAreReported() throws Exception {
        RawServer gone = server(peer -> {});
        gone.close();
        Events refused = new Events();
        connector().open(address(gone), refused);
        assertTrue(refused.next().startsWith("closed: "));
        RawServer web = server(peer -> {
            peer.out.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            peer.out.flush();
            peer.waitForTheEnd();
        });
        Events notFound = new Events();
        connector().open(address(web), notFound);
        assertTrue(notFound.next().startsWith("closed: "));
    }

    @Test
    void aServerThatStopsReadingHoldsNobody() throws Exception {
        CountDownLatch clientWent = new CountDownLatch(1);
        CountDownLatch aborted = new CountDownLatch(1);
        RawServer deaf = server(peer -> {
            peer.shakeHands();
            aborted.await();
            peer.waitForTheEnd();
            clientWent.countDown();
        });
        Events events = new Events();
        Link link = connector().open(address(deaf), events);
        assertEquals("opened", events.next());
        link.send(new byte[20 << 20]); // far more than the sockets take
        assertEquals(null, events.events.poll(200, TimeUnit.MILLISECONDS));
        link.abort();
        aborted.countDown();
        assertTrue(clientWent.await(30, TimeUnit.SECONDS));
        assertEquals(0, events.events.size());
    }

    @Test
    void reconnectingLeavesNoThreadsBehind() throws Exception {
        RawServer quick = server(peer -> {
            peer.shakeHands();
            peer.waitForTheEnd();
        });
        JdkConnector connector = connector();
        int after = 0;
        for (int i = 0; i < 200; i++) {
            Events events = new Events();
            Link link = connector.open(address(quick), events);
            assertEquals("opened", events.next());
            link.abort();
            if (i == 20) {
                after = clientThreads();
            }
        }
        assertTrue(
                clientThreads() <= after + 1,
                clientThreads() + " threads after 200 connections, " + after + " after 20");
    }

    private static int clientThreads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().contains("HttpClient")
                        || thread.getName().startsWith("pool-"))
                .count();
    }

    @Test
    void aDeadResolverIsReplacedByWhatWorkedBefore() throws Exception {
        RawServer echo = server(peer -> {
            peer.shakeHands();
            peer.waitForTheEnd();
        });
        String address = "registry.example:" + echo.port();
        Events first = new Events();
        Link link = connector(Duration.ofSeconds(10), host -> new InetAddress[] {InetAddress.getLoopbackAddress()})
                .open(address, first);
        assertEquals("opened", first.next());
        link.abort();
        assertTrue(store.files.containsKey("addresses"));

        Events dead = new Events(); // another process, after a restart: only the disk knows
        Link again = connector().open(address, dead);
        assertEquals("opened", dead.next());
        again.abort();

        CountDownLatch never = new CountDownLatch(1);
        Events hanging = new Events();
        Link third = connector(Duration.ofSeconds(10), host -> {
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        throw new UnknownHostException(host);
                    }
                    throw new UnknownHostException(host);
                })
                .open(address, hanging);
        assertEquals("opened", hanging.next());
        third.abort();
        never.countDown();

        store.files.clear();
        Events unknown = new Events();
        connector().open(address, unknown);
        assertEquals("closed: cannot resolve registry.example, and no address is remembered", unknown.next());
    }

    @Test
    void literalAddressesNeverMeetTheResolver() throws Exception {
        RawServer echo = server(peer -> {
            peer.shakeHands();
            peer.waitForTheEnd();
        });
        AtomicInteger asked = new AtomicInteger();
        Events events = new Events();
        Link link = connector(Duration.ofSeconds(10), host -> {
                    asked.incrementAndGet();
                    throw new UnknownHostException(host);
                })
                .open(address(echo), events);
        assertEquals("opened", events.next());
        link.abort();
        assertEquals(0, asked.get());
    }

    @Test
    void aBadAddressBehindANameIsLeftForTheNext() throws Exception {
        RawServer echo = server(peer -> {
            peer.shakeHands();
            peer.waitForTheEnd();
        });
        JdkConnector connector = connector(Duration.ofSeconds(10), host -> new InetAddress[] {
            InetAddress.getByAddress(new byte[] {127, 0, 0, 2}), InetAddress.getByAddress(new byte[] {127, 0, 0, 1})
        });
        Events bad = new Events();
        connector.open("registry.example:" + echo.port(), bad);
        assertTrue(bad.next().startsWith("closed: "));
        Events good = new Events();
        Link link = connector.open("registry.example:" + echo.port(), good);
        assertEquals("opened", good.next());
        link.abort();
    }
}
