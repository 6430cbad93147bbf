package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What sessions and instances cost a registry in memory: heap after full collections, and resident. */
final class ServerMemory {
    private static final int PER_MESSAGE = 100;
    private static final int SERVICES = 1_000;
    private static final int SESSIONS = 1_000;

    private final Path jar;
    private final List<String> jvm;
    private final List<String> flags;
    private final int core;
    private final int port;
    private final InetSocketAddress address;

    ServerMemory(Path jar, List<String> jvm, List<String> flags, int core, int port) {
        this.jar = jar;
        this.jvm = jvm;
        this.flags = flags;
        this.core = core;
        this.port = port;
        this.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    void idleSessions(EventLoopGroup threads, int count) throws IOException {
        Path directory = Files.createTempDirectory("mooring-bench");
        try (ServerProcess server =
                ServerProcess.start(jar, jvm, ServerFlags.at(port, directory, flags), core, directory)) {
            StartTime.firstSession(threads, server, port, directory).bye();
            Session.byeAll(Session.openMany(threads, address, "bench", 200)); // classes and pools are there now
            long heap = settledHeap(server);
            long resident = server.residentBytes();
            List<Session> sessions = Session.openMany(threads, address, "bench", count);
            long heapAfter = settledHeap(server);
            long residentAfter = server.residentBytes();
            Table table = new Table("sessions", "heap MB", "resident MB");
            table.row("0", Table.number(heap / 1e6), Table.number(resident / 1e6));
            table.row(String.valueOf(count), Table.number(heapAfter / 1e6), Table.number(residentAfter / 1e6));
            table.row(
                    "each, bytes",
                    Table.number((double) (heapAfter - heap) / count),
                    Table.number((double) (residentAfter - resident) / count));
            table.print("Idle sessions: welcomed, nothing registered or subscribed");
            Session.abandon(sessions);
        }
        Directories.delete(directory);
    }

    void instances(EventLoopGroup threads, List<Integer> sizes) throws IOException {
        Table table = new Table("instances", "heap MB", "heap B each", "resident MB", "filled in s");
        for (int size : sizes) {
            Path directory = Files.createTempDirectory("mooring-bench");
            try (ServerProcess server =
                    ServerProcess.start(jar, jvm, ServerFlags.at(port, directory, flags), core, directory)) {
                StartTime.firstSession(threads, server, port, directory).bye();
                List<Session> sessions = Session.openMany(threads, address, "bench", SESSIONS);
                long empty = settledHeap(server);
                long start = System.nanoTime();
                fill(sessions, size);
                double seconds = (System.nanoTime() - start) / 1e9;
                long full = settledHeap(server);
                table.row(
                        String.format(java.util.Locale.ROOT, "%,d", size),
                        Table.number(full / 1e6),
                        Table.number((double) (full - empty) / size),
                        Table.number(server.residentBytes() / 1e6),
                        Table.number(seconds));
                Session.abandon(sessions);
            }
            Directories.delete(directory);
        }
        table.print("Instances of " + SERVICES + " services in " + SESSIONS + " sessions, three metadata entries, with "
                + String.join(" ", jvm) + "; a server of its own for each line");
    }

    /** Registers that many, evenly over the sessions, and waits for every answer. */
    static void fill(List<Session> sessions, int size) {
        Workload workload = new Workload("orders-", SERVICES, 1);
        int each = size / sessions.size();
        List<CompletableFuture<Void>> open = new ArrayList<>();
        for (int s = 0; s < sessions.size(); s++) {
            Session session = sessions.get(s);
            int first = s * each;
            int messages = (each + PER_MESSAGE - 1) / PER_MESSAGE;
            CompletableFuture<Void> done = new CompletableFuture<>();
            int[] left = {messages};
            session.onReceive((from, payload, at) -> {
                left[0] -= Scan.count(payload, Scan.DONE);
                if (left[0] == 0) {
                    done.complete(null);
                }
            });
            for (int m = 0; m < messages; m++) {
                int from = m * PER_MESSAGE;
                ByteBuf frame = session.buffer(PER_MESSAGE * 200);
                frame.writeByte('[');
                workload.register(frame, m + 1, first + from, Math.min(PER_MESSAGE, each - from));
                frame.writeByte(']');
                session.send(frame);
            }
            open.add(done);
            if (open.size() == 8) { // a few at a time: the answers are what is waited for
                open.remove(0).orTimeout(120, TimeUnit.SECONDS).join();
            }
        }
        open.forEach(done -> done.orTimeout(120, TimeUnit.SECONDS).join());
        for (Session session : sessions) {
            if (session.refused() > 0) {
                throw new IllegalStateException("registrations were refused: the figure would be wrong");
            }
        }
    }

    /** Twice, with a moment between: what is only waiting to be dropped does not count. */
    static long settledHeap(ServerProcess server) throws IOException {
        StartTime.pause(TimeUnit.SECONDS.toNanos(1));
        server.heapAfterCollection();
        StartTime.pause(TimeUnit.MILLISECONDS.toNanos(500));
        return server.heapAfterCollection();
    }
}
