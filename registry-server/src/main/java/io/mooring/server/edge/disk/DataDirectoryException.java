package io.mooring.server.edge.disk;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The data directory cannot be used; the node does not start. */
public final class DataDirectoryException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Path directory;

    DataDirectoryException(Path directory, String why, @Nullable Throwable cause) {
        super("data directory " + directory.toAbsolutePath() + " " + why, cause);
        this.directory = directory;
    }

    public Path directory() {
        return directory;
    }
}
