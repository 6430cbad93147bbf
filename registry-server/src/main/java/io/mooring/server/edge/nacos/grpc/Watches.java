package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosRefusal;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The patterns of services that clients watch. Confined to the I/O thread. */
final class Watches {
    private final Services services = new Services(this::moved);
    private final NacosGrpcSettings settings;
    private final Map<String, Set<Watch>> byNamespace = new HashMap<>();

    Watches(NacosGrpcSettings settings) {
        this.settings = settings;
    }

    /** The services there are. */
    Services services() {
        return services;
    }

    private void moved(ServiceKey service) {
        for (Watch watch : byNamespace.getOrDefault(service.namespace(), Set.of())) {
            if (watch.pattern.matches(service)) {
                watch.moved(service);
            }
        }
    }

    /** Those of one connection. */
    Ours of(StreamOut out, Stamps stamps) {
        return new Ours(out, stamps);
    }

    final class Ours {
        private final StreamOut out;
        private final Stamps stamps;
        private final Map<String, Watch> watches = new LinkedHashMap<>(2);

        private Ours(StreamOut out, Stamps stamps) {
            this.out = out;
            this.stamps = stamps;
        }

        /**
         * Begins to watch, compares again, or ends.
         *
         * @return why it could not, or not as a whole
         * @throws InvalidValueException when the request makes no sense
         */
        Optional<NacosRefusal> handle(Request request) {
            ServicePattern pattern = ServicePattern.parse(request.groupKeyPattern);
            return switch (request.watchType) {
                case "WATCH" -> watch(pattern, request);
                case "CANCEL_WATCH" -> {
                    cancel(pattern);
                    yield Optional.empty();
                }
                default -> throw new InvalidValueException("watchType", request.watchType, "WATCH or CANCEL_WATCH");
            };
        }

        private Optional<NacosRefusal> watch(ServicePattern pattern, Request request) {
            Collection<String> received = request.receivedGroupKeys;
            if (received.size() > 2 * settings.matches()) {
                throw new InvalidValueException(
                        "receivedGroupKeys", received.size() + " entries", "at most " + 2 * settings.matches());
            }
            Watch watch = watches.get(pattern.text());
            if (watch == null) {
                if (watches.size() >= settings.patterns()) {
                    return Optional.of(new NacosRefusal(
                            NacosRefusal.FUZZY_PATTERNS_OVER_LIMIT,
                            "patterns: " + watches.size() + " (expected: at most " + settings.patterns()
                                    + "); cancel some",
                            "limit"));
                }
                watch = new Watch(pattern, services, out, stamps, settings.matches());
                watches.put(pattern.text(), watch);
                byNamespace
                        .computeIfAbsent(pattern.namespace(), n -> new LinkedHashSet<>())
                        .add(watch);
            }
            boolean all = watch.sync(received, request.initializing);
            return all
                    ? Optional.empty()
                    : Optional.of(new NacosRefusal(
                            NacosRefusal.FUZZY_MATCHES_OVER_LIMIT,
                            "more than " + settings.matches()
                                    + " services match; the others are left out, use a narrower pattern",
                            "limit"));
        }

        private void cancel(ServicePattern pattern) {
            Watch watch = watches.remove(pattern.text());
            if (watch != null) {
                end(watch);
            }
        }

        private void end(Watch watch) {
            watch.end();
            Set<Watch> others = byNamespace.get(watch.pattern.namespace());
            if (others != null && others.remove(watch) && others.isEmpty()) {
                byNamespace.remove(watch.pattern.namespace());
            }
        }

        /** The connection has ended. */
        void gone() {
            watches.values().forEach(this::end);
            watches.clear();
        }

        boolean acked(long id) {
            for (Watch watch : watches.values()) {
                if (watch.acked(id)) {
                    return true;
                }
            }
            return false;
        }

        /** To be called now and then. */
        void look(Duration ackWithin) {
            watches.values().forEach(watch -> watch.look(ackWithin));
        }
    }
}
