package io.mooring.server.durable;

import static io.mooring.server.durable.DurableWorld.ORDERS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Metadata;
import io.mooring.server.durable.DurableWorld.Node;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** One node: what was acknowledged is there after whatever happens to the process, and as far as can be to the disk. */
class DurableLogTest {
    private final DurableWorld world = new DurableWorld(1, 1);
    private final Node node = world.n(1);

    private static boolean isAccepted(List<Optional<Refusal>> answers) {
        return answers.equals(List.of(Optional.empty()));
    }

    private void settle() {
        world.run(Duration.ofSeconds(1));
    }

    private static String code(List<Optional<Refusal>> answers) {
        return answers.size() == 1 ? answers.get(0).map(Refusal::code).orElse("accepted") : answers.size() + " answers";
    }

    @Test
    void anEntryIsThereAfterARestart() {
        List<Optional<Refusal>> put = node.put(80, "1");
        assertTrue(put.isEmpty(), "answered before the disk had it");
        settle();
        assertTrue(isAccepted(put));
        node.kill().start();
        assertEquals(Map.of(80, "1"), node.ports());
        assertEquals(
                node.shown.values().toString(), node.durables.persistent(ORDERS).toString());
    }

    /** The machine loses its power after every single step of the disk, and later steps never happen. */
    @Test
    void killedAtEveryStepOfTheDiskItHasWhatWasAcknowledged() {
        for (int steps = 0; steps < 400; steps++) {
            DurableWorld each = new DurableWorld(steps, 1);
            Node victim = each.n(1);
            victim.disk.stopAfter(steps);
            Map<Integer, String> acknowledged = new TreeMap<>();
            Map<Integer, String> asked = new TreeMap<>();
            boolean all = true;
            for (int i = 0; i < 60; i++) {
                int port = 1 + i % 7;
                String version = i % 10 == 9 ? "" : "v" + i + "x".repeat(i == 20 ? 40_000 / 5 : 0);
                List<Optional<Refusal>> answers = version.isEmpty() ? victim.remove(port) : victim.put(port, version);
                each.run(Duration.ofMillis(10));
                all = !answers.isEmpty();
                if (!all) {
                    asked.put(port, version); // it may have happened
                    break;
                }
                assertTrue(isAccepted(answers), answers.toString());
                acknowledged.put(port, version);
            }
            victim.kill();
            victim.disk.loseUnforced();
            victim.disk.stopAfter(Integer.MAX_VALUE);
            victim.start();
            Map<Integer, String> is = victim.ports();
            for (Map.Entry<Integer, String> entry : acknowledged.entrySet()) {
                String now = is.getOrDefault(entry.getKey(), "");
                boolean right = now.equals(entry.getValue()) || now.equals(asked.get(entry.getKey()));
                assertTrue(
                        right,
                        "killed after step " + steps + ": port " + entry.getKey() + " is '" + now + "' of "
                                + acknowledged + " and " + asked);
            }
            if (all) {
                assertTrue(steps > 100, "it did not take many steps: " + steps);
                return;
            }
        }
        throw new AssertionError("it was never left to the end");
    }

    @Test
    void aRewriteLosesNothingWhereverItIsCutOff() {
        for (int steps = 0; steps < 60; steps++) {
            DurableWorld each = new DurableWorld(steps, 1);
            Node victim = each.n(1);
            Map<Integer, String> all = new TreeMap<>();
            for (int port = 1; port <= 100; port++) {
                victim.put(port, "v" + "y".repeat(8_000));
                all.put(port, "v" + "y".repeat(8_000));
            }
            each.run(Duration.ofSeconds(1));
            victim.kill().start();
            victim.disk.stopAfter(steps);
            List<Optional<Refusal>> put = victim.put(200, "new"); // the first write of a life begins a new file
            each.run(Duration.ofSeconds(1));
            boolean over = victim.disk.contents().size() == 1 && !put.isEmpty();
            victim.kill();
            victim.disk.loseUnforced();
            victim.disk.stopAfter(Integer.MAX_VALUE);
            victim.start();
            Map<Integer, String> is = victim.ports();
            is.remove(200, put.isEmpty() ? "new" : "");
            if (!put.isEmpty()) {
                all.put(200, "new");
            }
            assertEquals(all, is, "cut off after step " + steps);
            if (over) {
                assertTrue(steps > 8, "it did not take many steps: " + steps);
                return;
            }
        }
        throw new AssertionError("it was never left to the end");
    }

    @Test
    void aTornTailLosesNothingBeforeIt() {
        node.put(80, "1");
        settle();
        node.put(81, "1");
        settle();
        String file = onlyFile();
        byte[] whole = node.disk.contents().get(file);
        for (int length = whole.length; length > 0; length--) {
            node.kill();
            node.disk.overwrite(file, Arrays.copyOf(whole, length));
            node.start();
            Map<Integer, String> is = node.ports();
            boolean prefix = is.equals(Map.of(80, "1", 81, "1")) || is.equals(Map.of(80, "1")) || is.isEmpty();
            assertTrue(prefix, "torn at " + length + ": " + is);
            assertEquals(length == whole.length, is.size() == 2, "torn at " + length);
        }
    }

    private String onlyFile() {
        List<String> logs = new ArrayList<>(node.disk.contents().keySet());
        assertEquals(1, logs.size(), logs.toString());
        return logs.get(0);
    }

    @Test
    void damageCostsWhatStoodThereAndIsKeptForPeople() {
        for (int port = 1; port <= 5; port++) {
            node.put(port, "1");
            settle();
        }
        String file = onlyFile();
        byte[] whole = node.disk.contents().get(file);
        int damagedOnce = 0;
        for (int at = 0; at < whole.length; at++) {
            node.kill();
            byte[] damaged = whole.clone();
            damaged[at] ^= 0x40;
            node.disk.delete(file);
            node.disk.contents().keySet().forEach(name -> node.disk.remove(name));
            node.disk.overwrite(file, damaged);
            node.start();
            Map<Integer, String> is = node.ports();
            for (Map.Entry<Integer, String> each : is.entrySet()) {
                assertEquals("1", each.getValue(), "damaged at " + at);
            }
            settle();
            boolean kept = node.disk.contents().containsKey(file + ".damaged");
            damagedOnce += kept ? 1 : 0;
            // A length that became larger than the file looks like a torn end, and nobody can tell what is behind.
            assertTrue(kept || is.size() >= 4 || isLength(whole, at), "damaged at " + at + ": " + is);
            List<Optional<Refusal>> put = node.put(9, "2");
            settle();
            assertTrue(isAccepted(put), "damaged at " + at);
            node.kill().start();
            is.put(9, "2");
            assertEquals(is, node.ports(), "damaged at " + at);
        }
        assertTrue(damagedOnce > whole.length / 2, "seen as damage: " + damagedOnce + " of " + whole.length);
    }

    private static boolean isLength(byte[] file, int at) {
        int block = 8; // behind the magic
        while (block + 8 < file.length) {
            if (at >= block && at < block + 4) {
                return true;
            }
            block += 8 + ByteBuffer.wrap(file).getInt(block);
        }
        return false;
    }

    @Test
    void aFullDiskRefusesAndChangesNothing() {
        node.put(80, "1");
        settle();
        node.disk.capacity(node.disk.used() + 10);
        List<Optional<Refusal>> put = node.put(81, "1");
        settle();
        assertEquals("not_durable", code(put));
        assertEquals(Map.of(80, "1"), node.ports());
        assertTrue(node.durables.status().problem().isPresent());
        assertEquals("not_durable", code(node.remove(80)));
        world.run(Duration.ofSeconds(60));
        assertEquals("not_durable", code(node.put(82, "1")));
        node.disk.capacity(Long.MAX_VALUE);
        world.run(Duration.ofSeconds(11));
        assertEquals(Optional.empty(), node.durables.status().problem());
        List<Optional<Refusal>> again = node.put(83, "1");
        settle();
        assertTrue(isAccepted(again));
        node.kill().start();
        assertEquals(Map.of(80, "1", 83, "1"), node.ports());
        onlyFile();
    }

    @Test
    void aDiskThatHangsRefusesAfterTwoSecondsAndIsForgiven() {
        node.put(80, "1");
        settle();
        node.disk.hang(true);
        List<Optional<Refusal>> put = node.put(81, "late");
        world.run(Duration.ofMillis(1_900));
        assertTrue(put.isEmpty());
        world.run(Duration.ofMillis(200));
        assertEquals("not_durable", code(put));
        world.run(Duration.ofSeconds(60));
        node.disk.hang(false);
        world.run(Duration.ofSeconds(11));
        assertEquals(Map.of(80, "1"), node.ports());
        List<Optional<Refusal>> again = node.put(81, "2");
        settle();
        assertTrue(isAccepted(again));
        assertEquals(1, put.size());
        node.kill().start();
        assertEquals(Map.of(80, "1", 81, "2"), node.ports(), "what was refused is gone from the disk, too");
    }

    @Test
    void theLogIsRewrittenWhenItIsMuchLongerThanWhatItHolds() {
        for (int i = 0; i < 3_000; i++) {
            node.put(80, "v" + i + "z".repeat(1_000));
            world.run(Duration.ofMillis(1));
        }
        settle();
        assertTrue(node.disk.used() < 2 << 20, "bytes on the disk: " + node.disk.used());
        node.kill().start();
        assertTrue(node.ports().get(80).startsWith("v2999"));
    }

    @Test
    void changesOfOneKeyBuildOnOneAnotherThoughTheDiskIsSlow() {
        node.disk.slow(Duration.ofMillis(50));
        List<Optional<Refusal>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String key = "k" + i;
            node.loop.run(() -> node.durables.settings(
                    ORDERS,
                    was -> {
                        Map<String, String> labels = new TreeMap<>(was.metadata());
                        labels.put(key, "");
                        return was.withMetadata(Metadata.of(labels));
                    },
                    Optional::empty,
                    answers::add));
            world.run(Duration.ofMillis(7));
        }
        settle();
        assertEquals(20, answers.size());
        assertEquals(20, node.durables.settings(ORDERS).orElseThrow().metadata().size());
    }

    @Test
    void sayingWhatIsSoWritesNothing() {
        node.put(80, "1");
        settle();
        int appends = node.disk.appends;
        assertTrue(isAccepted(node.put(80, "1")), "answered at once");
        assertTrue(isAccepted(node.remove(81)));
        settle();
        assertEquals(appends, node.disk.appends);
    }

    @Test
    void aNodeThatNeverHeardOfAnEntryWritesNothing() {
        world.run(Duration.ofMinutes(10));
        assertTrue(node.disk.contents().isEmpty());
        assertFalse(node.durables.status().problem().isPresent());
    }

    @Test
    void whatIsTooLargeIsRefused() {
        List<Optional<Refusal>> answers = new ArrayList<>();
        Map<String, String> labels = new TreeMap<>();
        for (int i = 0; i < 2; i++) {
            labels.put("k" + i, "\u20ac".repeat(8_000));
        }
        ServiceSettings.ClusterSettings large = new ServiceSettings.ClusterSettings(
                ServiceSettings.Check.TCP, "", "", 200, 80, true, Metadata.of(labels));
        node.loop.run(() -> node.durables.settings(
                ORDERS, was -> was.withCluster("a", large).withCluster("b", large), Optional::empty, answers::add));
        settle();
        assertEquals("limit", code(answers));
        assertTrue(node.durables.settings(ORDERS).isEmpty());
    }
}
