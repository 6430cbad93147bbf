package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The node's state as gauges, all from one look at it per scrape. Never by service or instance: the number of series
 * does not depend on what is registered. The table is in {@code docs/operations.md}.
 */
public final class NodeMeters implements MeterBinder {
    private static final Duration LOOK_LASTS = Duration.ofMillis(500);

    private final RegistryNode node;
    private final List<Count> counts;
    private final Map<String, Number> limits;

    private record Look(NodeStatus status, long at) {}

    private volatile @Nullable Look last;

    /**
     * A number of something outside the core.
     *
     * @param name of the gauge
     * @param says what it is, for people
     * @param value now; from any thread
     */
    public record Count(String name, String says, LongSupplier value) {}

    /**
     * @param counts what edges count beside the node's state
     * @param limits by what they bound: {@code instances}, {@code sessions} and so on
     */
    public NodeMeters(RegistryNode node, List<Count> counts, Map<String, Number> limits) {
        this.node = node;
        this.counts = List.copyOf(counts);
        this.limits = Map.copyOf(limits);
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        standing(registry, "live", NodeStatus::live);
        standing(registry, "restored", NodeStatus::restored);
        standing(registry, "suspect", NodeStatus::suspect);
        standing(registry, "held", NodeStatus::held);
        gauge(registry, "mooring.services", "Services with a listed instance", NodeStatus::services);
        gauge(registry, "mooring.protected", "Services under protection", NodeStatus::protectedServices);
        gauge(registry, "mooring.sessions", "Open sessions", NodeStatus::sessions);
        gauge(registry, "mooring.leases", "Leases by HTTP", NodeStatus::leases);
        gauge(registry, "mooring.subscriptions", "Subscribed services, over subscribers", NodeStatus::subscriptions);
        gauge(
                registry,
                "mooring.outbox.waiting",
                "Subscribers with something to hear whose line is busy",
                NodeStatus::waitingSubscribers);
        gauge(registry, "mooring.expiry.backlog", "Overdue registrations kept by the cap", NodeStatus::expiryBacklog);
        gauge(registry, "mooring.probes.waiting", "Addresses to be probed", NodeStatus::probesWaiting);
        gauge(registry, "mooring.ready", "1 when data is loaded", s -> s.ready() ? 1 : 0);
        gauge(registry, "mooring.incomplete", "1 while gathering after a start", s -> s.incomplete() ? 1 : 0);
        gauge(
                registry,
                "mooring.frozen",
                "1 while nothing expires",
                s -> s.frozen().isPresent() ? 1 : 0);
        gauge(
                registry,
                "mooring.disk.problem",
                "1 when the disk fails",
                s -> s.diskProblem().isPresent() ? 1 : 0);
        FunctionCounter.builder("mooring.core.refused", this, m -> m.look().refused())
                .description("Requests the core refused")
                .register(registry);
        TimeGauge.builder("mooring.disk.age", this, TimeUnit.MILLISECONDS, NodeMeters::diskAgeMillis)
                .description("How far the disk lags behind what was told; NaN when nothing is written")
                .register(registry);
        TimeGauge.builder(
                        "mooring.uptime",
                        this,
                        TimeUnit.MILLISECONDS,
                        m -> m.look().uptime().toMillis())
                .description("Since the start")
                .register(registry);
        counts.forEach(count -> Gauge.builder(count.name(), count.value()::getAsLong)
                .description(count.says())
                .register(registry));
        limits.forEach((bound, limit) -> Gauge.builder("mooring.limit", () -> limit)
                .description("What the node takes at most")
                .tag("bound", bound)
                .register(registry));
    }

    private void standing(MeterRegistry registry, String standing, ToDoubleFunction<NodeStatus> value) {
        Gauge.builder("mooring.instances", this, m -> value.applyAsDouble(m.look()))
                .description("Listed instances")
                .tag("standing", standing)
                .register(registry);
    }

    private void gauge(MeterRegistry registry, String name, String says, ToDoubleFunction<NodeStatus> value) {
        Gauge.builder(name, this, m -> value.applyAsDouble(m.look()))
                .description(says)
                .register(registry);
    }

    private double diskAgeMillis() {
        return look().diskAge().map(age -> (double) age.toMillis()).orElse(Double.NaN);
    }

    /** A scrape asks for two dozen values; they should be of one moment. */
    private NodeStatus look() {
        long now = node.loop().now();
        Look before = last;
        if (before != null && now - before.at() < LOOK_LASTS.toNanos()) {
            return before.status();
        }
        NodeStatus status = node.status();
        last = new Look(status, now);
        return status;
    }
}
