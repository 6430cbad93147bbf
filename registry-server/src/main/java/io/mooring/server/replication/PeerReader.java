package io.mooring.server.replication;

import io.mooring.server.codec.ByteReader.MalformedException;

/** Turns the messages of one line into values; keeps the texts they share. Used by one thread at a time. */
public final class PeerReader {
    /** @throws MalformedException when they are not what they should be: the line cannot be trusted any more */
    public PeerMessage read(byte[] message) throws MalformedException {
        if (message.length == 0) {
            throw new MalformedException("message: empty (expected: at least its kind)");
        }
        return new PeerMessage.Unknown(message[0]);
    }
}
