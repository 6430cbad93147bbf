package io.mooring.server.web;

import java.util.IdentityHashMap;

/** Bodies on their way to readers, who may be slow: all of them together are bounded. One that many are sent counts once. */
final class HeldBodies {
    private final long limit;
    private final IdentityHashMap<byte[], Integer> held = new IdentityHashMap<>(); // guarded by this
    private long bytes; // guarded by this

    /** @param limit bytes; one body is let through whatever its length */
    HeldBodies(long limit) {
        this.limit = limit;
    }

    /** Whether there is room for it; if so, {@link #release} it once. */
    synchronized boolean hold(byte[] body) {
        boolean shared = held.containsKey(body);
        if (!shared && bytes > 0 && bytes + body.length > limit) {
            return false;
        }
        held.merge(body, 1, Integer::sum);
        bytes += shared ? 0 : body.length;
        return true;
    }

    synchronized void release(byte[] body) {
        if (held.merge(body, -1, Integer::sum) == 0) {
            held.remove(body);
            bytes -= body.length;
        }
    }

    /** Bytes on their way. */
    synchronized long bytes() {
        return bytes;
    }
}
