package io.mooring.simulation;

/** What applications do meanwhile. */
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
    LEASE_PUT,
    LEASE_UPDATE,
    LEASE_RENEW,
    LEASE_REMOVE,
    LEASE_LATE_RENEW,
    LEASE_FORGET
}
