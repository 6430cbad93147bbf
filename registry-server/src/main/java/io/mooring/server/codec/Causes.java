package io.mooring.server.codec;

import io.mooring.model.RemovalCause;

/** Their numbers in bytes; those of another version are read as the least certain. */
final class Causes {
    /** Added to the number of a burial's cause; a version that does not know of it reads the least certain one. */
    static final int REMEMBERED = 0x80;

    private static final RemovalCause[] ALL = {
        RemovalCause.DEREGISTERED,
        RemovalCause.LEASE_EXPIRED,
        RemovalCause.CONNECTION_LOST,
        RemovalCause.ORPHANED,
        RemovalCause.OPERATOR,
        RemovalCause.PROBE_FAILED
    };

    private Causes() {}

    static int code(RemovalCause cause) {
        for (int i = 0; i < ALL.length; i++) {
            if (ALL[i] == cause) {
                return i;
            }
        }
        throw new IllegalStateException(cause + " has no number");
    }

    static RemovalCause of(int code) {
        return code < ALL.length ? ALL[code] : RemovalCause.ORPHANED;
    }
}
