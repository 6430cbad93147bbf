package io.mooring.simulation.real;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** The resolver of a Java process started with {@code jdk.net.hosts.file}: without the file there is no name at all. */
record HostsFile(Path file) implements Resolver {
    static final String PROPERTY = "jdk.net.hosts.file";

    @Override
    public String name() {
        return "names from a file that goes away";
    }

    @Override
    public void answer(List<String> addresses) throws IOException {
        String names = String.join(" ", NAMES);
        Files.writeString(
                file,
                addresses.stream().map(address -> address + " " + names + "\n").collect(Collectors.joining()),
                StandardCharsets.UTF_8);
    }

    @Override
    public void die() throws IOException {
        Files.deleteIfExists(file);
    }

    @Override
    public void close() {
        // The file is in the drill's directory.
    }
}
