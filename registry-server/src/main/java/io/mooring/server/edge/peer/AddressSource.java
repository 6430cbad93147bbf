package io.mooring.server.edge.peer;

import io.mooring.model.InvalidValueException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Where the addresses of peers are written down. May block. */
public interface AddressSource {
    /** Nobody has a cluster of so many nodes. */
    int MOST = 64;

    /**
     * What is written there now.
     *
     * @return {@code host:port}, each once, at least one
     * @throws IOException when nothing that can be used is there; the message says why
     */
    List<String> read() throws IOException;

    /** A file with an address per line; what follows a {@code #} is for people. */
    static AddressSource file(Path file) {
        return new AddressSource() {
            private static final int LARGEST = 64 << 10;

            @Override
            public List<String> read() throws IOException {
                byte[] content;
                try (InputStream in = Files.newInputStream(file)) {
                    content = in.readNBytes(LARGEST + 1);
                } catch (IOException e) {
                    throw new IOException("it cannot be read: " + e, e);
                }
                if (content.length > LARGEST) {
                    throw new IOException("it has more than " + LARGEST + " bytes");
                }
                return addresses(new String(content, StandardCharsets.UTF_8));
            }

            @Override
            public String toString() {
                return "the file " + file;
            }
        };
    }

    private static List<String> addresses(String text) throws IOException {
        List<String> found = new ArrayList<>();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].replaceFirst("#.*", "").strip();
            if (!line.isEmpty()) {
                try {
                    found.add(PeerAddress.parse(line).toString());
                } catch (InvalidValueException e) {
                    throw new IOException("line " + (i + 1) + ": " + e.getMessage(), e);
                }
            }
        }
        return checked(found);
    }

    /** Every address of a name. */
    static AddressSource name(PeerAddress name, NameLookup lookup) {
        return new AddressSource() {
            @Override
            public List<String> read() throws IOException {
                List<String> found = new ArrayList<>();
                for (InetAddress address : lookup.lookup(name.host())) {
                    found.add(new PeerAddress(address.getHostAddress(), name.port()).toString());
                }
                return checked(List.copyOf(new TreeSet<>(found))); // resolvers turn them around
            }

            @Override
            public String toString() {
                return "the name " + name.host();
            }
        };
    }

    private static List<String> checked(List<String> found) throws IOException {
        List<String> distinct = found.stream().distinct().toList();
        if (distinct.isEmpty()) {
            throw new IOException("it has no address");
        }
        if (distinct.size() > MOST) {
            throw new IOException("it has " + distinct.size() + " addresses (expected: at most " + MOST + ")");
        }
        return distinct;
    }
}
