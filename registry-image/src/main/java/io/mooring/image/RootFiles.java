package io.mooring.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * The root of an image that builds on nothing: a Java runtime of the modules that the server uses, the libraries of this
 * machine that the runtime is linked to, and the few files that these expect. The same machine makes the same bytes.
 */
public final class RootFiles {
    /** As {@code jdeps} names them for the server's jars, with TLS by elliptic curves, and jcmd to look inside. */
    private static final List<String> MODULES = List.of(
            "java.base",
            "java.compiler",
            "java.desktop",
            "java.instrument",
            "java.naming",
            "java.net.http",
            "java.prefs",
            "java.scripting",
            "java.security.jgss",
            "java.sql",
            "jdk.crypto.ec",
            "jdk.jcmd",
            "jdk.jfr",
            "jdk.management",
            "jdk.unsupported");

    private static final String RUNTIME = "opt/java";

    /** They are looked up while running, so nothing is linked to them; newer C libraries have them built in. */
    private static final List<String> NAME_SERVICES = List.of("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2");

    private static final Pattern LIBRARY =
            Pattern.compile("\\s*(?:(\\S+) => )?(/\\S+|not found)(?: \\(0x\\p{XDigit}+\\))?");
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    private final Path root;
    private final Path runtime;

    private RootFiles(Path root) {
        this.root = root;
        this.runtime = root.resolve(RUNTIME);
    }

    /** @param args the directory to make; what is there is replaced */
    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            throw new IllegalArgumentException("arguments: " + List.of(args) + " (expected: the directory to make)");
        }
        new RootFiles(Path.of(args[0]).toAbsolutePath()).make();
    }

    private void make() throws IOException {
        delete(root);
        Files.createDirectories(runtime.getParent());
        link();
        for (String library : libraries()) {
            copy(Path.of(library));
        }
        etc();
        Files.createDirectories(root.resolve("tmp"));
        Files.createDirectories(root.resolve("var/lib/mooring"));
    }

    private void link() {
        ToolProvider jlink = ToolProvider.findFirst("jlink")
                .orElseThrow(() -> new IllegalStateException("java.home: " + System.getProperty("java.home")
                        + " (expected: a JDK with jlink; build with one, or without the image: -Dimage.skip=true)"));
        StringWriter said = new StringWriter();
        int code;
        try (PrintWriter out = new PrintWriter(said)) {
            code = jlink.run(
                    out,
                    out,
                    "--add-modules=" + String.join(",", MODULES),
                    "--no-header-files",
                    "--no-man-pages",
                    "--exclude-files=/java.desktop/lib/**", // fonts and windows: only its beans are used
                    "--output=" + runtime);
        }
        if (code != 0) {
            throw new IllegalStateException("jlink: " + said.toString().strip()
                    + " (expected: a JDK with its modules, in some distributions a package"
                    + " of its own; build with one, or without the image: -Dimage.skip=true)");
        }
    }

    /** Where on this machine they are, as the loader will look for them. */
    private Set<String> libraries() throws IOException {
        Set<String> found = new TreeSet<>();
        Set<String> own = new TreeSet<>();
        List<Path> programs = new ArrayList<>();
        try (Stream<Path> files = Files.walk(runtime)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                own.add(String.valueOf(file.getFileName()));
                if (isProgram(file)) {
                    programs.add(file);
                }
            }
        }
        for (Path program : programs) {
            for (String line : run("ldd", program.toString()).lines().toList()) {
                Matcher library = LIBRARY.matcher(line);
                if (library.matches() && !library.group(2).startsWith(runtime.toString())) {
                    String name = Optional.ofNullable(library.group(1)).orElse("");
                    if (library.group(2).startsWith("/")) {
                        found.add(library.group(2));
                    } else if (!own.contains(name)) {
                        throw new IllegalStateException(program + " needs " + name + ", which is not on this machine");
                    }
                }
            }
        }
        found.addAll(nameServices(found));
        return found;
    }

    private static List<String> nameServices(Set<String> libraries) {
        return libraries.stream()
                .map(Path::of)
                .filter(path -> path.endsWith("libc.so.6"))
                .flatMap(libc -> NAME_SERVICES.stream().map(libc::resolveSibling))
                .filter(Files::exists)
                .map(Path::toString)
                .toList();
    }

    private static boolean isProgram(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(ELF.length), ELF);
        }
    }

    private void copy(Path library) throws IOException {
        Path copy = root.resolve(library.toString().substring(1));
        Files.createDirectories(copy.getParent());
        Files.write(copy, Files.readAllBytes(library)); // also what a link leads to
    }

    private void etc() throws IOException {
        Path etc = Files.createDirectories(root.resolve("etc"));
        Files.writeString(etc.resolve("passwd"), """
                root:x:0:0:root:/:/nologin
                mooring:x:65532:65532:mooring:/var/lib/mooring:/nologin
                """);
        Files.writeString(etc.resolve("group"), """
                root:x:0:
                mooring:x:65532:
                """);
        Files.writeString(etc.resolve("nsswitch.conf"), """
                passwd: files
                group: files
                hosts: files dns
                """);
    }

    private static String run(String... words) throws IOException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", words) + ": " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return said;
    }

    private static void delete(Path directory) throws IOException {
        if (Files.exists(directory)) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
