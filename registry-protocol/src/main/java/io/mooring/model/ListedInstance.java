package io.mooring.model;

/**
 * An instance as a view lists it.
 *
 * @param instance what its publisher said
 * @param standing how sure the registry is of it
 * @param fingerprint its share of the view's digest; see {@code docs/protocol.md}
 */
public record ListedInstance(Instance instance, Standing standing, long fingerprint) {
    public ListedInstance(Instance instance, Standing standing) {
        this(instance, standing, Fingerprint.of(instance, standing));
    }

    public InstanceId id() {
        return instance.id();
    }
}
