package io.mooring.server.node;

import io.mooring.runtime.EventLoop;
import io.mooring.server.lease.LeaseTable;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Where sessions may go, and when they are asked to: all of them when this node leaves, and a few at a time when it has more
 * than its share after nodes came and went.
 */
final class SessionMoves {
    private static final Duration REBALANCE_EVERY = Duration.ofSeconds(10);

    /** Connections are left where they are until no node has come or gone for so long. */
    private static final Duration CALM = Duration.ofSeconds(60);

    private static final Duration DRAIN_LOOK = Duration.ofMillis(100);

    /** A node may have so much more than its share, and so many sessions, before it sends any away. */
    private static final double TOLERATED_SHARE = 1.2;

    private static final int TOLERATED = 10;

    private final LeaseTable leases;
    private final Replication replication;
    private final EventLoop loop;
    private final List<RegistryNode.SessionMover> movers = new ArrayList<>(2);
    private Consumer<List<String>> onAddresses = addresses -> {};
    private volatile List<String> addresses = List.of();
    private boolean draining;
    private long membersChangedAt;
    private long lastRebalance;
    private int turn;

    SessionMoves(LeaseTable leases, Replication replication, EventLoop loop) {
        this.leases = leases;
        this.replication = replication;
        this.loop = loop;
        membersChangedAt = loop.now();
        lastRebalance = membersChangedAt;
    }

    /** How many sessions a node may have before it sends some away, where that many are fair. */
    static double tolerated(double fair) {
        return TOLERATED_SHARE * fair + TOLERATED;
    }

    void by(RegistryNode.SessionMover mover) {
        movers.add(mover);
    }

    void onAddresses(Consumer<List<String>> listener) {
        onAddresses = listener;
    }

    /** Any thread. */
    List<String> addresses() {
        return addresses;
    }

    boolean draining() {
        return draining;
    }

    void membersChanged() {
        membersChangedAt = loop.now();
        List<String> now = replication.sessionAddresses();
        if (!now.equals(addresses)) {
            addresses = now;
            onAddresses.accept(now);
        }
    }

    void drain(Duration within, Duration patience, Runnable done) {
        draining = true;
        replication.announce();
        long deadline = loop.now() + patience.toNanos();
        if (!addresses.isEmpty()) {
            movers.forEach(mover -> mover.move(within, addresses, Integer.MAX_VALUE));
        }
        awaitEmpty(deadline, done);
    }

    private void awaitEmpty(long deadline, Runnable done) {
        if (addresses.isEmpty() || leases.attachedSessions() == 0 || loop.now() - deadline >= 0) {
            replication.leave(done);
            return;
        }
        loop.schedule(DRAIN_LOOK, () -> awaitEmpty(deadline, done));
    }

    /** Evens out, if it is time to. To be called now and then. */
    void look() {
        if (loop.now() - lastRebalance < REBALANCE_EVERY.toNanos()) {
            return;
        }
        lastRebalance = loop.now();
        Map<NodeId, Integer> others = replication.peerSessions();
        boolean calm = loop.now() - membersChangedAt >= CALM.toNanos();
        if (draining || !calm || others.isEmpty() || addresses.isEmpty() || movers.isEmpty()) {
            return;
        }
        int own = leases.attachedSessions();
        int all = own;
        for (int sessions : others.values()) {
            all += sessions;
        }
        double fair = (double) all / (others.size() + 1);
        if (own > tolerated(fair)) {
            turn = (turn + 1) % movers.size(); // it is in no hurry
            movers.get(turn).move(REBALANCE_EVERY, addresses, (int) Math.max(1, (own - fair) / 20));
        }
    }
}
