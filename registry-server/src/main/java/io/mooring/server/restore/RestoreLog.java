package io.mooring.server.restore;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node writes to disk so that a restart serves the last view: a log of changes behind a snapshot, one file.
 *
 * <p>Every turn's changes are handed to the disk before anybody hears of them, so that what was told survives the death
 * of the process; the caller waits for that, but not for long (see {@link #append}). The file is for restarts, not the
 * truth: publishers are. When it cannot be written the node serves on and says so.
 *
 * <p>The file is named after the incarnation and a sequence number and starts with a snapshot. When the log behind it
 * has grown much longer than what it describes, or an append failed, a new file is begun beside it: pages of the
 * present registrations, behind the removals that are remembered and between the changes that go on, then a mark that it is complete, then its final name. A
 * reader takes the newest complete file up to the first block that is not whole.
 *
 * <p>Confined to the event loop.
 */
public final class RestoreLog {
    private static final Logger log = LoggerFactory.getLogger(RestoreLog.class);

    private static final Pattern FILE = Pattern.compile("registrations-(\\d{1,15})-(\\d{1,9})\\.log(\\.new)?");
    private static final byte[] MAGIC = "MOORING2".getBytes(StandardCharsets.US_ASCII);
    private static final int PAGE = 1_000;
    private static final long REWRITE_ABOVE = 16L << 20;
    private static final int MAX_UNWRITTEN = 64 << 20;

    /** A turn with so many changes, such as all of a peer's, is not appended: it would make the file be begun anew. */
    static final int LARGE_TURN = 100_000;

    private static final Duration RETRY = Duration.ofSeconds(5);

    /** In place of an incarnation: whoever said the removal, this node has only heard it. */
    private static final long HEARD = 0;

    /**
     * What an earlier incarnation left.
     *
     * @param incarnation the highest this directory knows of
     * @param own what the node itself had accepted
     * @param burials the removals it had said, oldest first
     * @param heard those and what it had heard of other nodes' removals, oldest first
     * @param replicas what it knew of other nodes' shards
     */
    public record Restored(
            long incarnation,
            Collection<Registration> own,
            Map<InstanceId, Burial> burials,
            Map<InstanceId, Burial> heard,
            Map<ShardId, Collection<Registration>> replicas) {
        /** There is nothing but the count. */
        public static Restored nothing(long incarnation) {
            return new Restored(incarnation, List.of(), Map.of(), Map.of(), Map.of());
        }
    }

    /** A registration's place. */
    public record Place(ShardId shard, InstanceId instance) {}

    private record SavedFile(String name, long incarnation, long sequence) {
        static final Comparator<SavedFile> NEWEST_FIRST = Comparator.comparingLong(SavedFile::incarnation)
                .thenComparingLong(SavedFile::sequence)
                .reversed();
    }

    private final Storage storage;
    private final EventLoop loop;
    private final NodeId self;
    private final Supplier<Shard> own;
    private final Supplier<Map<InstanceId, Burial>> heard;
    private final Supplier<List<Place>> present;
    private final BiFunction<ShardId, InstanceId, @Nullable Registration> lookup;
    private long incarnation;

    private int sequence;
    private String file;
    private long written;
    private long snapshotBytes;
    private long unwritten;
    private @Nullable Rewrite rewrite;
    private @Nullable String problem;
    private long behindSince;
    private boolean behind;

    /** Large turns there have been, and how many of them are in the file in use. */
    private long largeTurns;

    private long largeTurnsWritten;
    private long oldestLargeTurnAt;

    /** A new file being made beside the one in use. */
    private static final class Rewrite {
        String name;
        final List<Place> todo;
        final long largeTurns;
        final long begunAt;
        int next;
        long bytes;
        boolean failed;

        Rewrite(String name, List<Place> todo, long largeTurns, long begunAt) {
            this.name = name;
            this.todo = todo;
            this.largeTurns = largeTurns;
            this.begunAt = begunAt;
        }
    }

    /**
     * Reads what there is. Damaged files are passed over, loudly.
     *
     * @param self whose directory it is
     * @throws IOException when the data directory cannot be read
     */
    public static Restored read(Storage storage, NodeId self) throws IOException {
        long highest = 0;
        List<SavedFile> newestFirst = new ArrayList<>();
        for (String name : storage.names()) {
            Matcher matcher = FILE.matcher(name);
            if (matcher.matches()) {
                SavedFile file =
                        new SavedFile(name, Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)));
                highest = Math.max(highest, file.incarnation);
                if (matcher.group(3) == null) {
                    newestFirst.add(file);
                }
            }
        }
        newestFirst.sort(SavedFile.NEWEST_FIRST);
        for (SavedFile file : newestFirst) {
            Contents contents = contents(storage, file.name, self);
            if (contents.complete) {
                return contents.restored(highest);
            }
            log.error(
                    "{} in the data directory is damaged before its snapshot is complete; trying an older one",
                    file.name);
        }
        return Restored.nothing(highest);
    }

    private static Contents contents(Storage storage, String name, NodeId self) {
        Contents contents = new Contents(self);
        try (InputStream in = storage.read(name)) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
                return contents;
            }
            if (!RestoreBlocks.read(in, contents)) {
                log.warn("{} ends in bytes that are not whole; what was before them is restored", name);
            }
        } catch (IOException e) {
            log.error("{} in the data directory cannot be read: {}", name, e.toString());
        }
        return contents;
    }

    private static final class Contents implements RestoreBlocks.Entries {
        private final NodeId self;
        private final Map<ShardId, Map<InstanceId, Registration>> shards = new TreeMap<>();
        private final Shard said;
        private final Shard heard; // the removals of all nodes, as far as they are in this file
        boolean complete;

        Contents(NodeId self) {
            this.self = self;
            this.said = new Shard(new ShardId(self, 0));
            this.heard = new Shard(new ShardId(self, 0));
        }

        @Override
        public void put(ShardId shard, Registration registration) {
            Burial burial = heard.burials().get(registration.id());
            if (burial != null && burial.isOver(registration)) {
                return; // a copy that arrived behind its removal
            }
            shards.computeIfAbsent(shard, s -> new HashMap<>()).put(registration.id(), registration);
        }

        @Override
        public void remove(ShardId shard, InstanceId instance, Burial burial) {
            shards.forEach((id, registrations) -> {
                Registration there = registrations.get(instance);
                boolean reached =
                        there != null && (burial.reaches(there) || burial.generation() == 0 && id.equals(shard));
                if (reached) {
                    registrations.remove(instance);
                }
            });
            if (burial.generation() > 0) {
                heard.bury(instance, burial);
                if (shard.origin().equals(self) && shard.incarnation() != HEARD) {
                    said.bury(instance, burial);
                }
            }
        }

        @Override
        public void complete() {
            complete = true;
        }

        Restored restored(long highest) {
            Map<InstanceId, Registration> own = new TreeMap<>(); // the same order in every run
            Map<ShardId, Collection<Registration>> replicas = new TreeMap<>();
            shards.forEach((shard, registrations) -> {
                if (!shard.origin().equals(self)) {
                    replicas.put(shard, new TreeMap<>(registrations).values());
                    return;
                }
                registrations.forEach((id, registration) -> own.merge(
                        id, registration, (a, b) -> b.generation() >= a.generation() ? b : a)); // the later incarnation
            });
            return new Restored(highest, own.values(), said.burials(), heard.burials(), replicas);
        }
    }

    /**
     * Begins the file of this incarnation with what was restored, and deletes the older ones.
     *
     * @param incarnation higher than any before
     * @param restored what to begin with, shard by shard
     * @param own the node's own shard, of which the removals are kept
     * @param heard the removals of all nodes that are remembered, oldest first
     * @param present the places of what should be restored next time, as a list of its own
     * @param lookup the registration that stands there, or null
     * @throws IOException when it cannot be written: a node must not start without knowing its incarnation
     */
    public RestoreLog(
            Storage storage,
            EventLoop loop,
            long incarnation,
            Map<ShardId, Collection<Registration>> restored,
            Supplier<Shard> own,
            Supplier<Map<InstanceId, Burial>> heard,
            Supplier<List<Place>> present,
            BiFunction<ShardId, InstanceId, @Nullable Registration> lookup)
            throws IOException {
        this.storage = storage;
        this.loop = loop;
        this.incarnation = incarnation;
        this.self = own.get().id().origin();
        this.own = own;
        this.heard = heard;
        this.present = present;
        this.lookup = lookup;
        file = name(0);
        storage.replace(file, new SnapshotBlocks(burialBlocks(), restored, length -> snapshotBytes += length));
        for (String name : storage.names()) {
            if (FILE.matcher(name).matches() && !name.equals(file)) {
                storage.delete(name);
            }
        }
    }

    /** The removals that this node has heard or said: before the registrations, which are later. */
    private List<byte[]> burialBlocks() {
        Shard shard = own.get();
        List<byte[]> blocks = new ArrayList<>(2);
        Map<InstanceId, Burial> othersSaid = new LinkedHashMap<>(heard.get());
        othersSaid.entrySet().removeAll(shard.burials().entrySet()); // once is enough
        addBurials(blocks, new ShardId(self, HEARD), othersSaid);
        addBurials(blocks, shard.id(), shard.burials());
        return blocks;
    }

    private static void addBurials(List<byte[]> blocks, ShardId shard, Map<InstanceId, Burial> burials) {
        RestoreBlocks.BlockWriter block = new RestoreBlocks.BlockWriter();
        for (Map.Entry<InstanceId, Burial> entry : burials.entrySet()) {
            block.remove(shard, entry.getKey(), entry.getValue());
            if (block.size() >= Blocks.FULL) {
                blocks.add(block.block());
                block = new RestoreBlocks.BlockWriter();
            }
        }
        if (!block.isEmpty()) {
            blocks.add(block.block());
        }
    }

    /** A whole file, made block by block as the disk takes it. */
    private static final class SnapshotBlocks implements Iterator<byte[]> {
        private final Iterator<byte[]> burials;
        private final Iterator<Map.Entry<ShardId, Collection<Registration>>> shards;
        private final IntConsumer length;
        private Iterator<Registration> registrations = Collections.emptyIterator();
        private @Nullable ShardId shard;
        private boolean begun;
        private boolean ended;

        SnapshotBlocks(List<byte[]> burials, Map<ShardId, Collection<Registration>> restored, IntConsumer length) {
            this.burials = burials.iterator();
            this.shards = restored.entrySet().iterator();
            this.length = length;
        }

        @Override
        public boolean hasNext() {
            return !ended;
        }

        @Override
        public byte[] next() {
            if (!begun) {
                begun = true;
                return MAGIC.clone();
            }
            if (ended) {
                throw new NoSuchElementException();
            }
            if (burials.hasNext()) {
                byte[] bytes = burials.next();
                length.accept(bytes.length);
                return bytes;
            }
            RestoreBlocks.BlockWriter block = new RestoreBlocks.BlockWriter();
            while (block.size() < Blocks.FULL && advance()) {
                block.put(Objects.requireNonNull(shard), registrations.next());
            }
            if (!advance()) {
                block.complete();
                ended = true;
            }
            byte[] bytes = block.block();
            length.accept(bytes.length);
            return bytes;
        }

        private boolean advance() {
            while (!registrations.hasNext() && shards.hasNext()) {
                Map.Entry<ShardId, Collection<Registration>> entry = shards.next();
                shard = entry.getKey();
                registrations = entry.getValue().iterator();
            }
            return registrations.hasNext();
        }
    }

    private String name(int number) {
        return "registrations-" + incarnation + "-" + number + ".log";
    }

    // ---- state, for people and meters

    /** What is wrong with the disk; empty when nothing is. */
    public Optional<String> problem() {
        return Optional.ofNullable(problem);
    }

    /** How long there has been something told that is not written; zero in the normal state. */
    public Duration age() {
        long since = behind ? behindSince : loop.now();
        if (largeTurnsWritten < largeTurns) {
            since = Math.min(since, oldestLargeTurnAt);
        }
        return Duration.ofNanos(loop.now() - since);
    }

    /** Whether the disk has not moved for so long although there was something to write. */
    public boolean isStuckFor(Duration patience) {
        return behind && loop.now() - behindSince >= patience.toNanos();
    }

    // ---- writing

    /**
     * Writes a turn's changes. {@code done} runs on the loop when they are written, or when it is clear that they
     * will not be: at once if the disk is known to be in trouble, or they are so many that a new file is begun which has them.
     */
    public void append(List<Change> changes, Runnable done) {
        if (changes.size() >= LARGE_TURN
                && changes.stream().filter(RestoreLog::isWritten).count() >= LARGE_TURN) {
            done.run();
            if (largeTurnsWritten == largeTurns++) {
                oldestLargeTurnAt = loop.now();
            }
            renew();
            return;
        }
        List<byte[]> blocks = blocks(changes);
        if (blocks.isEmpty()) {
            done.run();
            return;
        }
        if (!behind) {
            behind = true;
            behindSince = loop.now();
        }
        long length = 0;
        for (byte[] block : blocks) {
            length += block.length;
            Rewrite inProgress = rewrite;
            if (inProgress != null) {
                appendTo(inProgress, block);
            }
        }
        if (problem == null && unwritten + length > MAX_UNWRITTEN) {
            fail("the disk is " + age().toSeconds() + " s behind and takes no more");
        }
        if (problem != null) {
            done.run();
            return;
        }
        for (int i = 0; i < blocks.size(); i++) {
            append(blocks.get(i), i == blocks.size() - 1 ? done : () -> {});
        }
    }

    /** Begins the file that has what the one in use lacks, unless one is on its way, or the disk is in trouble. */
    private void renew() {
        if (largeTurnsWritten < largeTurns && rewrite == null && problem == null) {
            beginRewrite();
        }
    }

    private void append(byte[] block, Runnable done) {
        unwritten += block.length;
        storage.append(file, block, failure -> {
            unwritten -= block.length;
            if (failure.isPresent()) {
                fail("writing " + file + " failed: " + failure.get());
            } else {
                written += block.length;
                behind = unwritten > 0;
                behindSince = loop.now();
                if (written > REWRITE_ABOVE && written > 2 * snapshotBytes && rewrite == null) {
                    beginRewrite();
                }
            }
            done.run();
        });
    }

    /** Standing is not for the disk. */
    private static boolean isWritten(Change change) {
        return !(change instanceof Change.Granted granted && granted.standingOnly());
    }

    private static List<byte[]> blocks(List<Change> changes) {
        List<byte[]> blocks = new ArrayList<>(1);
        RestoreBlocks.BlockWriter block = new RestoreBlocks.BlockWriter();
        for (Change change : changes) {
            if (!isWritten(change)) {
                continue;
            }
            if (change instanceof Change.Granted granted) {
                block.put(granted.shard(), granted.registration());
            } else if (change instanceof Change.Removed removed) {
                block.remove(removed.shard(), removed.instance(), removed.burial());
            }
            if (block.size() >= Blocks.FULL) {
                blocks.add(block.block());
                block = new RestoreBlocks.BlockWriter();
            }
        }
        if (!block.isEmpty()) {
            blocks.add(block.block());
        }
        return blocks;
    }

    /** The node goes on under a higher incarnation: a new file is begun that says so in its name. */
    public void raise(long higher) {
        incarnation = higher;
        sequence = 0;
        if (rewrite == null) {
            beginRewrite();
        }
    }

    /** After a failed append the file's tail cannot be trusted: a new file is begun as soon as the disk allows. */
    private void fail(String what) {
        if (problem == null) {
            problem = what;
            log.error(
                    "{}. Serving on; a restart would restore what was written before. Retrying every {} s.",
                    what,
                    RETRY.toSeconds());
            loop.schedule(RETRY, this::retry);
        }
    }

    private void retry() {
        if (problem == null) {
            return;
        }
        if (rewrite == null && unwritten == 0) {
            beginRewrite();
        }
        loop.schedule(RETRY, this::retry);
    }

    private void beginRewrite() {
        sequence++;
        Rewrite begun = new Rewrite(name(sequence) + ".new", present.get(), largeTurns, loop.now());
        rewrite = begun;
        storage.append(begun.name, MAGIC, failure -> onRewriteStep(begun, failure));
        for (byte[] block : burialBlocks()) {
            begun.bytes += block.length;
            appendTo(begun, block);
        }
    }

    private void onRewriteStep(Rewrite step, Optional<IOException> failure) {
        if (failure.isPresent() || step.failed) {
            abandon(step, failure);
            return;
        }
        RestoreBlocks.BlockWriter page = new RestoreBlocks.BlockWriter();
        int end = Math.min(step.todo.size(), step.next + PAGE);
        for (; step.next < end && page.size() < Blocks.FULL; step.next++) {
            Place place = step.todo.get(step.next);
            Registration registration = lookup.apply(place.shard(), place.instance());
            if (registration != null) {
                page.put(place.shard(), registration);
            }
        }
        boolean last = step.next == step.todo.size();
        if (last) {
            page.complete();
        }
        byte[] block = page.block();
        step.bytes += block.length;
        storage.append(step.name, block, next -> {
            if (last && next.isEmpty() && !step.failed) {
                finish(step);
            } else {
                onRewriteStep(step, next);
            }
        });
    }

    private void appendTo(Rewrite step, byte[] block) {
        if (step.failed) {
            return;
        }
        if (unwritten + block.length > MAX_UNWRITTEN) {
            step.failed = true;
            return;
        }
        unwritten += block.length;
        storage.append(step.name, block, failure -> {
            unwritten -= block.length;
            step.failed |= failure.isPresent();
        });
    }

    private void finish(Rewrite step) {
        String before = step.name;
        String target = name(sequence);
        step.name = target; // what is appended from here on comes behind the rename
        storage.rename(before, target, failure -> {
            if (failure.isPresent() || step.failed) {
                storage.delete(before);
                abandon(step, failure);
                return;
            }
            storage.delete(file);
            if (problem != null) {
                log.info("The disk can be written again; {} is complete.", target);
            }
            problem = null;
            behind = unwritten > 0;
            behindSince = loop.now();
            file = target;
            snapshotBytes = step.bytes;
            written = 0;
            largeTurnsWritten = step.largeTurns;
            oldestLargeTurnAt = step.begunAt; // of those that came since
            rewrite = null;
            renew();
        });
    }

    private void abandon(Rewrite step, Optional<IOException> failure) {
        storage.delete(step.name);
        rewrite = null;
        if (problem == null) {
            // The file in use is sound; it is only longer than need be. Try again after as much again.
            snapshotBytes = written;
            log.warn(
                    "Rewriting {} was given up: {}",
                    file,
                    failure.map(Object::toString).orElse("the disk is behind"));
            loop.schedule(RETRY, this::renew);
        }
    }
}
