package io.mooring.server.edge.session;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.Message;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.RefusalCode;
import io.mooring.protocol.ServerMessage;
import io.mooring.server.lease.Outcome;
import io.mooring.server.lease.SessionLine;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection, seen from the event loop: what its messages mean, and what waits to be sent. Knows no socket, so that
 * the simulation can run it.
 *
 * <p>What waits is bounded: one delivery of pushes (the scheduler hands out no second one before the first is
 * written), and the answers to requests, of which only so many are read. Everything here is confined to the event
 * loop, but for the channel.
 */
public final class SessionConnection implements SessionLine, Subscriber {
    private final SessionHost host;
    private final String remote;

    private String session = "";
    private String namespace = "";
    private final Set<ServiceKey> subscribed = new HashSet<>(4);
    private final Map<ServiceKey, List<Long>> subscribing = new HashMap<>(4);
    private List<byte[]> outgoing = new ArrayList<>(2);
    private @Nullable List<PushEncoder.Encoded> beforeWelcome = new ArrayList<>(2);
    private PushEncoder.@Nullable Encoded only; // the shared frame, when nothing else goes with it
    private int answered;
    private long pushedAt;
    private boolean pushing;
    private boolean queued;
    private boolean closing;
    private boolean gone;

    /**
     * A connection that has been opened.
     *
     * @param host what it shares with the others
     * @param remote the other side, for log lines
     */
    public SessionConnection(SessionHost host, String remote) {
        this.host = host;
        this.remote = remote;
    }

    // ---- what comes in

    /** A frame came in. */
    public void receive(List<ClientMessage> messages) {
        if (closing || gone) {
            return;
        }
        if (!session.isEmpty()) {
            host.node().heard(session);
        }
        for (ClientMessage message : messages) {
            if (closing) {
                return;
            }
            handle(message);
        }
    }

    private void handle(ClientMessage message) {
        if (message instanceof ClientMessage.Register m) {
            host.node().register(session, m.instances(), done(m.id()));
        } else if (message instanceof ClientMessage.Renew m) {
            answer(new ServerMessage.Renewed(m.id()));
        } else if (message instanceof ClientMessage.Deregister m) {
            host.node().deregister(session, m.instances(), done(m.id()));
        } else if (message instanceof ClientMessage.Subscribe m) {
            subscribe(m);
        } else if (message instanceof ClientMessage.Unsubscribe m) {
            subscribed.remove(m.service());
            for (long id : waitingFor(m.service())) {
                refuse(id, RefusalCode.OUT_OF_ORDER, "unsubscribed before the view was sent", Duration.ZERO);
            }
            host.node().unsubscribe(this, m.service());
            answer(new ServerMessage.Done(m.id()));
        } else if (message instanceof ClientMessage.Unacceptable m) {
            InvalidValueException reason = m.reason();
            host.meter().refused(m.code());
            answer(new ServerMessage.Refused(
                    m.id(),
                    m.code(),
                    reason.field(),
                    reason.value(),
                    reason.expected(),
                    String.valueOf(reason.getMessage()),
                    Duration.ZERO));
        } else if (message instanceof ClientMessage.Hello m) {
            hello(m);
        } else if (message instanceof ClientMessage.Bye m) {
            host.node().bye(session, outcome -> {
                answer(new ServerMessage.Done(m.id()));
                end();
            });
        }
    }

    private void hello(ClientMessage.Hello hello) {
        session = hello.session();
        namespace = hello.namespace();
        SessionSettings settings = host.settings();
        host.node()
                .open(
                        session,
                        hello.attempt(),
                        this,
                        hello.holds(),
                        held -> welcome(new ServerMessage.Welcome(
                                ProtocolLimits.VERSION,
                                host.node().status().name(),
                                host.node().epoch(),
                                settings.lease(),
                                settings.renewEvery(),
                                settings.reconnectSpread(),
                                held,
                                host.sessionAddresses(),
                                settings.limits())),
                        refusal -> {
                            if (refusal instanceof Outcome.Refused refused) {
                                close(refused.code(), refused.message());
                            }
                        });
    }

    /** The first word; what was to be said meanwhile comes behind it. */
    private void welcome(ServerMessage.Welcome welcome) {
        List<PushEncoder.Encoded> waiting = beforeWelcome;
        beforeWelcome = null;
        answer(welcome);
        if (waiting != null) {
            waiting.forEach(this::queue);
        }
        if (!isClosed()) {
            host.welcomed(this);
        }
    }

    /** Asks the session to go elsewhere; that its connection ends then is expected. */
    void askToMove(PushEncoder.Encoded move) {
        host.node().moving(session);
        tell(move);
    }

    /** Says what all sessions are told; shared bytes. */
    void tell(PushEncoder.Encoded message) {
        if (!isClosed()) {
            queue(message);
        }
    }

    private void subscribe(ClientMessage.Subscribe m) {
        int limit = host.settings().limits().subscriptionsPerSession();
        if (!subscribed.contains(m.service()) && subscribed.size() >= limit) {
            refuse(
                    m.id(),
                    RefusalCode.LIMIT,
                    "subscriptions: " + subscribed.size() + " (expected: at most " + limit + "); unsubscribe from some",
                    Duration.ZERO);
            return;
        }
        subscribing.computeIfAbsent(m.service(), s -> new ArrayList<>(1)).add(m.id());
        subscribed.add(m.service());
        host.node().subscribe(this, m.service(), m.digest());
    }

    private Consumer<Outcome> done(long id) {
        return outcome -> {
            if (outcome instanceof Outcome.Refused refused) {
                refuse(id, refused.code(), refused.message(), refused.retryAfter());
            } else {
                answer(new ServerMessage.Done(id));
            }
        };
    }

    private void refuse(long id, String code, String message, Duration retryAfter) {
        host.meter().refused(code);
        answer(new ServerMessage.Refused(id, code, "", "", "", message, retryAfter));
    }

    // ---- what goes out

    @Override
    public void deliver(List<Update> updates) {
        pushing = true;
        pushedAt = host.node().loop().now();
        for (Update update : updates) {
            List<Long> ids = waitingFor(update.view().service());
            for (long id : ids) {
                answered++;
                queue(host.encoder().encode(update, id));
            }
            if (ids.isEmpty()) {
                queue(host.encoder().encode(update, 0));
            }
        }
    }

    /** The subscribes of that service that have no answer yet; they get it now. */
    private List<Long> waitingFor(ServiceKey service) {
        List<Long> ids = subscribing.isEmpty() ? null : subscribing.remove(service);
        return ids == null ? List.of() : ids;
    }

    private void answer(Message message) {
        answered++;
        send(message);
    }

    private void send(Message message) {
        queue(new PushEncoder.Encoded(MessageWriter.message(message)));
    }

    private void queue(PushEncoder.Encoded encoded) {
        if (gone) {
            return;
        }
        if (beforeWelcome != null) {
            beforeWelcome.add(encoded);
            return;
        }
        only = outgoing.isEmpty() ? encoded : null;
        outgoing.add(encoded.message);
        if (!queued) {
            queued = true;
            host.flushLater(this);
        }
    }

    /** Takes what is to be written as one frame. */
    public Outgoing take() {
        queued = false;
        PushEncoder.Encoded single = only;
        byte[] frame = single != null ? single.frame() : FrameBytes.of(outgoing);
        Outgoing out = new Outgoing(frame, answered, pushing ? pushedAt : 0, pushing, closing);
        if (outgoing.size() > 16) {
            outgoing = new ArrayList<>(2); // an idle session keeps nothing of its busy hour
        } else {
            outgoing.clear();
        }
        only = null;
        answered = 0;
        pushing = false;
        return out;
    }

    /**
     * A frame on its way.
     *
     * @param frame a whole text frame of the WebSocket, unmasked; shared with other sessions, not to be written to
     * @param answers requests it answers
     * @param pushedAt when its pushes were decided
     * @param pushes whether it carries pushes, so that the line is busy until it is written
     * @param last whether the connection closes behind it
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Outgoing(byte[] frame, int answers, long pushedAt, boolean pushes, boolean last) {}

    // ---- the end

    @Override
    public void close(String code, String message) {
        if (!closing && !gone) {
            host.meter().refused(code);
            beforeWelcome = null; // nobody waits for the rest
            send(new ServerMessage.Closing(code, message));
            end();
        }
    }

    /** A frame came in that cannot be trusted. */
    public void closeMalformed(MalformedFrameException e) {
        close(e.code(), String.valueOf(e.getMessage()));
    }

    /** Nothing is read any more; what is queued goes out, then the connection closes. */
    private void end() {
        closing = true;
        host.node().forget(this);
        if (!queued) {
            queued = true;
            host.flushLater(this);
        }
    }

    /** The connection is closed, whoever did it. */
    public void disconnected() {
        gone = true;
        host.node().forget(this);
        if (!session.isEmpty()) {
            host.node().broken(session, this);
        }
        outgoing.clear();
        subscribed.clear();
        subscribing.clear();
    }

    /** Whether nothing counts any more that comes in. */
    public boolean isClosed() {
        return closing || gone;
    }

    /** For log lines: never the session's id, which is a secret. */
    @Override
    public String toString() {
        return "session of " + remote + " in " + namespace;
    }
}
