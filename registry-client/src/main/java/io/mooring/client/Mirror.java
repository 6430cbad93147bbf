package io.mooring.client;

import io.mooring.model.Digest;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Exactly what the registry said about a service, so that deltas fit and digests can be compared. What callers see
 * may differ: that is the {@link Guard}'s matter. Immutable.
 *
 * @param instances in the order of their ids
 * @param digest their digest, computed here
 */
record Mirror(List<ListedInstance> instances, long digest) {
    static final Mirror EMPTY = new Mirror(List.of(), Digest.EMPTY);

    private static final Comparator<ListedInstance> BY_ID = Comparator.comparing(ListedInstance::id);

    /** Empty when an instance occurs twice: such a list cannot be trusted. */
    static Optional<Mirror> of(List<ListedInstance> instances) {
        List<ListedInstance> ordered = instances;
        for (int i = 1; i < ordered.size(); i++) {
            if (ordered.get(i - 1).id().compareTo(ordered.get(i).id()) >= 0) {
                ordered = new ArrayList<>(instances);
                ordered.sort(BY_ID);
                break;
            }
        }
        for (int i = 1; i < ordered.size(); i++) {
            if (ordered.get(i - 1).id().equals(ordered.get(i).id())) {
                return Optional.empty();
            }
        }
        return Optional.of(new Mirror(List.copyOf(ordered), Digest.of(ordered)));
    }

    /** This list after that change. Removing what is not there changes nothing. */
    Mirror after(List<ListedInstance> put, List<Removal> removed) {
        ArrayList<ListedInstance> next = new ArrayList<>(instances.size() + put.size());
        next.addAll(instances);
        long sum = digest;
        for (Removal removal : removed) {
            int at = find(next, removal.instance());
            if (at >= 0) {
                sum -= next.remove(at).fingerprint();
            }
        }
        for (ListedInstance listed : put) {
            int at = find(next, listed.id());
            sum += listed.fingerprint();
            if (at >= 0) {
                sum -= next.set(at, listed).fingerprint();
            } else {
                next.add(-at - 1, listed);
            }
        }
        return new Mirror(Collections.unmodifiableList(next), sum);
    }

    /** As {@link Collections#binarySearch}: the index, or where it would be. */
    static int find(List<ListedInstance> ordered, InstanceId id) {
        int low = 0;
        int high = ordered.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = ordered.get(middle).id().compareTo(id);
            if (order < 0) {
                low = middle + 1;
            } else if (order > 0) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return -(low + 1);
    }
}
