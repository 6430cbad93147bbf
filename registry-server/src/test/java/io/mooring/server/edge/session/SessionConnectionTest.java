package io.mooring.server.edge.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.protocol.ClientMessage;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.lease.Prober;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.node.NodeSettings;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.restore.MemoryStorage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a connection makes of messages, without a socket and in virtual time. */
class SessionConnectionTest implements SessionHost {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    private final VirtualTime time = new VirtualTime(0);
    private final VirtualTime.Loop loop = time.loop("node");
    private final MemoryStorage disk = new MemoryStorage(loop);
    private final PushEncoder encoder = new PushEncoder();
    private final RegistryNode node = started();

    private RegistryNode started() {
        List<RegistryNode> made = new ArrayList<>();
        loop.run(() -> {
            try {
                made.add(new RegistryNode(
                        NodeSettings.defaults("n1"),
                        loop,
                        new Random(1),
                        Prober.none(),
                        Optional.of(disk),
                        PeerDialer.none(),
                        () -> 1_700_000_000_000L));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return made.get(0);
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
    public void flushLater(SessionConnection connection) {}

    private void say(SessionConnection connection, ClientMessage... messages) {
        loop.run(() -> connection.receive(List.of(messages)));
        time.runFor(Duration.ofMillis(1));
    }

    private static ClientMessage.Hello hello(String session) {
        return hello(session, 0);
    }

    private static ClientMessage.Hello hello(String session, long attempt) {
        return new ClientMessage.Hello(1, session.repeat(32), attempt, "test", "public", OptionalLong.empty());
    }

    private static Instance instance(int port) {
        return Instance.of(ORDERS, "10.0.0.1", port);
    }

    private List<Integer> ports() {
        return node.view(ORDERS).instances().stream()
                .map(listed -> listed.instance().port())
                .toList();
    }

    private static String text(SessionConnection connection) {
        return new String(connection.take().frame(), StandardCharsets.UTF_8);
    }

    @Test
    void whatAReplacedConnectionStillSaysCountsForNothing() {
        SessionConnection old = new SessionConnection(this, "old");
        SessionConnection young = new SessionConnection(this, "young");
        say(old, hello("a"), new ClientMessage.Register(1, List.of(instance(1))));
        say(young, hello("a"));
        assertTrue(old.isClosed());

        say(old, new ClientMessage.Deregister(2, List.of(instance(1).id())));
        say(old, new ClientMessage.Register(3, List.of(instance(2))), new ClientMessage.Bye(4));

        assertEquals(List.of(1), ports());
    }

    @Test
    void aHelloThatComesLateTakesNothingFromTheOneThatOvertookIt() {
        SessionConnection young = new SessionConnection(this, "young");
        SessionConnection late = new SessionConnection(this, "late");
        say(young, hello("a", 3), new ClientMessage.Register(1, List.of(instance(1))));
        text(young);

        say(
                late,
                hello("a", 2),
                new ClientMessage.Deregister(1, List.of(instance(1).id())),
                new ClientMessage.Register(2, List.of(instance(2))));

        assertTrue(late.isClosed());
        String answer = text(late);
        assertTrue(answer.contains("\"closing\",\"code\":\"replaced\""), answer);
        assertFalse(answer.contains("welcome"), answer);
        assertFalse(young.isClosed());
        assertEquals(List.of(1), ports());
        loop.run(late::disconnected);
        time.runFor(Duration.ofMillis(1));
        assertEquals(
                Standing.LIVE,
                node.view(ORDERS).instances().get(0).standing(),
                "the end of the late one means nothing");
    }

    @Test
    void theLatestConnectionWinsAlsoWhenTheClientDoesNotCount() {
        SessionConnection old = new SessionConnection(this, "old");
        SessionConnection young = new SessionConnection(this, "young");
        say(old, hello("a", 3));
        say(young, hello("a", 3));
        assertTrue(old.isClosed());
        assertFalse(young.isClosed());
    }

    @Test
    void welcomeIsTheFirstWordWhateverTheDiskIsDoing() {
        SessionConnection other = new SessionConnection(this, "other");
        say(other, hello("b"));
        disk.slow(Duration.ofMillis(20));
        SessionConnection connection = new SessionConnection(this, "one");
        loop.run(() -> other.receive(List.of(new ClientMessage.Register(1, List.of(instance(1))))));
        say(
                connection,
                hello("a"),
                new ClientMessage.Subscribe(1, ORDERS, OptionalLong.empty()),
                new ClientMessage.Renew(2));
        time.runFor(Duration.ofMillis(100));

        String frame = text(connection);
        assertTrue(frame.indexOf("welcome") >= 0, frame);
        assertTrue(frame.indexOf("welcome") < frame.indexOf("\"view\""), frame);
        assertTrue(frame.indexOf("welcome") < frame.indexOf("renewed"), frame);
    }
}
