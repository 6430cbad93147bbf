package io.mooring.simulation.real;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Who holds the other end of a connection on this machine, by what Linux says of sockets and processes: on loopback all
 * addresses look alike.
 */
final class SocketOwners implements FaultProxy.Diallers {
    /** Everybody who is not one of the processes named. */
    static final String OTHERS = "others";

    private final Map<String, Long> processes = new ConcurrentHashMap<>();

    /** That process has this name; an earlier one of the name is forgotten. */
    void name(String name, long pid) {
        processes.put(name, pid);
    }

    @Override
    public String nameOf(InetSocketAddress remote, int dialledPort) {
        String inode = inode(remote.getPort(), dialledPort);
        for (Map.Entry<String, Long> process : processes.entrySet()) {
            if (!inode.isEmpty() && holds(process.getValue(), "socket:[" + inode + "]")) {
                return process.getKey();
            }
        }
        return OTHERS;
    }

    private static String inode(int localPort, int remotePort) {
        String local = String.format(Locale.ROOT, ":%04X", localPort);
        String remote = String.format(Locale.ROOT, ":%04X", remotePort);
        for (String table : List.of("/proc/self/net/tcp6", "/proc/self/net/tcp")) {
            for (String line : lines(Path.of(table))) {
                String[] fields = line.trim().split("\\s+");
                if (fields.length > 9 && fields[1].endsWith(local) && fields[2].endsWith(remote)) {
                    return fields[9];
                }
            }
        }
        return "";
    }

    private static List<String> lines(Path table) {
        try {
            return Files.readAllLines(table, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            return List.of(); // no such table here: then the other one, or nobody
        }
    }

    private static boolean holds(long pid, String socket) {
        try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            return files.anyMatch(file -> isLinkTo(file, socket));
        } catch (IOException e) {
            return false; // it ended
        }
    }

    private static boolean isLinkTo(Path file, String socket) {
        try {
            return Files.readSymbolicLink(file).toString().equals(socket);
        } catch (NoSuchFileException e) {
            return false; // closed meanwhile
        } catch (IOException e) {
            return false; // not ours to read
        }
    }
}
