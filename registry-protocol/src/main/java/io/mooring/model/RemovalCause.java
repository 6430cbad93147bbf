package io.mooring.model;

/** Why an instance left the list. Nothing leaves without one. */
public enum RemovalCause {
    /** Its publisher said goodbye. */
    DEREGISTERED,
    /** It was silent for a whole lease. */
    LEASE_EXPIRED,
    /** Its connection broke and it did not come back within the grace. */
    CONNECTION_LOST,
    /** The node that had accepted it restarted or went, and its publisher did not turn up again. */
    ORPHANED,
    /** An operator took it out. */
    OPERATOR,
    /** Its address refused a connection. */
    PROBE_FAILED;

    /** Whether the removal needs no second opinion: the publisher or an operator said so, or there is evidence. */
    public boolean certain() {
        return this == DEREGISTERED || this == OPERATOR || this == PROBE_FAILED;
    }
}
