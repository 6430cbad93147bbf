package io.mooring.server.edge.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.ServerMessage;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What all sessions of a node are told, without a socket and in virtual time. */
class OpenSessionsTest implements SessionHost {
    private static final List<String> THREE = List.of("b:9847", "c:9847", "d:9847");

    private final VirtualTime time = new VirtualTime(0);
    private final VirtualTime.Loop loop = time.loop("node");
    private final PushEncoder encoder = new PushEncoder();
    private final RegistryNode node = started();
    private final OpenSessions sessions = new OpenSessions(loop, List.of("a:9847"));
    private final Map<SessionConnection, List<ServerMessage>> heard = new HashMap<>();
    private final List<byte[]> frames = new ArrayList<>();
    private final Set<SessionConnection> toFlush = new LinkedHashSet<>();

    private RegistryNode started() {
        List<RegistryNode> made = new ArrayList<>();
        loop.run(() -> {
            try {
                made.add(new RegistryNode(
                        NodeSettings.defaults("n1"),
                        loop,
                        new Random(1),
                        Prober.none(),
                        Optional.empty(),
                        PeerDialer.none(),
                        () -> 1_700_000_000_000L));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return made.get(0);
    }

    /** A node that starts tells everybody that its lists are complete, in time: not what is looked at here. */
    @BeforeEach
    void letItSettle() {
        time.runFor(Duration.ofMinutes(1));
    }

    @Override
    public RegistryNode node() {
        return node;
    }

    @Override
    public SessionSettings settings() {
        return SessionSettings.defaults(1);
    }

    @Override
    public SessionMeter meter() {
        return SessionMeter.NONE;
    }

    @Override
    public PushEncoder encoder() {
        return encoder;
    }

    @Override
    public List<String> sessionAddresses() {
        return sessions.addresses();
    }

    @Override
    public void welcomed(SessionConnection connection) {
        sessions.welcomed(connection);
    }

    @Override
    public void flushLater(SessionConnection connection) {
        toFlush.add(connection);
        loop.execute(() -> {
            if (toFlush.remove(connection)) {
                byte[] frame = connection.take().frame();
                frames.add(frame);
                heard.computeIfAbsent(connection, c -> new ArrayList<>()).addAll(read(frame));
            }
        });
    }

    private static List<ServerMessage> read(byte[] frame) {
        int length = frame[1] & 0x7f;
        int head = length < 126 ? 2 : length == 126 ? 4 : 10;
        try {
            return new MessageReader(ProtocolLimits.DEFAULTS)
                    .readFromServer(frame, head, frame.length - head, "public");
        } catch (MalformedFrameException e) {
            throw new AssertionError(e);
        }
    }

    private SessionConnection session(int number) {
        SessionConnection connection = new SessionConnection(this, "client " + number);
        ClientMessage.Hello hello =
                new ClientMessage.Hello(1, String.format("%032x", number), 1, "test", "public", OptionalLong.empty());
        loop.run(() -> connection.receive(List.of(hello)));
        time.runFor(Duration.ofMillis(1));
        return connection;
    }

    private List<SessionConnection> sessions(int count) {
        List<SessionConnection> all = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            all.add(session(i));
        }
        heard.clear();
        frames.clear();
        return all;
    }

    private List<ServerMessage> heard(SessionConnection connection) {
        return heard.getOrDefault(connection, List.of());
    }

    private List<ServerMessage.Move> moves(SessionConnection connection) {
        List<ServerMessage.Move> moves = new ArrayList<>();
        for (ServerMessage message : heard(connection)) {
            if (message instanceof ServerMessage.Move move) {
                moves.add(move);
            }
        }
        return moves;
    }

    private void onLoop(Runnable step) {
        loop.run(step);
        time.runFor(Duration.ofMillis(1));
    }

    @Test
    void welcomeNamesTheOtherNodesAsTheyAreNow() {
        assertEquals(List.of("a:9847"), welcome(session(1)).peers());
        onLoop(() -> sessions.addresses(THREE));
        assertEquals(THREE, welcome(session(2)).peers());
    }

    private ServerMessage.Welcome welcome(SessionConnection connection) {
        return (ServerMessage.Welcome) heard(connection).get(0);
    }

    @Test
    void everybodyIsToldOfOtherNodesByTheSameBytes() {
        List<SessionConnection> all = sessions(50);
        SessionConnection silent = new SessionConnection(this, "has not said hello");
        onLoop(() -> sessions.addresses(THREE));
        all.forEach(session -> assertEquals(List.of(new ServerMessage.Peers(THREE)), heard(session)));
        assertEquals(List.of(), heard(silent));
        assertEquals(50, frames.size());
        frames.forEach(frame -> assertSame(frames.get(0), frame, "encoded once"));

        onLoop(() -> sessions.addresses(List.copyOf(THREE)));
        time.runFor(Duration.ofSeconds(5));
        assertEquals(50, frames.size(), "nothing new, so nobody is told");
    }

    @Test
    void aNeighbourThatComesAndGoesCostsOneMessageASecond() {
        List<SessionConnection> all = sessions(3);
        for (int i = 0; i < 100; i++) {
            List<String> now = THREE.subList(0, 1 + i % 2);
            onLoop(() -> sessions.addresses(now));
            time.runFor(Duration.ofMillis(99));
        }
        time.runFor(Duration.ofSeconds(2));
        for (SessionConnection session : all) {
            int told = heard(session).size();
            assertTrue(told >= 9 && told <= 11, "told: " + told + " times in 10 s");
            assertEquals(
                    new ServerMessage.Peers(THREE.subList(0, 2)), heard(session).get(told - 1), "the last word");
        }
    }

    @Test
    void whoWasWelcomedBetweenTwoListsHearsTheLastOne() {
        sessions(1);
        onLoop(() -> sessions.addresses(THREE));
        onLoop(() -> sessions.addresses(List.of("x:1")));
        SessionConnection late = session(9);
        assertEquals(List.of("x:1"), welcome(late).peers());
        onLoop(() -> sessions.addresses(THREE)); // back to what everybody else was told
        time.runFor(Duration.ofSeconds(2));
        List<ServerMessage> all = heard(late);
        assertEquals(new ServerMessage.Peers(THREE), all.get(all.size() - 1));
    }

    @Test
    void aDrainSpreadsTheSessionsEvenlyOverTheOthers() {
        List<SessionConnection> all = sessions(301);
        onLoop(() -> sessions.move(Duration.ofSeconds(5), THREE));
        Map<String, Integer> first = new HashMap<>();
        for (SessionConnection session : all) {
            ServerMessage.Move move = moves(session).get(0);
            assertEquals(Duration.ofSeconds(5), move.within());
            assertEquals(Set.copyOf(THREE), Set.copyOf(move.peers()));
            assertEquals(3, move.peers().size());
            first.merge(move.peers().get(0), 1, Integer::sum);
        }
        first.values().forEach(count -> assertTrue(count == 100 || count == 101, first.toString()));
    }

    @Test
    void whoConnectsDuringADrainIsAskedToMoveAtOnce() {
        onLoop(() -> sessions.move(Duration.ofSeconds(5), THREE));
        time.runFor(Duration.ofSeconds(3));
        Set<String> first = new HashSet<>();
        for (int i = 1; i <= 3; i++) {
            SessionConnection late = session(i);
            assertEquals(2, heard(late).size(), heard(late).toString());
            assertTrue(heard(late).get(0) instanceof ServerMessage.Welcome);
            ServerMessage.Move move = moves(late).get(0);
            assertTrue(move.within().compareTo(Duration.ofSeconds(2)) <= 0, move.toString());
            first.add(move.peers().get(0));
        }
        assertEquals(Set.copyOf(THREE), first, "these too are spread");
        time.runFor(Duration.ofSeconds(30));
        assertEquals(Duration.ZERO, moves(session(4)).get(0).within());
    }

    @Test
    void aNodeWithoutOthersAsksToMoveAllTheSame() {
        List<SessionConnection> all = sessions(2);
        onLoop(() -> sessions.move(Duration.ofSeconds(1), List.of()));
        all.forEach(session ->
                assertEquals(List.of(new ServerMessage.Move(Duration.ofSeconds(1), List.of())), heard(session)));
    }

    @Test
    void aFewAreAskedToMoveEachOnceBeforeAnybodyTwice() {
        List<SessionConnection> all = sessions(20);
        Random random = new Random(5);
        for (int round = 1; round <= 4; round++) {
            onLoop(() -> assertEquals(5, sessions.move(Duration.ofSeconds(1), THREE, 5, random)));
            int asked = (int) all.stream().filter(s -> !moves(s).isEmpty()).count();
            assertEquals(5 * round, asked);
        }
        all.forEach(session -> assertEquals(1, moves(session).size()));
        onLoop(() -> assertEquals(0, sessions.move(Duration.ofSeconds(1), THREE, 5, random)));
        onLoop(() -> assertEquals(5, sessions.move(Duration.ofSeconds(1), THREE, 5, random)));
        assertEquals(List.of(), moves(session(21)), "whoever comes later is not asked: this is no drain");
    }

    @Test
    void whoIsGoneOrClosingIsToldNothing() {
        List<SessionConnection> all = sessions(3);
        onLoop(() -> {
            all.get(0).close("too_slow", "test");
            sessions.closed(all.get(1));
            all.get(1).disconnected();
        });
        heard.clear();
        onLoop(() -> sessions.addresses(THREE));
        onLoop(() -> sessions.move(Duration.ofSeconds(1), THREE));
        assertEquals(List.of(), heard(all.get(0)));
        assertEquals(List.of(), heard(all.get(1)));
        assertEquals(2, heard(all.get(2)).size());
    }
}
