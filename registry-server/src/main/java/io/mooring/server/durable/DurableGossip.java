package io.mooring.server.durable;

import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.shard.NodeId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Makes the tables of all nodes equal. Who accepts a write tells it to everybody it has a line to, once. What that misses is
 * found by comparison: now and then a node says the checksum of its table, and where two differ they compare the buckets and
 * tell one another what is in those that differ:
 *
 * <pre>
 * both ─ sum ─▶       they differ twice in a row, or at the first word
 *   the node of the smaller name ─ buckets, asking ─▶ ◀─ buckets, and the entries of those that differ
 *                               entries of the same ─▶     and the sum again, from both
 * </pre>
 *
 * Nodes that have never heard of a durable entry say nothing. Confined to the event loop.
 */
final class DurableGossip {
    private static final int SUM = 1;
    private static final int BUCKETS = 2;
    private static final int ENTRIES = 3;

    /** A message is closed when it is longer than this. */
    private static final int FULL = 256 << 10;

    /** With more than this on the way to a node, it hears of changes by comparison later. */
    private static final long MOST_WAITING = 1 << 20;

    private static final int FIRST_PATIENCE = 2;
    private static final int LONGEST_PATIENCE = 16;

    private final NodeId self;
    private final DurableTable table;
    private final Neighbours neighbours;
    private final Consumer<List<Entry>> offer;
    private final SharedTexts texts = new SharedTexts();
    private final Map<NodeId, Peer> peers = new TreeMap<>();

    /** A node there is a line to. */
    private static final class Peer {
        /** Whether it has said a checksum. */
        boolean heard;
        /** Whether that was ours, at any time since the line began. */
        boolean agreed;
        /** How often in a row it was not. */
        int differing;
        /** How often that is taken for something on its way. */
        int patience = FIRST_PATIENCE;
        /** What it is to be told. */
        final ArrayDeque<Integer> buckets = new ArrayDeque<>();

        Iterator<Entry> entries = List.<Entry>of().iterator();
        boolean telling;
    }

    /** @param offer takes what other nodes tell */
    DurableGossip(NodeId self, DurableTable table, Neighbours neighbours, Consumer<List<Entry>> offer) {
        this.self = self;
        this.table = table;
        this.neighbours = neighbours;
        this.offer = offer;
    }

    /** There is a line to that node, or another one. */
    void connected(NodeId node) {
        peers.put(node, new Peer());
        sendSum(node);
    }

    void lost(NodeId node) {
        peers.remove(node);
    }

    /** To be called once per heartbeat. */
    void beat() {
        peers.keySet().forEach(this::sendSum);
    }

    /** Whether this node has, of every node in reach that has said what it has, all that. */
    boolean caughtUp() {
        return peers.values().stream().allMatch(peer -> peer.agreed || !peer.heard);
    }

    private void sendSum(NodeId node) {
        if (table.highest() > 0) {
            neighbours.send(
                    node,
                    new ByteWriter(32)
                            .octet(SUM)
                            .number(table.checksum(), 8)
                            .number(table.highest(), 8)
                            .bytes());
        }
    }

    /** Tells what this node has accepted. */
    void tell(List<Entry> entries) {
        Iterator<Entry> rest = entries.iterator();
        while (rest.hasNext()) {
            byte[] message = message(rest);
            for (NodeId node : peers.keySet()) {
                if (neighbours.waiting(node) < MOST_WAITING) {
                    neighbours.send(node, message);
                }
            }
        }
    }

    private static byte[] message(Iterator<Entry> entries) {
        ByteWriter out = new ByteWriter(1_024).octet(ENTRIES);
        while (entries.hasNext() && out.size() < FULL) {
            entries.next().writeTo(out);
        }
        return out.bytes();
    }

    // ---- what others say

    /** @throws MalformedException when it is not what it should be; what was before that is taken */
    void received(NodeId from, byte[] message) throws MalformedException {
        Peer peer = peers.get(from);
        if (peer == null) {
            return; // by a line that is not in use
        }
        ByteReader in = new ByteReader(message, 0, message.length, texts);
        switch (in.octet()) {
            case SUM -> sum(from, peer, in.number(8), in.number(8));
            case BUCKETS -> buckets(from, peer, in);
            case ENTRIES -> entries(in);
            default -> {} // of a newer version
        }
    }

    private void sum(NodeId from, Peer peer, long checksum, long highest) throws MalformedException {
        if (highest < 0 || highest > Entry.HIGHEST_GENERATION) {
            throw new MalformedException("generation: " + highest + " (expected: 0-" + Entry.HIGHEST_GENERATION + ")");
        }
        boolean first = !peer.heard;
        peer.heard = true;
        table.seen(highest);
        if (checksum == table.checksum()) {
            peer.agreed = true;
            peer.differing = 0;
            peer.patience = FIRST_PATIENCE;
            return;
        }
        peer.differing++;
        boolean begins = self.compareTo(from) < 0;
        if (begins && !peer.telling && (first || peer.differing >= peer.patience)) {
            peer.differing = 0;
            peer.patience = first ? FIRST_PATIENCE : Math.min(LONGEST_PATIENCE, 2 * peer.patience);
            sendBuckets(from, true);
        } else if (first && !begins) {
            sendSum(from); // it may not have known that there is anything to compare
        }
    }

    private void sendBuckets(NodeId to, boolean asking) {
        ByteWriter out = new ByteWriter(2_100).octet(BUCKETS).octet(asking ? 1 : 0);
        for (long sum : table.sums()) {
            out.number(sum, 8);
        }
        neighbours.send(to, out.bytes());
    }

    private void buckets(NodeId from, Peer peer, ByteReader in) throws MalformedException {
        boolean asking = in.octet() != 0;
        long[] own = table.sums();
        List<Integer> differing = new ArrayList<>();
        for (int i = 0; i < own.length; i++) {
            if (in.number(8) != own[i]) {
                differing.add(i);
            }
        }
        if (asking) {
            sendBuckets(from, false);
        }
        if (!peer.telling && !differing.isEmpty()) {
            peer.buckets.addAll(differing);
            peer.telling = true;
            pump(from);
        }
    }

    private void entries(ByteReader in) throws MalformedException {
        List<Entry> entries = new ArrayList<>();
        try {
            while (in.hasMore()) {
                entries.add(Entry.read(in));
            }
        } finally {
            offer.accept(entries);
        }
    }

    /** Goes on telling that node what it is to be told, as far as the line takes it. */
    void pump(NodeId node) {
        Peer peer = peers.get(node);
        if (peer == null || !peer.telling) {
            return;
        }
        Iterator<Entry> rest = new Iterator<>() {
            @Override
            public boolean hasNext() {
                while (!peer.entries.hasNext() && !peer.buckets.isEmpty()) {
                    peer.entries = table.bucket(peer.buckets.removeFirst()).iterator();
                }
                return peer.entries.hasNext();
            }

            @Override
            public Entry next() {
                return peer.entries.next();
            }
        };
        while (rest.hasNext()) {
            if (neighbours.waiting(node) > MOST_WAITING) {
                return; // until there is room
            }
            neighbours.send(node, message(rest));
        }
        peer.telling = false;
        sendSum(node);
    }
}
