package io.mooring.simulation;

import java.util.List;

/** Names of the things that must have been seen over the seeds of a run, or its checks checked nothing. */
final class Effects {
    static final String VIEWS = "server views changed";
    static final String HELD = "instances held by the node";
    static final String HOLD_RELEASED = "holds ended by time";
    static final String EXPIRED = "removed: lease expired";
    static final String CONNECTION_LOST = "removed: connection lost";
    static final String ORPHANED = "removed: orphaned";
    static final String PROBED = "removed: probe failed";
    static final String DEREGISTERED = "removed: deregistered";
    static final String RESTORED = "instances restored";
    static final String ADOPTED = "sessions welcomed with held";
    static final String REPLACED = "connections replaced";
    static final String GUARD = "lists held by the SDK's guard";
    static final String INCOMPLETE = "incomplete lists seen";
    static final String FROM_DISK = "lists read from disk";
    static final String LATE = "callbacks of ended links";
    static final String STALE_FRAMES = "frames on ended connections";
    static final String BUSY = "pushes that waited for a busy line";
    static final String RETRIES = "calls retried";
    static final String BATCHES = "batches seen whole";
    static final String CAPPED = "evictions that waited for the cap";
    static final String DELTAS = "deltas";
    static final String SAMES = "sames";
    static final String FULL_VIEWS = "views";
    static final String TORN = "blocks torn by a kill";
    static final String RENEW_UNKNOWN = "late renewals refused";
    static final String CALLS_IN_OUTAGE = "calls without a registry";
    static final String CLOSED_LISTENERS = "changes after a listener's end";

    static final String FORCED = "removed: operator";
    static final String MALFORMED = "peer messages that could not be read";
    static final String LINE_WAS_FULL = "lines between nodes that were full";
    static final String BACK_AFTER_PARTITION = "instances back after a partition";
    static final String MUST_LIST = "listed on every node";
    static final String LATE_HELLO = "hellos overtaken by a later connection's";
    static final String MOVED = "sessions that moved to another node";
    static final String MOVES = "sessions asked to move";
    static final String DRAINED = "nodes drained";
    static final String NEVER_BACK = "nodes that never came back";
    static final String NEVER_MET = "clusters of which two nodes never met again";
    static final String EQUAL_DIGESTS = "clusters with equal digests in the end";

    static final String DURABLE = "durable writes accepted";
    static final String DURABLE_REFUSED = "durable writes refused";
    static final String DURABLE_EQUAL = "clusters with equal durable entries in the end";
    static final String OVERRIDES = "overrides shown";
    static final String OVERRIDES_OVER = "overrides that ended with their instance";

    static final List<String> EXPECTED = List.of(
            VIEWS,
            HELD,
            HOLD_RELEASED,
            EXPIRED,
            CONNECTION_LOST,
            ORPHANED,
            PROBED,
            DEREGISTERED,
            RESTORED,
            ADOPTED,
            REPLACED,
            GUARD,
            INCOMPLETE,
            FROM_DISK,
            LATE,
            STALE_FRAMES,
            BUSY,
            RETRIES,
            BATCHES,
            CAPPED,
            DELTAS,
            SAMES,
            FULL_VIEWS,
            TORN,
            RENEW_UNKNOWN,
            CALLS_IN_OUTAGE,
            CLOSED_LISTENERS,
            FORCED,
            MALFORMED,
            LINE_WAS_FULL,
            BACK_AFTER_PARTITION,
            MUST_LIST,
            LATE_HELLO,
            MOVED,
            MOVES,
            DRAINED,
            NEVER_BACK,
            NEVER_MET,
            EQUAL_DIGESTS,
            DURABLE,
            DURABLE_REFUSED,
            DURABLE_EQUAL,
            OVERRIDES,
            OVERRIDES_OVER);

    private Effects() {}
}
