package io.mooring.bench;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What it costs to fingerprint an instance with three metadata entries, and to sum a list of a thousand. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class DigestBenchmark {
    private final Instance instance = instance(7);
    private final List<ListedInstance> thousand = thousand();

    @Benchmark
    public ListedInstance fingerprint() {
        return new ListedInstance(instance, Standing.LIVE);
    }

    @Benchmark
    public long sumOf1000() {
        return Digest.of(thousand);
    }

    private static Instance instance(int number) {
        return Instance.of(ServiceKey.of("orders-" + number % 50), "10.1.2." + number, 8_080)
                .withMetadata(
                        Map.of("zone", "zone-" + number % 3, "version", "1.4." + number % 10, "protocol", "grpc"));
    }

    private static List<ListedInstance> thousand() {
        List<ListedInstance> out = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            out.add(new ListedInstance(instance(i), Standing.LIVE));
        }
        return List.copyOf(out);
    }
}
