package io.mooring.server.protection;

import java.time.Duration;

/**
 * When removals are too sudden to be believed.
 *
 * @param window removals this close together count as one event
 * @param share more than this share of a service at once is held, 0-1
 * @param atLeast but never fewer than this many, unless it is all of them
 * @param confirmation how long removals are held without any confirmation
 */
public record ProtectionSettings(Duration window, double share, int atLeast, Duration confirmation) {
    public static final ProtectionSettings DEFAULTS =
            new ProtectionSettings(Duration.ofSeconds(15), 0.5, 2, Duration.ofSeconds(60));
}
