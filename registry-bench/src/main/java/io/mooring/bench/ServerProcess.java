package io.mooring.bench;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A registry that runs as a process on this machine: started here, or named by its pid. */
final class ServerProcess implements AutoCloseable {
    private static final long NANOS_PER_TICK = 10_000_000; // USER_HZ is 100 on every Linux that runs Java

    private final long pid;
    private final @Nullable Process process;

    private ServerProcess(long pid, @Nullable Process process) {
        this.pid = pid;
        this.process = process;
    }

    /** One that runs already; 0 if it is not known, and then it has no figures. */
    static ServerProcess running(long pid) {
        return new ServerProcess(pid, null);
    }

    /**
     * Starts one with an empty data directory.
     *
     * @param core the only core it may use; negative: all
     */
    static ServerProcess start(Path jar, List<String> jvm, List<String> flags, int core, Path directory)
            throws IOException {
        List<String> command = new ArrayList<>();
        if (core >= 0) {
            command.addAll(List.of("taskset", "-c", String.valueOf(core)));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvm);
        command.addAll(List.of("-jar", jar.toAbsolutePath().toString()));
        command.addAll(flags);
        File log = directory.resolve("server.log").toFile();
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log)
                .start();
        return new ServerProcess(process.pid(), process);
    }

    boolean alive() {
        return process == null || process.isAlive();
    }

    /** Processor time used so far, by user and system; in steps of 10 ms. */
    long cpuNanos() {
        if (pid == 0) {
            return 0;
        }
        String stat = read("stat");
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) * NANOS_PER_TICK;
    }

    /** Resident memory in bytes. */
    long residentBytes() {
        return read("status")
                        .lines()
                        .filter(line -> line.startsWith("VmRSS:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                        .sum()
                * 1_024;
    }

    /** Heap in use after a full collection, in bytes. */
    long heapAfterCollection() throws IOException {
        jcmd("GC.run");
        long used = 0;
        for (String line : jcmd("GC.heap_info").lines().toList()) {
            String lower = line.toLowerCase(Locale.ROOT);
            boolean heap = lower.contains("heap") || lower.contains("generation");
            int at = lower.indexOf("used ");
            if (heap && at >= 0 && !lower.contains("metaspace") && !lower.contains("class space")) {
                used += Long.parseLong(
                                lower.substring(at + 5).replaceAll("k.*", "").trim())
                        * 1_024;
            }
        }
        return used;
    }

    private String jcmd(String command) throws IOException {
        String tool = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process run = new ProcessBuilder(tool, String.valueOf(pid), command)
                .redirectErrorStream(true)
                .start();
        return new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String read(String file) {
        try {
            return Files.readString(Path.of("/proc", String.valueOf(pid), file));
        } catch (IOException e) {
            throw new UncheckedIOException("pid " + pid + ": no such process (expected: that of the registry)", e);
        }
    }

    /** SIGKILL, if it was started here. */
    void kill() {
        if (process != null) {
            try {
                process.destroyForcibly().waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends it, if it was started here. */
    @Override
    public void close() {
        if (process == null) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
