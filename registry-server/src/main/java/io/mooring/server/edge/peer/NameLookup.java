package io.mooring.server.edge.peer;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Asks what addresses a name has. A port: tests answer themselves. */
@FunctionalInterface
public interface NameLookup {
    /**
     * May block for long.
     *
     * @throws UnknownHostException when it has none, or nobody answers
     */
    List<InetAddress> lookup(String name) throws UnknownHostException;

    /** The machine's own way: its hosts file, its resolver. */
    static NameLookup system() {
        return name -> List.of(InetAddress.getAllByName(name));
    }
}
