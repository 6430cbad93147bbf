package io.mooring.server.config;

import io.mooring.server.restore.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * What a node is called: once and for all, whatever its host is called or addressed later. The data directory remembers
 * it, because its shards bear that name on every peer.
 */
final class NodeName {
    private static final String FILE = "node-name";
    private static final int LONGEST_FILE = 1_024;

    private NodeName() {}

    /**
     * @param given by the operator; empty if not
     * @param otherwise for a node without a past
     * @throws StartRefusedException when the directory belongs to a node of another name
     * @throws IOException when the directory cannot be read or written
     */
    static String settle(Storage storage, Path directory, String given, String otherwise) throws IOException {
        if (!storage.names().contains(FILE)) {
            String name = given.isEmpty() ? otherwise : given;
            byte[] line = (name + "\n").getBytes(StandardCharsets.UTF_8);
            storage.replace(FILE, List.of(line).iterator());
            return name;
        }
        String stored;
        try (InputStream in = storage.read(FILE)) {
            stored = new String(in.readNBytes(LONGEST_FILE), StandardCharsets.UTF_8).strip();
        }
        if (!MooringProperties.Node.fits(stored)) {
            throw StartRefusedException.badName(stored, directory);
        }
        if (!given.isEmpty() && !given.equals(stored)) {
            throw StartRefusedException.renamed(given, stored, directory);
        }
        return stored;
    }
}
