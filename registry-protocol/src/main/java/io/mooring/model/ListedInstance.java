package io.mooring.model;

/**
 * An instance as a view lists it. Two are equal if they say the same, however late they say it.
 *
 * @param instance what its publisher said
 * @param standing how sure the registry is of it
 * @param generation tells an earlier word on this instance from a later one, on whatever node: 0 unknown, otherwise higher
 *     with each that a node accepts. Not part of the digest
 * @param fingerprint its share of the view's digest; see {@code docs/protocol.md}
 */
public record ListedInstance(Instance instance, Standing standing, long generation, long fingerprint) {
    public ListedInstance(Instance instance, Standing standing, long generation) {
        this(instance, standing, generation, Fingerprint.of(instance, standing));
    }

    /** Of unknown generation. */
    public ListedInstance(Instance instance, Standing standing) {
        this(instance, standing, 0);
    }

    public InstanceId id() {
        return instance.id();
    }

    /** The same word, but kept listed although it should have left. */
    public ListedInstance held() {
        return standing == Standing.HELD ? this : new ListedInstance(instance, Standing.HELD, generation);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ListedInstance that
                && fingerprint == that.fingerprint
                && standing == that.standing
                && instance.equals(that.instance);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(fingerprint);
    }
}
