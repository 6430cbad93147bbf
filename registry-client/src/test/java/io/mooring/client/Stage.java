package io.mooring.client;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A client, a registry and a disk on one virtual clock. */
final class Stage {
    static final ServiceKey ORDERS = ServiceKey.of("orders");

    final long seed;
    final VirtualEventLoop loop;
    final FakeRegistry registry;
    final MemoryStore disk = new MemoryStore();
    boolean released;

    Stage(long seed) {
        this.seed = seed;
        this.loop = new VirtualEventLoop(new Random(seed).nextLong()); // an odd origin, perhaps near overflow
        this.registry = new FakeRegistry(loop);
    }

    static final class MemoryStore implements MooringPorts.CacheStore {
        final Map<String, byte[]> files = new HashMap<>();
        int writes;
        boolean fails;

        @Override
        public List<byte[]> read(String name) {
            return files.containsKey(name) ? List.of(files.get(name)) : List.of();
        }

        @Override
        public void write(String name, byte[] content) throws java.io.IOException {
            writes++;
            if (fails) {
                throw new java.io.IOException("No space left on device");
            }
            files.put(name, content);
        }
    }

    MooringPorts ports() {
        return new MooringPorts(
                loop,
                new Random(seed),
                new Random(seed + 1),
                loop,
                registry,
                Optional.of(disk),
                loop,
                loop,
                () -> released = true);
    }

    Mooring client(UnaryOperator<Mooring.Builder> how) {
        return how.apply(Mooring.builder().servers("a", "b").ports(ports())).build();
    }

    Mooring client() {
        return client(builder -> builder);
    }

    void run(Duration time) {
        loop.advance(time);
    }

    void runMillis(long millis) {
        loop.advance(Duration.ofMillis(millis));
    }

    static Instance instance(int number) {
        return Instance.of(ORDERS, "10.0." + number / 250 + "." + (number % 250 + 1), 8_080);
    }

    static Instance[] instances(int count) {
        Instance[] all = new Instance[count];
        for (int i = 0; i < count; i++) {
            all[i] = instance(i);
        }
        return all;
    }

    static InstanceId[] ids(int from, int to) {
        InstanceId[] all = new InstanceId[to - from];
        for (int i = from; i < to; i++) {
            all[i - from] = instance(i).id();
        }
        return all;
    }

    long confirmed() {
        return registry.holders.size();
    }

    void wallClockBack(Duration by) {
        loop.wallClockOffsetMillis -= by.toMillis();
    }
}
