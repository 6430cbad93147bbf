package io.mooring.server.edge.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileStorageTest {
    private final BlockingQueue<Runnable> loop = new LinkedBlockingQueue<>();

    private Optional<IOException> result(Consumer<Consumer<Optional<IOException>>> request) throws Exception {
        List<Optional<IOException>> results = new ArrayList<>();
        request.accept(results::add);
        while (results.isEmpty()) {
            Runnable task = loop.poll(20, TimeUnit.SECONDS);
            assertTrue(task != null, "no answer");
            task.run();
        }
        return results.get(0);
    }

    @Test
    void whatWasAppendedIsForcedInOrder(@TempDir Path directory) throws Exception {
        try (FileStorage storage = new FileStorage(directory, loop::add)) {
            byte[] block = {1, 2, 3};
            for (int i = 0; i < 20; i++) {
                storage.append("a", block, ignored -> {});
                assertEquals(Optional.empty(), result(done -> storage.force("a", done)));
                assertEquals((i + 1) * 3L, Files.size(directory.resolve("a")), "written before it was forced");
            }
            assertEquals(Optional.empty(), result(done -> storage.rename("a", "b", done)));
            storage.append("b", block, ignored -> {});
            assertEquals(Optional.empty(), result(done -> storage.force("b", done)));
            assertArrayEquals(block, storage.read("b").readNBytes(3));
        }
    }

    @Test
    void whatIsNotThereCannotBeForced(@TempDir Path directory) throws Exception {
        try (FileStorage storage = new FileStorage(directory, loop::add)) {
            assertTrue(result(done -> storage.force("a", done)).isPresent());
            storage.append("a", new byte[1], ignored -> {});
            storage.delete("a");
            assertTrue(result(done -> storage.force("a", done)).isPresent());
        }
    }

    /** A volume belongs to whoever made it, and may be open to a group. */
    @Test
    void filesAreTheOwnersAloneWhateverTheDirectorySays(@TempDir Path directory) throws Exception {
        assumeTrue(Files.getFileStore(directory).supportsFileAttributeView("posix"));
        try (FileStorage storage = new FileStorage(directory, loop::add)) {
            storage.append("a", new byte[1], ignored -> {});
            assertEquals(Optional.empty(), result(done -> storage.force("a", done)));
            storage.replace("b", List.of(new byte[1]).iterator());
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    assertEquals(
                            "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), "" + file);
                }
            }
        }
    }
}
