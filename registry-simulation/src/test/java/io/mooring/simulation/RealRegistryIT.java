package io.mooring.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import io.mooring.client.RegisteredInstance;
import io.mooring.client.Service;
import io.mooring.client.ServiceChange;
import io.mooring.client.ServiceSnapshot;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged registry as a real process, the SDK on real sockets, and what only an operating system can do to them. The
 * instances have host names, which the registry does not probe: nobody listens there.
 */
class RealRegistryIT {
    @TempDir
    Path home;

    private Mooring client(int port, String name) {
        return Mooring.builder()
                .servers("127.0.0.1:" + port)
                .cacheDirectory(home.resolve(name))
                .build();
    }

    /** E1 (one node), E6, B10: twice kill -9 and restart, then SIGSTOP for more than a third of a lease. */
    @Test
    void killedRestartedOrStoppedTheRegistryTakesNobodyOffTheList() throws Exception {
        try (ServerProcess server = new ServerProcess(home, home.resolve("data"));
                Mooring provider = client(server.sessionPort, "provider");
                Mooring caller = client(server.sessionPort, "caller")) {
            for (int i = 0; i < 5; i++) {
                provider.register("orders", "provider.example", 20_000 + i);
            }
            Service orders = caller.service("orders");
            List<ServiceChange> removals = new CopyOnWriteArrayList<>();
            AtomicInteger shortest = new AtomicInteger(Integer.MAX_VALUE);
            server.await("the caller sees five", () -> orders.instances().size() == 5);
            orders.onChange(change -> {
                if (!change.removed().isEmpty()) {
                    removals.add(change);
                }
                shortest.accumulateAndGet(change.view().callable().size(), Math::min);
            });
            for (int round = 0; round < 2; round++) {
                long connections = caller.status().connections();
                long provided = provider.status().connections();
                server.kill();
                assertEquals(5, orders.instances().size(), "without a registry");
                server.start();
                server.await(
                        "both are back",
                        () -> caller.status().connections() > connections
                                && provider.status().connections() > provided
                                && provider.status().confirmedRegistrations() == 5
                                && orders.view().source() == ServiceSnapshot.Source.LIVE);
            }
            server.signal("STOP");
            ServerProcess.pass(6_000); // a lease is 15 s; a third of it must be noticed
            server.signal("CONT");
            server.await(
                    "the freeze is said", () -> uncheckedGet(server, "/v1/node").contains("paused"));
            ServerProcess.pass(2_000);
            assertEquals(List.of(), removals);
            assertEquals(5, shortest.get());
            assertEquals(5, orders.instances().size());
            assertEquals(0, caller.status().doubts() + provider.status().doubts());
            assertEquals(
                    0, caller.status().internalFailures() + provider.status().internalFailures());
            assertEquals(
                    0, caller.status().watchdogRestarts() + provider.status().watchdogRestarts());
        }
    }

    private static String uncheckedGet(ServerProcess server, String path) {
        try {
            return server.get(server.httpPort, path);
        } catch (IOException e) {
            return e.toString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** A14 as decided: a full disk is said, discovery and registration go on, and it is over by itself. */
    @Test
    void aFullDiskIsSaidAndOverByItself() throws Exception {
        Path data = Files.createDirectory(home.resolve("small"));
        Process mount = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", data.toString())
                .redirectErrorStream(true)
                .start();
        assumeTrue(mount.waitFor() == 0, "not available: mounting a small tmpfs needs rights this user does not have");
        Path ballast = data.resolve("ballast");
        Files.write(ballast, new byte[700_000]); // somebody else's
        try (ServerProcess server = new ServerProcess(home, data);
                Mooring provider = client(server.sessionPort, "provider");
                Mooring caller = client(server.sessionPort, "caller")) {
            Service orders = caller.service("orders");
            List<Instance> many = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                many.add(Instance.of(provider.key("orders"), "provider.example", 20_000 + i)
                        .withMetadata(Map.of("filler", "x".repeat(1_000))));
            }
            provider.register(many);
            server.await(
                    "all are listed though the disk is full",
                    () -> orders.instances().size() == 400);
            server.await(
                    "the disk's trouble is said",
                    () -> uncheckedGet(server, "/v1/node").contains("No space left on device"));
            assertEquals(400, provider.status().confirmedRegistrations());
            assertTrue(server.log().contains("Serving on"), server.log());
            Files.delete(ballast);
            server.await(
                    "the trouble is over",
                    () -> !uncheckedGet(server, "/v1/node").contains("No space left on device"));
            long before = caller.status().connections();
            server.kill();
            server.start();
            server.await(
                    "the restart knows them all",
                    () -> caller.status().connections() > before
                            && orders.view().source() == ServiceSnapshot.Source.LIVE
                            && uncheckedGet(server, "/v1/node").contains("\"incarnation\":2"));
            assertEquals(400, orders.instances().size());
        } finally {
            new ProcessBuilder("umount", "-l", data.toString()).start().waitFor();
        }
    }

    /** A data directory full of rubbish: the start says so and serves what publishers say. */
    @Test
    void aCorruptDataDirectoryIsSaidAndPassedOver() throws Exception {
        Path data = home.resolve("data");
        try (ServerProcess server = new ServerProcess(home, data);
                Mooring provider = client(server.sessionPort, "provider")) {
            provider.register("orders", "provider.example", 20_000);
            server.await("it is registered", () -> provider.status().confirmedRegistrations() == 1);
            server.kill();
            byte[] rubbish = new byte[5_000];
            new Random(1).nextBytes(rubbish);
            try (var files = Files.list(data)) {
                for (Path file : files.toList()) {
                    if (file.getFileName().toString().startsWith("registrations-")) {
                        Files.write(file, rubbish);
                    }
                }
            }
            Files.write(data.resolve("registrations-7-1.log"), Arrays.copyOf(rubbish, 7));
            Files.writeString(data.resolve("notes.txt"), "not ours", StandardCharsets.UTF_8);
            long before = provider.status().connections();
            server.start();
            server.await(
                    "the provider is back",
                    () -> provider.status().connections() > before
                            && provider.status().confirmedRegistrations() == 1);
            assertTrue(server.log().contains("is damaged"), server.log());
            assertTrue(Files.exists(data.resolve("notes.txt")), "what is not ours stays");
            try (Mooring caller = client(server.sessionPort, "caller")) {
                Service orders = caller.service("orders");
                server.await("it is listed", () -> orders.instances().size() == 1);
            }
        }
    }

    /**
     * D2: through a proxy that delays, splits and cuts anywhere, an answer never reaches another request: what the SDK
     * took for confirmed is what the registry lists.
     */
    @Test
    void throughDelaysAndCutsEveryAnswerIsThatOfItsOwnRequest() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        AtomicInteger confirmed = new AtomicInteger();
        AtomicInteger mismatched = new AtomicInteger();
        int clients = 8;
        int each = 5;
        List<Mooring> cut = new ArrayList<>();
        try (ServerProcess server = new ServerProcess(home, home.resolve("data"));
                DelayProxy proxy = new DelayProxy(server.sessionPort, seed);
                Mooring direct = client(server.sessionPort, "direct")) {
            Service seen = direct.service("service");
            List<RegisteredInstance> handles = new ArrayList<>();
            List<Service> watched = new ArrayList<>();
            for (int c = 0; c < clients; c++) {
                Mooring client = Mooring.builder()
                        .servers("127.0.0.1:" + proxy.port())
                        .cacheDisabled()
                        .requestTimeout(Duration.ofMillis(60)) // so that late answers are common
                        .build();
                cut.add(client);
                watched.add(client.service("service"));
                for (int i = 0; i < each; i++) {
                    handles.add(client.register("service", "provider.example", 20_000 + handles.size()));
                }
            }
            int[] latest = new int[handles.size()];
            for (int step = 1; step <= 3_000; step++) {
                int which = random.nextInt(latest.length);
                int version = step;
                latest[which] = step;
                CompletableFuture<Void> update =
                        handles.get(which).updateMetadata(Map.of("version", "v" + step, "owner", "p" + which));
                CompletableFuture<Void> unused = update.thenRun(() -> {
                    // Confirmed, so a read that begins now sees it, or a later one.
                    String body = confirmed.incrementAndGet() % 5 == 0 ? read(server) : "";
                    if (body.startsWith("200") && older(body, 20_000 + which, version)) {
                        mismatched.incrementAndGet();
                    }
                });
                if (random.nextInt(8) == 0) {
                    update.cancel(true);
                }
                if (step % 2 == 0) {
                    ServerProcess.pass(random.nextInt(10));
                }
            }
            proxy.cutting = false;
            for (Mooring client : cut) {
                server.await(
                        "all is confirmed in the end",
                        () -> client.status().state() == ClientStatus.State.CONNECTED
                                && client.status().confirmedRegistrations() == each);
            }
            server.await("others see the last of each", () -> lastOfEach(seen, latest));
            for (Service service : watched) {
                server.await("so do those behind the proxy", () -> lastOfEach(service, latest));
            }
            long late = 0;
            for (Mooring client : cut) {
                assertEquals(0, client.status().doubts(), "seed " + seed + ": " + client.status());
                assertEquals(0, client.status().internalFailures(), "seed " + seed);
                late += client.status().lateReplies();
            }
            assertEquals(0, mismatched.get(), "seed " + seed);
            assertTrue(proxy.cuts.get() >= 10, "cut only " + proxy.cuts + " times");
            assertTrue(confirmed.get() >= 100, "confirmed only " + confirmed);
            System.out.println("seed " + seed + ": " + confirmed + " confirmed, " + mismatched + " mismatched, "
                    + proxy.cuts + " cuts, " + proxy.delayed + " ms of delays, " + late + " late replies dropped");
        } finally {
            cut.forEach(Mooring::close);
        }
    }

    private static String read(ServerProcess server) {
        return uncheckedGet(server, "/v1/services/service");
    }

    private static boolean lastOfEach(Service service, int[] latest) {
        List<ListedInstance> instances = service.view().instances();
        if (instances.size() != latest.length) {
            return false;
        }
        for (ListedInstance listed : instances) {
            int which = listed.instance().port() - 20_000;
            String version = listed.instance().metadata().get("version");
            if (latest[which] != 0 && !("v" + latest[which]).equals(version)) {
                return false;
            }
        }
        return true;
    }

    /** Whether the answer lists that port with a version before {@code version}. */
    private static boolean older(String body, int port, int version) {
        int at = body.indexOf("\"port\":" + port);
        int found = at < 0 ? -1 : body.indexOf("\"version\":\"v", at);
        if (found < 0) {
            return false;
        }
        int from = found + "\"version\":\"v".length();
        return Integer.parseInt(body.substring(from, body.indexOf('"', from))) < version;
    }
}
