package io.mooring.server.edge.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.ServiceView;

/** Views as JSON: one is encoded once for all who are sent the whole of it. Any thread. */
final class EncodedViews {
    /** Weak on both sides: a body is shared for as long as somebody is being sent it, and costs nothing after. */
    private final Cache<ServiceView, byte[]> ofWholeViews = cache();

    private final Cache<ServiceView, byte[]> ofIncompleteViews = cache();

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
}
