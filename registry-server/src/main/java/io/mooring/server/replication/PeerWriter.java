package io.mooring.server.replication;

import io.mooring.server.codec.ByteWriter;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/**
 * Messages between nodes as bytes. Values are written as by {@link ByteWriter}.
 *
 * <pre>
 * message   = kind (1) · CRC32C of all else (4) · fields
 * hello     = version (2) · oldest (2) · cluster · node (texts) · incarnation (8) · process (8) · advertised · sessions
 *             (texts) · nonce (16)
 * proof     = mac (text)
 * known     = incarnation (8) · process (8) · alone (1)
 * refuse    = code · text (texts)
 * heartbeat = sessions (4) · flags (1: starting 1, draining 2) · count (2) · (length (2) · digest)… · count (2) · address (text)…
 * digest    = shard · process (8) · revision (8) · flags (1: checksum 1, whole 2, alive 4) · checksum (8) · instances (4) · age (4)
 * follow    = number (4) · origin (text) · incarnation (8) · revision (8)
 * unfollow, ended = origin (text)
 * page      = flags (1: checksum 1, last 2) · number (4) · page (4) · shard · process (8) · revision (8) · checksum (8)
 *             · count (4) · item…
 * delta     = flags (1: more 1) · shard · first revision (8) · count (4) · item…
 * item      = kind (1) · length (3) · in a page 1: registration, 3: id · burial · attempt (4)
 *                                   · in a delta 1 and 2 (standing only): registration, 3: id · cause (1) · burial · actor (text)
 *                                     · attempt (4)
 * ask       = id (8) · kind (1) · length (4) · payload
 * answer    = id (8) · ok (1) · text
 * carried   = payload
 * </pre>
 *
 * What a newer version adds at the end of a message or an item is passed over, and so are messages and items of kinds
 * that are not known.
 */
public final class PeerWriter {
    static final int HELLO = 1;
    static final int PROOF = 2;
    static final int KNOWN = 3;
    static final int REFUSE = 4;
    static final int HEARTBEAT = 5;
    static final int FOLLOW = 6;
    static final int UNFOLLOW = 7;
    static final int ENDED = 8;
    static final int PAGE = 9;
    static final int DELTA = 10;
    static final int LEAVING = 11;
    static final int ASK = 12;
    static final int ANSWER = 13;
    static final int CARRIED = 14;

    static final int GRANTED = 1;
    static final int STANDING = 2;
    static final int REMOVED = 3;

    static final int STARTING = 1;
    static final int DRAINING = 2;
    static final int CHECKSUM = 1;
    static final int WHOLE = 2;
    static final int LAST = 2;
    static final int ALIVE = 4;
    static final int MORE = 1;

    /** Octets before the fields. */
    static final int HEAD = 5;

    /** Octets before an item's contents. */
    static final int ITEM_HEAD = 4;

    /** A page or delta is closed when it is longer than this; an item has at most some hundred kB. */
    static final int FULL = 256 << 10;

    private static final int SMALL = 8 << 10;

    private PeerWriter() {}

    /** @param message any but a delta or a page, which are written part by part: {@link #deltas}, {@link PageWriter} */
    public static byte[] bytes(PeerMessage message) {
        if (message instanceof PeerMessage.Heartbeat heartbeat) {
            return heartbeat(heartbeat);
        } else if (message instanceof PeerMessage.Hello hello) {
            return hello(hello);
        } else if (message instanceof PeerMessage.Proof proof) {
            return close(begin(PROOF, 80).text(proof.mac()));
        } else if (message instanceof PeerMessage.Known known) {
            return close(begin(KNOWN, 32)
                    .number(known.incarnation(), 8)
                    .number(known.process(), 8)
                    .octet(known.alone() ? 1 : 0));
        } else if (message instanceof PeerMessage.Refuse refuse) {
            return close(begin(REFUSE, 200).text(refuse.code()).text(refuse.text()));
        } else if (message instanceof PeerMessage.Follow follow) {
            return close(begin(FOLLOW, 64)
                    .number(follow.number(), 4)
                    .text(follow.origin().name())
                    .number(follow.incarnation(), 8)
                    .number(follow.revision(), 8));
        } else if (message instanceof PeerMessage.Unfollow unfollow) {
            return close(begin(UNFOLLOW, 32).text(unfollow.origin().name()));
        } else if (message instanceof PeerMessage.Ended ended) {
            return close(begin(ENDED, 32).text(ended.origin().name()));
        } else if (message instanceof PeerMessage.Leaving) {
            return close(begin(LEAVING, 8));
        } else if (message instanceof PeerMessage.Ask ask) {
            return close(begin(ASK, 32 + ask.payload().length())
                    .number(ask.id(), 8)
                    .octet(ask.kind())
                    .number(ask.payload().length(), 4)
                    .octets(ask.payload().bytes()));
        } else if (message instanceof PeerMessage.Answer answer) {
            return close(begin(ANSWER, 64)
                    .number(answer.id(), 8)
                    .octet(answer.ok() ? 1 : 0)
                    .text(answer.text()));
        } else if (message instanceof PeerMessage.Carried carried) {
            return close(begin(CARRIED, 8 + carried.payload().length())
                    .octets(carried.payload().bytes()));
        } else if (message instanceof PeerMessage.Delta delta) {
            return delta.bytes().bytes();
        }
        throw new IllegalStateException("message: " + message + " (expected: one of the kinds above)");
    }

    private static byte[] hello(PeerMessage.Hello hello) {
        return close(begin(HELLO, 256)
                .number(hello.version(), 2)
                .number(hello.oldest(), 2)
                .text(hello.cluster())
                .text(hello.node().name())
                .number(hello.incarnation(), 8)
                .number(hello.process(), 8)
                .text(hello.advertised())
                .text(hello.sessions())
                .number(hello.nonceHigh(), 8)
                .number(hello.nonceLow(), 8));
    }

    private static byte[] heartbeat(PeerMessage.Heartbeat heartbeat) {
        ByteWriter out = begin(HEARTBEAT, 512)
                .number(heartbeat.sessions(), 4)
                .octet((heartbeat.starting() ? STARTING : 0) | (heartbeat.draining() ? DRAINING : 0))
                .number(heartbeat.shards().size(), 2);
        for (PeerMessage.Digest digest : heartbeat.shards()) {
            int start = out.number(0, 2).size();
            out.shard(digest.shard())
                    .number(digest.process(), 8)
                    .number(digest.revision(), 8)
                    .octet((digest.checksum().isPresent() ? CHECKSUM : 0)
                            | (digest.whole() ? WHOLE : 0)
                            | (digest.alive() ? ALIVE : 0))
                    .number(digest.checksum().orElse(0), 8)
                    .number(digest.instances(), 4)
                    .number(digest.age(), 4);
            out.numberAt(start - 2, out.size() - start, 2);
        }
        out.number(heartbeat.addresses().size(), 2);
        heartbeat.addresses().forEach(out::text);
        out.number(heartbeat.clock(), 8).number(heartbeat.number(), 8);
        return close(out);
    }

    /**
     * The steps of one turn as as many deltas as needed.
     *
     * @param changes contiguous; not empty
     */
    static List<byte[]> deltas(ShardId shard, List<Change> changes) {
        List<byte[]> out = new ArrayList<>(1);
        int next = 0;
        while (next < changes.size()) {
            int from = next;
            ByteWriter delta =
                    begin(DELTA, from == 0 ? 64 + 256 * Math.min(changes.size(), 1_000) : FULL + (FULL >> 1));
            int flags = delta.size();
            delta.octet(0).shard(shard).number(changes.get(from).revision(), 8);
            int count = delta.size();
            delta.number(0, 4);
            while (next < changes.size() && delta.size() < FULL) {
                change(delta, changes.get(next++));
            }
            delta.numberAt(count, next - from, 4).numberAt(flags, next < changes.size() ? MORE : 0, 1);
            out.add(close(delta));
        }
        return out;
    }

    private static void change(ByteWriter out, Change change) {
        if (change instanceof Change.Granted granted) {
            int start = item(out, granted.standingOnly() ? STANDING : GRANTED);
            out.registration(granted.registration());
            closeItem(out, start);
        } else if (change instanceof Change.Removed removed) {
            int start = item(out, REMOVED);
            out.id(removed.instance())
                    .cause(removed.cause())
                    .burial(removed.burial())
                    .text(removed.actor())
                    .number(removed.burial().attempt(), 4);
            closeItem(out, start);
        }
    }

    /** Gathers one page of a snapshot. */
    static final class PageWriter {
        static final int MOST_ITEMS = 1_000;

        private final ByteWriter out;
        private final int flags;
        private int rest;
        private int items;

        PageWriter(ShardId shard, long process, int number, int page) {
            // Most shards of a small cluster fit into a small page; where there are more pages, they are full.
            out = begin(PAGE, page == 0 ? SMALL : FULL);
            flags = out.size();
            out.octet(0).number(number, 4).number(page, 4).shard(shard).number(process, 8);
            rest = out.size();
            out.number(0, 8).number(0, 8).number(0, 4); // revision, checksum, count: known at the end
        }

        boolean isFull() {
            return items >= MOST_ITEMS || out.size() >= FULL;
        }

        void add(Registration registration) {
            int start = item(out, GRANTED);
            out.registration(registration);
            closeItem(out, start);
            items++;
        }

        void add(PeerMessage.Buried buried) {
            int start = item(out, REMOVED);
            out.id(buried.instance())
                    .burial(buried.burial())
                    .number(buried.burial().attempt(), 4);
            closeItem(out, start);
            items++;
        }

        byte[] close(boolean last, long revision, OptionalLong checksum) {
            out.numberAt(flags, (last ? LAST : 0) | (checksum.isPresent() ? CHECKSUM : 0), 1)
                    .numberAt(rest, revision, 8)
                    .numberAt(rest + 8, checksum.orElse(0), 8)
                    .numberAt(rest + 16, items, 4);
            return PeerWriter.close(out);
        }
    }

    private static int item(ByteWriter out, int kind) {
        return out.octet(kind).number(0, 3).size();
    }

    private static void closeItem(ByteWriter out, int start) {
        out.numberAt(start - 3, out.size() - start, 3);
    }

    private static ByteWriter begin(int kind, int expected) {
        return new ByteWriter(expected).octet(kind).number(0, 4);
    }

    private static byte[] close(ByteWriter out) {
        byte[] message = out.bytes();
        CRC32C crc = new CRC32C();
        crc.update(message, 0, 1);
        crc.update(message, HEAD, message.length - HEAD);
        long sum = crc.getValue();
        for (int i = 0; i < 4; i++) {
            message[1 + i] = (byte) (sum >>> 8 * (3 - i));
        }
        return message;
    }
}
