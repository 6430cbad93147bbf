package io.mooring.server.edge.disk;

import io.mooring.server.restore.Storage;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Storage} in a directory that belongs to one process, which a lock file makes sure of. Appends are written by
 * one thread and forced to the disk once a second: they survive the death of the process at once, that of the machine
 * after a second.
 */
public final class FileStorage implements Storage, Closeable {
    private static final Logger log = LoggerFactory.getLogger(FileStorage.class);
    private static final String LOCK_FILE = "in-use.lock";
    private static final int READ_BUFFER = 1 << 16;
    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    private static final FileAttribute<?>[] OWNER_ONLY = POSIX
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];

    private final Path directory;
    private final Executor loop;
    private final FileChannel lockChannel;
    private final ScheduledExecutorService disk = thread("mooring-disk");

    /** Forcing takes as long as the disk likes; appends, which only reach the page cache, do not wait for it. */
    private final ScheduledExecutorService forcing = thread("mooring-disk-force");

    private final Map<String, FileChannel> open = new HashMap<>(); // the disk thread's own
    private boolean unforced; // the disk thread's own
    private boolean directoryUnforced; // the disk thread's own
    private final AtomicBoolean forcingNow = new AtomicBoolean();

    /**
     * Makes the directory if need be and locks it.
     *
     * @param loop where results come back
     * @throws DataDirectoryException when it cannot be used, with what to do about it
     */
    public FileStorage(Path directory, Executor loop) throws DataDirectoryException {
        this.directory = directory;
        this.loop = loop;
        try {
            Files.createDirectories(directory);
            shut(directory);
            lockChannel = open(directory.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = lockChannel.tryLock();
            if (lock == null) {
                throw new DataDirectoryException(directory, "is in use by another node", null);
            }
        } catch (OverlappingFileLockException e) {
            throw new DataDirectoryException(directory, "is in use by another node of this process", e);
        } catch (IOException e) {
            throw new DataDirectoryException(directory, "cannot be written: " + e, e);
        }
        disk.scheduleWithFixedDelay(this::forceAll, 1, 1, TimeUnit.SECONDS);
    }

    /**
     * Registrations name sessions, which are secrets: nobody else needs to read them. A directory that was given to this
     * process, as volumes are, is its owner's to close; the files in it are always this process's own.
     */
    private static void shut(Path directory) {
        if (POSIX) {
            try {
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            } catch (IOException e) {
                log.info("The data directory {} keeps its permissions: it belongs to somebody else", directory);
            }
        }
    }

    private static FileChannel open(Path file, OpenOption... options) throws IOException {
        return FileChannel.open(file, Set.of(options), OWNER_ONLY);
    }

    @Override
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<String> names = new ArrayList<>();
            files.filter(Files::isRegularFile).forEach(file -> names.add(String.valueOf(file.getFileName())));
            return names;
        }
    }

    @Override
    public InputStream read(String name) throws IOException {
        return new BufferedInputStream(Files.newInputStream(directory.resolve(name)), READ_BUFFER);
    }

    @Override
    public void replace(String name, Iterator<byte[]> blocks) throws IOException {
        Path temporary = directory.resolve(name + ".new");
        try (FileChannel channel = open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            while (blocks.hasNext()) {
                writeFully(channel, blocks.next());
            }
            channel.force(true);
        } catch (IOException e) {
            Files.deleteIfExists(temporary);
            throw e;
        }
        Files.move(temporary, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
        forceDirectory();
    }

    @Override
    public void append(String name, byte[] block, Consumer<Optional<IOException>> done) {
        inOrder(
                () -> {
                    FileChannel channel = open.get(name);
                    if (channel == null) {
                        channel = open(directory.resolve(name), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                        open.put(name, channel);
                        directoryUnforced = true;
                    }
                    writeFully(channel, block);
                    unforced = true;
                },
                done);
    }

    /** On the other thread, so that appends to other files do not wait for it. */
    @Override
    public void force(String name, Consumer<Optional<IOException>> done) {
        disk.execute(() -> {
            FileChannel channel = open.get(name);
            boolean andDirectory = directoryUnforced;
            directoryUnforced = false;
            forcing.execute(() -> {
                Optional<IOException> failure = Optional.empty();
                try {
                    if (channel == null) {
                        throw new IOException("no such file is open: " + name);
                    }
                    channel.force(false);
                    if (andDirectory) {
                        forceDirectory();
                    }
                } catch (IOException e) {
                    failure = Optional.of(e);
                }
                Optional<IOException> result = failure;
                loop.execute(() -> done.accept(result));
            });
        });
    }

    @Override
    public void rename(String from, String to, Consumer<Optional<IOException>> done) {
        inOrder(
                () -> {
                    FileChannel channel = open.remove(from);
                    if (channel != null) {
                        channel.force(true);
                    }
                    Files.move(directory.resolve(from), directory.resolve(to), StandardCopyOption.ATOMIC_MOVE);
                    if (channel != null) {
                        open.put(to, channel);
                    }
                    forceDirectory();
                },
                done);
    }

    @Override
    public void delete(String name) {
        inOrder(
                () -> {
                    FileChannel channel = open.remove(name);
                    if (channel != null) {
                        channel.close();
                    }
                    Files.deleteIfExists(directory.resolve(name));
                },
                failure -> failure.ifPresent(e -> log.warn("{} could not be deleted: {}", name, e.toString())));
    }

    private interface DiskTask {
        void run() throws IOException;
    }

    private void inOrder(DiskTask task, Consumer<Optional<IOException>> done) {
        disk.execute(() -> {
            Optional<IOException> failure = Optional.empty();
            try {
                task.run();
            } catch (IOException e) {
                failure = Optional.of(e);
            } catch (RuntimeException e) {
                failure = Optional.of(new IOException("unexpected: " + e, e));
            }
            Optional<IOException> result = failure;
            loop.execute(() -> done.accept(result));
        });
    }

    /** A short write is no exception in Java: whoever does not look believes all was written. */
    private static void writeFully(FileChannel channel, byte[] block) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(block);
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                throw new IOException("nothing was written; is the disk full?");
            }
        }
    }

    private void forceAll() {
        if (!unforced || !forcingNow.compareAndSet(false, true)) {
            return;
        }
        unforced = false;
        Map<String, FileChannel> channels = Map.copyOf(open);
        forcing.execute(() -> {
            channels.forEach(FileStorage::force);
            forcingNow.set(false);
        });
    }

    private static void force(String name, FileChannel channel) {
        try {
            channel.force(false);
        } catch (ClosedChannelException e) {
            log.debug("{} was closed before it was forced to the disk", name);
        } catch (IOException e) {
            log.warn("{} could not be forced to the disk: {}", name, e.toString());
        }
    }

    private static ScheduledExecutorService thread(String name) {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    private void forceDirectory() {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            log.debug("The directory itself cannot be forced to the disk here: {}", e.toString());
        }
    }

    /** Writes what was handed in, then lets go of the directory. */
    @Override
    public void close() {
        disk.execute(() -> {
            open.forEach(FileStorage::force);
            open.values().forEach(FileStorage::closeQuietly);
            closeQuietly(lockChannel);
        });
        disk.shutdown();
        try {
            if (!disk.awaitTermination(5, TimeUnit.SECONDS)) {
                log.warn("The disk did not take what was left within 5 s.");
            }
            forcing.shutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            log.debug("Closing failed: {}", e.toString());
        }
    }
}
