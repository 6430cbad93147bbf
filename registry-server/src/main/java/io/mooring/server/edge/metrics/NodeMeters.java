package io.mooring.server.edge.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.mooring.server.durable.Durables;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Replication;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The node's state as gauges, all from one look at it per scrape. Never by service or instance: the number of series
 * does not depend on what is registered. The table is in {@code docs/operations.md}.
 */
public final class NodeMeters implements MeterBinder {
    private static final Duration LOOK_LASTS = Duration.ofMillis(500);

    /** Why replication ends lines; what else there may be counts as {@code other}. */
    private static final Set<String> REFUSALS =
            Set.of("cluster", "secret", "version", "duplicate", "self", "full", "malformed", "out of order", "by peer");

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
        durable(registry, "mooring.durable.entries", "Durable entries that have a value", Durables.Status::values);
        durable(
                registry,
                "mooring.durable.deletions",
                "Deletions of such that are remembered",
                Durables.Status::deletions);
        durable(
                registry,
                "mooring.durable.problem",
                "1 while changes of durable entries are refused because of the disk",
                s -> s.problem().isPresent() ? 1 : 0);
        gauge(registry, "mooring.orphans", "Registrations of lost nodes without a verdict", NodeStatus::orphans);
        gauge(registry, "mooring.draining", "1 while the node leaves", s -> s.draining() ? 1 : 0);
        peers(registry);
        replication(registry);
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

    private void peers(MeterRegistry registry) {
        for (PeerStatus.State state : PeerStatus.State.values()) {
            Gauge.builder("mooring.peers", this, m -> count(m.look(), state))
                    .description("Other nodes")
                    .tag("state", state.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
        gauge(
                registry,
                "mooring.isolated",
                "1 while fewer than half of the configured peers are seen",
                s -> s.cluster().isolated().isPresent() ? 1 : 0);
        TimeGauge.builder("mooring.replication.lag", this, TimeUnit.MILLISECONDS, m -> lagMillis(m.look()))
                .description("How long ago the peer that is followed and has been silent longest was heard of")
                .register(registry);
    }

    private static long count(NodeStatus status, PeerStatus.State state) {
        return status.peers().stream().filter(peer -> peer.state() == state).count();
    }

    private static long lagMillis(NodeStatus status) {
        long most = 0;
        for (PeerMessage.Digest digest : status.cluster().shards()) {
            if (digest.alive()) {
                most = Math.max(most, digest.age());
            }
        }
        return most;
    }

    private void replication(MeterRegistry registry) {
        messages(registry, "out", "delta", Replication.Counts::deltasSent);
        messages(registry, "in", "delta", Replication.Counts::deltasReceived);
        messages(registry, "out", "page", Replication.Counts::pagesSent);
        messages(registry, "in", "page", Replication.Counts::pagesReceived);
        counter(
                registry,
                "mooring.replication.snapshots",
                "Whole shards taken from peers",
                Replication.Counts::snapshotsTaken);
        counter(
                registry,
                "mooring.replication.mismatches",
                "Copies that differed from their origin at the same revision",
                Replication.Counts::mismatches);
        counter(registry, "mooring.replication.gaps", "Deltas that did not fit", Replication.Counts::gaps);
        counter(
                registry,
                "mooring.replication.dropped",
                "Deltas not sent because the line was full; made up for later",
                Replication.Counts::withheld);
        counter(
                registry,
                "mooring.replication.ignored",
                "Messages that meant nothing here",
                counts -> sum(counts.ignored().values()));
        for (String code : REFUSALS) {
            refused(registry, code, counts -> counts.refused().getOrDefault(code, 0L));
        }
        refused(registry, "other", counts -> {
            Map<String, Long> others = new TreeMap<>(counts.refused());
            others.keySet().removeAll(REFUSALS);
            return sum(others.values());
        });
    }

    private static long sum(Collection<Long> numbers) {
        return numbers.stream().mapToLong(Long::longValue).sum();
    }

    private void messages(
            MeterRegistry registry, String direction, String kind, ToLongFunction<Replication.Counts> value) {
        FunctionCounter.builder(
                        "mooring.replication.messages",
                        this,
                        m -> value.applyAsLong(m.look().cluster().counts()))
                .description("Messages that carry changes between nodes")
                .tag("direction", direction)
                .tag("kind", kind)
                .register(registry);
    }

    private void counter(MeterRegistry registry, String name, String says, ToLongFunction<Replication.Counts> value) {
        FunctionCounter.builder(
                        name, this, m -> value.applyAsLong(m.look().cluster().counts()))
                .description(says)
                .register(registry);
    }

    private void refused(MeterRegistry registry, String code, ToLongFunction<Replication.Counts> value) {
        FunctionCounter.builder(
                        LineMeters.REFUSED,
                        this,
                        m -> value.applyAsLong(m.look().cluster().counts()))
                .description(LineMeters.REFUSED_SAYS)
                .tag("code", code.replace(' ', '_'))
                .register(registry);
    }

    private void standing(MeterRegistry registry, String standing, ToDoubleFunction<NodeStatus> value) {
        Gauge.builder("mooring.instances", this, m -> value.applyAsDouble(m.look()))
                .description("Listed instances")
                .tag("standing", standing)
                .register(registry);
    }

    private void durable(MeterRegistry registry, String name, String says, ToDoubleFunction<Durables.Status> value) {
        Gauge.builder(name, this, m -> value.applyAsDouble(m.node.durableStatus()))
                .description(says)
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
