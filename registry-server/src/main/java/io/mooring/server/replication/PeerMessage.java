package io.mooring.server.replication;

/** What nodes say to one another. */
public sealed interface PeerMessage permits PeerMessage.Unknown {
    /** Of a newer version: passed over and counted. */
    record Unknown(int kind) implements PeerMessage {}
}
