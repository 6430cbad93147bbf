package io.mooring.server.replication;

import io.mooring.server.membership.PeerLine;
import io.mooring.server.shard.NodeId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has been said on a line.
 *
 * <pre>
 * GREETED ── their hello ──▶ ASKED ── their proof ──▶ PROVEN ── what they know of us ──▶ OPEN
 *    └────────── refused, silent, broken ───────────────┴───────────────┴──────────────────┴──▶ ENDED
 * </pre>
 */
final class Conversation {
    enum State {
        /** We have said hello. */
        GREETED,
        /** They have, too, and we have proven ourselves. */
        ASKED,
        /** They have, too, and we have said what we know of them. */
        PROVEN,
        /** Everything may be said. */
        OPEN,
        ENDED
    }

    final PeerLine line;

    /** The address we dialled; null when they did. */
    final @Nullable String dialled;

    final PeerMessage.Hello mine;
    final long openedAt;
    State state = State.GREETED;

    /** Theirs; null before the hello. */
    PeerMessage.@Nullable Hello theirs;

    /** Whether it is given up because nothing will come of it soon: one of the two refuses the other, or says nothing. */
    boolean inVain;

    long openSince;
    long heard;

    /** What they have, as of their last heartbeat. */
    Map<NodeId, PeerMessage.Digest> digests = new LinkedHashMap<>();

    boolean hasBeaten;

    /** The number of their last heartbeat. */
    long beats;

    long beatAt;

    Conversation(PeerLine line, @Nullable String dialled, PeerMessage.Hello mine, long now) {
        this.line = line;
        this.dialled = dialled;
        this.mine = mine;
        this.openedAt = now;
        this.heard = now;
    }

    /** Whose line it is. Once they have said hello. */
    NodeId node() {
        return hello().node();
    }

    PeerMessage.Hello hello() {
        PeerMessage.Hello hello = theirs;
        if (hello == null) {
            throw new IllegalStateException(
                    "line to " + line.remote() + ": no hello yet (expected: one before all else)");
        }
        return hello;
    }

    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Whether the node with the smaller name dialled it: of two lines between the same nodes this one stays. */
    boolean isPreferred() {
        boolean weAreSmaller = mine.node().compareTo(node()) < 0;
        return weAreSmaller == (dialled != null);
    }

    void send(PeerMessage message) {
        send(PeerWriter.bytes(message), false);
    }

    void send(byte[] message, boolean bulk) {
        if (state != State.ENDED) {
            line.send(message, bulk);
        }
    }

    /** Whether it was said before what was heard last: how long ago others were heard counts from when it was said. */
    boolean isOver(PeerMessage.Heartbeat heartbeat) {
        return heartbeat.number() != 0 && heartbeat.number() <= beats;
    }

    /**
     * Whether somebody else said it, or an earlier process at the other end, and it was repeated here: its number may be far
     * ahead of theirs. Whoever says it names its own shard first.
     */
    boolean isOfAnother(PeerMessage.Heartbeat heartbeat) {
        if (heartbeat.shards().isEmpty()) {
            return false;
        }
        PeerMessage.Digest first = heartbeat.shards().get(0);
        return !first.shard().origin().equals(node()) || first.process() != hello().process();
    }

    void heartbeat(PeerMessage.Heartbeat heartbeat, long now) {
        List<PeerMessage.Digest> shards = heartbeat.shards();
        beats = Math.max(beats, heartbeat.number());
        Map<NodeId, PeerMessage.Digest> all = new LinkedHashMap<>();
        shards.forEach(digest -> all.put(digest.shard().origin(), digest));
        digests = all;
        hasBeaten = true;
        beatAt = now;
    }
}
