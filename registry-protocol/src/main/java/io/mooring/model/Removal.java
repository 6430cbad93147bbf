package io.mooring.model;

/**
 * That an instance left the list, and why.
 *
 * @param generation up to which what was listed of it is over; 0 unknown. See {@link ListedInstance#generation()}
 */
public record Removal(InstanceId instance, RemovalCause cause, long generation) {
    /** Of unknown generation. */
    public Removal(InstanceId instance, RemovalCause cause) {
        this(instance, cause, 0);
    }

    /** The same, reaching at least that far. */
    public Removal upTo(long atLeast) {
        return generation >= atLeast ? this : new Removal(instance, cause, atLeast);
    }
}
