package io.mooring.server.membership;

import java.util.function.Consumer;

/** Connects to other nodes. A port. */
public interface PeerDialer {
    /**
     * Tries once to connect; does not block. Exactly one of the two comes back, on the event loop.
     *
     * @param address {@code host:port}
     * @param opened gets the line, on which nothing has been said yet
     * @param failed gets why not, in words
     */
    void dial(String address, Consumer<PeerLine> opened, Consumer<String> failed);

    /** Reaches nobody. */
    static PeerDialer none() {
        return (address, opened, failed) -> failed.accept("this node has no peers");
    }
}
