package io.mooring.client;

import io.mooring.client.Lookup.Freshness;
import io.mooring.client.MooringPorts.CacheStore;
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
 * <p>There are up to three connections. The {@code current} one has been welcomed and its words count. An {@code attempt} is
 * on its way to take its place. The {@code retiring} one is what was current before the registry asked us to move: it stays open
 * until the new one has everything, so that nobody takes us for lost meanwhile, and is not listened to.
 *
 * <pre>
 * nothing   -- its time has come ------> attempt (CONNECTING)
 * current   -- asked to move ----------> current, and an attempt elsewhere
 * attempt   -- link open --------------> GREETING (hello sent) -- welcome --> current (ESTABLISHED); who was, is retiring
 * attempt   -- too long, or closed ----> nothing, or still current
 * current   -- closed, silent, in doubt > nothing, or still an attempt
 * retiring  -- current has everything, or too long, or closed --> nothing
 * any       -- close ------------------> CLOSED
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
    /** Among several nodes a lost one's clients are back soon: a crowd of them is spread over the others already. */
    private static final Duration QUICK_SPREAD = Duration.ofMillis(250);
    /** What one node tells its subscribers is by then known to the others that are in touch with it. */
    static final Duration SETTLES_WITHIN = Duration.ofSeconds(2);

    /** A node that does not answer by then is left for another one, as long as there is one that did not fail. */
    private static final Duration PATIENCE_WITH_OTHERS = Duration.ofSeconds(2);
    /** How long what was current before a move stays open, should the new one take that long. */
    private static final Duration RETIRE_WITHIN = Duration.ofSeconds(10);

    private static final Duration BETWEEN_KEPT_ADDRESSES = Duration.ofSeconds(10);
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
    private @Nullable Connection current;
    private @Nullable Connection attempt;
    private @Nullable Connection retiring;
    /** Over all connections, whatever the name: what we say now counts more than what we said before. */
    private long hellos;

    private long nextId = 1; // over all connections, so that no id ever means two requests
    private ProtocolLimits limits = ProtocolLimits.DEFAULTS;

    private int failures; // attempts in a row without a lasting connection
    private int replacements;
    private int moves; // in a row, each before the last one's connection had lasted
    private boolean keeping; // addresses are being written to disk
    private long mayKeepAt;
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
        this.addresses = new AddressBook(settings.servers(), random);
        this.registrations = new Registrations(this, counters);
        this.subscriptions = new Subscriptions(ports, settings, counters, this);
        long now = loop.now();
        nextAttemptAt = now;
        lastAttemptAt = now;
        disconnectedSince = now;
        heardAt = now;
        mayKeepAt = now;
    }

    void start() {
        post("the start", this::remember);
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
        } catch (Throwable e) { // Errors too: a client without its loop would be worse than anything
            counters.internalFailures.increment();
            log.error("{} failed; starting the connection anew. This is a bug, please report it.", what, e);
            dropAll("internal failure");
        }
        // Two timers, set apart: while one of them runs, the next step sets the other again.
        boolean armed = tried(this::arm);
        boolean watched = tried(this::watchUnlessWatching);
        if (armed && watched) {
            unarmed = 0;
        } else if (++unarmed < MOST_UNARMED) {
            tried(() -> loop.execute(() -> enter("another try to set a timer", () -> {})));
        }
    }

    private boolean tried(Runnable step) {
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
        if (phase == Phase.CLOSED) {
            return;
        }
        long now = loop.now();
        Connection trying = attempt;
        if (trying != null && (trying.broken || now - trying.deadline >= 0)) {
            drop(trying, trying.stage == Phase.CONNECTING ? "could not connect in time" : "no welcome in time");
        }
        Connection working = current;
        if (working != null) {
            tend(working, now);
        }
        if (phase == Phase.CLOSED) {
            return;
        }
        if (current == null && attempt == null && now - nextAttemptAt >= 0) {
            connect(addresses.next(now), now);
        }
        registrations.tick(now);
        pump();
        Connection before = retiring;
        if (before != null && (now - before.deadline >= 0 || hasEverything(current))) {
            drop(before, "moved");
        }
        if (now - mayKeepAt >= 0) {
            keepAddresses(now);
        }
    }

    private void tend(Connection working, long now) {
        if (working.broken) {
            drop(working, "the connection's callbacks failed");
        } else if (now - working.freshAt >= 2 * working.renewEvery.toNanos()
                || now - working.renewedAt >= Math.max(working.lease.toNanos(), 3 * working.renewEvery.toNanos())) {
            drop(working, "the registry is silent");
        } else {
            forgetLateRequests(working, now);
            if (working.asksToMove && attempt == null && !closing && now - working.moveAt >= 0) {
                move(working, now);
            }
        }
    }

    /** Makes before it breaks: the connection there is stays until the new one has been welcomed. */
    private void move(Connection from, long now) {
        Optional<String> to = addresses.elsewhere(from.address, from.moveTo, now);
        if (to.isEmpty()) {
            from.moveAt = now + LONGEST_BACKOFF.toNanos();
            log.info("{} asks to move, but no other node is known; staying until it closes", from.address);
            return;
        }
        log.info("Moving from {} to {}, as asked", from.address, to.get());
        connect(to.get(), now);
    }

    /** Whether all that was to be said when it began has been answered. */
    private static boolean hasEverything(@Nullable Connection working) {
        if (working == null || working.allAskedAs == 0) {
            return false;
        }
        Iterator<Long> oldest = working.open.keySet().iterator();
        return !oldest.hasNext() || oldest.next() >= working.allAskedAs;
    }

    /** Sets the timer for the next thing that has its time. */
    private void arm() {
        if (phase == Phase.CLOSED) {
            return;
        }
        long now = loop.now();
        long wait = registrations.nextTickIn(now).orElse(Long.MAX_VALUE);
        Connection before = retiring;
        if (before != null) {
            wait = Math.min(wait, before.deadline - now);
        }
        Connection trying = attempt;
        Connection working = current;
        if (trying != null) {
            wait = Math.min(wait, trying.deadline - now);
        } else if (working == null) {
            wait = Math.min(wait, nextAttemptAt - now);
        }
        if (working != null) {
            if (!working.sending) { // while the line is busy, the end of that is what we wait for
                wait = Math.min(wait, working.renewSentAt + working.renewEvery.toNanos() - now);
            }
            wait = Math.min(wait, working.freshAt + 2 * working.renewEvery.toNanos() - now);
            if (working.asksToMove && trying == null && !closing) {
                wait = Math.min(wait, working.moveAt - now);
            }
            Iterator<Open> oldest = working.open.values().iterator();
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
            if (current == null && withoutAttempt(now) > LONGEST_GAP.toNanos()) {
                counters.watchdogRestarts.increment();
                log.warn(
                        "No attempt to connect for {} s; starting one",
                        Duration.ofNanos(withoutAttempt(now)).toSeconds());
                dropAll("the watchdog found no attempt");
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

    private void connect(String to, long now) {
        lastAttemptAt = now;
        counters.attempts.increment();
        Connection next = new Connection(to, now);
        next.deadline = now + patience(to, now);
        attempt = next;
        stand();
        next.link = ports.connector().open(to, next);
    }

    private long patience(String with, long now) {
        long most = settings.connectTimeout().toNanos();
        return addresses.hasFresh(now, with, there()) ? Math.min(most, PATIENCE_WITH_OTHERS.toNanos()) : most;
    }

    private String there() {
        return current == null ? "" : current.address;
    }

    private String drawName() {
        return String.format("%016x%016x", random.nextLong(), random.nextLong());
    }

    /** Where the conversation stands now, for the status. */
    private void stand() {
        Connection shown = current != null ? current : attempt;
        phase = shown == null ? Phase.WAITING : shown.stage;
        if (shown != null) {
            address = shown.address;
        }
    }

    /** Gives all connections up; without any, only a step failed: then wait like after a failed attempt. Never throws. */
    private void dropAll(String why) {
        if (phase == Phase.CLOSED) {
            return;
        }
        if (current == null && attempt == null) {
            nextAttemptAt = loop.now() + FIRST_BACKOFF.toNanos();
        }
        for (Connection each : new Connection[] {retiring, attempt, current}) {
            if (each != null) {
                drop(each, why);
            }
        }
    }

    /** Gives that connection up and plans what comes next, if it was needed. Never throws. */
    private void drop(Connection lost, String why) {
        abort(lost);
        if (lost == retiring) {
            retiring = null;
            log.debug("The connection to {} before this one has ended ({})", lost.address, why);
            return;
        }
        boolean wasCurrent = lost == current;
        if (phase == Phase.CLOSED || !wasCurrent && lost != attempt) {
            return;
        }
        long now = loop.now();
        if (wasCurrent) {
            current = null;
            disconnectedSince = now;
        } else {
            attempt = null;
        }
        stand();
        if (wasCurrent) {
            addresses.lost(lost.address, now);
        } else {
            addresses.failed(lost.address, now);
        }
        if (current == null) {
            lastFailure = why;
        }
        plan(lost, wasCurrent, why, now);
        if (lost.begun) {
            try {
                registrations.disconnected();
                subscriptions.disconnected();
            } catch (Throwable e) {
                counters.internalFailures.increment();
                log.error("Not all services could be told of the lost connection", e);
            }
        }
        if (closing && current == null) {
            finish();
        }
    }

    private void abort(Connection lost) {
        Link link = lost.link;
        if (link != null) {
            try {
                link.abort();
            } catch (Throwable e) {
                counters.internalFailures.increment();
                log.warn("A connection could not be aborted; it counts for nothing any more", e);
            }
        }
    }

    private void plan(Connection lost, boolean wasCurrent, String why, long now) {
        try {
            if (current != null) {
                current.moveAt = now + pause(now);
                log.info("Could not move to {} ({}); staying at {} meanwhile", lost.address, why, current.address);
            } else if (attempt != null) {
                log.info("Lost the registry at {} ({}) while moving to {}", lost.address, why, attempt.address);
            } else {
                nextAttemptAt = now + (wasCurrent ? pauseAfter(lost, now) : pause(now));
                String wait = Duration.ofNanos(nextAttemptAt - now).toMillis() + " ms";
                if (wasCurrent) {
                    log.info(
                            "Lost the registry at {} ({}); serving from memory, connecting again in {}",
                            lost.address,
                            why,
                            wait);
                } else {
                    log.debug("No connection to {} ({}); trying again in {}", lost.address, why, wait);
                }
            }
        } catch (Throwable e) {
            counters.internalFailures.increment();
            nextAttemptAt = now + FIRST_BACKOFF.toNanos();
            log.error("Could not plan the next attempt; it comes soon", e);
        }
    }

    /** After a connection. */
    private long pauseAfter(Connection lost, long now) {
        if (now - lost.welcomedAt < STABLE.toNanos()) {
            return pause(now);
        }
        failures = 0;
        return addresses.hasOthers(lost.address) ? quick(lost.reconnectSpread) : drawn(lost.reconnectSpread);
    }

    /** After an attempt, or what did not last: short while there is somebody who has not failed, then longer and longer. */
    private long pause(long now) {
        if (addresses.hasFresh(now, there())) {
            return quick(QUICK_SPREAD);
        }
        failures = Math.min(failures + 1, 30);
        long most = Math.min(LONGEST_BACKOFF.toNanos(), FIRST_BACKOFF.toNanos() << Math.min(failures, 10));
        // Counted from the start of the last attempt, so that a slow failure does not stretch the gap.
        long latest = lastAttemptAt + LONGEST_GAP.toNanos() - now;
        return Math.max(0, Math.min(drawn(Duration.ofNanos(most)), latest));
    }

    private long quick(Duration spread) {
        return drawn(spread.compareTo(QUICK_SPREAD) < 0 ? spread : QUICK_SPREAD);
    }

    private long drawn(Duration most) {
        return most.isZero() ? 0 : random.nextLong(most.toNanos());
    }

    /** What one connection knows. Its callbacks come from any thread, and count only while it is one of the three. */
    private final class Connection implements LinkListener {
        private final Map<Long, Open> open = new LinkedHashMap<>(); // the oldest first
        private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
        private long firstId; // ids below belong to other connections
        private final Freshness freshness;
        private final String address;
        private Phase stage = Phase.CONNECTING;
        private @Nullable Link link;
        private volatile boolean broken;
        private long deadline;
        private boolean sending;
        private boolean greeted;
        private boolean begun; // what there is to register and to ask for is said here
        private long allAskedAs; // ids below are what was to be said when it began; 0: not all of it is said yet
        private boolean claimed; // hello said what the registry should hold
        private byte @Nullable [] spilled; // a message that did not fit into the last frame
        private long welcomedAt;
        private long freshAt;
        private long renewedAt;
        private long renewSentAt;
        private Duration renewEvery = Duration.ofSeconds(5);
        private Duration lease = Duration.ofSeconds(15);
        private Duration reconnectSpread = Duration.ofSeconds(1);
        private boolean asksToMove;
        private long moveAt;
        private List<String> moveTo = List.of();

        Connection(String address, long now) {
            this.address = address;
            freshness = new Freshness(Duration.ZERO, now);
        }

        private void later(String what, Runnable step) {
            try {
                loop.execute(() -> {
                    if (this == current || this == attempt || this == retiring) {
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
            later("a closed connection", () -> drop(this, reason));
        }
    }

    private void opened(Connection trying) {
        if (trying != attempt || trying.stage != Phase.CONNECTING) {
            return;
        }
        trying.stage = Phase.GREETING;
        long now = loop.now();
        trying.deadline = now + patience(trying.address, now);
        stand();
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

    private void pump() {
        Connection trying = attempt;
        if (trying != null && trying.stage == Phase.GREETING) {
            pump(trying);
        }
        Connection working = current;
        if (working != null) {
            pump(working);
        }
    }

    /** When the line is idle: everything there is to say, as one frame. */
    private void pump(Connection on) {
        if (on.link == null || on.sending) {
            return;
        }
        Frame frame = new Frame(frameBytes(on));
        long now = loop.now();
        if (!on.greeted) {
            frame.add(MessageWriter.message(hello(on)));
            on.greeted = true;
        }
        if (on == current && now - on.renewSentAt >= on.renewEvery.toNanos()) {
            on.renewSentAt = now;
            frame.add(MessageWriter.message(new ClientMessage.Renew(open(on, new Request.Renew()))));
        }
        while (on.begun && frame.messages < limits.messagesPerFrame()) {
            byte[] message = on.spilled != null ? on.spilled : next(on);
            on.spilled = null;
            if (message == null) {
                if (on == current && on.allAskedAs == 0 && on.open.size() < MOST_OPEN) {
                    on.allAskedAs = nextId;
                }
                break;
            }
            if (!frame.takes(message)) {
                on.spilled = message;
                break;
            }
            frame.add(message);
        }
        if (frame.messages > 0) {
            on.sending = true;
            on.link.send(frame.done());
        }
    }

    private int frameBytes(Connection on) {
        return on == current ? limits.frameBytes() : Math.min(limits.frameBytes(), FRAME_BEFORE_WELCOME);
    }

    private ClientMessage hello(Connection on) {
        if (name == null) {
            name = drawName();
        }
        OptionalLong holds = OptionalLong.empty();
        if (current == null) { // else the connection there is goes on until this one has been welcomed
            // Only the node that had us last may have kept all we registered; at another, old words must not be
            // revived.
            holds = on.address.equals(addresses.here()) ? registrations.holds() : holds;
            on.claimed = holds.isPresent();
            begin(on);
        }
        hellos = Math.min(hellos + 1, ClientMessage.Hello.MOST_ATTEMPTS);
        return new ClientMessage.Hello(
                ProtocolLimits.VERSION, name, hellos, settings.clientName(), settings.namespace(), holds);
    }

    /** From now on this is where everything is registered and asked for. */
    private void begin(Connection on) {
        on.begun = true;
        on.firstId = nextId;
        registrations.connected(on.claimed);
        subscriptions.connected();
    }

    private long open(Connection on, Request request) {
        long id = nextId++;
        on.open.put(id, new Open(request, loop.now()));
        return id;
    }

    /** The next message that should be sent, already among the open requests; null when all has been said. */
    private byte @Nullable [] next(Connection on) {
        if (on.open.size() >= MOST_OPEN) {
            return null;
        }
        if (closing) {
            return nextWhenClosing(on);
        }
        List<InstanceId> ids = registrations.nextToLeave(limits.instancesPerMessage());
        if (!ids.isEmpty()) {
            long id = open(on, new Request.Deregister(ids));
            return MessageWriter.message(new ClientMessage.Deregister(id, ids));
        }
        List<Registrations.Sent> batch = registrations.nextToRegister(limits.instancesPerMessage());
        if (!batch.isEmpty()) {
            return register(on, batch);
        }
        Optional<ServiceKey> leave = subscriptions.nextToLeave();
        if (leave.isPresent()) {
            long id = open(on, new Request.Unsubscribe(leave.get()));
            return MessageWriter.message(new ClientMessage.Unsubscribe(id, leave.get()));
        }
        Optional<ServiceState> ask = subscriptions.nextToAsk();
        if (ask.isPresent()) {
            ServiceState state = ask.get();
            long id = open(on, new Request.Subscribe(state));
            state.asked(id);
            return MessageWriter.message(new ClientMessage.Subscribe(id, state.key, state.digestToAskWith()));
        }
        return null;
    }

    private boolean saidBye;

    private byte @Nullable [] nextWhenClosing(Connection on) {
        if (saidBye) {
            return null;
        }
        saidBye = true;
        return MessageWriter.message(new ClientMessage.Bye(open(on, new Request.Bye())));
    }

    /** As many of them as fit into a frame. */
    private byte @Nullable [] register(Connection on, List<Registrations.Sent> batch) {
        long id = nextId; // taken only when the size is right
        List<Registrations.Sent> part = batch;
        while (true) {
            List<Instance> instances = new ArrayList<>(part.size());
            part.forEach(sent -> instances.add(sent.instance()));
            byte[] message = MessageWriter.message(new ClientMessage.Register(id, instances));
            if (message.length + 2 <= frameBytes(on)) {
                open(on, new Request.Register(List.copyOf(part)));
                return message;
            }
            if (part.size() == 1) {
                return registerLarge(on, part, message);
            }
            int half = part.size() / 2;
            registrations.putBack(part.subList(half, part.size()));
            part = part.subList(0, half);
        }
    }

    /** One instance is all that fits, or not even that: sent, the node would end the connection again and again. */
    private byte @Nullable [] registerLarge(Connection on, List<Registrations.Sent> one, byte[] message) {
        if (message.length + 2 <= limits.frameBytes()) {
            open(on, new Request.Register(one)); // too large only for a frame before welcome
            return message;
        }
        String expected = "at most " + limits.frameBytes() + " bytes in a frame of this node";
        String sentence = "instance: " + message.length + " bytes (expected: " + expected + ")";
        registrations.refused(
                one,
                new ServerMessage.Refused(
                        0, RefusalCode.LIMIT, "instance", message.length + " bytes", expected, sentence, Duration.ZERO),
                loop.now());
        return next(on);
    }

    private void forgetLateRequests(Connection on, long now) {
        Iterator<Map.Entry<Long, Open>> entries = on.open.entrySet().iterator();
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

    private void received(Connection from, byte[] bytes) {
        if (from == retiring) {
            return; // another speaks now; and without next() no more comes
        }
        try {
            listen(from, bytes);
        } catch (DoubtException e) {
            counters.doubts.increment();
            drop(from, "not to be trusted: " + e.getMessage());
        }
    }

    private void listen(Connection from, byte[] bytes) {
        List<ServerMessage> messages;
        try {
            messages = from.reader.readFromServer(bytes, 0, bytes.length, settings.namespace());
        } catch (MalformedFrameException e) {
            throw new DoubtException(e.getMessage() == null ? e.code() : e.getMessage());
        }
        long now = loop.now();
        from.freshAt = now;
        heardAt = now;
        from.freshness.confirm(now);
        for (ServerMessage message : messages) {
            handle(from, message, now);
            if (from != current && from != attempt) {
                return; // the message ended the connection
            }
        }
        Link link = from.link;
        if (link != null) {
            link.next();
        }
    }

    private void handle(Connection from, ServerMessage message, long now) {
        if (message instanceof ServerMessage.Closing closingMessage) {
            onClosing(from, closingMessage);
        } else if (from.stage == Phase.GREETING) {
            if (!(message instanceof ServerMessage.Welcome welcome)) {
                throw new DoubtException(kind(message) + " before welcome");
            }
            onWelcome(from, welcome, now);
        } else if (from != current) {
            throw new DoubtException(kind(message) + " before hello");
        } else if (message instanceof ServerMessage.Done done) {
            answer(from, done.id(), message);
        } else if (message instanceof ServerMessage.Renewed renewed) {
            answer(from, renewed.id(), message);
        } else if (message instanceof ServerMessage.Refused refused) {
            answer(from, refused.id(), message);
        } else if (message instanceof ServerMessage.View view) {
            answerOrPush(from, view.id(), view.service(), message);
        } else if (message instanceof ServerMessage.Same same) {
            answerOrPush(from, same.id(), same.service(), message);
        } else if (message instanceof ServerMessage.Delta delta) {
            subscriptions.pushed(delta.service(), message, from.freshness);
        } else if (message instanceof ServerMessage.Peers peers) {
            addresses.learn(peers.peers());
        } else if (message instanceof ServerMessage.Move move) {
            onMove(from, move, now);
        } else {
            throw new DoubtException("a second welcome");
        }
    }

    private void onMove(Connection from, ServerMessage.Move move, long now) {
        Duration within = within(move.within(), Duration.ZERO, LONGEST_GAP);
        long wait = drawn(within);
        if (now - from.welcomedAt >= STABLE.toNanos()) {
            moves = 0;
        }
        if (moves > 0) { // two nodes that send us to each other must not keep us, and themselves, busy
            wait = Math.max(wait, drawn(Duration.ofNanos(FIRST_BACKOFF.toNanos() << Math.min(moves, 6))));
        }
        from.asksToMove = true;
        from.moveAt = now + wait;
        from.moveTo = move.peers();
    }

    private static String kind(ServerMessage message) {
        return message.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private void answerOrPush(Connection from, OptionalLong id, ServiceKey service, ServerMessage message) {
        if (id.isPresent()) {
            answer(from, id.getAsLong(), message);
        } else {
            subscriptions.pushed(service, message, from.freshness);
        }
    }

    /** Gives the answer to the request that asked, and to nobody else. */
    private void answer(Connection from, long id, ServerMessage message) {
        Open open = from.open.remove(id);
        if (open == null) {
            if (id < from.firstId || id >= nextId) {
                throw new DoubtException(kind(message) + " answers request " + id + ", which was never made");
            }
            counters.lateReplies.increment(); // nobody waits for it any more
            return;
        }
        Request request = open.request;
        if (request instanceof Request.Renew && message instanceof ServerMessage.Renewed) {
            from.renewedAt = loop.now();
            subscriptions.confirmed();
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
            subscriptions.answered(subscribe.state, id, message, from.freshness);
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

    private void onWelcome(Connection welcomed, ServerMessage.Welcome welcome, long now) {
        if (welcome.version() != ProtocolLimits.VERSION) {
            throw new DoubtException("version: " + welcome.version() + " (expected: " + ProtocolLimits.VERSION + ")");
        }
        Connection before = current;
        attempt = null;
        current = welcomed;
        welcomed.stage = Phase.ESTABLISHED;
        stand();
        String there = InvalidValueException.shown(welcome.node());
        boolean fromElsewhere = node.isEmpty() ? !welcome.peers().isEmpty() : !node.equals(there);
        if (fromElsewhere) {
            welcomed.freshness.settles(now + SETTLES_WITHIN.toNanos());
        }
        node = there;
        limits = welcome.limits();
        welcomed.welcomedAt = now;
        welcomed.renewedAt = now;
        welcomed.renewSentAt = now;
        welcomed.renewEvery = within(welcome.renewEvery(), Duration.ofMillis(100), Duration.ofMinutes(1));
        welcomed.lease = within(welcome.lease(), welcomed.renewEvery, Duration.ofMinutes(10));
        welcomed.reconnectSpread = within(welcome.reconnectSpread(), Duration.ZERO, LONGEST_GAP);
        addresses.worked(welcomed.address);
        addresses.learn(welcome.peers());
        counters.connections.increment();
        lastFailure = "";
        log.info("Connected to registry node {} at {}", node, address);
        if (before != null) {
            retire(before, now);
        }
        if (!welcomed.begun) {
            begin(welcomed);
        } else if (welcomed.claimed) {
            registrations.welcomed(welcome.held());
        }
    }

    private void retire(Connection before, long now) {
        Connection earlier = retiring;
        if (earlier != null) {
            drop(earlier, "moved on");
        }
        moves++;
        before.deadline = now + RETIRE_WITHIN.toNanos();
        retiring = before;
    }

    private static Duration within(Duration given, Duration least, Duration most) {
        return given.compareTo(least) < 0 ? least : given.compareTo(most) > 0 ? most : given;
    }

    private void onClosing(Connection from, ServerMessage.Closing message) {
        log.info(
                "Registry at {} closes: {} {}",
                from.address,
                InvalidValueException.shown(message.code()),
                InvalidValueException.shown(message.message()));
        boolean replaced = message.code().equals(RefusalCode.REPLACED);
        boolean byOurselves = from == current && attempt != null && attempt.greeted; // one node, by two addresses
        if (replaced && !byOurselves && ++replacements >= 2) {
            // Not our own late attempt, then, but a copy of this process with the same name: take another. We go on
            // counting, so that what we registered by the old name does not outlive what we register by the new one.
            replacements = 0;
            name = null;
        }
        drop(from, "closed by the registry: " + InvalidValueException.shown(message.code()));
    }

    // ---- what outlives the process

    /** Reads where the registry's nodes were when an earlier process knew; in case nothing else leads there. */
    private void remember() {
        if (ports.cache().isEmpty()) {
            return;
        }
        CacheStore store = ports.cache().get();
        try {
            ports.cacheExecutor().execute(() -> {
                try {
                    for (byte[] kept : store.read(CacheNames.peers(settings.servers()))) {
                        post("remembered addresses", () -> addresses.remembered(kept));
                        return;
                    }
                } catch (Exception | Error e) {
                    counters.diskFailures.increment();
                    log.debug("Could not read the remembered addresses of registry nodes", e);
                }
            });
        } catch (RuntimeException | Error e) {
            counters.diskFailures.increment();
            log.debug("Could not read the remembered addresses of registry nodes", e);
        }
    }

    private void keepAddresses(long now) {
        Optional<byte[]> content = keeping || ports.cache().isEmpty() ? Optional.empty() : addresses.toKeep();
        if (content.isEmpty()) {
            return; // the watchdog looks again
        }
        CacheStore store = ports.cache().get();
        mayKeepAt = now + BETWEEN_KEPT_ADDRESSES.toNanos();
        keeping = true;
        try {
            ports.cacheExecutor().execute(() -> {
                boolean written = false;
                try {
                    store.write(CacheNames.peers(settings.servers()), content.get());
                    written = true;
                } catch (Exception | Error e) { // a full disk is a matter for a counter
                    log.debug("Could not keep the addresses of registry nodes on disk", e);
                }
                boolean worked = written;
                post("kept addresses", () -> kept(worked));
            });
        } catch (RuntimeException | Error e) {
            log.debug("Could not keep the addresses of registry nodes on disk", e);
            kept(false);
        }
    }

    private void kept(boolean worked) {
        keeping = false;
        if (!worked) {
            counters.diskFailures.increment();
            addresses.notKept();
            mayKeepAt = loop.now() + ServiceState.AFTER_FAILED_WRITE.toNanos();
        }
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
            Connection next = attempt;
            if (current != null && next != null) {
                drop(next, "the client closes");
            }
            if (current == null) {
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
        keepAddresses(loop.now());
        phase = Phase.CLOSED;
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        for (Connection last : new Connection[] {retiring, attempt, current}) {
            if (last != null) {
                abort(last);
            }
        }
        retiring = null;
        attempt = null;
        current = null;
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
