package io.mooring.model;

/** How sure the registry is of a listed instance. Callers prefer those that are not in doubt. */
public enum Standing {
    /** Its publisher renews. */
    LIVE(0),
    /** Read from disk after a restart; its publisher has not come back yet. Callers treat it as live. */
    RESTORED(0),
    /** Its connection broke or its lease is overdue; it leaves the list soon unless its publisher returns. */
    SUSPECT(1),
    /** It should have left the list, but too many left at once to be believed without confirmation. */
    HELD(2);

    private final int code;

    Standing(int code) {
        this.code = code;
    }

    /**
     * What enters the digest. {@link #RESTORED} counts as live: subscribers need not hear of a registry's restart.
     */
    public int code() {
        return code;
    }

    /** Whether callers should prefer other instances. */
    public boolean inDoubt() {
        return code != 0;
    }
}
