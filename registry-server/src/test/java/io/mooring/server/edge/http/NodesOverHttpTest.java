package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Digest;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.node.ClusterStatus;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.replication.PeerMessage;
import io.mooring.server.replication.Replication;
import io.mooring.server.shard.NodeId;
import io.mooring.server.shard.ShardId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code GET /v1/nodes}: who is there, and who is not and why. */
class NodesOverHttpTest {
    @Test
    void aNodeByItselfShowsItself() throws Exception {
        JsonNode nodes = HttpCalls.get("/v1/nodes").json();

        assertThat(nodes.get("cluster").asString()).isEmpty();
        assertThat(nodes.get("nodes")).hasSize(1);
        JsonNode self = nodes.get("nodes").get(0);
        assertThat(self.get("name").asString())
                .isEqualTo(nodes.get("answeredBy").asString());
        assertThat(self.get("self").asBoolean()).isTrue();
        assertThat(self.get("state").asString()).isIn("alive", "starting");
        assertThat(self.get("incarnation").asLong()).isPositive();
    }

    private static NodeStatus status(List<PeerStatus> peers, boolean ready, boolean draining) {
        PeerMessage.Digest own =
                new PeerMessage.Digest(new ShardId(new NodeId("a"), 3), 7, 12, OptionalLong.of(255), 4, true, true, 0);
        PeerMessage.Digest other =
                new PeerMessage.Digest(new ShardId(new NodeId("b"), 1), 8, 9, OptionalLong.empty(), 5, false, false, 7);
        ClusterStatus cluster = new ClusterStatus(
                "north",
                "10.0.0.1:9849",
                Optional.of("it sees 1 of 3"),
                11,
                4,
                Map.of("b", 17),
                List.of(own, other),
                new Replication.Counts(0, 0, 0, 0, 0, 0, 0, 0, Map.of(), Map.of()));
        return new NodeStatus(
                "a",
                3,
                12,
                ready,
                false,
                Optional.empty(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                draining,
                peers,
                cluster,
                Duration.ZERO,
                Optional.empty(),
                Optional.empty());
    }

    private static JsonNode json(NodeStatus status) {
        return JsonMapper.shared().readTree(new String(Json.nodes(status), StandardCharsets.UTF_8));
    }

    @Test
    void peersAreShownAsTheyAreSeen() {
        PeerStatus b = new PeerStatus(
                "b",
                "10.0.0.2:9849",
                PeerStatus.State.SUSPECT,
                Optional.of(Duration.ofMillis(1_500)),
                1,
                9,
                5,
                "c",
                Optional.of("Connection refused"));
        PeerStatus nobody = new PeerStatus(
                "", "10.0.0.9:9849", PeerStatus.State.UNKNOWN, Optional.empty(), 0, 0, 0, "", Optional.empty());

        JsonNode nodes = json(status(List.of(b, nobody), true, false));

        assertThat(nodes.get("isolated").asString()).isEqualTo("it sees 1 of 3");
        assertThat(nodes.get("nodes").get(0).toString())
                .isEqualTo("{\"name\":\"a\",\"self\":true,\"address\":\"10.0.0.1:9849\",\"state\":\"alive\","
                        + "\"incarnation\":3,\"revision\":12,\"instances\":4,\"sessions\":11}");
        assertThat(nodes.get("nodes").get(1).toString())
                .isEqualTo("{\"name\":\"b\",\"self\":false,\"address\":\"10.0.0.2:9849\",\"state\":\"suspect\","
                        + "\"incarnation\":1,\"revision\":9,\"instances\":5,\"sessions\":17,\"heardMillis\":1500,"
                        + "\"via\":\"c\",\"problem\":\"Connection refused\"}");
        assertThat(nodes.get("nodes").get(2).has("heardMillis")).isFalse();
        assertThat(nodes.get("shards").get(0).get("digest").asString()).isEqualTo(Digest.format(255));
        assertThat(nodes.get("shards").get(1).has("digest")).isFalse();
    }

    @Test
    void aNodeThatStartsOrLeavesSaysSo() {
        assertThat(json(status(List.of(), false, false))
                        .get("nodes")
                        .get(0)
                        .get("state")
                        .asString())
                .isEqualTo("starting");
        assertThat(json(status(List.of(), false, true))
                        .get("nodes")
                        .get(0)
                        .get("state")
                        .asString())
                .isEqualTo("draining");
    }
}
