package io.mooring.server.protection;

/**
 * Decides which removals are held. Only removals that nobody stands up for come here: neither the publisher said
 * goodbye, nor an operator, nor is there evidence.
 */
public final class Protection {
    private Protection() {}

    /**
     * Whether {@code leaving} more instances may not leave yet.
     *
     * @param listed instances of the service that are listed now and not held, those about to leave included
     * @param leftInWindow instances that left without certainty within the window before
     * @param leaving instances about to leave, at least 1
     */
    public static boolean holds(ProtectionSettings settings, int listed, int leftInWindow, int leaving) {
        int base = listed + leftInWindow;
        int gone = leftInWindow + leaving;
        boolean all = leaving >= listed;
        return all || (gone >= settings.atLeast() && gone > settings.share() * base);
    }
}
