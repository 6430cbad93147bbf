package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.model.Removal;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.Octets;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/** Turns the messages of one line into values; keeps the texts they share. Used by one thread at a time. */
public final class PeerReader {
    /** More shards in a heartbeat than this are not looked at. */
    private static final int MOST_DIGESTS = 256;

    private static final int MOST_ADDRESSES = 256;
    private static final int MOST_WORDS = 500;
    private static final long MOST_INCARNATIONS = 1L << 31;

    private final SharedTexts texts = new SharedTexts();
    private final CRC32C crc = new CRC32C();

    /** @throws MalformedException when they are not what they should be: the line cannot be trusted any more */
    public PeerMessage read(byte[] message) throws MalformedException {
        if (message.length < PeerWriter.HEAD || message.length > PeerMessage.MAX_BYTES) {
            throw new MalformedException("message: " + message.length + " bytes (expected: " + PeerWriter.HEAD + "-"
                    + PeerMessage.MAX_BYTES + ")");
        }
        ByteReader in = new ByteReader(message, 0, message.length, texts);
        int kind = in.octet();
        long sum = in.number(4);
        crc.reset();
        crc.update(message, 0, 1);
        crc.update(message, PeerWriter.HEAD, message.length - PeerWriter.HEAD);
        if (crc.getValue() != sum) {
            throw new MalformedException("message of kind " + kind + ": its checksum does not fit (expected: the bytes"
                    + " that were sent)");
        }
        return switch (kind) {
            case PeerWriter.HELLO -> hello(in);
            case PeerWriter.PROOF -> new PeerMessage.Proof(in.text());
            case PeerWriter.KNOWN -> new PeerMessage.Known(in.number(8), in.number(8), in.octet() != 0);
            case PeerWriter.REFUSE -> new PeerMessage.Refuse(words(in), words(in));
            case PeerWriter.HEARTBEAT -> heartbeat(in);
            case PeerWriter.FOLLOW -> new PeerMessage.Follow((int) in.number(4), in.node(), revision(in), revision(in));
            case PeerWriter.UNFOLLOW -> new PeerMessage.Unfollow(in.node());
            case PeerWriter.ENDED -> new PeerMessage.Ended(in.node());
            case PeerWriter.PAGE -> page(in);
            case PeerWriter.DELTA -> delta(in, message);
            case PeerWriter.LEAVING -> new PeerMessage.Leaving();
            case PeerWriter.ASK ->
                new PeerMessage.Ask(in.number(8), in.octet(), Octets.of(in.octets((int) in.number(4))));
            case PeerWriter.ANSWER -> new PeerMessage.Answer(in.number(8), in.octet() != 0, in.text());
            case PeerWriter.CARRIED -> new PeerMessage.Carried(Octets.of(in.octets(in.remaining())));
            default -> new PeerMessage.Unknown(kind);
        };
    }

    private static PeerMessage.Hello hello(ByteReader in) throws MalformedException {
        return new PeerMessage.Hello(
                (int) in.number(2),
                (int) in.number(2),
                words(in),
                in.node(),
                revision(in),
                in.number(8),
                words(in),
                words(in),
                in.number(8),
                in.number(8));
    }

    /** For people: of a stranger, so without anything that would disturb a log. */
    private static String words(ByteReader in) throws MalformedException {
        String text = in.text();
        return text.substring(0, Math.min(MOST_WORDS, text.length())).replaceAll("\\p{Cntrl}", "?");
    }

    private static PeerMessage.Heartbeat heartbeat(ByteReader in) throws MalformedException {
        int sessions = (int) in.number(4);
        int flags = in.octet();
        if (sessions < 0) {
            throw new MalformedException("sessions: " + sessions + " (expected: 0 or more)");
        }
        int shards = count(in, 2, MOST_DIGESTS);
        List<PeerMessage.Digest> digests = new ArrayList<>(shards);
        for (int i = 0; i < shards; i++) {
            int end = end(in, 2);
            digests.add(digest(in));
            finish(in, end);
        }
        int members = count(in, 2, MOST_ADDRESSES);
        List<String> addresses = new ArrayList<>(members);
        for (int i = 0; i < members; i++) {
            addresses.add(in.text());
        }
        long clock = in.remaining() >= 8 ? in.number(8) : 0; // nodes of the first version do not say it
        long number = in.remaining() >= 8 ? in.number(8) : 0; // nor this
        return new PeerMessage.Heartbeat(
                digests,
                sessions,
                (flags & PeerWriter.STARTING) != 0,
                (flags & PeerWriter.DRAINING) != 0,
                addresses,
                clock,
                number);
    }

    private static PeerMessage.Digest digest(ByteReader in) throws MalformedException {
        ShardId shard = shard(in);
        long process = in.number(8);
        long revision = revision(in);
        int flags = in.octet();
        OptionalLong checksum = checksum(in, flags);
        int instances = (int) in.number(4);
        long age = in.number(4);
        return new PeerMessage.Digest(
                shard,
                process,
                revision,
                checksum,
                instances,
                (flags & PeerWriter.WHOLE) != 0,
                (flags & PeerWriter.ALIVE) != 0,
                age);
    }

    private PeerMessage.Page page(ByteReader in) throws MalformedException {
        int flags = in.octet();
        int number = (int) in.number(4);
        int page = (int) in.number(4);
        ShardId shard = shard(in);
        long process = in.number(8);
        long revision = revision(in);
        OptionalLong checksum = checksum(in, flags);
        int items = count(in, 4, in.remaining() / PeerWriter.ITEM_HEAD);
        List<Registration> registrations = new ArrayList<>(items);
        List<PeerMessage.Buried> burials = new ArrayList<>(0);
        for (int i = 0; i < items; i++) {
            int kind = in.octet();
            int end = end(in, 3);
            if (kind == PeerWriter.GRANTED) {
                registrations.add(in.registration());
            } else if (kind == PeerWriter.REMOVED) {
                InstanceId instance = in.id();
                Burial burial = in.burial();
                burials.add(new PeerMessage.Buried(instance, burial.on(attempt(in, end))));
            } // else of a newer version
            finish(in, end);
        }
        return new PeerMessage.Page(
                shard,
                process,
                number,
                page,
                (flags & PeerWriter.LAST) != 0,
                revision,
                checksum,
                registrations,
                burials);
    }

    private PeerMessage.Delta delta(ByteReader in, byte[] message) throws MalformedException {
        boolean more = (in.octet() & PeerWriter.MORE) != 0;
        ShardId shard = shard(in);
        long first = revision(in);
        int items = count(in, 4, in.remaining() / PeerWriter.ITEM_HEAD);
        if (first == 0 || items == 0) {
            throw new MalformedException(
                    "delta: " + items + " steps from revision " + first + " (expected: one or more, from 1 on)");
        }
        List<Change> changes = new ArrayList<>(items);
        for (int i = 0; i < items; i++) {
            int kind = in.octet();
            int end = end(in, 3);
            if (kind == PeerWriter.GRANTED || kind == PeerWriter.STANDING) {
                changes.add(new Change.Granted(shard, first + i, in.registration(), kind == PeerWriter.STANDING));
            } else if (kind == PeerWriter.REMOVED) {
                InstanceId instance = in.id();
                Removal removal = new Removal(instance, in.cause());
                Burial burial = in.burial();
                String actor = in.text();
                changes.add(new Change.Removed(shard, first + i, removal, burial.on(attempt(in, end)), actor));
            } // else of a newer version: a step that we cannot take, but whoever follows us may
            finish(in, end);
        }
        return new PeerMessage.Delta(shard, first, items, more, changes, Octets.of(message));
    }

    /** Nodes of the first version do not say it. */
    private static long attempt(ByteReader in, int end) throws MalformedException {
        return in.remaining() - end >= 4 ? in.number(4) : 0;
    }

    private static ShardId shard(ByteReader in) throws MalformedException {
        ShardId shard = in.shard();
        if (shard.incarnation() < 0 || shard.incarnation() > MOST_INCARNATIONS) {
            throw new MalformedException(
                    "incarnation: " + shard.incarnation() + " (expected: 0-" + MOST_INCARNATIONS + ")");
        }
        return shard;
    }

    private static long revision(ByteReader in) throws MalformedException {
        long revision = in.number(8);
        if (revision < 0 || revision > Long.MAX_VALUE / 2) {
            throw new MalformedException("revision: " + revision + " (expected: 0 or more)");
        }
        return revision;
    }

    private static OptionalLong checksum(ByteReader in, int flags) throws MalformedException {
        long sum = in.number(8);
        return (flags & PeerWriter.CHECKSUM) != 0 ? OptionalLong.of(sum) : OptionalLong.empty();
    }

    private static int count(ByteReader in, int octets, int most) throws MalformedException {
        long count = in.number(octets);
        if (count > most) {
            throw new MalformedException("count: " + count + " (expected: at most " + most + ")");
        }
        return (int) count;
    }

    /** Of an item whose length comes next: how much of the message is left after it. */
    private static int end(ByteReader in, int octets) throws MalformedException {
        int length = (int) in.number(octets);
        if (length > in.remaining()) {
            throw new MalformedException("item: " + length + " bytes (expected: at most " + in.remaining() + ")");
        }
        return in.remaining() - length;
    }

    /** Passes over what a newer version added to an item. */
    private static void finish(ByteReader in, int end) throws MalformedException {
        if (in.remaining() < end) {
            throw new MalformedException("item: longer than it says (expected: all of it within its length)");
        }
        in.skip(in.remaining() - end);
    }
}
