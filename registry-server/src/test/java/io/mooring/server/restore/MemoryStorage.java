package io.mooring.server.restore;

import io.mooring.runtime.EventLoop;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A disk in memory: what was appended survives the crash of a process. It can be slow, hang, fail, fill up and write
 * short, and counts what it did so that a test can see that its fault took effect.
 */
public final class MemoryStorage implements Storage {
    private final Map<String, ByteArrayOutputStream> files = new TreeMap<>();
    private EventLoop loop;
    private Duration delay = Duration.ZERO;
    private boolean hung;
    private long capacity = Long.MAX_VALUE;
    public int failures;
    public int appends;
    public int forces;
    private int left = Integer.MAX_VALUE;
    private final Map<String, Integer> forced = new TreeMap<>();
    private final List<Runnable> waiting = new ArrayList<>();

    public MemoryStorage(EventLoop loop) {
        this.loop = loop;
    }

    /** A restarted process has a loop of its own; what the old one waited for never comes. */
    public void attach(EventLoop newLoop) {
        loop = newLoop;
        waiting.clear();
    }

    public void slow(Duration newDelay) {
        delay = newDelay;
    }

    public void hang(boolean newHung) {
        hung = newHung;
        if (!hung) {
            waiting.forEach(loop::execute);
            waiting.clear();
        }
    }

    public void capacity(long bytes) {
        capacity = bytes;
    }

    public long used() {
        return files.values().stream().mapToLong(ByteArrayOutputStream::size).sum();
    }

    public Map<String, byte[]> contents() {
        Map<String, byte[]> out = new TreeMap<>();
        files.forEach((name, bytes) -> out.put(name, bytes.toByteArray()));
        return out;
    }

    public void overwrite(String name, byte[] bytes) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(bytes);
        files.put(name, file);
    }

    @Override
    public List<String> names() {
        return List.copyOf(files.keySet());
    }

    @Override
    public InputStream read(String name) throws IOException {
        ByteArrayOutputStream file = files.get(name);
        if (file == null) {
            throw new IOException("no such file: " + name);
        }
        return new ByteArrayInputStream(file.toByteArray());
    }

    @Override
    public void replace(String name, Iterator<byte[]> blocks) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        blocks.forEachRemaining(file::writeBytes);
        if (used() + file.size() > capacity) {
            throw new IOException("No space left on device");
        }
        files.put(name, file);
    }

    @Override
    public void append(String name, byte[] block, Consumer<Optional<IOException>> done) {
        inOrder(() -> {
            appends++;
            ByteArrayOutputStream file = files.computeIfAbsent(name, n -> new ByteArrayOutputStream());
            long room = capacity - used();
            if (room < block.length) {
                file.write(block, 0, (int) Math.max(0, room)); // a short write, as a full disk does
                failures++;
                done.accept(Optional.of(new IOException("No space left on device")));
            } else {
                file.writeBytes(block);
                done.accept(Optional.empty());
            }
        });
    }

    @Override
    public void force(String name, Consumer<Optional<IOException>> done) {
        inOrder(() -> {
            forces++;
            ByteArrayOutputStream file = files.get(name);
            if (file == null) {
                done.accept(Optional.of(new IOException("no such file: " + name)));
            } else {
                forced.put(name, file.size());
                done.accept(Optional.empty());
            }
        });
    }

    /** The machine loses its power: of each file only what was forced is left. */
    public void loseUnforced() {
        files.forEach((name, file) -> {
            byte[] all = file.toByteArray();
            file.reset();
            file.write(all, 0, Math.min(all.length, forced.getOrDefault(name, 0)));
        });
    }

    @Override
    public void rename(String from, String to, Consumer<Optional<IOException>> done) {
        inOrder(() -> {
            ByteArrayOutputStream file = files.remove(from);
            if (file == null) {
                done.accept(Optional.of(new IOException("no such file: " + from)));
            } else {
                files.put(to, file);
                done.accept(Optional.empty());
            }
        });
    }

    @Override
    public void delete(String name) {
        inOrder(() -> {
            files.remove(name);
            forced.remove(name);
        });
    }

    /** So many more operations are carried out; what is asked for after them is lost, as when the machine dies. */
    public void stopAfter(int operations) {
        left = operations;
    }

    public void remove(String name) {
        files.remove(name);
    }

    private void inOrder(Runnable effect) {
        Runnable task = () -> {
            if (left > 0) {
                left--;
                effect.run();
            }
        };
        if (hung) {
            waiting.add(task);
        } else if (delay.isZero()) {
            loop.execute(task);
        } else {
            loop.execute(() -> loop.schedule(delay, task));
        }
    }
}
