package io.mooring.server.edge.peer;

import io.mooring.runtime.EventLoop;
import io.mooring.server.replication.Peers;
import java.util.function.Supplier;

/**
 * What lines share.
 *
 * @param loop the core's
 * @param ends where lines end; asked on the loop
 */
record PeerHost(PeerSettings settings, EventLoop loop, PeerMeter meter, Supplier<Peers> ends) {}
