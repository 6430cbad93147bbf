package io.mooring.client;

/** Hears of changes of one service. */
@FunctionalInterface
public interface ServiceListener {
    /**
     * Called with what changed, first with all that is known already. Never two calls at once for one subscription. May
     * block or throw: nobody else is delayed, what it throws is logged.
     */
    void onChange(ServiceChange change);
}
