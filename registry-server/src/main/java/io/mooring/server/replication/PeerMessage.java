package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.server.codec.Octets;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.List;
import java.util.OptionalLong;

/**
 * What nodes say to one another. A line begins so, in both directions at once; nothing else counts before:
 *
 * <pre>
 * Hello ─▶ Proof ─▶ Known ─▶ Heartbeat …      or, at any moment, Refuse and the end of the line
 * </pre>
 *
 * The bytes are described at {@link PeerWriter}.
 */
public sealed interface PeerMessage {
    /** No message is longer, in bytes, when it is not compressed. */
    int MAX_BYTES = 2 << 20;

    /**
     * Who speaks.
     *
     * @param version of this protocol that the speaker prefers
     * @param oldest version that the speaker still understands
     * @param cluster the name of the cluster it belongs to
     * @param node its name
     * @param incarnation of its shard
     * @param process drawn at its start; tells it from another process of the same name
     * @param advertised {@code host:port} where peers reach it; empty if unknown
     * @param sessions {@code host:port} where sessions reach it; empty if unknown
     * @param nonceHigh with {@code nonceLow}: drawn for this line
     */
    record Hello(
            int version,
            int oldest,
            String cluster,
            NodeId node,
            long incarnation,
            long process,
            String advertised,
            String sessions,
            long nonceHigh,
            long nonceLow)
            implements PeerMessage {}

    /**
     * That the speaker knows the cluster's secret.
     *
     * @param mac hexadecimal; empty when the cluster has no secret
     */
    record Proof(String mac) implements PeerMessage {
        /** Without what it proves. */
        @Override
        public String toString() {
            return "Proof";
        }
    }

    /**
     * What the speaker knows of the listener. The last step of the greeting; later, what it has heard from a third.
     *
     * @param incarnation the highest the speaker has seen of the listener's shard; 0 for none
     * @param process the one that wrote it; 0 if unknown
     * @param alone whether the speaker has no other line to the listener
     */
    record Known(long incarnation, long process, boolean alone) implements PeerMessage {}

    /**
     * The speaker will not have this line, and ends it.
     *
     * @param code {@code cluster}, {@code secret}, {@code version}, {@code duplicate}, {@code self}, {@code redundant},
     *     {@code full} or {@code malformed}
     * @param text for people
     */
    record Refuse(String code, String text) implements PeerMessage {}

    /**
     * How far the speaker's copy of a shard is.
     *
     * @param process of its origin that wrote it; 0 if unknown
     * @param checksum of its contents; empty while they are ahead of the revision, or in doubt
     * @param instances in it
     * @param whole whether it can be followed from the speaker
     * @param alive whether the origin is there, as far as the speaker knows
     * @param age how long ago, in milliseconds, somebody heard the origin, as far as the speaker knows
     */
    record Digest(
            ShardId shard,
            long process,
            long revision,
            OptionalLong checksum,
            int instances,
            boolean whole,
            boolean alive,
            long age) {}

    /**
     * The speaker is there, and this is what it has. Its size depends on the number of nodes alone.
     *
     * @param shards of every shard, the speaker's own first
     * @param sessions attached to the speaker
     * @param starting whether the speaker has not caught up yet
     * @param draining whether it is about to leave
     * @param addresses of the members it knows
     * @param clock its hybrid clock, in milliseconds; 0 if it said nothing of it
     * @param number counted up by the speaker with every heartbeat; 0 if it does not count them
     */
    record Heartbeat(
            List<Digest> shards,
            int sessions,
            boolean starting,
            boolean draining,
            List<String> addresses,
            long clock,
            long number)
            implements PeerMessage {
        public Heartbeat {
            shards = List.copyOf(shards);
            addresses = List.copyOf(addresses);
        }
    }

    /**
     * Asks for that origin's shard from now on: deltas after that revision if the listener still has them, else all of it.
     *
     * @param number counted up by the speaker with every such request; pages repeat it
     * @param incarnation of what the speaker has; 0 when it has nothing, or does not trust it
     */
    record Follow(int number, NodeId origin, long incarnation, long revision) implements PeerMessage {}

    /** No more of that, please. Answered by {@link Ended}, which tells somebody who never said this that it was heard. */
    record Unfollow(NodeId origin) implements PeerMessage {}

    /** The listener does not get that shard here, or not any more. */
    record Ended(NodeId origin) implements PeerMessage {}

    /** A remembered removal. */
    record Buried(InstanceId instance, Burial burial) {}

    /**
     * Part of a whole shard. Each page is as the shard is when it is written; what changes meanwhile follows as deltas
     * between the pages, in order, so that after the last page the copy is as the original.
     *
     * @param number of the {@link Follow} this answers
     * @param page counted from 0
     * @param last whether the shard is complete with this page
     * @param revision of the shard as told so far
     * @param checksum of the shard at the last page; empty if not known
     */
    record Page(
            ShardId shard,
            long process,
            int number,
            int page,
            boolean last,
            long revision,
            OptionalLong checksum,
            List<Registration> registrations,
            List<Buried> burials)
            implements PeerMessage {}

    /**
     * Steps of a shard, as bytes handed on as they came.
     *
     * @param first revision of the first step
     * @param count of steps, of which those of unknown kinds are not among {@code changes}
     * @param more whether the next delta belongs to the same turn and becomes visible with this one
     * @param bytes the whole message
     */
    record Delta(ShardId shard, long first, int count, boolean more, List<Change> changes, Octets bytes)
            implements PeerMessage {
        long lastRevision() {
            return first + count - 1;
        }
    }

    /** The speaker has moved its sessions and exits; its shard has no origin once this line is closed. */
    record Leaving() implements PeerMessage {}

    /**
     * A request to the home of an instance.
     *
     * @param id names it on this line; set by {@link Replication}
     * @param kind see the constants; others are answered with no
     */
    record Ask(long id, int kind, Octets payload) implements PeerMessage {
        /** Renew an instance's own lease. */
        public static final int RENEW = 1;
        /** Change what an instance says of itself. */
        public static final int AMEND = 2;

        public static Ask of(int kind, byte[] payload) {
            return new Ask(0, kind, Octets.of(payload));
        }

        /** @param text at most 60,000 bytes of UTF-8 */
        public Answer answer(boolean ok, String text) {
            return new Answer(id, ok, text);
        }
    }

    record Answer(long id, boolean ok, String text) implements PeerMessage {}

    /**
     * What some other part of the node says to the same part of another; the lines carry it and do not look inside.
     *
     * @param payload at most 1 MiB or so
     */
    record Carried(Octets payload) implements PeerMessage {}

    /** Of a newer version: passed over and counted. */
    record Unknown(int kind) implements PeerMessage {}
}
