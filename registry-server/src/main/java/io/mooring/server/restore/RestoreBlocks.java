package io.mooring.server.restore;

import io.mooring.model.InstanceId;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.io.InputStream;

/**
 * What is in the {@linkplain Blocks blocks} of the restore log.
 *
 * <pre>
 * payload = entry…
 * entry   = 'P' shard registration | 'R' shard id burial | 'T' shard id burial attempt (4) | 'C'
 *           (put; remove; remove what its session took back; snapshot complete)
 * </pre>
 */
final class RestoreBlocks {
    private RestoreBlocks() {}

    /** Gathers entries into one block. */
    static final class BlockWriter {
        private final ByteWriter bytes = Blocks.begin();

        int size() {
            return bytes.size();
        }

        boolean isEmpty() {
            return Blocks.isEmpty(bytes);
        }

        void put(ShardId shard, Registration registration) {
            bytes.octet('P').shard(shard).registration(registration);
        }

        void remove(ShardId shard, InstanceId instance, Burial burial) {
            boolean takenBack = burial.attempt() > 0;
            bytes.octet(takenBack ? 'T' : 'R').shard(shard).id(instance).burial(burial);
            if (takenBack) {
                bytes.number(burial.attempt(), 4);
            }
        }

        void complete() {
            bytes.octet('C');
        }

        byte[] block() {
            return Blocks.close(bytes);
        }
    }

    /** Takes the entries of a log. */
    interface Entries {
        void put(ShardId shard, Registration registration);

        void remove(ShardId shard, InstanceId instance, Burial burial);

        void complete();
    }

    /**
     * Reads blocks until the end or until one is not whole.
     *
     * @return whether all of it was whole; if not, the rest was torn or damaged, and is not looked at
     */
    static boolean read(InputStream log, Entries entries) throws IOException {
        SharedTexts texts = new SharedTexts();
        Blocks.Reader blocks = new Blocks.Reader(log);
        for (byte[] payload = blocks.next(); payload != null; payload = blocks.next()) {
            try {
                readEntries(new ByteReader(payload, 0, payload.length, texts), entries);
            } catch (MalformedException e) {
                return false; // the checksum fits but we cannot read it: another version wrote it
            }
        }
        return blocks.end() == Blocks.Reader.End.WHOLE;
    }

    private static void readEntries(ByteReader in, Entries entries) throws MalformedException {
        while (in.hasMore()) {
            int kind = in.octet();
            switch (kind) {
                case 'P' -> entries.put(in.shard(), in.registration());
                case 'R' -> entries.remove(in.shard(), in.id(), in.burial());
                case 'T' -> entries.remove(in.shard(), in.id(), in.burial().on(in.number(4)));
                case 'C' -> entries.complete();
                default -> throw new MalformedException("entry: of unknown kind " + kind);
            }
        }
    }
}
