package io.mooring.client;

import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import java.util.List;
import java.util.Optional;

/**
 * What became different since the same listener was last called. Changes that came while it was busy are merged; the
 * last state always arrives.
 *
 * @param added new instances
 * @param removed instances that left, as they were last
 * @param changed instances whose weight, labels, enabled flag or standing differ, as they are now
 * @param view the service after the change
 */
public record ServiceChange(
        List<ListedInstance> added, List<Removed> removed, List<ListedInstance> changed, ServiceSnapshot view) {

    /**
     * An instance that left.
     *
     * @param cause why; empty when nobody said, and it was believed because it was a minority or stayed away
     */
    public record Removed(ListedInstance instance, Optional<RemovalCause> cause) {}
}
