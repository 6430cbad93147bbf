package io.mooring.client;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The few things the disk cache does to a file system, so that tests can make each of them fail. */
interface Disk {
    /** Makes the directory, for its owner only, unless it is there. Fails when something else, a link too, is there. */
    void makeDirectory(Path directory) throws IOException;

    /** The file's content; empty when there is no such regular file, or it is longer than {@code most}. Follows no link. */
    Optional<byte[]> read(Path file, int most) throws IOException;

    /** Whether it belongs to who runs this process, or is not there: in a public place it may be somebody else's bait. */
    boolean ours(Path directory) throws IOException;

    /** A new file, for its owner only. Fails when anything of that name is there. */
    Sink create(Path file) throws IOException;

    /** Renames in one step, over what was there. */
    void replace(Path from, Path to) throws IOException;

    void delete(Path file) throws IOException;

    /** Makes renames last; where the system cannot do that, does nothing. */
    void forceDirectory(Path directory);

    /** The files in it, the longest unchanged first. */
    List<Path> oldestFirst(Path directory) throws IOException;

    /** A file being written. */
    interface Sink extends Closeable {
        /** Writes some of it, perhaps not all, and says how much. */
        int write(ByteBuffer bytes) throws IOException;

        /** Returns when it is on the medium. */
        void force() throws IOException;
    }
}
