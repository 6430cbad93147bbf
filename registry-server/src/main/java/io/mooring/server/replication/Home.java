package io.mooring.server.replication;

import io.mooring.server.clock.HybridClock;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Shard;
import java.util.function.Consumer;

/** The node whose shard is told to others and that hears of theirs. Called on the event loop. */
public interface Home {
    /** The shard this node writes. After {@link #raise} another one. */
    Shard own();

    /** Whether every change of the own shard has been {@linkplain Replication#published published}. */
    boolean isSettled();

    /**
     * A step of another node's shard, to be shown at the end of the turn. All steps that belong together come in one turn.
     * Revisions are the origin's; steps that come from a snapshot all bear the snapshot's revision.
     */
    void changed(Change change);

    /**
     * Peers know that incarnation of this node's shard, from an earlier life that this one has forgotten: the shard goes
     * on, with what it has, under the given one.
     */
    void raise(long incarnation);

    /**
     * Something of {@link Replication#alive}, {@link Replication#sessionAddresses} or {@link Replication#isolated} is not as
     * it was.
     */
    void membersChanged();

    /**
     * Another node asks for something.
     *
     * @param answer takes {@link PeerMessage.Ask#answer}, once, now or within two seconds
     */
    void asked(PeerMessage.Ask ask, Consumer<PeerMessage.Answer> answer);

    /** Sessions attached to this node. */
    int sessions();

    /** What this node tells the others of the time, and learns from them. */
    HybridClock clock();

    /** Whether this node has not caught up since its start. */
    boolean starting();

    /** Whether this node is about to leave. */
    boolean draining();
}
