package io.mooring.server.membership;

import java.time.Duration;
import java.util.Optional;

/**
 * Another node as this one sees it, for people and meters.
 *
 * @param name as it calls itself; empty while nobody has answered at that address
 * @param address where it is, or should be
 * @param state see {@link State}
 * @param heard how long ago it was heard of last; empty when never
 * @param incarnation of its shard as known here; 0 when unknown
 * @param revision of its shard as known here
 * @param instances in its shard as known here
 * @param via through whom its shard is followed; empty when directly or not at all
 * @param problem why there is no connection, or it was refused; empty when there is nothing to say
 */
public record PeerStatus(
        String name,
        String address,
        State state,
        Optional<Duration> heard,
        long incarnation,
        long revision,
        int instances,
        String via,
        Optional<String> problem) {
    /**
     * <pre>
     * UNKNOWN ── first hello ──▶ ALIVE ── connection lost, or silent ──▶ SUSPECT ── for long ──▶ GONE
     *                              ▲──────────────── heard again ───────────┴──────────────────────┘
     * </pre>
     *
     * What has said goodbye and is at no configured address becomes {@code LEFT} instead of {@code GONE}.
     */
    public enum State {
        /** An address at which no node has answered yet. */
        UNKNOWN,
        ALIVE,
        SUSPECT,
        GONE,
        /** Taken away by somebody, and not missed. */
        LEFT
    }
}
