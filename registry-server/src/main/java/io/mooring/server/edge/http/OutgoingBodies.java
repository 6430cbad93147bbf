package io.mooring.server.edge.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.ServiceView;
import java.util.IdentityHashMap;

/**
 * What is on its way to readers: a view is encoded once for all who are sent the whole of it, and everything together
 * is bounded, because readers may be slow and lists long. A body that many are sent counts once. Any thread.
 */
final class OutgoingBodies {
    /** Weak on both sides: a body is shared for as long as somebody is being sent it, and costs nothing after. */
    private final Cache<ServiceView, byte[]> ofWholeViews = cache();

    private final Cache<ServiceView, byte[]> ofIncompleteViews = cache();

    private final long limit;
    private final IdentityHashMap<byte[], Integer> held = new IdentityHashMap<>(); // guarded by this
    private long bytes; // guarded by this

    /** @param limit bytes; one body is let through whatever its length */
    OutgoingBodies(long limit) {
        this.limit = limit;
    }

    private static Cache<ServiceView, byte[]> cache() {
        return Caffeine.newBuilder().weakKeys().weakValues().build();
    }

    byte[] json(ServiceView view, Selection selection, boolean incomplete) {
        if (!selection.everything()) {
            return Json.view(view, selection.of(view), incomplete);
        }
        Cache<ServiceView, byte[]> cache = incomplete ? ofIncompleteViews : ofWholeViews;
        return cache.get(view, v -> Json.view(v, selection.of(v), incomplete));
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
