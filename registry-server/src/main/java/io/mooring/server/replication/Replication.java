package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.membership.ClusterSettings;
import io.mooring.server.membership.PeerDialer;
import io.mooring.server.membership.PeerLine;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.restore.Storage;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Tells this node's shard to the others and keeps copies of theirs. Confined to the event loop.
 */
public final class Replication implements Peers {
    private final NodeId self;

    /**
     * A copy of an instance in another node's shard.
     *
     * @param originAlive whether that node is there and still vouches for it
     */
    public record Copy(ShardId shard, Registration registration, boolean originAlive) {}

    /**
     * A registration whose node is lost, or restarted without it.
     *
     * @param since the moment from which nobody vouched for it, in the loop's time
     */
    public record Orphan(ShardId shard, Registration registration, long since) {}

    /** What happened since the start, for meters. Refusals and what was ignored are counted by code. */
    public record Counts(
            long deltasSent,
            long deltasReceived,
            long pagesSent,
            long pagesReceived,
            long snapshotsTaken,
            long mismatches,
            long gaps,
            long withheld,
            Map<String, Long> refused,
            Map<String, Long> ignored) {}

    /**
     * @param process drawn at this start; never 0
     * @param random for nonces and back-off; where there is a secret, one that cannot be guessed
     * @param storage where addresses are remembered
     */
    public Replication(
            ClusterSettings settings,
            NodeId self,
            long process,
            EventLoop loop,
            RandomGenerator random,
            PeerDialer dialer,
            Optional<Storage> storage,
            Home home) {
        this.self = self;
    }

    /** Begins to dial and to answer. After {@link #restored}. */
    public void start() {}

    // ---- what the node tells

    /** The own shard's changes of one turn, in order; they are on disk and are shown here with the same turn. */
    public void published(List<Change> ownChanges) {}

    /** What the disk knew of another node's shard: shown, but to be asked for anew. Before {@link #start}. */
    public void restored(ShardId shard, Collection<Registration> registrations) {}

    /**
     * A removal in whatever shard: orphans and copies of lost shards that it reaches are dropped. Shards that are followed
     * hear of it from their origin.
     */
    public void buried(InstanceId instance, Burial burial) {}

    /** An orphan is superseded. {@link Home#changed} gets the end of that copy. */
    public void forget(ShardId shard, InstanceId instance) {}

    /** The peers' addresses as configured from now on: {@code host:port} each. */
    public void configured(List<String> addresses) {}

    /** Says goodbye to the peers and closes the lines; {@code done} runs when that is on the network, or after a second. */
    public void leave(Runnable done) {
        done.run();
    }

    /**
     * Asks the home of an instance.
     *
     * @param answer gets the answer, or nothing if that node cannot be reached or does not answer within two seconds; never
     *     inside this call
     */
    public void ask(NodeId home, PeerMessage.Ask ask, Consumer<Optional<PeerMessage.Answer>> answer) {}

    // ---- what the node asks

    /** The highest generation other nodes' shards know of for that instance, registered or removed; 0 if none. */
    public long highest(InstanceId instance) {
        return 0;
    }

    /** The copy in other nodes' shards that would show if this node had none. */
    public Optional<Copy> find(InstanceId instance) {
        return Optional.empty();
    }

    /** The copy in that shard of another node; null if there is none. */
    public @Nullable Registration get(ShardId shard, InstanceId instance) {
        return null;
    }

    /** What has been without its node for so long. */
    public void orphans(Duration lostFor, Consumer<Orphan> each) {}

    /** Every registration other nodes' shards have here, orphans among them. */
    public void forEachReplica(BiConsumer<ShardId, Registration> each) {}

    /** The nodes that are there, this one among them, in order. */
    public List<NodeId> alive() {
        return List.of(self);
    }

    /** Why this node should not trust its view of the cluster: it sees fewer than half of its configured peers. */
    public Optional<String> isolated() {
        return Optional.empty();
    }

    /** Whether everything that the peers in reach have has arrived. */
    public boolean caughtUp() {
        return true;
    }

    /** Whether a node was lost lately, or a connected one has not caught up: others may know what this one does not. */
    public boolean isUncertain() {
        return uncertainSince().isPresent();
    }

    /** Since when, in the loop's time. */
    public OptionalLong uncertainSince() {
        return OptionalLong.empty();
    }

    /** Where sessions may go instead: {@code host:port} of the other nodes that are there and stay, in order of their names. */
    public List<String> sessionAddresses() {
        return List.of();
    }

    /** Sessions at each connected peer, as it said last. */
    public Map<NodeId, Integer> peerSessions() {
        return Map.of();
    }

    /** The other nodes, for people. */
    public List<PeerStatus> peers() {
        return List.of();
    }

    /** How far this node's copy of every shard is, its own first. */
    public List<PeerMessage.Digest> shards() {
        return List.of();
    }

    public Counts counts() {
        return new Counts(0, 0, 0, 0, 0, 0, 0, 0, Map.of(), Map.of());
    }

    // ---- lines

    @Override
    public void opened(PeerLine line) {
        line.close();
    }

    @Override
    public void received(PeerLine line, PeerMessage message) {}

    @Override
    public void malformed(PeerLine line, String problem) {
        line.close();
    }

    @Override
    public void writable(PeerLine line) {}

    @Override
    public void closed(PeerLine line, String reason) {}
}
