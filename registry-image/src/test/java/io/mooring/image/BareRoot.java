package io.mooring.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs a program as a container runtime does with {@code --read-only}: the image's files are all there is, nothing of them can
 * be written, the user is nobody whom the machine knows, and the program is the first process. The network stays the
 * machine's.
 */
final class BareRoot {
    /** The root is the first parameter, the data the second; what follows is the program. */
    private static final String MOUNTS = """
            set -e
            root="$1" data="$2"
            shift 2
            mount --bind "$root" "$root"
            mount -t proc proc "$root/proc"
            mount --rbind /dev "$root/dev"
            mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
            mount --bind "$data" "$root/var/lib/mooring"
            mount -o remount,bind,ro "$root"
            exec "$@"
            """;

    private final Path root;
    private final Path data;
    private final boolean superuser;

    /** @param data in the place of the volume */
    BareRoot(Path root, Path data) throws IOException {
        this.root = root;
        this.data = data;
        this.superuser = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        for (String place : List.of("proc", "dev", "sys")) {
            Files.createDirectories(root.resolve(place)); // as runtimes do
        }
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    /** Why this machine does not let us; empty when it does. */
    Optional<String> refusal(Path log) throws IOException, InterruptedException {
        Process java = start(List.of("/opt/java/bin/java", "-version"), Map.of(), log);
        boolean ended = java.waitFor(60, TimeUnit.SECONDS);
        kill(java);
        String said = Files.readString(log, StandardCharsets.UTF_8);
        boolean refused = !ended || said.contains("unshare:") || said.contains("mount:");
        return refused ? Optional.of("not available: namespaces of users and mounts; " + said) : Optional.empty();
    }

    /** Starts it with exactly that environment. */
    Process start(List<String> command, Map<String, String> environment, Path log) throws IOException {
        List<String> words = new ArrayList<>(List.of("unshare", "--mount", "--pid", "--fork"));
        words.addAll(superuser ? List.of() : List.of("--user", "--map-root-user"));
        words.addAll(List.of("sh", "-c", MOUNTS, "sh", root.toString(), data.toString()));
        words.addAll(List.of("env", "-i"));
        environment.forEach((name, value) -> words.add(name + "=" + value));
        words.add("/usr/bin/unshare"); // the environment has a path of its own now
        words.addAll(
                superuser
                        ? List.of("--setgid=65532", "--setuid=65532")
                        : List.of("--user", "--map-group=65532", "--map-user=65532"));
        words.addAll(List.of("--root=" + root, "--wd=/app"));
        words.addAll(command);
        return new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.to(log.toFile()))
                .start();
    }

    /** SIGTERM to the program itself; returns its exit code. */
    static int stop(Process process, long seconds) throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroy);
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw new AssertionError("it did not end within " + seconds + " s of SIGTERM");
        }
        return process.exitValue();
    }

    static void kill(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
