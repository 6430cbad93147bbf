package io.mooring.simulation;

import java.util.EnumSet;
import java.util.List;

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

    /** Those that are drawn by lot. */
    static List<Operation> drawn() {
        return List.copyOf(EnumSet.range(REGISTER, LEASE_FORGET));
    }
}
