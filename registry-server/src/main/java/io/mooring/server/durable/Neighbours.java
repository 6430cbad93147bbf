package io.mooring.server.durable;

import io.mooring.server.shard.NodeId;

/** The lines to other nodes. A port; called on the event loop. */
public interface Neighbours {
    /** Bytes that were handed in and are not on the network yet. */
    long waiting(NodeId node);

    /**
     * Sends without waiting, in order; what cannot be sent any more is lost.
     *
     * @param message to be handed to that node's {@link Durables#received}; not to be written to
     */
    void send(NodeId node, byte[] message);
}
