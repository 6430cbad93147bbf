package io.mooring.server.restore;

import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The data directory, as the core needs it. A port.
 *
 * <p>The first group is for the start and may block. The others return at once; they are carried out in the order they
 * were called, and their results come back on the event loop.
 */
public interface Storage {
    /** The files there are, in no particular order. */
    List<String> names() throws IOException;

    /** Reads a file from its beginning. The caller closes it. */
    InputStream read(String name) throws IOException;

    /** Writes a whole file so that a crash leaves the old one or the new one: temporary file, force, rename. */
    void replace(String name, Iterator<byte[]> blocks) throws IOException;

    /** Adds a block to the end of a file, making the file if need be. {@code done} gets what went wrong, if it did. */
    void append(String name, byte[] block, Consumer<Optional<IOException>> done);

    /** Makes sure that what was appended to a file before survives the death of the machine, too, and the file with it. */
    void force(String name, Consumer<Optional<IOException>> done);

    /** Forces a file to the disk and gives it a new name, replacing what has that name. */
    void rename(String from, String to, Consumer<Optional<IOException>> done);

    /** Deletes a file; a missing one is fine. */
    void delete(String name);
}
