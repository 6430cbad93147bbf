package io.mooring.simulation.real;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;

/**
 * Stands in front of one TCP port and treats what passes badly, by dialler and direction, as told. Draws from the given
 * random only, and counts all it does. One thread; methods may be called from any.
 */
final class FaultProxy implements AutoCloseable {
    /** Seen from who dialled. */
    enum Direction {
        OUT,
        BACK
    }

    /** Says who is at the other end of a connection that was accepted. */
    interface Diallers {
        String nameOf(InetSocketAddress remote, int dialledPort);
    }

    private static final int MOST_WAITING = 256 * 1024; // of a direction; then TCP holds the sender back
    private static final long PACE = TimeUnit.MILLISECONDS.toNanos(1);

    private final InetSocketAddress target;
    private final RandomGenerator random;
    private final Diallers diallers;
    private final Selector selector = Selector.open();
    private final ServerSocketChannel listening = ServerSocketChannel.open();
    private final Map<String, Map<Direction, Conduct>> conducts = new ConcurrentHashMap<>();
    private final Queue<Runnable> orders = new ConcurrentLinkedQueue<>();
    private final Map<Effect, LongAdder> effects = new ConcurrentHashMap<>();
    private final List<Line> lines = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(16 * 1024);
    private final Thread thread;
    private volatile boolean closed;

    /**
     * @param listen where; port 0 picks one
     * @param target where to; need not be there yet
     */
    FaultProxy(InetSocketAddress listen, InetSocketAddress target, RandomGenerator random, Diallers diallers)
            throws IOException {
        this.target = target;
        this.random = random;
        this.diallers = diallers;
        listening.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listening.bind(listen, 512);
        listening.configureBlocking(false);
        listening.register(selector, SelectionKey.OP_ACCEPT);
        thread = new Thread(this::run, "proxy to " + target);
        thread.setDaemon(true);
        thread.start();
    }

    int port() {
        return listening.socket().getLocalPort();
    }

    /** From now on, for connections that are there and those to come. Another conduct of the same is replaced. */
    void set(String dialler, Direction direction, Conduct conduct) {
        conducts.computeIfAbsent(dialler, d -> new ConcurrentHashMap<>()).put(direction, conduct);
        selector.wakeup();
    }

    /** Everything passes again. */
    void clear() {
        conducts.clear();
        selector.wakeup();
    }

    /** Resets the connections of that dialler, both ends. */
    void reset(String dialler) {
        orders.add(() -> {
            for (Line line : List.copyOf(lines)) {
                if (line.dialler.equals(dialler)) {
                    line.reset();
                    add(Effect.RESET, 1);
                }
            }
        });
        selector.wakeup();
    }

    /** How often so far, or how much. */
    long count(Effect effect) {
        LongAdder sum = effects.get(effect);
        return sum == null ? 0 : sum.sum();
    }

    private void add(Effect effect, long more) {
        effects.computeIfAbsent(effect, e -> new LongAdder()).add(more);
    }

    private Conduct conduct(String dialler, Direction direction) {
        Map<Direction, Conduct> known = conducts.get(dialler);
        Conduct conduct = known == null ? null : known.get(direction);
        return conduct == null ? Conduct.CLEAR : conduct;
    }

    // ---- on the thread

    private void run() {
        try {
            while (!closed) {
                long wait = Math.max(1, Math.min(1_000, untilNextDue()));
                selector.select(wait);
                for (Runnable order = orders.poll(); order != null; order = orders.poll()) {
                    order.run();
                }
                Iterator<SelectionKey> keys = selector.selectedKeys().iterator();
                while (keys.hasNext()) {
                    SelectionKey key = keys.next();
                    keys.remove();
                    if (key.isValid()) {
                        if (key.isAcceptable()) {
                            accept();
                        } else if (key.attachment() instanceof Line line) {
                            line.ready(key);
                        }
                    }
                }
                for (Line line : List.copyOf(lines)) {
                    line.move();
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("the proxy to " + target + " ended", e);
        } finally {
            List.copyOf(lines).forEach(Line::reset);
        }
    }

    /** In milliseconds, rounded up. */
    private long untilNextDue() {
        long now = System.nanoTime();
        long wait = TimeUnit.SECONDS.toNanos(1);
        for (Line line : lines) {
            wait = Math.min(wait, line.untilNextDue(now));
        }
        return (wait + 999_999) / 1_000_000;
    }

    private void accept() throws IOException {
        SocketChannel dialled = listening.accept();
        if (dialled == null) {
            return;
        }
        try {
            dialled.configureBlocking(false);
            dialled.setOption(StandardSocketOptions.TCP_NODELAY, true);
            String name = diallers.nameOf((InetSocketAddress) dialled.getRemoteAddress(), port());
            add(Effect.ACCEPTED, 1);
            add(Effect.SWALLOWED, conduct(name, Direction.OUT).blackHole() ? 1 : 0);
            lines.add(new Line(name, dialled));
        } catch (IOException e) {
            dialled.close(); // gone already
        }
    }

    /** Its close will be a reset. */
    private static void abrupt(SocketChannel channel) {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            close(channel); // it was closed already
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("a socket does not close", e);
        }
    }

    /** One connection and its continuation. */
    private final class Line {
        final String dialler;
        private final SocketChannel near;
        private final SocketChannel far = SocketChannel.open();
        private final Map<Direction, Flow> flows = new EnumMap<>(Direction.class);
        private boolean dialling;
        private boolean open;

        Line(String dialler, SocketChannel near) throws IOException {
            this.dialler = dialler;
            this.near = near;
            far.configureBlocking(false);
            far.setOption(StandardSocketOptions.TCP_NODELAY, true);
            flows.put(Direction.OUT, new Flow(this, Direction.OUT, near, far));
            flows.put(Direction.BACK, new Flow(this, Direction.BACK, far, near));
        }

        void ready(SelectionKey key) {
            try {
                if (key.isConnectable() && far.finishConnect()) {
                    connected();
                }
            } catch (IOException e) { // nobody there: as a refusal, as far as a proxy can
                add(Effect.REFUSED, 1);
                reset();
            }
        }

        private void connected() throws IOException {
            open = true;
            near.register(selector, 0, this);
            far.register(selector, 0, this);
        }

        /** Whatever can be done now. */
        void move() {
            if (!open) {
                dial();
                return;
            }
            try {
                for (Flow flow : flows.values()) {
                    flow.read();
                    flow.write();
                }
                interest(near, flow(Direction.OUT), flow(Direction.BACK));
                interest(far, flow(Direction.BACK), flow(Direction.OUT));
            } catch (IOException e) {
                reset();
            }
            if (flows.values().stream().allMatch(flow -> flow.ended)) {
                end();
            }
        }

        private Flow flow(Direction direction) {
            Flow flow = flows.get(direction);
            if (flow == null) {
                throw new IllegalStateException("no flow " + direction);
            }
            return flow;
        }

        /** A SYN is lost in a black hole too. */
        private void dial() {
            if (dialling
                    || conduct(dialler, Direction.OUT).blackHole()
                    || conduct(dialler, Direction.BACK).blackHole()) {
                return;
            }
            dialling = true;
            try {
                if (far.connect(target)) {
                    connected();
                } else {
                    far.register(selector, SelectionKey.OP_CONNECT, this);
                }
            } catch (IOException e) {
                add(Effect.REFUSED, 1);
                reset();
            }
        }

        private void interest(SocketChannel channel, Flow reading, Flow writing) {
            SelectionKey key = channel.keyFor(selector);
            if (key != null && key.isValid()) {
                key.interestOps((reading.wantsToRead() ? SelectionKey.OP_READ : 0)
                        | (writing.blocked ? SelectionKey.OP_WRITE : 0));
            }
        }

        long untilNextDue(long now) {
            if (!open) {
                return dialling ? Long.MAX_VALUE : TimeUnit.MILLISECONDS.toNanos(20);
            }
            return Math.min(
                    flow(Direction.OUT).untilNextDue(now), flow(Direction.BACK).untilNextDue(now));
        }

        void reset() {
            abrupt(near);
            abrupt(far);
            end();
        }

        private void end() {
            lines.remove(this);
            close(near);
            close(far);
        }
    }

    /** A piece, or the end, and when it may go on. */
    private record Piece(ByteBuffer bytes, long due, boolean last, boolean reset) {}

    /** One direction of a line. */
    private final class Flow {
        private final Line line;
        private final Direction direction;
        private final SocketChannel from;
        private final SocketChannel to;
        private final ArrayDeque<Piece> waiting = new ArrayDeque<>();
        private int waitingBytes;
        private long passed;
        private long lastDue = Long.MIN_VALUE;
        private long notBefore = Long.MIN_VALUE;
        private long filledAt = System.nanoTime();
        private double allowance;
        private boolean heardEnd;
        boolean ended;
        boolean blocked;

        Flow(Line line, Direction direction, SocketChannel from, SocketChannel to) {
            this.line = line;
            this.direction = direction;
            this.from = from;
            this.to = to;
        }

        boolean wantsToRead() {
            return !heardEnd && waitingBytes < MOST_WAITING;
        }

        void read() {
            while (wantsToRead()) {
                buffer.clear();
                int count;
                boolean reset = false;
                try {
                    count = from.read(buffer);
                } catch (IOException e) {
                    count = -1;
                    reset = true;
                }
                if (count == 0) {
                    return;
                }
                long now = System.nanoTime();
                Conduct conduct = conduct(line.dialler, direction);
                long wait = conduct.delay().toNanos()
                        + (conduct.jitter().isZero()
                                ? 0
                                : random.nextLong(conduct.jitter().toNanos()));
                lastDue = lastDue == Long.MIN_VALUE || now + wait - lastDue > 0 ? now + wait : lastDue;
                if (count < 0) {
                    heardEnd = true;
                    waiting.add(new Piece(ByteBuffer.allocate(0), lastDue, true, reset));
                    return;
                }
                buffer.flip();
                ByteBuffer piece = ByteBuffer.allocate(count).put(buffer).flip();
                waiting.add(new Piece(piece, lastDue, false, false));
                waitingBytes += count;
                if (wait > 0) {
                    add(Effect.DELAYED, count);
                    add(Effect.DELAYED_MILLIS, (lastDue - now) / 1_000_000);
                }
                add(Effect.HELD, conduct.blackHole() ? count : 0);
            }
        }

        void write() throws IOException {
            blocked = false;
            Conduct conduct = conduct(line.dialler, direction);
            while (!ended && !waiting.isEmpty() && !conduct.blackHole()) {
                long now = System.nanoTime();
                Piece piece = waiting.element();
                if (piece.due - now > 0 || notBefore != Long.MIN_VALUE && notBefore - now > 0) {
                    return;
                }
                notBefore = Long.MIN_VALUE;
                if (piece.last) {
                    finish(piece);
                    return;
                }
                int most = most(conduct, piece.bytes.remaining(), now);
                if (most == 0) {
                    return;
                }
                ByteBuffer part = piece.bytes.slice(piece.bytes.position(), most);
                int written = to.write(part);
                piece.bytes.position(piece.bytes.position() + written);
                waitingBytes -= written;
                passed += written;
                add(Effect.PASSED, written);
                add(Effect.SLOWED, conduct.bytesPerSecond() > 0 ? written : 0);
                add(Effect.SINGLE, conduct.oneByte() ? written : 0);
                allowance -= written;
                if (!piece.bytes.hasRemaining()) {
                    waiting.remove();
                }
                if (conduct.cutAfter() >= 0 && passed >= conduct.cutAfter()) {
                    add(Effect.CUT, 1);
                    throw new IOException("cut as told");
                }
                if (written < most) {
                    blocked = true;
                    return;
                }
                if (conduct.oneByte()) {
                    notBefore = now + PACE;
                }
            }
        }

        /** How many bytes may go now. */
        private int most(Conduct conduct, int offered, long now) {
            long most = conduct.oneByte() ? 1 : offered;
            if (conduct.bytesPerSecond() > 0) {
                double burst = Math.max(1, conduct.bytesPerSecond() / 50.0);
                allowance = Math.min(burst, Math.max(0, allowance) + (now - filledAt) / 1e9 * conduct.bytesPerSecond());
                filledAt = now;
                if (allowance < 1) {
                    notBefore = now + (long) ((1 - allowance) * 1e9 / conduct.bytesPerSecond());
                    return 0;
                }
                most = Math.min(most, (long) allowance);
            }
            if (conduct.cutAfter() >= 0) {
                most = Math.min(most, Math.max(1, conduct.cutAfter() - passed));
            }
            return (int) most;
        }

        private void finish(Piece piece) throws IOException {
            waiting.remove();
            ended = true;
            if (piece.reset) {
                throw new IOException("reset by the other end");
            }
            to.shutdownOutput();
        }

        long untilNextDue(long now) {
            if (waiting.isEmpty() || blocked || conduct(line.dialler, direction).blackHole()) {
                return Long.MAX_VALUE;
            }
            long due = waiting.element().due - now;
            return Math.max(0, notBefore == Long.MIN_VALUE ? due : Math.max(due, notBefore - now));
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        selector.wakeup();
        listening.close();
        try {
            thread.join(2_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        selector.close();
    }
}
