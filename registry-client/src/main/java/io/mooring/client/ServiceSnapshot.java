package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import java.time.Duration;
import java.util.List;

/**
 * What the client knew of a service at one moment. Immutable.
 *
 * @param service whose
 * @param instances all of them, in the order of their ids, those in doubt or disabled too
 * @param callable those to call: enabled, with a weight, and not in doubt; only when there are none of these, the ones in
 *     doubt
 * @param source where the list comes from
 * @param age how long ago the registry last confirmed it; zero or more. Of a list from disk it is measured by the wall
 *     clock, and zero when that was set back
 * @param underProtection whether instances are listed that should have left, because too many left at once to be
 *     believed yet; they are marked {@link io.mooring.model.Standing#HELD}
 * @param incomplete whether the registry node said that it may not know everybody yet
 */
public record ServiceSnapshot(
        ServiceKey service,
        List<ListedInstance> instances,
        List<Instance> callable,
        Source source,
        Duration age,
        boolean underProtection,
        boolean incomplete) {

    /** Where a list comes from. */
    public enum Source {
        /** The registry: connected, and every change is pushed. */
        LIVE,
        /** The registry, until the connection was lost. */
        MEMORY,
        /** The disk: this process has not heard the registry on this service yet. */
        DISK,
        /** Nowhere: neither the registry nor the disk has been of help yet. */
        NONE
    }
}
