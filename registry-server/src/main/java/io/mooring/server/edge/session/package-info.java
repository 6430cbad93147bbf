/** The WebSocket endpoint of sessions, port 9847. The protocol is {@code docs/protocol.md}. */
@NullMarked
package io.mooring.server.edge.session;

import org.jspecify.annotations.NullMarked;
