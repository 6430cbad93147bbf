package io.mooring.server.edge.session;

import io.mooring.server.node.RegistryNode;
import java.util.List;

/** What the connections of one endpoint share. */
public interface SessionHost {
    RegistryNode node();

    SessionSettings settings();

    SessionMeter meter();

    PushEncoder encoder();

    /** Session addresses of the other nodes, as they are now. */
    default List<String> sessionAddresses() {
        return settings().peers();
    }

    /** The connection has been welcomed: from now on it may be told what all are told. */
    default void welcomed(SessionConnection connection) {}

    /** The connection has something to send: take it soon, on the event loop. */
    void flushLater(SessionConnection connection);
}
