package io.mooring.server.edge.session;

import io.mooring.server.node.RegistryNode;

/** What the connections of one endpoint share. */
public interface SessionHost {
    RegistryNode node();

    SessionSettings settings();

    SessionMeter meter();

    PushEncoder encoder();

    /** The connection has something to send: take it soon, on the event loop. */
    void flushLater(SessionConnection connection);
}
