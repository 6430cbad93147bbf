package io.mooring.server.durable;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.server.codec.ByteReader;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.codec.ByteWriter;
import io.mooring.server.codec.SharedTexts;
import io.mooring.server.restore.Blocks;
import io.mooring.server.restore.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The table on disk.
 *
 * <p>Entries may be read in any order and more than once, and the table comes out the same. So a reader takes all files
 * there are, and nothing hinges on which of them is complete: a new file takes what is written from now on and, in between,
 * page by page, what there is; when all of it is forced to the disk, the older files go. One is begun with the first write
 * after a start, when the last has become much longer than what it holds, and when a write failed.
 *
 * <pre>
 * durable-N.log = "MOORDUR1" · {@linkplain Blocks block}…
 * payload       = item…
 * item          = 'E' {@linkplain Entry entry} | 'H' highest generation seen (8)
 * </pre>
 *
 * Confined to the event loop.
 */
final class DurableLog {
    private static final Logger log = LoggerFactory.getLogger(DurableLog.class);

    private static final Pattern FILE = Pattern.compile("durable-(\\d{1,9})\\.log");
    private static final byte[] MAGIC = "MOORDUR1".getBytes(StandardCharsets.US_ASCII);
    private static final long REWRITE_ABOVE = 1 << 20;
    private static final int PAGE = 256 << 10;
    private static final int MOST_UNWRITTEN = 32 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final Storage storage;
    private final EventLoop loop;
    private final DurableTable table;

    /** Files that go when the present one holds everything; true for those of which some could not be read. */
    private final Map<String, Boolean> older = new LinkedHashMap<>();

    private int sequence;
    private @Nullable String file;
    private @Nullable Rewrite rewrite;
    private boolean appending;
    private long behindSnapshot;
    private long snapshotBytes;
    private long unwritten;
    private @Nullable String problem;

    /** All there is, being written to the present file. */
    private static final class Rewrite {
        final List<EntryKey> todo;
        int next;
        long bytes;
        boolean over;

        Rewrite(List<EntryKey> todo) {
            this.todo = todo;
        }
    }

    /**
     * Reads what there is into the table. What is damaged is passed over, loudly.
     *
     * @throws IOException when the data directory cannot be read
     */
    DurableLog(Storage storage, EventLoop loop, DurableTable table) throws IOException {
        this.storage = storage;
        this.loop = loop;
        this.table = table;
        Map<Integer, String> files = new TreeMap<>();
        for (String name : storage.names()) {
            Matcher matcher = FILE.matcher(name);
            if (matcher.matches()) {
                files.put(Integer.parseInt(matcher.group(1)), name);
            }
        }
        files.forEach((number, name) -> {
            sequence = number;
            older.put(name, read(name));
        });
        if (older.containsValue(true)) {
            begin();
        }
    }

    // ---- reading

    /** @return whether something of it was damaged */
    private boolean read(String name) {
        SharedTexts texts = new SharedTexts();
        int damaged = 0;
        try (InputStream in = storage.read(name)) {
            byte[] magic = in.readNBytes(MAGIC.length);
            if (!Arrays.equals(magic, MAGIC)) {
                boolean torn = magic.length < MAGIC.length;
                damaged += torn ? 0 : 1;
                return report(name, damaged);
            }
            Blocks.Reader blocks = new Blocks.Reader(in);
            while (true) {
                byte[] payload = blocks.next();
                if (payload != null) {
                    damaged += take(new ByteReader(payload, 0, payload.length, texts)) ? 0 : 1;
                } else if (blocks.end() == Blocks.Reader.End.DAMAGED) {
                    damaged++; // the next one may be whole, and order does not matter
                } else {
                    damaged += blocks.end() == Blocks.Reader.End.LOST ? 1 : 0;
                    if (blocks.end() == Blocks.Reader.End.TORN) {
                        log.warn("{} ends in a block that is not whole; what was before it is there", name);
                    }
                    return report(name, damaged);
                }
            }
        } catch (IOException e) {
            log.error("{} in the data directory cannot be read: {}", name, e.toString());
            return true;
        }
    }

    private static boolean report(String name, int damaged) {
        if (damaged > 0) {
            log.error(
                    "{} in the data directory is damaged in {} places; the node starts without what stood there. What other"
                            + " nodes still have comes back from them; the file is kept as {}.damaged",
                    name,
                    damaged,
                    name);
        }
        return damaged > 0;
    }

    private boolean take(ByteReader in) {
        try {
            while (in.hasMore()) {
                int item = in.octet();
                if (item == 'E') {
                    table.offer(Entry.read(in));
                } else if (item == 'H') {
                    table.seen(in.number(8));
                } else {
                    return false;
                }
            }
            return true;
        } catch (MalformedException e) {
            return false;
        }
    }

    // ---- writing

    /** What is wrong with the disk; empty when nothing is. */
    Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /**
     * Writes entries that are not in the table yet. To be called when the one before is done.
     *
     * @param done gets nothing when they are on the disk and forced, or why they are not; once, within two seconds
     */
    void append(List<Entry> entries, Consumer<Optional<String>> done) {
        if (problem != null) {
            done.accept(Optional.of(problem));
            return;
        }
        makeRoom();
        String target = presentFile();
        Settling settling = new Settling(target, done);
        appending = true;
        write(target, entries, settling::failed);
        storage.force(
                target,
                failure -> failure.ifPresentOrElse(
                        e -> settling.failed("forcing " + target + " to the disk failed: " + e), settling::written));
    }

    /** The fate of one append: written, failed, or given up after a while, whichever is first. */
    private final class Settling {
        private final Timer impatience =
                loop.schedule(PATIENCE, () -> failed("the disk has not answered for " + PATIENCE.toSeconds() + " s"));
        private final String target;
        private final Consumer<Optional<String>> done;
        private boolean settled;

        Settling(String target, Consumer<Optional<String>> done) {
            this.target = target;
            this.done = done;
        }

        void written() {
            settle(Optional.empty());
        }

        void failed(String why) {
            fail(target, why);
            settle(Optional.of(why));
        }

        private void settle(Optional<String> result) {
            if (!settled) {
                settled = true;
                impatience.cancel();
                appending = false;
                done.accept(result);
            }
        }
    }

    /** Writes entries that are in the table already; nobody waits for them. */
    void note(List<Entry> entries) {
        if (problem != null && rewrite == null) {
            return; // the file that is begun when the disk can be written again will have them
        }
        if (!appending && problem == null) {
            makeRoom(); // what is being appended is not in the table: the new file would not get it
        }
        String target = presentFile();
        write(target, entries, why -> fail(target, why));
    }

    private void makeRoom() {
        boolean tooLong = behindSnapshot > REWRITE_ABOVE && behindSnapshot > 2 * snapshotBytes;
        if (file == null || tooLong && rewrite == null) {
            begin();
        }
    }

    private void write(String target, List<Entry> entries, Consumer<String> onFailure) {
        ByteWriter block = Blocks.begin();
        for (Entry entry : entries) {
            item(block, entry);
            if (block.size() > PAGE) {
                put(target, Blocks.close(block), onFailure, () -> {});
                block = Blocks.begin();
            }
        }
        if (!Blocks.isEmpty(block)) {
            put(target, Blocks.close(block), onFailure, () -> {});
        }
    }

    private String presentFile() {
        if (file == null) {
            throw new IllegalStateException("no file is open (expected: one was begun)");
        }
        return file;
    }

    private static void item(ByteWriter block, Entry entry) {
        entry.writeTo(block.octet('E'));
    }

    private void put(String target, byte[] bytes, Consumer<String> onFailure, Runnable onSuccess) {
        unwritten += bytes.length;
        behindSnapshot += bytes.length;
        storage.append(target, bytes, failure -> {
            unwritten -= bytes.length;
            if (failure.isPresent()) {
                onFailure.accept("writing " + target + " failed: " + failure.get());
            } else {
                onSuccess.run();
            }
        });
        if (unwritten > MOST_UNWRITTEN) {
            onFailure.accept("the disk is behind by " + (unwritten >> 20) + " MiB");
        }
    }

    // ---- a new file

    private void begin() {
        if (file != null) {
            older.put(file, false);
        }
        String begun = "durable-" + ++sequence + ".log";
        file = begun;
        behindSnapshot = 0;
        Rewrite step = new Rewrite(table.keys());
        rewrite = step;
        put(begun, MAGIC.clone(), why -> fail(begun, why), () -> nextPage(begun, step));
    }

    private void nextPage(String target, Rewrite step) {
        if (step.over) {
            return;
        }
        ByteWriter page = Blocks.begin();
        page.octet('H').number(table.highest(), 8);
        while (step.next < step.todo.size() && page.size() < PAGE) {
            Entry entry = table.get(step.todo.get(step.next++));
            if (entry != null) {
                item(page, entry);
            }
        }
        byte[] block = Blocks.close(page);
        step.bytes += block.length;
        boolean last = step.next == step.todo.size();
        put(target, block, why -> fail(target, why), () -> {
            if (last) {
                storage.force(
                        target,
                        failure -> failure.ifPresentOrElse(
                                e -> fail(target, "forcing " + target + " to the disk failed: " + e),
                                () -> complete(step)));
            } else {
                nextPage(target, step);
            }
        });
    }

    private void complete(Rewrite step) {
        if (step.over) {
            return;
        }
        step.over = true;
        rewrite = null;
        snapshotBytes = step.bytes;
        behindSnapshot = Math.max(0, behindSnapshot - step.bytes);
        older.forEach((name, damaged) -> {
            if (damaged) {
                storage.rename(name, name + ".damaged", ignored -> {}); // for people; the node has what it could read
            } else {
                storage.delete(name);
            }
        });
        older.clear();
        if (problem != null) {
            log.info("The disk can be written again; {} holds all durable entries.", file);
            problem = null;
        }
    }

    /** The end of that file cannot be trusted any more: nothing is accepted until another one holds everything. */
    private void fail(String target, String why) {
        boolean known = problem != null && rewrite == null;
        if (!target.equals(file) || known) {
            return;
        }
        if (rewrite != null) {
            rewrite.over = true;
            rewrite = null;
        }
        if (problem == null) {
            problem = why;
            log.error(
                    "{}. Durable entries are served, and changes of them refused; retrying every {} s.",
                    why,
                    RETRY.toSeconds());
            loop.schedule(RETRY, this::retry);
        } else {
            problem = why;
            storage.delete(target); // a retry: nobody was told that anything is in it
            file = null;
        }
    }

    private void retry() {
        if (problem == null) {
            return;
        }
        if (rewrite == null && unwritten == 0) {
            begin();
        }
        loop.schedule(RETRY, this::retry);
    }
}
