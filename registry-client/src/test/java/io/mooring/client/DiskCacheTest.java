package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** C3, C4, C5. */
class DiskCacheTest {
    private static final ServiceKey ORDERS = Stage.ORDERS;
    private static final String NAME = CacheNames.list(ORDERS);

    @TempDir
    private Path base;

    private DiskCache cache() {
        return new DiskCache(List.of(base), "public", new FileDisk());
    }

    private Path file(String generation) {
        return base.resolve(CacheNames.directory("public")).resolve(NAME + generation);
    }

    private static CachedList list(int size) {
        List<ListedInstance> instances = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            instances.add(new ListedInstance(
                    Stage.instance(i).withWeight(i + 0.5).withMetadata(Map.of("zone", "é" + i)),
                    i == 1 ? Standing.SUSPECT : Standing.LIVE));
        }
        return new CachedList(ORDERS, Instant.ofEpochMilli(1_700_000_000_123L), instances);
    }

    private Optional<CachedList> load() {
        try {
            for (byte[] content : cache().read(NAME)) {
                Optional<CachedList> list = CachedList.decode(ORDERS, content);
                if (list.isPresent()) {
                    return list;
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void keepsTheLatestAndTheOneBefore() throws IOException {
        assertTrue(load().isEmpty());
        cache().write(NAME, list(2).encode());
        assertEquals(Optional.of(list(2)), load());
        cache().write(NAME, list(3).encode());
        assertEquals(Optional.of(list(3)), load());
        assertEquals(2, cache().read(NAME).size());
        Files.delete(file(".now"));
        assertEquals(Optional.of(list(2)), load());
    }

    @Test
    void truncatedAtEveryOffsetItIsTheOneBefore() throws IOException {
        cache().write(NAME, list(2).encode());
        cache().write(NAME, list(3).encode());
        byte[] whole = Files.readAllBytes(file(".now"));
        for (int length = 0; length < whole.length; length++) {
            Files.write(file(".now"), Arrays.copyOf(whole, length));
            assertEquals(Optional.of(list(2)), load(), "truncated to " + length);
        }
        Files.write(file(".now"), Arrays.copyOf(whole, whole.length + 1));
        assertEquals(Optional.of(list(2)), load(), "a byte too long");
    }

    @Test
    void flippedAtEveryBitItIsTheOneBefore() throws IOException {
        cache().write(NAME, list(2).encode());
        cache().write(NAME, list(3).encode());
        byte[] whole = Files.readAllBytes(file(".now"));
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file(".now"), flipped);
            assertEquals(Optional.of(list(2)), load(), "bit " + bit);
        }
    }

    @Test
    void bothGenerationsGoneIsNothingAndNoException() throws IOException {
        cache().write(NAME, list(2).encode());
        cache().write(NAME, list(3).encode());
        byte[] whole = Files.readAllBytes(file(".now"));
        for (int bit = 0; bit < whole.length * 8; bit += 7) {
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file(".now"), flipped);
            Files.write(file(".old"), flipped);
            assertTrue(load().isEmpty(), "bit " + bit);
        }
    }

    @Test
    void damageThatPassesTheChecksumIsStillNoList() {
        byte[] content = list(3).encode();
        for (int at = 0; at < content.length; at++) {
            byte[] damaged = content.clone();
            damaged[at] ^= 1;
            Optional<CachedList> decoded = CachedList.decode(ORDERS, damaged);
            int time = at;
            decoded.ifPresent(list -> assertEquals(list(3).instances(), list.instances(), "byte " + time));
            CachedList.decode(ORDERS, Arrays.copyOf(content, at)).ifPresent(list -> {
                throw new AssertionError("a part of " + time + " bytes was taken for a list");
            });
        }
    }

    @Test
    void aRottenGenerationDoesNotPushTheGoodOneOut() throws IOException {
        cache().write(NAME, list(2).encode());
        cache().write(NAME, list(3).encode());
        Files.write(file(".now"), new byte[] {1, 2, 3});
        cache().write(NAME, list(4).encode());
        Files.delete(file(".now"));
        assertEquals(Optional.of(list(2)), load());
    }

    /** Fails at the n-th use of the disk, or takes only a part of each write. */
    private static class FaultyDisk implements Disk {
        private final FileDisk disk = new FileDisk();
        private final int failAt;
        private final int writeAtMost;
        private final boolean crash;
        private int uses;

        FaultyDisk(int failAt, int writeAtMost, boolean crash) {
            this.failAt = failAt;
            this.writeAtMost = writeAtMost;
            this.crash = crash;
        }

        private boolean use() throws IOException {
            uses++;
            if (uses == failAt || crash && failAt > 0 && uses > failAt) {
                throw new IOException("No space left on device");
            }
            return true;
        }

        @Override
        public void makeDirectory(Path directory) throws IOException {
            use();
            disk.makeDirectory(directory);
        }

        @Override
        public Optional<byte[]> read(Path file, int most) throws IOException {
            use();
            return disk.read(file, most);
        }

        @Override
        public boolean ours(Path directory) throws IOException {
            return disk.ours(directory);
        }

        @Override
        public Sink create(Path file) throws IOException {
            use();
            Sink sink = disk.create(file);
            return new Sink() {
                @Override
                public int write(ByteBuffer bytes) throws IOException {
                    use();
                    ByteBuffer part = bytes.duplicate();
                    part.limit(Math.min(part.limit(), part.position() + writeAtMost));
                    int written = sink.write(part);
                    bytes.position(bytes.position() + written);
                    return written;
                }

                @Override
                public void force() throws IOException {
                    use();
                    sink.force();
                }

                @Override
                public void close() throws IOException {
                    sink.close();
                }
            };
        }

        @Override
        public void replace(Path from, Path to) throws IOException {
            use();
            disk.replace(from, to);
        }

        @Override
        public void delete(Path file) throws IOException {
            use();
            disk.delete(file);
        }

        @Override
        public void forceDirectory(Path directory) {
            disk.forceDirectory(directory);
        }

        @Override
        public List<Path> oldestFirst(Path directory) throws IOException {
            use();
            return disk.oldestFirst(directory);
        }
    }

    @Test
    void everyFaultAtEveryStepLeavesTheOldOrTheNewList() throws IOException {
        for (boolean crash : new boolean[] {false, true}) {
            for (int step = 1; step < 60; step++) {
                cache().write(NAME, list(2).encode());
                DiskCache faulty = new DiskCache(List.of(base), "public", new FaultyDisk(step, 100, crash));
                boolean kept;
                try {
                    faulty.write(NAME, list(3).encode());
                    kept = true;
                } catch (IOException e) {
                    kept = false;
                }
                Optional<CachedList> found = load();
                assertTrue(found.isPresent(), "step " + step + ", crash " + crash);
                int size = found.get().instances().size();
                assertTrue(kept ? size == 3 : size == 2 || size == 3, "step " + step + ": " + size);
            }
        }
    }

    @Test
    void shortWritesAreContinued() throws IOException {
        new DiskCache(List.of(base), "public", new FaultyDisk(-1, 1, false)).write(NAME, list(3).encode());
        assertEquals(Optional.of(list(3)), load());
    }

    @Test
    void aDiskThatTakesNothingIsAFailureNotAHang() {
        DiskCache full = new DiskCache(List.of(base), "public", new FaultyDisk(-1, 0, false));
        assertThrows(IOException.class, () -> full.write(NAME, list(3).encode()));
        assertTrue(load().isEmpty());
    }

    @Test
    void followsNoLink() throws IOException {
        Path elsewhere = Files.createDirectory(base.resolve("elsewhere"));
        Path secret = Files.write(elsewhere.resolve("secret"), DiskCache.wrapped(list(1).encode()));
        cache().write(NAME, list(2).encode());
        Files.delete(file(".now"));
        Files.createSymbolicLink(file(".now"), secret);
        assertTrue(load().isEmpty());
        byte[] before = Files.readAllBytes(secret);
        cache().write(NAME, list(3).encode());
        assertArrayEquals(before, Files.readAllBytes(secret));
        assertEquals(Optional.of(list(3)), load());

        Path directory = base.resolve(CacheNames.directory("linked"));
        Files.createSymbolicLink(directory, elsewhere);
        DiskCache linked = new DiskCache(List.of(base), "linked", new FileDisk());
        assertThrows(IOException.class, () -> linked.write(NAME, list(3).encode()));
        try (Stream<Path> files = Files.list(elsewhere)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void anUnusableDirectoryIsAFailureAndTheNextIsTried() throws IOException {
        Path inTheWay = Files.write(base.resolve("file"), new byte[1]);
        DiskCache nowhere = new DiskCache(List.of(inTheWay.resolve("below")), "public", new FileDisk());
        assertThrows(IOException.class, () -> nowhere.write(NAME, new byte[1]));
        DiskCache second =
                new DiskCache(List.of(inTheWay.resolve("below"), base.resolve("good")), "public", new FileDisk());
        second.write(NAME, list(2).encode());
        assertEquals(1, second.read(NAME).size());
    }

    @Test
    void anInterruptedThreadStillGetsItsList() throws IOException {
        cache().write(NAME, list(2).encode());
        Thread.currentThread().interrupt();
        assertEquals(Optional.of(list(2)), load());
        assertTrue(Thread.interrupted(), "the interrupt was swallowed");
    }

    @Test
    void aPublicDirectoryOfSomebodyElseIsNotUsed() throws IOException {
        Path mine = base.resolve("mine");
        FileDisk stranger = new FileDisk();
        new DiskCache(List.of(mine), "public", stranger).write(NAME, list(2).encode());
        Path inTheWay = Files.write(base.resolve("file"), new byte[1]);
        Disk foreign = new FaultyDisk(-1, 1 << 20, false) {
            @Override
            public boolean ours(Path directory) {
                return false;
            }
        };
        DiskCache fallback = new DiskCache(List.of(inTheWay.resolve("x"), mine), "public", foreign);
        assertThrows(IOException.class, () -> fallback.read(NAME));
        assertThrows(IOException.class, () -> fallback.write(NAME, list(3).encode()));
        assertEquals(
                Optional.of(list(2)),
                CachedList.decode(
                        ORDERS,
                        new DiskCache(List.of(mine), "public", stranger)
                                .read(NAME)
                                .get(0)));
    }

    @Test
    void tooMuchIsRefused() {
        assertThrows(IOException.class, () -> cache().write(NAME, new byte[DiskCache.MOST_BYTES + 1]));
        assertTrue(load().isEmpty());
    }

    @Test
    void namesAreOneToOneAndHarmless() {
        List<String> parts = List.of(
                "a",
                "A",
                "..",
                ".",
                "con",
                "NUL",
                "a.b",
                "a:b",
                "a$b",
                "a+b",
                "a~b",
                "-",
                "x".repeat(250),
                "x".repeat(251));
        Set<String> names = new HashSet<>();
        int keys = 0;
        for (String group : List.of("g", "G", "g.h", "a:b")) {
            for (String service : parts) {
                for (String namespace : List.of("n", "N", "..", "n.n")) {
                    String name = CacheNames.list(new ServiceKey(namespace, group, service));
                    keys++;
                    assertTrue(names.add(name.toLowerCase(Locale.ROOT)), "twice: " + name);
                    assertTrue(name.matches("list-[a-z0-9-]{0,40}-[0-9a-f]{64}"), name);
                }
            }
        }
        assertEquals(keys, names.size());
        // Put together without their lengths these two would be one.
        assertFalse(CacheNames.list(new ServiceKey("n1", "g", "ABCDEFGHIJx"))
                .endsWith(
                        CacheNames.list(new ServiceKey("n", "gABCDEFGHIJ", "x")).substring(7)));
        assertFalse(CacheNames.directory("A").equalsIgnoreCase(CacheNames.directory("a")));
        assertTrue(CacheNames.directory("..").matches("ns-[a-z0-9-]+"));
    }

    @Test
    void anotherServicesFileIsNotTaken() throws IOException {
        cache().write(NAME, list(2).encode());
        ServiceKey other = ServiceKey.of("payments");
        assertTrue(CachedList.decode(other, cache().read(NAME).get(0)).isEmpty());
    }

    @Test
    void processesShareADirectory() throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> writers = new ArrayList<>();
        for (int writer = 0; writer < 4; writer++) {
            int number = writer;
            Thread thread = new Thread(() -> {
                DiskCache mine = cache();
                Random random = new Random(number);
                try {
                    for (int round = 0; round < 60; round++) {
                        mine.write(NAME, list(1 + random.nextInt(9)).encode());
                        assertTrue(load().isPresent(), "a reader found nothing whole");
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            writers.add(thread);
            thread.start();
        }
        for (Thread thread : writers) {
            thread.join();
        }
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
        try (Stream<Path> files = Files.list(base.resolve(CacheNames.directory("public")))) {
            assertEquals(2, files.count(), "temporary files are left");
        }
    }
}
