package io.mooring.server.membership;

import io.mooring.server.shard.NodeId;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Another node, as this one knows it. */
final class Member {
    final NodeId name;
    long process;
    long incarnation;
    String advertised = "";
    String sessionAddress = "";
    int sessions;
    boolean starting;
    boolean draining;

    /** It said goodbye: what others say of it does not count until it is back. */
    boolean left;

    boolean connected;
    boolean everHeard;
    long heard;

    /** Whether it was there at the last look, and if not, since when. */
    boolean alive;

    long lostSince;
    long startingSince;

    /** Other members' word that it is there. */
    final Map<NodeId, Vouch> vouches = new TreeMap<>();

    /**
     * @param process which of its lives is meant; 0 if unknown
     * @param until when it counts, in the loop's time
     */
    record Vouch(long process, long until) {}

    @Nullable
    String problem;

    long problemAt;

    Member(NodeId name, long now) {
        this.name = name;
        this.lostSince = now;
    }
}
