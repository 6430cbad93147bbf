package io.mooring.bench;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** From exec to the first answered registration, and what an idle registry takes. */
final class StartTime {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);

    private final Path jar;
    private final List<String> jvm;
    private final List<String> flags;
    private final int core;
    private final int port;

    StartTime(Path jar, List<String> jvm, List<String> flags, int core, int port) {
        this.jar = jar;
        this.jvm = jvm;
        this.flags = flags;
        this.core = core;
        this.port = port;
    }

    void measure(EventLoopGroup threads, int runs) throws IOException {
        List<Double> times = new ArrayList<>();
        List<Double> resident = new ArrayList<>();
        for (int run = 0; run < runs; run++) {
            Path directory = Files.createTempDirectory("mooring-bench");
            long start = System.nanoTime();
            try (ServerProcess server =
                    ServerProcess.start(jar, jvm, ServerFlags.at(port, directory, flags), core, directory)) {
                Session session = firstSession(threads, server, port, directory);
                CompletableFuture<Long> done = new CompletableFuture<>();
                session.onReceive((from, payload, at) -> {
                    if (Scan.count(payload, Scan.DONE) > 0) {
                        done.complete(at);
                    }
                });
                ByteBuf frame = session.buffer(400);
                frame.writeByte('[');
                new Workload("orders-", 1, 1).register(frame, 1, 0, 1);
                frame.writeByte(']');
                session.send(frame);
                times.add((done.orTimeout(30, TimeUnit.SECONDS).join() - start) / 1e9);
                session.bye();
                pause(TimeUnit.SECONDS.toNanos(5)); // idle now
                resident.add(server.residentBytes() / 1e6);
            }
            Directories.delete(directory);
        }
        Collections.sort(times);
        Collections.sort(resident);
        Table table = new Table("start, " + runs + " runs", "median", "min", "max");
        table.row(
                "exec to first answered registration, s",
                Table.number(times.get(runs / 2)),
                Table.number(times.get(0)),
                Table.number(times.get(runs - 1)));
        table.row(
                "resident when idle, 5 s later, MB",
                Table.number(resident.get(runs / 2)),
                Table.number(resident.get(0)),
                Table.number(resident.get(runs - 1)));
        table.print("Start with " + (jvm.isEmpty() ? "no JVM flags" : String.join(" ", jvm)));
    }

    /** Tries until the port answers. */
    static Session firstSession(EventLoopGroup threads, ServerProcess server, int port, Path directory)
            throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        long start = System.nanoTime();
        while (true) {
            try (Socket probe = new Socket()) {
                probe.connect(address, 1_000);
                break;
            } catch (IOException e) {
                if (!server.alive() || System.nanoTime() - start > PATIENCE) {
                    throw new IOException(
                            "the registry does not answer on " + address + ":\n"
                                    + Files.readString(directory.resolve("server.log")),
                            e);
                }
                pause(TimeUnit.MILLISECONDS.toNanos(5));
            }
        }
        return Session.open(threads, address, "bench");
    }

    static void pause(long nanos) {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
