package io.mooring.client;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machine's file system. */
final class FileDisk implements Disk {
    private static final Logger log = LoggerFactory.getLogger(FileDisk.class);
    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

    private static FileAttribute<?>[] ownerOnly(String permissions) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    @Override
    public void makeDirectory(Path directory) throws IOException {
        if (Files.isDirectory(directory, NOFOLLOW_LINKS)) {
            return;
        }
        try {
            Files.createDirectory(directory, ownerOnly("rwx------"));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, NOFOLLOW_LINKS)) {
                NotDirectoryException wrong = new NotDirectoryException(directory.toString());
                wrong.initCause(e);
                throw wrong;
            }
        }
    }

    /** An interrupt of the calling thread, which is the application's, must not cost it the list: it is kept for later. */
    @Override
    public Optional<byte[]> read(Path file, int most) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return readOnce(file, most);
                } catch (ClosedByInterruptException e) {
                    interrupted = true;
                    Thread.interrupted(); // clears it, so that the next try gets through
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Optional<byte[]> readOnce(Path file, int most) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class, NOFOLLOW_LINKS);
            if (!attributes.isRegularFile() || attributes.size() > most) {
                return Optional.empty();
            }
            try (FileChannel channel = FileChannel.open(file, Set.of(StandardOpenOption.READ, NOFOLLOW_LINKS))) {
                ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(channel.size(), most));
                while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                    // until it is full or the file ends; a shorter file fails its checksum
                }
                byte[] content = new byte[bytes.position()];
                bytes.flip().get(content);
                return Optional.of(content);
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public boolean ours(Path directory) throws IOException {
        if (!POSIX || !Files.exists(directory, NOFOLLOW_LINKS)) {
            return true;
        }
        Path mine = Files.createTempFile("mooring", ".owner");
        try {
            return Files.getOwner(directory, NOFOLLOW_LINKS).equals(Files.getOwner(mine, NOFOLLOW_LINKS));
        } finally {
            Files.delete(mine);
        }
    }

    @Override
    public Sink create(Path file) throws IOException {
        FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, NOFOLLOW_LINKS),
                ownerOnly("rw-------"));
        return new Sink() {
            @Override
            public int write(ByteBuffer bytes) throws IOException {
                return channel.write(bytes);
            }

            @Override
            public void force() throws IOException {
                channel.force(true);
            }

            @Override
            public void close() throws IOException {
                channel.close();
            }
        };
    }

    @Override
    public void replace(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    @Override
    public void forceDirectory(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            log.trace("This system cannot sync a directory", e); // Windows: the rename is journalled there
        }
    }

    @Override
    public List<Path> oldestFirst(Path directory) throws IOException {
        Map<Long, List<Path>> byTime = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                try {
                    long time = Files.getLastModifiedTime(file, NOFOLLOW_LINKS).toMillis();
                    byTime.computeIfAbsent(time, t -> new ArrayList<>()).add(file);
                } catch (NoSuchFileException e) {
                    log.trace("{} went away meanwhile", file, e);
                }
            }
        }
        List<Path> ordered = new ArrayList<>();
        byTime.values().forEach(ordered::addAll);
        return ordered;
    }
}
