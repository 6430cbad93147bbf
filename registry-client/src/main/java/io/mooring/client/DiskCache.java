package io.mooring.client;

import io.mooring.client.MooringPorts.CacheStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps contents in files: two generations each, {@code .now} and {@code .old}. A new content is written whole to a file
 * of its own, forced to the medium, and renamed; the last good {@code .now} becomes {@code .old}. So whatever moment the
 * power goes, at least one whole generation is there; and what is not whole fails its checksum and is passed over.
 *
 * <p>Several processes may share the directory: no name is written in place, and temporary names are unique. For one
 * reader and one writer thread; holds no state but where it found a usable directory.
 */
final class DiskCache implements CacheStore {
    private static final Logger log = LoggerFactory.getLogger(DiskCache.class);

    static final int MOST_BYTES = 32 << 20;
    static final int HEADER = 16; // magic, format, length, checksum: 4 bytes each
    private static final int MAGIC = 0x4d4f4f52; // MOOR
    private static final int FORMAT = 1;
    private static final int MOST_FILES = 30_000;
    private static final String NOW = ".now";
    private static final String OLD = ".old";
    private static final String TEMPORARY = ".tmp";

    private final List<Path> bases;
    private final String namespaceDirectory;
    private final Disk disk;
    private boolean tidied; // the writer's own

    /**
     * @param bases directories to try, the best first; what is above them may be links, what is in them may not. From the
     *     second on they are in a public place, and used only when they are this user's own
     * @param namespace whose lists
     */
    DiskCache(List<Path> bases, String namespace, Disk disk) {
        this.bases = List.copyOf(bases);
        this.namespaceDirectory = CacheNames.directory(namespace);
        this.disk = disk;
    }

    @Override
    public List<byte[]> read(String name) throws IOException {
        List<byte[]> found = new ArrayList<>(2);
        Optional<IOException> failure = Optional.empty();
        for (Path base : bases) {
            Path directory = base.resolve(namespaceDirectory);
            for (String generation : List.of(NOW, OLD)) {
                try {
                    check(base);
                    disk.makeDirectory(directory); // fails on a link: then there is nothing of ours behind it
                    disk.read(directory.resolve(name + generation), HEADER + MOST_BYTES)
                            .flatMap(DiskCache::unwrapped)
                            .ifPresent(found::add);
                } catch (IOException e) {
                    failure = Optional.of(e);
                }
            }
        }
        if (found.isEmpty() && failure.isPresent() && !absent(failure.get())) {
            throw failure.get();
        }
        return found;
    }

    private static boolean absent(IOException e) {
        return e instanceof NoSuchFileException;
    }

    @Override
    public void write(String name, byte[] content) throws IOException {
        if (content.length > MOST_BYTES) {
            throw new IOException("content: " + content.length + " bytes (expected: at most " + MOST_BYTES + ")");
        }
        IOException failure = new IOException("no cache directory is configured");
        for (Path base : bases) {
            try {
                check(base);
                makeDirectories(base);
                Path directory = base.resolve(namespaceDirectory);
                disk.makeDirectory(directory);
                tidy(directory);
                write(directory, name, wrapped(content));
                return;
            } catch (IOException e) {
                failure = e;
            }
        }
        throw failure;
    }

    private void check(Path base) throws IOException {
        if (!base.equals(bases.get(0)) && !disk.ours(base)) {
            throw new IOException(base + " belongs to somebody else (expected: this user, or nobody yet)");
        }
    }

    /** The way to the base, which is the user's own choice, links and all. */
    private void makeDirectories(Path base) throws IOException {
        if (!Files.isDirectory(base)) {
            Path parent = base.toAbsolutePath().getParent();
            if (parent != null) {
                makeDirectories(parent);
            }
            disk.makeDirectory(base);
        }
    }

    private void write(Path directory, String name, byte[] file) throws IOException {
        Path temporary = directory.resolve(name + "." + UUID.randomUUID() + TEMPORARY);
        try {
            try (Disk.Sink sink = disk.create(temporary)) {
                ByteBuffer bytes = ByteBuffer.wrap(file);
                while (bytes.hasRemaining()) { // a nearly full disk takes a part, without an exception
                    if (sink.write(bytes) <= 0) {
                        throw new IOException("the disk takes no more: " + bytes.remaining() + " of " + file.length
                                + " bytes are left");
                    }
                }
                sink.force();
            }
            Path now = directory.resolve(name + NOW);
            if (disk.read(now, HEADER + MOST_BYTES)
                    .flatMap(DiskCache::unwrapped)
                    .isPresent()) {
                rotate(now, directory.resolve(name + OLD)); // a rotten one must not push the good old one out
            }
            disk.replace(temporary, now);
        } catch (IOException | RuntimeException e) {
            try {
                disk.delete(temporary);
            } catch (IOException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        disk.forceDirectory(directory);
    }

    private void rotate(Path now, Path old) throws IOException {
        try {
            disk.replace(now, old);
        } catch (NoSuchFileException e) {
            log.trace("Another process was faster with {}", now, e);
        }
    }

    /** Once: what crashed writers left, and the longest unchanged when there are too many. */
    private void tidy(Path directory) {
        if (tidied) {
            return;
        }
        tidied = true;
        try {
            List<Path> files = disk.oldestFirst(directory);
            int tooMany = files.size() - MOST_FILES;
            int position = 0;
            for (Path file : files) {
                boolean leftover = file.getFileName().toString().endsWith(TEMPORARY) && position < files.size() - 100;
                if (position++ < tooMany || leftover) {
                    disk.delete(file);
                }
            }
        } catch (IOException e) {
            log.debug("Could not tidy {}", directory, e);
        }
    }

    static byte[] wrapped(byte[] content) {
        ByteBuffer file = ByteBuffer.allocate(HEADER + content.length);
        file.putInt(MAGIC).putInt(FORMAT).putInt(content.length).putInt(checksum(content));
        return file.put(content).array();
    }

    /** Empty unless it is whole. */
    static Optional<byte[]> unwrapped(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file);
        if (file.length < HEADER
                || bytes.getInt() != MAGIC
                || bytes.getInt() != FORMAT
                || bytes.getInt() != file.length - HEADER) {
            return Optional.empty();
        }
        int expected = bytes.getInt();
        byte[] content = new byte[file.length - HEADER];
        bytes.get(content);
        return checksum(content) == expected ? Optional.of(content) : Optional.empty();
    }

    private static int checksum(byte[] content) {
        CRC32C crc = new CRC32C();
        crc.update(content);
        return (int) crc.getValue();
    }
}
