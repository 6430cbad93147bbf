package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosRefusal;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.push.Update;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection, which is what a Nacos client is. New, then set up by the first message on its stream, then closed.
 * Confined to the I/O thread, but for what the session calls.
 */
final class Connection implements Session.Ends {
    /** Keys that are there with false are not supported; those that are missing would be unknown. */
    private static final Outgoing SETUP_ACK = Answers.text(
            "SetupAckRequest",
            "{\"headers\":{},\"module\":\"internal\",\"abilityTable\":{\"supportPersistentInstanceByGrpc\":true,"
                    + "\"fuzzyWatch\":true,\"lock\":false,\"mcp\":false,\"agent\":false}}");

    /** Of what a client calls itself, in characters. */
    private static final int LONGEST_NAME = 256;

    private final NacosGrpcServer host;
    private final Channel channel;
    private final String id;
    private final String remote;
    private final Stamps stamps;
    private final long openedAt = System.nanoTime();

    private @Nullable StreamOut out;
    private @Nullable Session session;
    private @Nullable Pushes pushes;
    private Watches.@Nullable Ours watches;
    private Interfaces.@Nullable Ours interfaces;
    private boolean heard;
    private long heardAt = openedAt;
    private boolean asked; // whether it is there
    private boolean asksForAbilities;
    private String agent = "";
    private String app = "";
    private long updatedAt;
    private boolean closed;

    /** @param id what the client is told; nothing can be done by knowing it */
    Connection(NacosGrpcServer host, Channel channel, String id) {
        this.host = host;
        this.channel = channel;
        this.id = id;
        this.remote = String.valueOf(channel.remoteAddress());
        this.stamps = new Stamps(host.node().clock());
    }

    String id() {
        return id;
    }

    Stamps stamps() {
        return stamps;
    }

    boolean isSetUp() {
        return out != null && !closed;
    }

    /** What may publish and subscribe; nothing before the set-up, and for connections that have nothing to do with naming. */
    Optional<Session> session() {
        return closed ? Optional.empty() : Optional.ofNullable(session);
    }

    Optional<Pushes> pushes() {
        return closed ? Optional.empty() : Optional.ofNullable(pushes);
    }

    Optional<Watches.Ours> watches() {
        return closed ? Optional.empty() : Optional.ofNullable(watches);
    }

    /** Empty before the set-up. */
    Optional<Interfaces.Ours> interfaces() {
        return closed ? Optional.empty() : Optional.ofNullable(interfaces);
    }

    /** What it hears of a service, for tools; once for each selection of clusters. */
    List<NacosSubscribers.Subscriber> subscriptions(ServiceKey service) {
        Pushes pushing = closed ? null : pushes;
        if (pushing == null || !(channel.remoteAddress() instanceof InetSocketAddress from)) {
            return List.of();
        }
        return pushing.of(service).stream()
                .map(clusters -> new NacosSubscribers.Subscriber(
                        id, from.getAddress().getHostAddress(), from.getPort(), agent, app, clusters))
                .toList();
    }

    /** For tools; empty for those that have nothing to do with naming. What it has published is not said. */
    Optional<NacosConnections.Client> shown() {
        Pushes pushing = closed ? null : pushes;
        if (pushing == null || !(channel.remoteAddress() instanceof InetSocketAddress from)) {
            return Optional.empty();
        }
        return Optional.of(new NacosConnections.Client(
                id,
                from.getAddress().getHostAddress(),
                from.getPort(),
                agent,
                app,
                updatedAt,
                List.of(),
                pushing.services()));
    }

    /** The client publishes or subscribes. */
    void updated() {
        updatedAt = host.node().clock().millis();
    }

    // ---- the stream

    /** The client introduces itself. Who does so again is the same, and told the same. */
    void setUp(StreamOut stream, Request request) {
        if (out != null) {
            if (request.asksForAbilities) {
                stream.send(() -> SETUP_ACK);
            }
            return;
        }
        out = stream;
        interfaces = host.interfaces().of(stream, stamps);
        asksForAbilities = request.asksForAbilities;
        agent = shortened(request.clientVersion);
        app = shortened(request.labels.getOrDefault("AppName", ""));
        updated();
        String module = request.labels.getOrDefault("module", "naming");
        if (!module.equals("naming")) {
            opened(null);
            return;
        }
        Session opening =
                new Session(host.node(), host.secret(), host.settings().terms(), this);
        session = opening;
        pushes = new Pushes(
                host.node(),
                stream,
                host.lists(),
                stamps,
                host.meter(),
                () -> host.crossing().toLoop(opening::ready),
                host.settings().answerTakenWithin(),
                System::nanoTime);
        watches = host.watches().of(stream, stamps);
        host.crossing().toLoop(() -> opening.open(refusal -> host.crossing().toIo(() -> opened(refusal))));
    }

    /** It is kept for as long as the client is there. */
    private static String shortened(String name) {
        return name.substring(0, Math.min(LONGEST_NAME, name.length()));
    }

    private void opened(@Nullable NacosRefusal refusal) {
        StreamOut stream = out;
        if (refusal != null || stream == null) {
            host.meter().refused(refusal == null ? "unknown" : refusal.because());
            close(); // who is not acked tries the next server
            return;
        }
        if (asksForAbilities) { // others would not know what to do with it
            stream.send(() -> SETUP_ACK);
        }
        host.setUp(this);
    }

    /** An answer to something the server asked; only its id counts, for clients call their answers as they like. */
    void answered(String requestId) {
        Pushes waiting = pushes;
        Watches.Ours watching = watches;
        if (waiting != null && watching != null && !requestId.isEmpty() && requestId.length() <= 18) {
            try {
                long asked = Long.parseLong(requestId);
                if (!waiting.acked(asked)) {
                    watching.acked(asked);
                }
            } catch (NumberFormatException e) {
                host.meter().refused("unknown"); // not one of ours: a sign of life all the same
            }
        }
    }

    boolean isStream(StreamOut stream) {
        return out == stream;
    }

    // ---- life

    /** Something came in. */
    void heard() {
        heard = true;
        heardAt = System.nanoTime();
        asked = false;
    }

    /**
     * To be called every second.
     *
     * @return whether its session is to be renewed
     */
    boolean look(long now) {
        NacosGrpcSettings settings = host.settings();
        StreamOut stream = out;
        if (stream == null) {
            if (now - openedAt >= settings.setUpWithin().toNanos()) {
                end("too_slow");
            }
            return false;
        }
        long silent = now - heardAt;
        if (silent >= settings.ttl().toNanos()
                || stream.blockedFor() >= settings.stalledAfter().toNanos()) {
            end("too_slow");
            return false;
        }
        if (silent >= settings.askAfter().toNanos() && !asked) {
            asked = true;
            stream.send(() -> Answers.asking("ClientDetectionRequest", stamps.nextId(), ""));
        }
        Pushes waiting = pushes;
        Watches.Ours watching = watches;
        if (waiting != null && watching != null) {
            watching.look(settings.ackWithin());
            if (waiting.look(settings.ackWithin()) >= settings.stalledAfter().toNanos()) {
                end("too_slow");
                return false;
            }
            Session telling = session;
            if (telling != null) {
                waiting.unsure().forEach(service -> host.crossing().toLoop(() -> telling.tellAgain(service)));
            }
        }
        boolean renew = heard && session != null;
        heard = false;
        return renew;
    }

    private void end(String code) {
        host.meter().refused(code);
        close();
    }

    /**
     * Asks it to go elsewhere.
     *
     * @param target of its own list; empty: wherever it likes
     */
    void askToMove(String target) {
        StreamOut stream = out;
        if (stream != null && !closed) {
            Session moving = session;
            if (moving != null) {
                host.crossing().toLoop(moving::moving);
            }
            String where = target.isEmpty()
                    ? ""
                    : ",\"serverIp\":" + Answers.quoted(target) + ",\"serverPort\":\""
                            + host.settings().httpPort() + "\"";
            stream.send(() -> Answers.asking("ConnectResetRequest", stamps.nextId(), where));
        }
    }

    /** Ends the connection; {@link #gone} follows. */
    void close() {
        channel.unsafe().close(channel.voidPromise()); // at once: HTTP/2's own close would wait for open streams
    }

    /** The connection has ended, whoever did it. */
    void gone() {
        closed = true;
        StreamOut stream = out;
        if (stream != null) {
            stream.gone();
        }
        Pushes pushing = pushes;
        if (pushing != null) {
            pushing.gone();
        }
        Watches.Ours watched = watches;
        if (watched != null) {
            watched.gone();
        }
        Interfaces.Ours listened = interfaces;
        if (listened != null) {
            listened.gone();
        }
        Session ended = session;
        if (ended != null) {
            host.crossing().toLoop(ended::gone);
        }
    }

    // ---- from the session, on the loop

    @Override
    public void deliver(List<Update> updates, long decidedAt) {
        host.crossing().toIo(() -> pushes().ifPresent(to -> to.deliver(updates, decidedAt)));
    }

    @Override
    public void close(String code, String message) {
        host.crossing().toIo(() -> {
            if (!closed) {
                end(code);
            }
        });
    }

    /** For log lines. */
    @Override
    public String toString() {
        return "Nacos client at " + remote;
    }
}
