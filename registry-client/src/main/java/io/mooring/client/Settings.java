package io.mooring.client;

import java.time.Duration;
import java.util.List;

/**
 * How this client was told to behave; checked by the builder.
 *
 * @param servers session addresses, {@code host:port}
 * @param connectTimeout for the connection and, again, for the welcome behind it
 * @param requestTimeout after which a request counts as lost and is made again
 * @param guardWindow how long the registry must confirm a sudden loss before it is believed
 */
record Settings(
        List<String> servers,
        String namespace,
        String clientName,
        Duration connectTimeout,
        Duration requestTimeout,
        Duration guardWindow,
        Balancer balancer,
        OutlierSettings outliers) {

    /**
     * When an instance that fails is left alone.
     *
     * @param consecutiveFailures that many failures in a row eject; zero: none do
     * @param failureShare that share of the last calls, of at least {@value Track#LEAST_CALLS}; 1 or more: never
     * @param coolDown for how long, before one call may try it again
     */
    record OutlierSettings(boolean enabled, int consecutiveFailures, double failureShare, Duration coolDown) {
        static final OutlierSettings DEFAULTS = new OutlierSettings(true, 5, 0.5, Duration.ofSeconds(10));
    }
}
