package io.mooring.simulation;

import io.mooring.client.MooringPorts.CacheStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A process's cache directory: two generations, kept over the process's deaths; full or rotten on demand. */
final class SimCache implements CacheStore {
    private final Coverage coverage;
    private final Map<String, List<byte[]>> generations = new HashMap<>();
    private boolean full;
    private boolean everFailed;

    SimCache(Coverage coverage) {
        this.coverage = coverage;
    }

    void fill(boolean nowFull) {
        full = nowFull;
    }

    /** Rots the newest generation of everything. */
    void rot(int where) {
        for (List<byte[]> contents : generations.values()) {
            byte[] newest = contents.get(0).clone();
            if (newest.length == 0) {
                continue;
            }
            newest[where % newest.length] ^= 0x41;
            contents.set(0, newest);
            everFailed = true;
            coverage.tookEffect(Fault.CACHE_CORRUPT);
        }
    }

    /** Whether the cache may lack something though it was written. */
    boolean everFailed() {
        return everFailed;
    }

    @Override
    public List<byte[]> read(String name) {
        return List.copyOf(generations.getOrDefault(name, List.of()));
    }

    @Override
    public void write(String name, byte[] content) throws IOException {
        if (full) {
            everFailed = true;
            coverage.tookEffect(Fault.CACHE_FULL);
            throw new IOException("No space left on device");
        }
        List<byte[]> contents = generations.computeIfAbsent(name, n -> new ArrayList<>());
        contents.add(0, content);
        if (contents.size() > 2) {
            contents.remove(2);
        }
    }
}
