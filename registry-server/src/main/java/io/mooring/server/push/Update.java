package io.mooring.server.push;

import io.mooring.model.ServiceView;
import org.jspecify.annotations.Nullable;

/**
 * What a subscriber should hear about one service.
 *
 * @param known the view it was told last; null: it needs the whole view
 * @param view the view now
 * @param incomplete whether the node is still gathering, so that receivers should only add
 */
public record Update(@Nullable ServiceView known, ServiceView view, boolean incomplete) {
    /** Whether the receiver has this content already and only flags or the revision moved. */
    public boolean sameContent() {
        return known != null && known.digest() == view.digest();
    }
}
