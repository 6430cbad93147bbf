package io.mooring.server.edge.nacos;

import io.mooring.model.Metadata;
import io.mooring.server.shard.LeaseTerms;
import java.time.Duration;

/**
 * How long an instance that lives by beats is believed: what its labels ask for, within bounds. Clients beat every
 * {@code preserved.heart.beat.interval}; after {@code preserved.heart.beat.timeout} of silence it is suspect, after
 * {@code preserved.ip.delete.timeout} it leaves.
 */
public final class BeatTerms {
    static final long INTERVAL_MILLIS = 5_000;
    static final long TIMEOUT_MILLIS = 15_000;
    static final long DELETE_MILLIS = 30_000;

    private static final String ENABLED = "enableClientBeat";

    private static final long LEAST_MILLIS = 1_000;
    private static final long MOST_MILLIS = Duration.ofDays(1).toMillis();
    /** Of one that said that it will not beat: it leaves by its own word, or an operator's. */
    private static final Duration NEVER = Duration.ofDays(3_650);

    private BeatTerms() {}

    /**
     * What an instance is granted.
     *
     * @param ofService the labels of its service, which hold where its own say nothing
     */
    public static LeaseTerms of(Metadata labels, Metadata ofService) {
        String beats = labels.getOrDefault(ENABLED, ofService.get(ENABLED));
        if ("false".equalsIgnoreCase(beats)) {
            return LeaseTerms.of(NEVER);
        }
        long delete = within(NacosJson.millis(labels, NacosJson.DELETE_TIMEOUT, DELETE_MILLIS));
        long timeout = Math.min(delete, within(NacosJson.millis(labels, NacosJson.BEAT_TIMEOUT, TIMEOUT_MILLIS)));
        return new LeaseTerms(Duration.ofMillis(timeout), Duration.ofMillis(delete - timeout));
    }

    /** How often its client should beat, in milliseconds. */
    public static long interval(Metadata labels) {
        return NacosJson.millis(labels, NacosJson.BEAT_INTERVAL, INTERVAL_MILLIS);
    }

    private static long within(long millis) {
        return Math.max(LEAST_MILLIS, Math.min(millis, MOST_MILLIS));
    }
}
