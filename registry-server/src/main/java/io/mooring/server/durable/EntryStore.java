package io.mooring.server.durable;

import io.mooring.model.InvalidValueException;
import io.mooring.server.codec.Octets;
import io.mooring.server.shard.NodeId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes writes, one after the other, and answers when they are on the disk and in the table:
 *
 * <pre>
 * write ─▶ checked and made on top of what is there ─▶ {@link DurableLog}, forced ─▶ {@link DurableTable} ─▶ told, answered
 * </pre>
 *
 * What comes while the disk is busy waits and goes together. Confined to the event loop.
 */
final class EntryStore {
    private static final Logger logger = LoggerFactory.getLogger(EntryStore.class);
    private static final int MOST_WAITING = 10_000;
    private static final int MOST_TOGETHER = 1 << 20;

    private final NodeId self;
    private final DurableTable table;
    private final @Nullable DurableLog log;
    private final Told told;
    private final ArrayDeque<Write> waiting = new ArrayDeque<>();
    private boolean writing;

    /** Hears of what is in the table now. */
    interface Told {
        /**
         * @param entries that were taken, in order
         * @param own whether this node wrote them, and has others to tell
         */
        void changed(List<Entry> entries, boolean own);
    }

    /** One key's part of a write: from what stands there to what shall, either empty for nothing. */
    record Step(EntryKey key, UnaryOperator<Optional<Octets>> change) {}

    private record Write(Supplier<Optional<Refusal>> check, List<Step> steps, Consumer<Optional<Refusal>> done) {}

    /** @param log null when this node has no disk: then nothing can be written here, only taken from others */
    EntryStore(NodeId self, DurableTable table, @Nullable DurableLog log, Told told) {
        this.self = self;
        this.table = table;
        this.log = log;
        this.told = told;
    }

    /**
     * Writes all of it or nothing.
     *
     * @param check says at its turn whether it may go ahead
     * @param steps for different keys; values that break a rule are refused
     * @param done gets the refusal if there is one; otherwise it is on the disk, and others have been told
     */
    void write(Supplier<Optional<Refusal>> check, List<Step> steps, Consumer<Optional<Refusal>> done) {
        if (log == null) {
            done.accept(Optional.of(Refusal.of(
                    "not_durable",
                    "this node keeps nothing on disk (expected: mooring.restore.enabled=true); use another node")));
        } else if (waiting.size() >= MOST_WAITING) {
            done.accept(Optional.of(new Refusal(
                    "overloaded",
                    MOST_WAITING + " changes wait for the disk already; try again later",
                    Duration.ofSeconds(1))));
        } else {
            waiting.add(new Write(check, steps, done));
            next(log);
        }
    }

    /** Entries of another node. */
    void offer(List<Entry> entries) {
        List<Entry> taken = new ArrayList<>();
        for (Entry entry : entries) {
            if (table.offer(entry)) {
                taken.add(entry);
            }
        }
        if (!taken.isEmpty()) {
            if (log != null) {
                log.note(taken);
            }
            told.changed(taken, false);
        }
    }

    private void next(DurableLog disk) {
        while (!writing && !waiting.isEmpty()) {
            writing = true; // what callers ask for from within their answers waits
            Map<EntryKey, Entry> made = new LinkedHashMap<>();
            List<Consumer<Optional<Refusal>>> accepted = new ArrayList<>();
            int size = 0;
            while (!waiting.isEmpty() && size < MOST_TOGETHER) {
                Write write = waiting.removeFirst();
                Map<EntryKey, Entry> mine = new LinkedHashMap<>();
                Optional<Refusal> refusal = write.check.get().or(() -> tried(write.steps, made, mine));
                if (refusal.isPresent()) {
                    write.done.accept(refusal);
                    continue;
                }
                made.putAll(mine);
                for (Entry entry : mine.values()) {
                    size += 100 + entry.value().length();
                }
                accepted.add(write.done);
            }
            if (made.isEmpty()) {
                accepted.forEach(done -> done.accept(Optional.empty())); // it was so already
                writing = false;
            } else {
                commit(disk, List.copyOf(made.values()), accepted);
            }
        }
    }

    private Optional<Refusal> tried(List<Step> steps, Map<EntryKey, Entry> made, Map<EntryKey, Entry> mine) {
        try {
            return make(steps, made, mine);
        } catch (InvalidValueException e) {
            return Optional.of(Refusal.of("invalid", String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            logger.error("A change of a durable entry failed", e); // the others must not wait for it for ever
            return Optional.of(Refusal.of("internal", "a bug in the registry, which its log describes"));
        }
    }

    /** @param made by writes that go together with this one */
    private Optional<Refusal> make(List<Step> steps, Map<EntryKey, Entry> made, Map<EntryKey, Entry> mine) {
        for (Step step : steps) {
            Entry before = made.containsKey(step.key) ? made.get(step.key) : table.get(step.key);
            Optional<Octets> was = before == null ? Optional.empty() : before.present();
            Optional<Octets> after = step.change.apply(was);
            if (after.equals(was)) {
                continue;
            }
            Optional<Refusal> tooMuch = tooMuch(step.key, was, after, made.values());
            if (tooMuch.isPresent()) {
                return tooMuch;
            }
            long generation = table.highest() + 1;
            table.seen(generation); // also when this fails: what stands on the disk then must never meet its equal
            mine.put(step.key, new Entry(step.key, generation, self, after.isEmpty(), after.orElse(Octets.NONE)));
        }
        return Optional.empty();
    }

    private Optional<Refusal> tooMuch(
            EntryKey key, Optional<Octets> was, Optional<Octets> after, Collection<Entry> together) {
        if (after.isEmpty()) {
            return Optional.empty();
        }
        int length = after.get().length();
        int name = key.name().getBytes(StandardCharsets.UTF_8).length;
        if (length > Entry.LONGEST_VALUE || name > EntryKey.LONGEST) {
            return Optional.of(Refusal.of(
                    "limit",
                    "entry: " + length + " bytes under a name of " + name + " (expected: at most " + Entry.LONGEST_VALUE
                            + " and " + EntryKey.LONGEST + ")"));
        }
        if (was.isEmpty() && table.values() + together.size() >= DurableTable.MOST_VALUES) {
            return Optional.of(Refusal.of(
                    "limit",
                    "durable entries: " + table.values() + " (expected: at most " + DurableTable.MOST_VALUES
                            + "); remove what is not used"));
        }
        return Optional.empty();
    }

    private void commit(DurableLog disk, List<Entry> entries, List<Consumer<Optional<Refusal>>> waitingForIt) {
        disk.append(entries, problem -> {
            Optional<Refusal> refusal = problem.map(why -> new Refusal(
                    "not_durable",
                    why + " (expected: a disk that can be written); free or repair it, or use another node",
                    Duration.ofSeconds(5)));
            if (refusal.isEmpty()) {
                List<Entry> taken = new ArrayList<>();
                entries.forEach(entry -> {
                    if (table.offer(entry)) {
                        taken.add(entry);
                    }
                });
                told.changed(taken, true);
            }
            waitingForIt.forEach(done -> done.accept(refusal));
            writing = false;
            next(disk);
        });
    }
}
