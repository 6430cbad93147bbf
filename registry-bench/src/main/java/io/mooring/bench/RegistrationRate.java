package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** How many instances per second a registry accepts, each of them new to it. */
final class RegistrationRate {
    private final EventLoopGroup threads;
    private final InetSocketAddress server;
    private final ServerProcess process;
    private final int services;

    RegistrationRate(EventLoopGroup threads, InetSocketAddress server, ServerProcess process, int services) {
        this.threads = threads;
        this.server = server;
        this.process = process;
        this.services = services;
    }

    /**
     * How the requests are sent.
     *
     * @param sessions connections that share the work
     * @param window requests of a session without an answer
     * @param perMessage instances in a register message
     * @param perFrame register messages in a frame
     * @param perService consecutive instances of one service
     */
    record Mode(String name, int sessions, int window, int perMessage, int perFrame, int perService) {}

    private record Round(double perSecond, double cpuMicros) {}

    /** Runs the mode until it is warm and then {@code rounds} times; adds the median round to the table. */
    void measure(Mode mode, int instances, int warmUps, int rounds, Table table) {
        Histogram answerTimes = new Histogram(3);
        List<Round> results = new ArrayList<>();
        for (int round = -warmUps; round < rounds; round++) {
            if (round == 0) {
                answerTimes.reset();
            }
            Round result = run(mode, instances, answerTimes);
            if (round >= 0) {
                results.add(result);
            }
        }
        results.sort((a, b) -> Double.compare(a.perSecond, b.perSecond));
        Round median = results.get((results.size() - 1) / 2);
        table.row(
                mode.name,
                Table.number(median.perSecond),
                Table.number(results.get(0).perSecond) + " – "
                        + Table.number(results.get(results.size() - 1).perSecond),
                Table.number(median.cpuMicros),
                Table.millis((double) answerTimes.getValueAtPercentile(50)),
                Table.millis((double) answerTimes.getValueAtPercentile(99)));
    }

    private Round run(Mode mode, int instances, Histogram answerTimes) {
        List<Session> sessions = Session.openMany(threads, server, "bench", mode.sessions);
        List<Sender> senders = new ArrayList<>();
        int each = instances / mode.sessions / (mode.perMessage * mode.perFrame) * (mode.perMessage * mode.perFrame);
        for (int i = 0; i < sessions.size(); i++) {
            senders.add(new Sender(sessions.get(i), mode, i * each, each, answerTimes));
        }
        long cpu = process.cpuNanos();
        long start = System.nanoTime();
        senders.forEach(Sender::start);
        senders.forEach(
                sender -> sender.finished.orTimeout(120, TimeUnit.SECONDS).join());
        long took = System.nanoTime() - start;
        long spent = process.cpuNanos() - cpu;
        for (Session session : sessions) {
            if (session.refused() > 0) {
                throw new IllegalStateException(
                        session.refused() + " requests were refused: the figure would be wrong");
            }
        }
        Session.byeAll(sessions);
        double total = (double) each * mode.sessions;
        return new Round(total * 1e9 / took, spent / 1e3 / total);
    }

    /** Keeps one session's window full. Confined to the session's thread once started. */
    private final class Sender implements Session.Receiver {
        private final CompletableFuture<Void> finished = new CompletableFuture<>();
        private final Workload workload;
        private final Session session;
        private final Mode mode;
        private final int end;
        private final Histogram answerTimes;
        private final long[] sentAt;
        private int next;
        private int inFlight;
        private long nextId = 1;
        private long answered;

        Sender(Session session, Mode mode, int first, int count, Histogram answerTimes) {
            this.session = session;
            this.mode = mode;
            this.next = first;
            this.end = first + count;
            this.workload = new Workload("orders-", services, mode.perService);
            this.answerTimes = answerTimes;
            this.sentAt = new long[mode.window];
        }

        void start() {
            session.onReceive(this);
            session.onThread(this::fill);
        }

        @Override
        public void received(Session from, ByteBuf payload, long at) {
            int done = Scan.count(payload, Scan.DONE);
            for (int i = 0; i < done; i++) { // answers come in the order of the requests here; the time is per request
                answerTimes.recordValue(at - sentAt[(int) (answered++ % sentAt.length)]);
            }
            inFlight -= done;
            fill();
            if (inFlight == 0 && next >= end) {
                finished.complete(null);
            }
        }

        private void fill() {
            while (next < end && inFlight + mode.perFrame <= mode.window) {
                ByteBuf frame = session.buffer(64 + mode.perFrame * (40 + 190 * mode.perMessage));
                long now = System.nanoTime();
                frame.writeByte('[');
                for (int i = 0; i < mode.perFrame; i++) {
                    if (i > 0) {
                        frame.writeByte(',');
                    }
                    sentAt[(int) ((nextId - 1) % sentAt.length)] = now;
                    workload.register(frame, nextId++, next, mode.perMessage);
                    next += mode.perMessage;
                    inFlight++;
                }
                frame.writeByte(']');
                session.send(frame);
            }
        }
    }
}
