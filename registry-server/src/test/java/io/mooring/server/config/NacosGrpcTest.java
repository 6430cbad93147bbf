package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.Test;

/** The endpoint of Nacos clients as a part of a node. */
class NacosGrpcTest {
    @Test
    void itListensAndIsCounted() {
        RunningServer server = SharedServer.get();

        assertThat(server.bean(NacosGrpc.class).port()).isPositive();
        assertThat(server.bean(MeterRegistry.class)
                        .get("mooring.nacos.requests")
                        .tag("type", "InstanceRequest")
                        .tag("outcome", "ok")
                        .counter()
                        .count())
                .isZero();
        assertThat(server.bean(MeterRegistry.class)
                        .get("mooring.limit")
                        .tag("bound", "nacos_connections")
                        .gauge()
                        .value())
                .isEqualTo(20_000);
    }

    @Test
    void itCanBeLeftOut() {
        try (RunningServer server = RunningServer.start("--mooring.nacos.enabled=false")) {
            assertThat(server.bean(NacosGrpc.class).port()).isNegative();
            assertThat(server.bean(NacosGrpc.class).connections()).isZero();
        }
    }
}
