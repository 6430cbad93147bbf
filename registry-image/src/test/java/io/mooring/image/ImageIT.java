package io.mooring.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive that people load: what it says, what is in it, and that it needs nothing but a kernel. */
class ImageIT {
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .proxy(HttpClient.Builder.NO_PROXY)
            .build();

    @TempDir
    static Path home;

    private static UnpackedImage image;

    @BeforeAll
    static void unpack() throws IOException {
        image = UnpackedImage.ofOci(Path.of("target/registry-server-oci.tar"), home);
    }

    @Test
    void theImageSaysHowItIsRun() {
        assertEquals("65532:65532", image.config().get("User").asString());
        assertEquals(
                List.of("8848/tcp", "8850/tcp", "9847/tcp", "9848/tcp", "9849/tcp"),
                List.copyOf(new TreeSet<>(image.config().get("ExposedPorts").propertyNames())));
        assertTrue(image.config().get("Volumes").has("/var/lib/mooring"));
        assertEquals("/var/lib/mooring", image.environment().get("MOORING_DATA_DIRECTORY"));
        assertTrue(image.environment().get("JDK_JAVA_OPTIONS").contains("-XX:MaxRAMPercentage="));
        assertFalse(image.environment().containsKey("MOORING_INSECURE"), "that is for operators to say");
        for (String label : List.of("title", "description", "version", "created", "licenses")) {
            assertTrue(image.config().get("Labels").has("org.opencontainers.image." + label), label);
        }
    }

    @Test
    void bothArchivesAreTheSameImage() throws IOException {
        UnpackedImage docker = UnpackedImage.ofDocker(Path.of("target/registry-server-docker.tar"), home);
        assertEquals(image.config(), docker.config());
        assertEquals(image.layers().size(), docker.layers().size());
        for (int layer = 0; layer < image.layers().size(); layer++) {
            assertEquals(
                    -1,
                    Files.mismatch(image.layers().get(layer), docker.layers().get(layer)),
                    "layer " + layer);
        }
    }

    @Test
    void theJarsAreThoseOfTheExecutableJar() throws IOException {
        Set<String> wanted = new TreeSet<>(Set.of("registry-server-classes.jar"));
        try (ZipFile jar = new ZipFile("../registry-server/target/registry-server.jar")) {
            jar.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith("BOOT-INF/lib/") && name.endsWith(".jar"))
                    .map(name -> name.substring(name.lastIndexOf('/') + 1))
                    .filter(name -> !name.startsWith("spring-boot-jarmode-tools")) // takes executable jars apart
                    .forEach(wanted::add);
        }
        Set<String> found = new TreeSet<>();
        try (Stream<Path> files = Files.list(image.root().resolve("app/libs"))) {
            files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> !name.startsWith("spring-boot-starter")) // empty
                    .forEach(found::add);
        }
        assertEquals(wanted, found);
    }

    @Test
    void nobodyWhoRunsItCanChangeIt() throws IOException {
        List<Path> writable = new ArrayList<>();
        List<Path> special = new ArrayList<>();
        try (Stream<Path> files = Files.walk(image.root())) {
            for (Path file : files.toList()) {
                if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_WRITE)) {
                    writable.add(Path.of("/").resolve(image.root().relativize(file)));
                }
                if (((int) Files.getAttribute(file, "unix:mode") & 06000) != 0) {
                    special.add(file);
                }
            }
        }
        assertEquals(Set.of(Path.of("/tmp"), Path.of("/var/lib/mooring")), Set.copyOf(writable));
        assertEquals(List.of(), special, "programs that run as somebody else");
        for (String program : List.of("opt/java/bin/java", "opt/java/bin/jcmd", "opt/java/lib/jspawnhelper")) {
            assertTrue(Files.isExecutable(image.root().resolve(program)), program);
        }
        assertFalse(Files.exists(image.root().resolve("bin")), "a shell");
        assertFalse(Files.exists(image.root().resolve("app/classes/io")), "what made the image is no part of it");
    }

    @Test
    void aRegistrationIsAnsweredInABareRoot() throws IOException, InterruptedException {
        BareRoot root = root();
        int http = freePort();
        Map<String, String> environment = new HashMap<>(image.environment());
        environment.put("MOORING_BIND", "127.0.0.1");
        environment.put("MOORING_HTTP_PORT", Integer.toString(http));
        for (String port : List.of("OPERATIONS_PORT", "SESSION_PORT", "NACOS_GRPC_PORT")) {
            environment.put("MOORING_" + port, Integer.toString(freePort()));
        }
        Path log = home.resolve("server.log");
        Process server = root.start(image.entrypoint(), environment, log);
        try {
            URI instance = URI.create("http://127.0.0.1:" + http + "/v1/services/orders/instances/10.0.0.7:8080");
            HttpRequest registration = HttpRequest.newBuilder(instance)
                    .timeout(Duration.ofSeconds(10))
                    .header("Content-Type", "application/json")
                    .PUT(HttpRequest.BodyPublishers.ofString("{}"))
                    .build();
            assertTrue(within(60, server, () -> answer(registration).isPresent()), Files.readString(log));
            URI service = URI.create("http://127.0.0.1:" + http + "/v1/services/orders");
            String list = answer(HttpRequest.newBuilder(service).build()).orElse("");
            assertTrue(list.contains("10.0.0.7"), list);
            assertEquals(128 + 15, BareRoot.stop(server, 60), Files.readString(log));
        } finally {
            BareRoot.kill(server);
        }
        assertTrue(Files.exists(home.resolve("data/node-name")), "what a restart needs is on the volume");
    }

    @Test
    void withoutASayingSoItDoesNotListenToEverybody() throws IOException, InterruptedException {
        Path log = home.resolve("refused.log");
        Process server = root().start(image.entrypoint(), image.environment(), log);
        try {
            assertTrue(server.waitFor(60, TimeUnit.SECONDS), Files.readString(log));
            assertEquals(1, server.exitValue(), Files.readString(log));
            assertTrue(Files.readString(log).contains("mooring.insecure=true"), Files.readString(log));
        } finally {
            BareRoot.kill(server);
        }
    }

    private static BareRoot root() throws IOException, InterruptedException {
        BareRoot root = new BareRoot(image.root(), Files.createDirectories(home.resolve("data")));
        Optional<String> refusal = root.refusal(home.resolve("refusal.log"));
        refusal.ifPresent(System.out::println);
        assumeTrue(refusal.isEmpty(), refusal.orElse(""));
        return root;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Optional<String> answer(HttpRequest request) {
        try {
            HttpResponse<String> response =
                    HTTP.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            return response.statusCode() / 100 == 2 ? Optional.of(response.body()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // not yet
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    /** Waits for something that another process does; how long it takes is not asserted. */
    private static boolean within(int seconds, Process process, Condition condition)
            throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.holds()) {
            if (!process.isAlive() || System.nanoTime() - end > 0) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return true;
    }
}
