package io.mooring.model;

import java.util.List;

/**
 * What a node knows of a service at one moment. Immutable; two views of one node with the same revision are the same.
 *
 * @param service whose
 * @param revision raised by every change on the node that made the view; comparable on that node only, 0 for a
 *     service never seen
 * @param digest checksum of the content, the same on every node that lists the same; see {@link Digest}
 * @param instances in the order of their ids
 * @param underProtection whether instances are {@link Standing#HELD} in it
 * @param removals the latest removals, oldest first, bounded: why somebody is missing
 */
public record ServiceView(
        ServiceKey service,
        long revision,
        long digest,
        List<ListedInstance> instances,
        boolean underProtection,
        List<Removal> removals) {

    /** The view of a service nobody ever registered. */
    public static ServiceView empty(ServiceKey service) {
        return new ServiceView(service, 0, Digest.EMPTY, List.of(), false, List.of());
    }
}
