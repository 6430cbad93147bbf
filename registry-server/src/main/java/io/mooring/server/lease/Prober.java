package io.mooring.server.lease;

import java.util.function.Consumer;

/** Finds evidence whether somebody listens at an address. A port. */
public interface Prober {
    enum Verdict {
        /** The host answered that nobody listens there: evidence of death. */
        REFUSED,
        /** Somebody listens. Evidence of nothing: it may be somebody else. */
        ANSWERED,
        /** No answer in time, no such route, a host name instead of an address: evidence of nothing. */
        UNKNOWN
    }

    /** Tries to connect once. {@code verdict} comes back on the event loop, exactly once. Does not block. */
    void probe(String host, int port, Consumer<Verdict> verdict);

    /** Knows nothing. */
    static Prober none() {
        return (host, port, verdict) -> verdict.accept(Verdict.UNKNOWN);
    }
}
