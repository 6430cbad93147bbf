package io.mooring.client;

import io.mooring.client.Lookup.Freshness;
import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.MessageWriter;
import io.mooring.protocol.ProtocolLimits;
import io.mooring.protocol.RefusalCode;
import io.mooring.protocol.ServerMessage;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The client's conversation with the registry, over as many connections as it takes. Confined to the loop.
 *
 * <p>Transitions of {@code phase}:
 *
 * <pre>
 * WAITING     -- its time has come --> CONNECTING
 * CONNECTING  -- link open --> GREETING (hello sent) -- welcome --> ESTABLISHED
 * CONNECTING, GREETING -- too long, or closed --> WAITING
 * ESTABLISHED -- closed, silent, in doubt, asked to move --> WAITING
 * any         -- close --> CLOSED
 * </pre>
 *
 * <p><b>Why it cannot die.</b> Every way in goes through {@link #enter}, which turns whatever is thrown into the loss of the
 * connection, computes what is due next from the state alone, and sets one timer for it. A watchdog with a timer of its own
 * does the same every {@link #WATCH_EVERY}, should that timer be lost. No queue of things to do exists: {@link #pump} asks
 * what is missing whenever the line is idle.
 */
final class Session {
    private static final Logger log = LoggerFactory.getLogger(Session.class);

    static final Duration WATCH_EVERY = Duration.ofSeconds(5);
    /** While disconnected an attempt starts at least that often. */
    static final Duration LONGEST_GAP = Duration.ofSeconds(30);

    static final Duration FIRST_BACKOFF = Duration.ofMillis(500);
    /** Short enough that everybody is back soon after the registry is, long enough that a crowd is spread. */
    static final Duration LONGEST_BACKOFF = Duration.ofSeconds(10);

    private static final Duration STABLE = Duration.ofSeconds(10);
    private static final Duration BYE_WITHIN = Duration.ofSeconds(1);
    private static final int MOST_OPEN = 512;
    private static final int MOST_UNARMED = 100;
    private static final int FRAME_BEFORE_WELCOME = 1 << 16;

    /** Where the conversation stands. */
    enum Phase {
        WAITING,
        CONNECTING,
        GREETING,
        ESTABLISHED,
        CLOSED
    }

    /** A request that waits for its answer; each knows what fits. */
    private sealed interface Request {
        record Renew() implements Request {}

        record Bye() implements Request {}

        record Register(List<Registrations.Sent> batch) implements Request {}

        record Deregister(List<InstanceId> ids) implements Request {}

        record Subscribe(ServiceState state) implements Request {}

        record Unsubscribe(ServiceKey service) implements Request {}
    }

    private record Open(Request request, long sentAt) {}

    final Registrations registrations;
    final Subscriptions subscriptions;
    final CompletableFuture<Void> closed = new CompletableFuture<>();

    private final MooringPorts ports;
    private final EventLoop loop;
    private final RandomGenerator random;
    private final Settings settings;
    private final Counters counters;
    private final AddressBook addresses;

    private @Nullable String name; // drawn on the loop, once; a secret
    private @Nullable Connection connection;
    private long
            hellos; // over all connections, whatever the name: what we say now counts more than what we said before
    private long nextId = 1; // over all connections, so that no id ever means two requests
    private ProtocolLimits limits = ProtocolLimits.DEFAULTS;

    private int failures; // attempts in a row without a lasting connection
    private int replacements;
    private long nextAttemptAt;
    private @Nullable Timer timer;
    private long timerAt;
    private boolean watching;
    private int unarmed; // steps in a row that could not set a timer
    private boolean closing;

    // For the status, from any thread.
    private volatile Phase phase = Phase.WAITING;
    private volatile String address = "";
    private volatile String node = "";
    private volatile String lastFailure = "";
    private volatile long lastAttemptAt;
    private volatile long disconnectedSince;
    private volatile long heardAt;

    Session(MooringPorts ports, Settings settings, Counters counters) {
        this.ports = ports;
        this.loop = ports.loop();
        this.random = ports.random();
        this.settings = settings;
        this.counters = counters;
        this.addresses = new AddressBook(settings.servers());
        this.registrations = new Registrations(this, counters);
        this.subscriptions = new Subscriptions(ports, settings, counters, this);
        long now = loop.now();
        nextAttemptAt = now;
        lastAttemptAt = now;
        disconnectedSince = now;
        heardAt = now;
    }

    void start() {
        post("the start", () -> {});
    }

    // ---- ways in

    /** Runs a step on the loop, later. From any thread. */
    void post(String what, Runnable step) {
        loop.execute(() -> enter(what, step));
    }

    /** Runs a step, on the loop, now. Whatever it throws costs the connection at most. */
    void enter(String what, Runnable step) {
        try {
            step.run();
            act();
        } catch (DoubtException e) {
            counters.doubts.increment();
            lose("not to be trusted: " + e.getMessage(), false);
        } catch (Throwable e) { // Errors too: a client without its loop would be worse than anything
            counters.internalFailures.increment();
            log.error("{} failed; starting the connection anew. This is a bug, please report it.", what, e);
            lose("internal failure", false);
        }
        // Two timers, set apart: while one of them runs, the next step sets the other again.
        boolean armed = attempt(this::arm);
        boolean watched = attempt(this::watchUnlessWatching);
        if (armed && watched) {
            unarmed = 0;
        } else if (++unarmed < MOST_UNARMED) {
            attempt(() -> loop.execute(() -> enter("another try to set a timer", () -> {})));
        }
    }

    private boolean attempt(Runnable step) {
        try {
            step.run();
            return true;
        } catch (Throwable e) {
            counters.internalFailures.increment();
            log.error("Could not set a timer", e);
            return false;
        }
    }

    /** Does what is due, told by the state and the time alone. */
    private void act() {
        long now = loop.now();
        Connection current = connection;
        switch (phase) {
            case WAITING -> {
                if (now - nextAttemptAt >= 0) {
                    connect(now);
                }
            }
            case CONNECTING, GREETING -> {
                if (current == null || current.broken || now - current.deadline >= 0) {
                    lose(phase == Phase.CONNECTING ? "could not connect in time" : "no welcome in time", true);
                }
            }
            case ESTABLISHED -> {
                if (current == null || current.broken) {
                    lose("the connection's callbacks failed", false);
                } else if (now - current.freshAt >= 2 * current.renewEvery.toNanos()
                        || now - current.renewedAt
                                >= Math.max(current.lease.toNanos(), 3 * current.renewEvery.toNanos())) {
                    lose("the registry is silent", true);
                } else if (current.moves && now - current.moveAt >= 0) {
                    log.info("Moving away from {}, as it asked", address);
                    addresses.prefer(current.moveTo);
                    lose("asked to move", false);
                    nextAttemptAt = now; // the moment was drawn already
                } else {
                    forgetLateRequests(current, now);
                }
            }
            case CLOSED -> {}
        }
        registrations.tick(now);
        pump();
    }

    /** Sets the timer for the next thing that has its time. */
    private void arm() {
        if (phase == Phase.CLOSED) {
            return;
        }
        long now = loop.now();
        Connection current = connection;
        long wait = registrations.nextTickIn(now).orElse(Long.MAX_VALUE);
        if (phase == Phase.WAITING) {
            wait = Math.min(wait, nextAttemptAt - now);
        } else if (current != null && phase != Phase.ESTABLISHED) {
            wait = Math.min(wait, current.deadline - now);
        } else if (current != null) {
            if (!current.sending) { // while the line is busy, the end of that is what we wait for
                wait = Math.min(wait, current.renewSentAt + current.renewEvery.toNanos() - now);
            }
            wait = Math.min(wait, current.freshAt + 2 * current.renewEvery.toNanos() - now);
            if (current.moves) {
                wait = Math.min(wait, current.moveAt - now);
            }
            Iterator<Open> oldest = current.open.values().iterator();
            if (oldest.hasNext()) {
                wait = Math.min(
                        wait, oldest.next().sentAt + settings.requestTimeout().toNanos() - now);
            }
        }
        if (wait == Long.MAX_VALUE) {
            return;
        }
        long at = now + Math.max(0, wait);
        if (timer != null && timerAt - at <= 0 && timerAt - now > 0) {
            return; // comes early enough, and looks again then
        }
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        timerAt = at;
        timer = loop.schedule(Duration.ofNanos(at - now), () -> {
            timer = null;
            enter("a timer", () -> {});
        });
    }

    // ---- the watchdog

    private void watchUnlessWatching() {
        if (!watching && phase != Phase.CLOSED) {
            loop.schedule(WATCH_EVERY, this::watch);
            watching = true;
        }
    }

    /** Independent of every other timer. Should its own be refused, the next way in sets it. */
    private void watch() {
        watching = false;
        if (phase == Phase.CLOSED) {
            return;
        }
        enter("the watchdog", () -> {
            long now = loop.now();
            if (phase != Phase.ESTABLISHED && withoutAttempt(now) > LONGEST_GAP.toNanos()) {
                counters.watchdogRestarts.increment();
                log.warn(
                        "No attempt to connect for {} s; starting one",
                        Duration.ofNanos(withoutAttempt(now)).toSeconds());
                lose("the watchdog found no attempt", true);
                nextAttemptAt = now;
            }
            if (timer != null) { // perhaps it was lost; enter sets a new one
                timer.cancel();
                timer = null;
            }
            subscriptions.tick();
        });
    }

    // ---- connecting

    private void connect(long now) {
        lastAttemptAt = now;
        counters.attempts.increment();
        address = addresses.current();
        if (name == null) {
            name = drawName();
        }
        Connection next = new Connection(now);
        connection = next;
        phase = Phase.CONNECTING;
        next.link = ports.connector().open(address, next);
    }

    private String drawName() {
        return String.format("%016x%016x", random.nextLong(), random.nextLong());
    }

    /** Gives the connection up, if there is one, and plans the next attempt. Never throws. */
    private void lose(String why, boolean tryNextAddress) {
        Connection lost = connection;
        Phase before = phase;
        if (before == Phase.CLOSED) {
            return;
        }
        long now = loop.now();
        connection = null;
        phase = Phase.WAITING;
        nextAttemptAt = now;
        if (lost == null && before == Phase.WAITING) {
            // No attempt was under way, so nothing was lost: only a step failed. Wait like after a failed attempt.
            nextAttemptAt = now + FIRST_BACKOFF.toNanos();
            return;
        }
        lastFailure = why;
        try {
            planAttempt(now, before == Phase.ESTABLISHED && lost != null ? Optional.of(lost) : Optional.empty());
            if (tryNextAddress || before != Phase.ESTABLISHED) {
                addresses.next();
            }
        } catch (Throwable e) {
            counters.internalFailures.increment();
            nextAttemptAt = now + FIRST_BACKOFF.toNanos();
            log.error("Could not plan the next attempt; it comes at once", e);
        }
        String wait = Duration.ofNanos(nextAttemptAt - now).toMillis() + " ms";
        if (before == Phase.ESTABLISHED) {
            disconnectedSince = now;
            log.info("Lost the registry at {} ({}); serving from memory, connecting again in {}", address, why, wait);
        } else {
            log.debug("No connection to {} ({}); trying again in {}", address, why, wait);
        }
        Link link = lost == null ? null : lost.link;
        if (link != null) {
            try {
                link.abort();
            } catch (Throwable e) {
                counters.internalFailures.increment();
                log.warn("A connection could not be aborted; it counts for nothing any more", e);
            }
        }
        try {
            registrations.disconnected();
            subscriptions.disconnected();
        } catch (Throwable e) {
            counters.internalFailures.increment();
            log.error("Not all services could be told of the lost connection", e);
        }
        if (closing) {
            finish();
        }
    }

    private void planAttempt(long now, Optional<Connection> lost) {
        if (lost.isPresent() && now - lost.get().welcomedAt >= STABLE.toNanos()) {
            failures = 0;
            nextAttemptAt = now + drawn(lost.get().reconnectSpread);
            return;
        }
        failures = Math.min(failures + 1, 30);
        long most = Math.min(LONGEST_BACKOFF.toNanos(), FIRST_BACKOFF.toNanos() << Math.min(failures, 10));
        // Counted from the start of the last attempt, so that a slow failure does not stretch the gap.
        long latest = lastAttemptAt + LONGEST_GAP.toNanos() - now;
        nextAttemptAt = now + Math.max(0, Math.min(drawn(Duration.ofNanos(most)), latest));
    }

    private long drawn(Duration most) {
        return most.isZero() ? 0 : random.nextLong(most.toNanos());
    }

    /** What one connection knows. Its callbacks come from any thread, and count only while it is the current one. */
    private final class Connection implements LinkListener {
        private final Map<Long, Open> open = new LinkedHashMap<>(); // the oldest first
        private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
        private final long firstId = nextId;
        private final Freshness freshness;
        private @Nullable Link link;
        private volatile boolean broken;
        private long deadline;
        private boolean sending;
        private boolean greeted;
        private boolean claimed; // hello said what the registry should hold
        private byte @Nullable [] spilled; // a message that did not fit into the last frame
        private long welcomedAt;
        private long freshAt;
        private long renewedAt;
        private long renewSentAt;
        private Duration renewEvery = Duration.ofSeconds(5);
        private Duration lease = Duration.ofSeconds(15);
        private Duration reconnectSpread = Duration.ofSeconds(1);
        private boolean moves;
        private long moveAt;
        private List<String> moveTo = List.of();

        Connection(long now) {
            deadline = now + settings.connectTimeout().toNanos();
            freshness = new Freshness(Duration.ZERO, now);
        }

        private void later(String what, Runnable step) {
            try {
                loop.execute(() -> {
                    if (connection == this) {
                        enter(what, step);
                    }
                });
            } catch (Throwable e) { // the caller is the transport's thread, which must not suffer
                broken = true; // the watchdog looks
                counters.internalFailures.increment();
            }
        }

        @Override
        public void opened() {
            later("an opened connection", () -> Session.this.opened(this));
        }

        @Override
        public void received(byte[] frame) {
            later("a frame", () -> Session.this.received(this, frame));
        }

        @Override
        public void sent() {
            later("a sent frame", () -> sending = false);
        }

        @Override
        public void closed(String reason) {
            later("a closed connection", () -> lose(reason, false));
        }
    }

    private void opened(Connection current) {
        if (phase != Phase.CONNECTING) {
            return;
        }
        phase = Phase.GREETING;
        current.deadline = loop.now() + settings.connectTimeout().toNanos();
    }

    // ---- sending

    /** A frame being filled. */
    private static final class Frame {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        private final int most;
        private int messages;

        Frame(int most) {
            this.most = most;
            bytes.write('[');
        }

        boolean takes(byte[] message) {
            return messages == 0 || bytes.size() + message.length + 2 <= most;
        }

        void add(byte[] message) {
            if (messages++ > 0) {
                bytes.write(',');
            }
            bytes.writeBytes(message);
        }

        byte[] done() {
            bytes.write(']');
            return bytes.toByteArray();
        }
    }

    /** When the line is idle: everything there is to say, as one frame. */
    private void pump() {
        Connection current = connection;
        if (current == null || current.link == null || current.sending) {
            return;
        }
        if (phase != Phase.GREETING && phase != Phase.ESTABLISHED) {
            return;
        }
        Frame frame = new Frame(frameBytes());
        long now = loop.now();
        if (!current.greeted) {
            current.greeted = true;
            frame.add(MessageWriter.message(hello(current)));
        }
        if (phase == Phase.ESTABLISHED && now - current.renewSentAt >= current.renewEvery.toNanos()) {
            current.renewSentAt = now;
            frame.add(MessageWriter.message(new ClientMessage.Renew(open(current, new Request.Renew()))));
        }
        while (frame.messages < limits.messagesPerFrame()) {
            byte[] message = current.spilled != null ? current.spilled : next(current);
            current.spilled = null;
            if (message == null) {
                break;
            }
            if (!frame.takes(message)) {
                current.spilled = message;
                break;
            }
            frame.add(message);
        }
        if (frame.messages > 0) {
            current.sending = true;
            current.link.send(frame.done());
        }
    }

    private int frameBytes() {
        return phase == Phase.ESTABLISHED ? limits.frameBytes() : Math.min(limits.frameBytes(), FRAME_BEFORE_WELCOME);
    }

    private ClientMessage hello(Connection current) {
        OptionalLong holds = registrations.holds();
        current.claimed = holds.isPresent();
        hellos = Math.min(hellos + 1, ClientMessage.Hello.MOST_ATTEMPTS);
        registrations.connected(holds.isPresent());
        subscriptions.connected();
        return new ClientMessage.Hello(
                ProtocolLimits.VERSION,
                Objects.requireNonNull(name, "name"),
                hellos,
                settings.clientName(),
                settings.namespace(),
                holds);
    }

    private long open(Connection current, Request request) {
        long id = nextId++;
        current.open.put(id, new Open(request, loop.now()));
        return id;
    }

    /** The next message that should be sent, already among the open requests; null when all has been said. */
    private byte @Nullable [] next(Connection current) {
        if (current.open.size() >= MOST_OPEN) {
            return null;
        }
        if (closing) {
            return nextWhenClosing(current);
        }
        List<InstanceId> ids = registrations.nextToLeave(limits.instancesPerMessage());
        if (!ids.isEmpty()) {
            long id = open(current, new Request.Deregister(ids));
            return MessageWriter.message(new ClientMessage.Deregister(id, ids));
        }
        List<Registrations.Sent> batch = registrations.nextToRegister(limits.instancesPerMessage());
        if (!batch.isEmpty()) {
            return register(current, batch);
        }
        Optional<ServiceKey> leave = subscriptions.nextToLeave();
        if (leave.isPresent()) {
            long id = open(current, new Request.Unsubscribe(leave.get()));
            return MessageWriter.message(new ClientMessage.Unsubscribe(id, leave.get()));
        }
        Optional<ServiceState> ask = subscriptions.nextToAsk();
        if (ask.isPresent()) {
            ServiceState state = ask.get();
            long id = open(current, new Request.Subscribe(state));
            state.asked(id);
            return MessageWriter.message(new ClientMessage.Subscribe(id, state.key, state.digestToAskWith()));
        }
        return null;
    }

    private boolean saidBye;

    private byte @Nullable [] nextWhenClosing(Connection current) {
        if (saidBye) {
            return null;
        }
        saidBye = true;
        return MessageWriter.message(new ClientMessage.Bye(open(current, new Request.Bye())));
    }

    /** As many of them as fit into a frame. */
    private byte @Nullable [] register(Connection current, List<Registrations.Sent> batch) {
        long id = nextId; // taken only when the size is right
        List<Registrations.Sent> part = batch;
        while (true) {
            List<Instance> instances = new ArrayList<>(part.size());
            part.forEach(sent -> instances.add(sent.instance()));
            byte[] message = MessageWriter.message(new ClientMessage.Register(id, instances));
            if (message.length + 2 <= frameBytes()) {
                open(current, new Request.Register(List.copyOf(part)));
                return message;
            }
            if (part.size() == 1) {
                return registerLarge(current, part, message);
            }
            int half = part.size() / 2;
            registrations.putBack(part.subList(half, part.size()));
            part = part.subList(0, half);
        }
    }

    /** One instance is all that fits, or not even that: sent, the node would end the connection again and again. */
    private byte @Nullable [] registerLarge(Connection current, List<Registrations.Sent> one, byte[] message) {
        if (message.length + 2 <= limits.frameBytes()) {
            open(current, new Request.Register(one)); // too large only for a frame before welcome
            return message;
        }
        String expected = "at most " + limits.frameBytes() + " bytes in a frame of this node";
        String sentence = "instance: " + message.length + " bytes (expected: " + expected + ")";
        registrations.refused(
                one,
                new ServerMessage.Refused(
                        0, RefusalCode.LIMIT, "instance", message.length + " bytes", expected, sentence, Duration.ZERO),
                loop.now());
        return next(current);
    }

    private void forgetLateRequests(Connection current, long now) {
        Iterator<Map.Entry<Long, Open>> entries = current.open.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<Long, Open> entry = entries.next();
            if (now - entry.getValue().sentAt < settings.requestTimeout().toNanos()) {
                return; // the rest is younger
            }
            entries.remove();
            lost(entry.getKey(), entry.getValue().request);
        }
    }

    /** No answer came. An answer that comes later yet is dropped by its id; what is still wanted is asked anew. */
    private void lost(long id, Request request) {
        if (request instanceof Request.Register register) {
            registrations.lost(register.batch);
        } else if (request instanceof Request.Deregister deregister) {
            registrations.deregistrationLost(deregister.ids);
        } else if (request instanceof Request.Subscribe subscribe) {
            subscriptions.timedOut(subscribe.state, id);
        } else if (request instanceof Request.Unsubscribe unsubscribe) {
            subscriptions.timedOut(unsubscribe.service);
        }
    }

    // ---- receiving

    private void received(Connection current, byte[] bytes) {
        List<ServerMessage> messages;
        try {
            messages = current.reader.readFromServer(bytes, 0, bytes.length, settings.namespace());
        } catch (MalformedFrameException e) {
            throw new DoubtException(e.getMessage() == null ? e.code() : e.getMessage());
        }
        long now = loop.now();
        current.freshAt = now;
        heardAt = now;
        current.freshness.confirm(now);
        for (ServerMessage message : messages) {
            handle(current, message, now);
            if (connection != current) {
                return; // the message ended the connection
            }
        }
        Link link = current.link;
        if (link != null) {
            link.next();
        }
    }

    private void handle(Connection current, ServerMessage message, long now) {
        if (message instanceof ServerMessage.Closing closingMessage) {
            onClosing(closingMessage);
        } else if (phase == Phase.GREETING) {
            if (!(message instanceof ServerMessage.Welcome welcome)) {
                throw new DoubtException(kind(message) + " before welcome");
            }
            onWelcome(current, welcome, now);
        } else if (phase != Phase.ESTABLISHED) {
            throw new DoubtException(kind(message) + " before hello");
        } else if (message instanceof ServerMessage.Done done) {
            answer(current, done.id(), message);
        } else if (message instanceof ServerMessage.Renewed renewed) {
            answer(current, renewed.id(), message);
        } else if (message instanceof ServerMessage.Refused refused) {
            answer(current, refused.id(), message);
        } else if (message instanceof ServerMessage.View view) {
            answerOrPush(current, view.id(), view.service(), message);
        } else if (message instanceof ServerMessage.Same same) {
            answerOrPush(current, same.id(), same.service(), message);
        } else if (message instanceof ServerMessage.Delta delta) {
            subscriptions.pushed(delta.service(), message, current.freshness);
        } else if (message instanceof ServerMessage.Peers peers) {
            addresses.learn(peers.peers());
        } else if (message instanceof ServerMessage.Move move) {
            long within = Math.min(move.within().toMillis(), LONGEST_GAP.toMillis());
            current.moves = true;
            current.moveAt = now + drawn(Duration.ofMillis(within));
            current.moveTo = move.peers();
        } else {
            throw new DoubtException("a second welcome");
        }
    }

    private static String kind(ServerMessage message) {
        return message.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private void answerOrPush(Connection current, OptionalLong id, ServiceKey service, ServerMessage message) {
        if (id.isPresent()) {
            answer(current, id.getAsLong(), message);
        } else {
            subscriptions.pushed(service, message, current.freshness);
        }
    }

    /** Gives the answer to the request that asked, and to nobody else. */
    private void answer(Connection current, long id, ServerMessage message) {
        Open open = current.open.remove(id);
        if (open == null) {
            if (id < current.firstId || id >= nextId) {
                throw new DoubtException(kind(message) + " answers request " + id + ", which was never made");
            }
            counters.lateReplies.increment(); // nobody waits for it any more
            return;
        }
        Request request = open.request;
        if (request instanceof Request.Renew && message instanceof ServerMessage.Renewed) {
            current.renewedAt = loop.now();
        } else if (request instanceof Request.Register register && message instanceof ServerMessage.Done) {
            registrations.registered(register.batch);
        } else if (request instanceof Request.Register register && message instanceof ServerMessage.Refused refusal) {
            registrations.refused(register.batch, refusal, loop.now());
        } else if (request instanceof Request.Deregister deregister && message instanceof ServerMessage.Done) {
            registrations.deregistered(deregister.ids);
        } else if (request instanceof Request.Deregister deregister && message instanceof ServerMessage.Refused) {
            counters.refused.increment();
            registrations.deregistered(deregister.ids); // the lease ends by itself at the latest
        } else if (request instanceof Request.Subscribe subscribe && message instanceof ServerMessage.Refused refusal) {
            counters.refused.increment();
            subscriptions.refused(subscribe.state, id, refusal);
        } else if (request instanceof Request.Subscribe subscribe && fits(subscribe.state.key, message)) {
            subscriptions.answered(subscribe.state, id, message, current.freshness);
        } else if (request instanceof Request.Unsubscribe unsubscribe
                && (message instanceof ServerMessage.Done || message instanceof ServerMessage.Refused)) {
            subscriptions.left(unsubscribe.service);
        } else if (request instanceof Request.Bye && message instanceof ServerMessage.Done) {
            finish();
        } else {
            lost(id, request);
            throw new DoubtException(kind(message) + " does not answer request " + id + " ("
                    + request.getClass().getSimpleName().toLowerCase(Locale.ROOT) + ")");
        }
    }

    private static boolean fits(ServiceKey asked, ServerMessage message) {
        return message instanceof ServerMessage.View view && view.service().equals(asked)
                || message instanceof ServerMessage.Same same && same.service().equals(asked);
    }

    private void onWelcome(Connection current, ServerMessage.Welcome welcome, long now) {
        if (welcome.version() != ProtocolLimits.VERSION) {
            throw new DoubtException("version: " + welcome.version() + " (expected: " + ProtocolLimits.VERSION + ")");
        }
        phase = Phase.ESTABLISHED;
        node = InvalidValueException.shown(welcome.node());
        limits = welcome.limits();
        current.welcomedAt = now;
        current.renewedAt = now;
        current.renewSentAt = now;
        current.renewEvery = within(welcome.renewEvery(), Duration.ofMillis(100), Duration.ofMinutes(1));
        current.lease = within(welcome.lease(), current.renewEvery, Duration.ofMinutes(10));
        current.reconnectSpread = within(welcome.reconnectSpread(), Duration.ZERO, LONGEST_GAP);
        addresses.learn(welcome.peers());
        counters.connections.increment();
        lastFailure = "";
        log.info("Connected to registry node {} at {}", node, address);
        if (current.claimed) {
            registrations.welcomed(welcome.held());
        }
    }

    private static Duration within(Duration given, Duration least, Duration most) {
        return given.compareTo(least) < 0 ? least : given.compareTo(most) > 0 ? most : given;
    }

    private void onClosing(ServerMessage.Closing message) {
        log.info(
                "Registry at {} closes: {} {}",
                address,
                InvalidValueException.shown(message.code()),
                InvalidValueException.shown(message.message()));
        if (message.code().equals(RefusalCode.REPLACED) && ++replacements >= 2) {
            // Not our own late attempt, then, but a copy of this process with the same name: take another.
            replacements = 0;
            name = null;
        }
        boolean elsewhere = message.code().equals(RefusalCode.STOPPING)
                || message.code().equals(RefusalCode.OVERLOADED)
                || message.code().equals(RefusalCode.VERSION);
        lose("closed by the registry: " + InvalidValueException.shown(message.code()), elsewhere);
    }

    // ---- telling the application

    /** Off the loop, so that what hangs on the future cannot hold the loop up. */
    void complete(CompletableFuture<Void> future) {
        if (!future.isDone()) {
            hand(() -> future.complete(null));
        }
    }

    void fail(CompletableFuture<Void> future, RuntimeException why) {
        if (!future.isDone()) {
            hand(() -> future.completeExceptionally(why));
        }
    }

    private void hand(Runnable completion) {
        try {
            ports.listenerExecutor().execute(completion);
        } catch (RuntimeException | Error e) {
            counters.listenerFailures.increment();
            log.warn("Could not hand a result over; doing it here", e);
            completion.run();
        }
    }

    // ---- the end

    /** Says goodbye, waits for the answer a moment, and ends. */
    void close() {
        post("closing", () -> {
            if (closing || phase == Phase.CLOSED) {
                return;
            }
            closing = true;
            if (phase != Phase.ESTABLISHED) {
                finish();
            } else {
                loop.schedule(BYE_WITHIN, () -> enter("closing", this::finish));
            }
        });
    }

    private void finish() {
        if (phase == Phase.CLOSED) {
            return;
        }
        Connection last = connection;
        connection = null;
        phase = Phase.CLOSED;
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        if (last != null && last.link != null) {
            last.link.abort();
        }
        registrations.close();
        subscriptions.close();
        Runnable release = () -> {
            ports.released().run();
            closed.complete(null);
        };
        try {
            ports.cacheExecutor().execute(release); // behind the last writes
        } catch (RuntimeException | Error e) {
            log.warn("Could not wait for the last writes to disk", e);
            release.run();
        }
    }

    // ---- from any thread

    Phase phase() {
        return phase;
    }

    String address() {
        return address;
    }

    String node() {
        return node;
    }

    String lastFailure() {
        return lastFailure;
    }

    /** Nanoseconds without a connection and without an attempt to get one. */
    long withoutAttempt(long now) {
        return phase == Phase.ESTABLISHED ? 0 : Math.max(0, Math.min(now - lastAttemptAt, now - disconnectedSince));
    }

    long disconnectedSince() {
        return disconnectedSince;
    }

    long heardAt() {
        return heardAt;
    }
}
