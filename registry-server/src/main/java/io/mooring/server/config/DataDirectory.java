package io.mooring.server.config;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The node's directory: there, writable and its own for as long as the node runs. The operating system gives the lock
 * back when the process ends, however it ends.
 */
public final class DataDirectory implements AutoCloseable {
    private final Path path;
    private final FileChannel lock;

    private DataDirectory(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /** @throws StartRefusedException when it cannot be made or written, or another registry uses it */
    public static DataDirectory open(Path path) {
        FileChannel channel;
        try {
            Files.createDirectories(path);
            channel = FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StartRefusedException.unwritable(path, e);
        }
        try {
            FileLock held = channel.tryLock();
            if (held == null) {
                channel.close();
                throw StartRefusedException.dataInUse(path);
            }
        } catch (OverlappingFileLockException e) {
            throw StartRefusedException.dataInUse(path);
        } catch (IOException e) {
            throw StartRefusedException.unwritable(path, e);
        }
        return new DataDirectory(path, channel);
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
