/** What the ports that speak WebSocket have in common. */
@NullMarked
package io.mooring.server.websocket;

import org.jspecify.annotations.NullMarked;
