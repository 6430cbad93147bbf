package io.mooring.bench;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.protection.ProtectionSettings;
import io.mooring.server.shard.Change;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to make one change of one instance visible in a service of that many. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class FoldBenchmark {
    @Param({"10", "100", "1000"})
    int instances;

    private final Shard shard = new Shard(new ShardId(new NodeId("n1"), 1));
    private final Publisher publisher =
            Publisher.ofSession("0123456789abcdef0123456789abcdef", LeaseTerms.of(Duration.ofSeconds(15)));
    private final Catalog catalog = new Catalog(ProtectionSettings.DEFAULTS, new Here(), 1L << 32);
    private int next;

    /** Fills the service. */
    @Setup
    public void fill() {
        for (int i = 0; i < instances; i++) {
            change(i, 0);
        }
    }

    @Benchmark
    public List<ServiceView> foldOneChange() {
        next++;
        return change(next % instances, next);
    }

    private List<ServiceView> change(int number, int version) {
        Instance instance = Instance.of(ServiceKey.of("orders"), "10.1." + number / 256 + "." + number % 256, 8_080)
                .withMetadata(Map.of("zone", "zone-" + number % 3, "version", "v" + version, "protocol", "grpc"));
        Change change =
                new Change.Granted(shard.id(), shard.revision() + 1, new Registration(instance, publisher, 1, false));
        shard.apply(change);
        return catalog.fold(List.of(change));
    }

    /** A loop that is always the caller's thread. */
    private static final class Here implements EventLoop {
        @Override
        public void execute(Runnable task) {
            task.run();
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            throw new UnsupportedOperationException("the catalog sets no timers");
        }

        @Override
        public long now() {
            return System.nanoTime();
        }

        @Override
        public boolean inLoop() {
            return true;
        }
    }
}
