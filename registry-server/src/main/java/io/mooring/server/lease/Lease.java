package io.mooring.server.lease;

import io.mooring.model.InstanceId;
import io.mooring.server.shard.Publisher;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What one publisher was granted: a session with its instances, or a single instance by HTTP. */
final class Lease {
    /** Its attempt is that since which the session has been on this node without a break. */
    Publisher publisher;

    final Set<InstanceId> instances = new LinkedHashSet<>(4);

    /** The session's connection; null for HTTP and while a session is out of touch. */
    @Nullable
    SessionLine line;

    /** When silence becomes too long, in the loop's nanoseconds. */
    long deadline;

    /** The tick in which the wheel looks at this lease next; other entries of it in the wheel are stale. */
    long lookAt = Long.MIN_VALUE;

    /** Whether the grace runs, rather than the lease: of a broken connection, or of a silent lease by HTTP. */
    boolean inGrace;

    /** Which connection of the session's life was attached last, as the session counts; 0 unknown, and for HTTP. */
    long attempt;

    /** The latest connection of the session's life with which it came to another node, as far as this one has heard. */
    long attemptElsewhere;

    /** Whether the session was asked to go to another node, and when. */
    boolean moving;

    long movingSince;

    /** Whether the deadline has passed; its instances wait for the eviction budget. */
    boolean overdue;

    /** Whether somebody else has registered something of it at another node, and nothing was heard from it since. */
    boolean followed;

    Lease(Publisher publisher) {
        this.publisher = publisher;
    }

    /** Whether it was heard of after that, in the loop's nanoseconds. */
    boolean heardSince(long since) {
        return deadline - publisher.ttl().toNanos() - since > 0;
    }

    /** How long silence is tolerated as things stand. */
    Duration patience() {
        return inGrace ? publisher.terms().grace() : publisher.terms().ttl();
    }
}
