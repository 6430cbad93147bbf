package io.mooring.simulation;

/** What applications and operators do meanwhile. */
enum Operation {
    REGISTER,
    REGISTER_BATCH,
    REGISTER_AGAIN,
    UPDATE_METADATA,
    UPDATE_WEIGHT,
    DEREGISTER,
    DRAIN,
    GOODBYE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    LISTENER_CLOSE,
    CALL,
    AMEND,
    FORCE_REMOVE,
    LEASE_PUT,
    LEASE_UPDATE,
    LEASE_RENEW,
    LEASE_REMOVE,
    LEASE_LATE_RENEW,
    LEASE_FORGET,
    // Of their own, in some seeds.
    PERSISTENT_PUT,
    PERSISTENT_REMOVE,
    SETTLE,
    OVERRIDE;

    /** So many of the first are drawn by lot. */
    static final int DRAWN = LEASE_FORGET.ordinal() + 1;
}
