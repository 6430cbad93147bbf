package io.mooring.client;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.mooring.client.ServiceSnapshot.Source;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * Binds a client's {@link ClientStatus} to Micrometer, under {@code mooring.client.}. The only class that needs Micrometer:
 * without it on the class path, leave this one alone. No meter is tagged by service.
 */
public final class MooringMetrics implements MeterBinder {
    private static final String PREFIX = "mooring.client.";

    private final Mooring mooring;

    public MooringMetrics(Mooring mooring) {
        this.mooring = mooring;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        gauge(registry, "connected", "1 while connected", s -> s.state() == ClientStatus.State.CONNECTED ? 1 : 0);
        time(registry, "disconnected", "How long there has been no connection", ClientStatus::disconnectedFor);
        time(
                registry,
                "attempt.age",
                "Without a connection and without an attempt; more than 30 s would be a bug",
                ClientStatus::withoutAttempt);
        time(registry, "heard.age", "Since the registry last said anything", ClientStatus::sinceLastHeard);
        time(registry, "cache.age", "Age of the oldest list", ClientStatus::oldestList);
        for (Source source : Source.values()) {
            Gauge.builder(
                            PREFIX + "services",
                            mooring,
                            m -> m.status().services().getOrDefault(source, 0))
                    .description("Open services by where their list comes from")
                    .tag("source", source.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
        gauge(registry, "protected", "Services with instances held back", ClientStatus::protectedServices);
        gauge(registry, "registrations", "Instances to be registered", ClientStatus::registrations);
        gauge(registry, "registrations.confirmed", "Those confirmed", ClientStatus::confirmedRegistrations);
        gauge(registry, "ejected", "Instances ejected now", ClientStatus::ejectedInstances);
        counter(registry, "attempts", "Attempts to connect", ClientStatus::attempts);
        counter(registry, "connections", "Attempts that ended with a welcome", ClientStatus::connections);
        counter(registry, "watchdog.restarts", "Attempts the watchdog started", ClientStatus::watchdogRestarts);
        counter(registry, "internal.failures", "Exceptions inside the client", ClientStatus::internalFailures);
        counter(registry, "doubts", "Connections closed in doubt", ClientStatus::doubts);
        counter(registry, "late.replies", "Answers dropped", ClientStatus::lateReplies);
        counter(registry, "refused", "Requests refused", ClientStatus::refused);
        counter(registry, "guard.holds", "Times the guard held instances back", ClientStatus::guardHolds);
        counter(registry, "repairs", "Lists asked for again", ClientStatus::repairs);
        counter(registry, "ejections", "Ejections", ClientStatus::ejections);
        counter(registry, "disk.failures", "Failed uses of the disk cache", ClientStatus::diskFailures);
        counter(registry, "listener.failures", "Exceptions from listeners", ClientStatus::listenerFailures);
    }

    private void gauge(MeterRegistry registry, String name, String what, ToDoubleFunction<ClientStatus> value) {
        Gauge.builder(PREFIX + name, mooring, m -> value.applyAsDouble(m.status()))
                .description(what)
                .register(registry);
    }

    private void time(MeterRegistry registry, String name, String what, Function<ClientStatus, Duration> value) {
        TimeGauge.builder(
                        PREFIX + name,
                        mooring,
                        TimeUnit.MILLISECONDS,
                        m -> value.apply(m.status()).toMillis())
                .description(what)
                .register(registry);
    }

    private void counter(MeterRegistry registry, String name, String what, ToDoubleFunction<ClientStatus> value) {
        FunctionCounter.builder(PREFIX + name, mooring, m -> value.applyAsDouble(m.status()))
                .description(what)
                .register(registry);
    }
}
