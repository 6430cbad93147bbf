package io.mooring.simulation;

import io.mooring.runtime.VirtualTime;
import io.mooring.server.restore.Storage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The node's data directory: what was appended survives the death of the process, the block under way leaves a part of
 * itself. Slow, hung or full on demand; a machine that loses its power loses the tail.
 */
final class SimDisk implements Storage {
    private final VirtualTime time;
    private final VirtualTime.Loop medium;
    private final SplittableRandom random;
    private final Coverage coverage;
    private final Map<String, byte[]> files = new TreeMap<>();
    private final Map<String, Integer> forced = new TreeMap<>();
    private final ArrayDeque<Operation> queue = new ArrayDeque<>();
    private VirtualTime.Loop process;
    private Duration delay;
    private boolean hung;
    private long capacity = Long.MAX_VALUE;
    private int life;
    private boolean busy;
    private boolean late;

    private record Operation(int life, long since, Runnable effect, Optional<Append> append) {}

    private record Append(String name, Block block) {}

    /** Bytes, compared by identity. */
    private static final class Block {
        final byte[] bytes;

        Block(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    SimDisk(VirtualTime time, Duration delay, SplittableRandom random, Coverage coverage) {
        this.time = time;
        this.medium = time.loop("disk");
        this.process = medium;
        this.delay = delay;
        this.random = random;
        this.coverage = coverage;
    }

    /** Another disk with the same files. */
    SimDisk copy() {
        SimDisk copy = new SimDisk(time, delay, random.split(), coverage);
        files.forEach((name, bytes) -> copy.files.put(name, bytes.clone()));
        return copy;
    }

    /** A process begins to use it. */
    void attach(VirtualTime.Loop newProcess) {
        process = newProcess;
        late = false;
    }

    /** The process dies; a part of the block under way may have reached the medium. */
    void killed() {
        life++;
        Operation underWay = queue.peekFirst();
        if (underWay != null && underWay.append.isPresent() && !hung) {
            Append append = underWay.append.get();
            byte[] bytes = append.block.bytes;
            int part = random.nextInt(bytes.length + 1);
            if (room() >= part) {
                write(append.name, Arrays.copyOf(bytes, part));
                coverage.effect(Effects.TORN);
            }
        }
        queue.clear();
        busy = false;
    }

    /** The machine loses its power: the end of each file was not forced yet. */
    boolean cutTails() {
        boolean cut = false;
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            int length = file.getValue().length;
            int unforced = length - forced.getOrDefault(file.getKey(), 0);
            int lost = Math.min(Math.min(length / 2, unforced), random.nextInt(400));
            file.setValue(Arrays.copyOf(file.getValue(), length - lost));
            cut |= lost > 0;
        }
        return cut;
    }

    boolean clear() {
        boolean had = !files.isEmpty();
        files.clear();
        forced.clear();
        return had;
    }

    void slow(Duration newDelay) {
        delay = newDelay;
    }

    void hang(boolean newHung) {
        hung = newHung;
        if (!hung) {
            next();
        }
    }

    void fill(boolean full) {
        capacity = full ? used() + random.nextInt(64) : Long.MAX_VALUE;
    }

    /** Whether, since the process began, something was told that had not been written. */
    boolean wasLate() {
        Operation oldest = queue.peekFirst();
        return late || oldest != null && time.now() - oldest.since > 45_000_000L;
    }

    /** Whether something is on its way to the medium. */
    boolean isBusy() {
        return !queue.isEmpty();
    }

    private long used() {
        long sum = 0;
        for (byte[] file : files.values()) {
            sum += file.length;
        }
        return sum;
    }

    private long room() {
        return capacity - used();
    }

    private void write(String name, byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(files.getOrDefault(name, new byte[0]));
        out.writeBytes(bytes);
        files.put(name, out.toByteArray());
    }

    @Override
    public List<String> names() {
        return List.copyOf(files.keySet());
    }

    @Override
    public InputStream read(String name) throws IOException {
        byte[] file = files.get(name);
        if (file == null) {
            throw new IOException("no such file: " + name);
        }
        return new ByteArrayInputStream(file.clone());
    }

    @Override
    public void replace(String name, Iterator<byte[]> blocks) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        blocks.forEachRemaining(out::writeBytes);
        if (out.size() > room()) {
            throw new IOException("No space left on device");
        }
        files.put(name, out.toByteArray());
    }

    @Override
    public void append(String name, byte[] block, Consumer<Optional<IOException>> done) {
        VirtualTime.Loop caller = process;
        queue.add(new Operation(
                life,
                time.now(),
                () -> {
                    if (room() < block.length) {
                        write(name, Arrays.copyOf(block, (int) Math.max(0, room())));
                        late = true;
                        coverage.tookEffect(Fault.DISK_FULL);
                        caller.execute(() -> done.accept(Optional.of(new IOException("No space left on device"))));
                    } else {
                        write(name, block);
                        caller.execute(() -> done.accept(Optional.empty()));
                    }
                },
                Optional.of(new Append(name, new Block(block)))));
        next();
    }

    /** As on a thread of its own: what comes after does not wait for it. */
    @Override
    public void force(String name, Consumer<Optional<IOException>> done) {
        VirtualTime.Loop caller = process;
        int startedIn = life;
        other(() -> {
            int length = files.getOrDefault(name, new byte[0]).length;
            medium.schedule(delay, () -> {
                if (startedIn == life) {
                    forced.merge(name, length, Math::max);
                    caller.execute(() -> done.accept(Optional.empty()));
                }
            });
        });
    }

    @Override
    public void rename(String from, String to, Consumer<Optional<IOException>> done) {
        VirtualTime.Loop caller = process;
        other(() -> {
            byte[] file = files.remove(from);
            if (file == null) {
                caller.execute(() -> done.accept(Optional.of(new IOException("no such file: " + from))));
            } else {
                files.put(to, file);
                caller.execute(() -> done.accept(Optional.empty()));
            }
        });
    }

    @Override
    public void delete(String name) {
        other(() -> {
            files.remove(name);
            forced.remove(name);
        });
    }

    private void other(Runnable effect) {
        queue.add(new Operation(life, time.now(), effect, Optional.empty()));
        next();
    }

    private void next() {
        if (busy || hung || queue.isEmpty()) {
            return;
        }
        busy = true;
        int startedIn = life;
        medium.schedule(delay, () -> {
            if (startedIn != life) {
                return;
            }
            busy = false;
            if (hung) {
                return;
            }
            Operation operation = queue.removeFirst();
            late |= time.now() - operation.since > 45_000_000L;
            operation.effect.run();
            next();
        });
    }
}
