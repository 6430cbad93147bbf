package io.mooring.server.config;

import io.micrometer.core.instrument.MeterRegistry;
import io.mooring.server.edge.metrics.NacosMeters;
import io.mooring.server.edge.metrics.PushMeter;
import io.mooring.server.edge.metrics.Refusals;
import io.mooring.server.edge.nacos.Access;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.edge.nacos.grpc.NacosGrpcMeter;
import io.mooring.server.edge.nacos.grpc.NacosGrpcServer;
import io.mooring.server.edge.nacos.grpc.NacosGrpcSettings;
import io.mooring.server.edge.peer.PeerAddress;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** The gRPC endpoint of Nacos clients, if there is to be one; it starts and ends with that of sessions. */
final class NacosGrpc extends ListeningPort {
    private final @Nullable NacosGrpcServer server;
    private final NacosGrpcSettings settings;

    NacosGrpc(
            RegistryNode node, MooringProperties properties, Access access, PushMeter pushes, MeterRegistry registry) {
        super(
                "Nacos clients over gRPC",
                "mooring.nacos.grpc-port",
                InetSocketAddress.createUnresolved(properties.bind(), properties.nacosGrpcPort()));
        settings = settings(properties);
        if (!properties.nacos().enabled()) {
            server = null;
            return;
        }
        NacosGrpcServer made = new NacosGrpcServer(node, settings, access, meter(pushes, registry), new SecureRandom());
        node.loop()
                .execute(() -> node.movesSessionsBy((within, targets, most) -> made.move(
                        within,
                        targets.stream()
                                .map(target -> PeerAddress.parse(target).host())
                                .toList(),
                        most)));
        server = made;
    }

    private static NacosGrpcSettings settings(MooringProperties properties) {
        MooringProperties.Nacos nacos = properties.nacos();
        NacosGrpcSettings defaults = NacosGrpcSettings.defaults(properties.nacosGrpcPort());
        return new NacosGrpcSettings(
                properties.bind(),
                properties.nacosGrpcPort(),
                properties.http().port(),
                nacos.connections(),
                defaults.calls(),
                properties.limits().subscriptionsPerSession(),
                nacos.patterns(),
                nacos.matches(),
                nacos.ttl(),
                nacos.grace(),
                defaults.setUpWithin(),
                nacos.ttl().multipliedBy(3).dividedBy(5),
                defaults.ackWithin(),
                defaults.answerTakenWithin(),
                defaults.stalledAfter(),
                defaults.pingsApart(),
                Math.max(defaults.outgoingBytes(), Runtime.getRuntime().maxMemory() / 8),
                new HealthView.Doubt(
                        properties.protection().share(), properties.protection().atLeast()));
    }

    private static NacosGrpcMeter meter(PushMeter pushes, MeterRegistry registry) {
        NacosMeters meters = new NacosMeters(registry, NacosGrpcServer.requestTypes());
        Refusals refusals = new Refusals(registry, "nacos-grpc");
        return new NacosGrpcMeter() {
            @Override
            public void answered(String type, String code) {
                boolean ok = code.equals("ok");
                meters.answered(type, ok);
                if (!ok) {
                    refusals.count(code);
                }
            }

            @Override
            public void pushed(long nanos) {
                pushes.pushed(nanos);
            }

            @Override
            public void acked(boolean inTime) {
                meters.acked(inTime);
            }

            @Override
            public void refused(String code) {
                refusals.count(code);
            }
        };
    }

    @Override
    int listen() throws IOException {
        return server == null ? -1 : server.start();
    }

    @Override
    void close() {
        if (server != null) {
            server.close();
        }
    }

    /** Who hears of changes over gRPC. */
    NacosSubscribers subscribers() {
        return server == null ? NacosSubscribers.NONE : server;
    }

    /** Who is connected over gRPC. */
    NacosConnections clients() {
        return server == null ? NacosConnections.NONE : server;
    }

    int connections() {
        return server == null ? 0 : server.connections();
    }

    /** At the same time. */
    int mostConnections() {
        return settings.connections();
    }
}
