package io.mooring.server.replication;

import io.mooring.server.membership.PeerLine;

/** Where the lines of other nodes end. Called on the event loop. */
public interface Peers {
    /** Another node has connected; nothing has been said yet. Lines that we dialled come back from the dialer instead. */
    void opened(PeerLine line);

    void received(PeerLine line, PeerMessage message);

    /** Something came that is not a message; the line is ended. */
    void malformed(PeerLine line, String problem);

    /** The line has become free enough for more. */
    void writable(PeerLine line);

    /** The line has ended, whoever ended it. Nothing comes from it any more. */
    void closed(PeerLine line, String reason);
}
