package io.mooring.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The flags that give a registry ports and a data directory of its own. */
final class ServerFlags {
    private ServerFlags() {}

    static List<String> at(int sessionPort, Path directory, List<String> more) {
        List<String> flags = new ArrayList<>(List.of(
                "--mooring.http.port=" + (sessionPort + 1),
                "--mooring.operations.port=" + (sessionPort + 2),
                "--mooring.session.port=" + sessionPort,
                "--mooring.nacos.grpc-port=" + (sessionPort + 4),
                "--mooring.data-directory=" + directory.resolve("data")));
        flags.addAll(more);
        return flags;
    }
}
