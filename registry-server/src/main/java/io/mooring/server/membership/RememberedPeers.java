package io.mooring.server.membership;

import io.mooring.model.InvalidValueException;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.NodeId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The peers that were reached, on disk: where they were, and how far their shards had come. So a node finds the others
 * when nobody can tell it their addresses, and knows a peer that has forgotten its own past.
 *
 * <pre>
 * MOORING-PEERS 1
 * name incarnation process address          (process in hexadecimal; one line for each; the last heard of comes last)
 * sum of the lines above (CRC32C, hexadecimal)
 * </pre>
 */
final class RememberedPeers {
    private static final Logger log = LoggerFactory.getLogger(RememberedPeers.class);
    private static final String FILE = "peers.txt";
    private static final String NEXT = "peers.txt.new";
    private static final String HEAD = "MOORING-PEERS 1";
    private static final int MOST = 64;
    private static final int MOST_BYTES = 64 << 10;

    private final Optional<Storage> storage;
    private final LinkedHashMap<NodeId, Peer> peers = new LinkedHashMap<>();
    private boolean failing;

    /** @param process that wrote the incarnation; 0 if unknown */
    record Peer(NodeId name, long incarnation, long process, String address) {}

    RememberedPeers(Optional<Storage> storage) {
        this.storage = storage;
        storage.ifPresent(this::read);
    }

    private void read(Storage disk) {
        try {
            if (!disk.names().contains(FILE)) {
                return;
            }
            String text;
            try (InputStream in = disk.read(FILE)) {
                text = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
            }
            parse(text);
        } catch (IOException | InvalidValueException | NumberFormatException e) {
            peers.clear();
            log.error(
                    "{} in the data directory cannot be used ({}); going by the configured peers alone",
                    FILE,
                    e.getMessage());
        }
    }

    private void parse(String text) throws IOException {
        int end = text.lastIndexOf('\n', text.length() - 2) + 1;
        if (!text.startsWith(HEAD + "\n") || !text.substring(end).equals(sum(text.substring(0, end)) + "\n")) {
            throw new IOException("it is damaged, or of another version");
        }
        String[] lines = text.substring(0, end).split("\n");
        for (int i = 1; i < lines.length; i++) {
            String[] parts = lines[i].split(" ");
            if (parts.length < 4) {
                throw new IOException("line " + (i + 1) + " has " + parts.length + " words (expected: 4)");
            }
            NodeId name = new NodeId(parts[0]);
            peers.put(name, new Peer(name, Long.parseLong(parts[1]), Long.parseUnsignedLong(parts[2], 16), parts[3]));
        }
    }

    Map<NodeId, Peer> all() {
        return peers;
    }

    /** Writes it down, if it says anything new. */
    void remember(Peer peer) {
        Peer before = peers.remove(peer.name());
        peers.put(peer.name(), peer);
        if (peers.size() > MOST) {
            peers.remove(peers.keySet().iterator().next());
        }
        if (!peer.equals(before)) {
            storage.ifPresent(this::write);
        }
    }

    private void write(Storage disk) {
        StringBuilder text = new StringBuilder(HEAD).append('\n');
        for (Peer peer : peers.values()) {
            text.append(peer.name())
                    .append(' ')
                    .append(peer.incarnation())
                    .append(' ')
                    .append(Long.toHexString(peer.process()))
                    .append(' ')
                    .append(peer.address().isEmpty() ? "-" : peer.address())
                    .append('\n');
        }
        text.append(sum(text.toString())).append('\n');
        disk.delete(NEXT);
        disk.append(NEXT, text.toString().getBytes(StandardCharsets.UTF_8), problem -> {
            report(problem);
            if (problem.isEmpty()) {
                disk.rename(NEXT, FILE, this::report);
            }
        });
    }

    private void report(Optional<IOException> problem) {
        if (problem.isPresent() && !failing) {
            log.warn(
                    "the peers' addresses cannot be written to the data directory: {}",
                    problem.get().getMessage());
        }
        failing = problem.isPresent();
    }

    private static String sum(String lines) {
        CRC32C crc = new CRC32C();
        crc.update(lines.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(crc.getValue());
    }
}
