package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.RunningServer;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients of v1 pick a server for each request: any node takes anything. */
@Timeout(180)
class NacosClusterTest {
    private static final String INSTANCE = "serviceName=roaming&groupName=G1&ip=10.0.0.1&port=80";
    private static final String BEAT = "/v1/ns/instance/beat?" + INSTANCE;
    private static final int FINE = 10_200;

    @TempDir
    Path directory;

    private static void until(Callable<Boolean> condition) throws Exception {
        while (!condition.call()) {
            Thread.onSpinWait(); // each look is a request or two
        }
    }

    private static boolean lists(NacosCalls node) throws Exception {
        return node.list("serviceName=G1@@roaming").get("hosts").size() == 1;
    }

    private static int beat(NacosCalls node) throws Exception {
        return node.call("PUT", BEAT).at("/code").asInt();
    }

    @Test
    void beatsMayReachAnyNodeAndGoOnWhenTheOneThatTookTheInstanceIsGone() throws Exception {
        Path peers = directory.resolve("peers");
        String file = "--mooring.cluster.peers-file=" + peers;
        RunningServer first = RunningServer.start("--mooring.node.name=a", file);
        try (RunningServer second = RunningServer.start("--mooring.node.name=b", file)) {
            Files.writeString(peers, "127.0.0.1:" + first.peerPort() + "\n127.0.0.1:" + second.peerPort() + "\n");
            NacosCalls a = new NacosCalls(first);
            NacosCalls b = new NacosCalls(second);
            until(() -> a.get("/v1/ns/operator/metrics").body().contains("UP"));
            until(() -> b.get("/v1/ns/operator/metrics").body().contains("UP"));

            a.register(INSTANCE + "&metadata=zone%3Dz1");
            until(() -> lists(b));
            assertThat(beat(b)).as("forwarded").isEqualTo(FINE);
            assertThat(beat(a)).isEqualTo(FINE);
            until(() -> b.get("/v1/core/cluster/nodes").data().size() == 2); // a second old, at most

            first.close();
            until(() -> beat(b) == FINE);
            Answer list = b.get("/v1/ns/instance/list?serviceName=G1@@roaming");
            assertThat(list.at("/hosts/0/metadata/zone").asString())
                    .as("adopted as it was")
                    .isEqualTo("z1");
            b.call("DELETE", "/v1/ns/instance?" + INSTANCE);
            assertThat(beat(b)).as("nobody any more").isEqualTo(20_404);
        } finally {
            first.close();
        }
    }
}
