package io.mooring.client;

import io.mooring.model.Instance;
import java.util.concurrent.atomic.AtomicBoolean;

/** A call under way to a chosen instance. Tell how it went, and close it; use try-with-resources. */
public final class Call implements AutoCloseable {
    private final Service service;
    private final Candidate candidate;
    private final AtomicBoolean closed = new AtomicBoolean();

    Call(Service service, Candidate candidate) {
        this.service = service;
        this.candidate = candidate;
        candidate.track.begin();
    }

    public Instance instance() {
        return candidate.instance;
    }

    /** As {@link Service#report}. */
    public void report(CallResult result) {
        service.report(candidate.instance.id(), result);
    }

    /** It is over. Idempotent; says nothing about how it went. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            candidate.track.end();
        }
    }
}
