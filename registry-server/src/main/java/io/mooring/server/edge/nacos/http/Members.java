package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Optional;

/**
 * The nodes of the cluster, as tools ask for them. A node knows where the others speak to nodes, not where they speak HTTP: the
 * port is told as if all had the same.
 */
final class Members {
    private final RegistryNode node;
    private final NacosHttpSettings settings;

    private record Member(String ip, String state) {}

    Members(RegistryNode node, NacosHttpSettings settings) {
        this.node = node;
        this.settings = settings;
    }

    String selfAddress() {
        return selfIp(node.status()) + ":" + settings.port().getAsInt();
    }

    private String selfIp(NodeStatus now) {
        String advertised = now.cluster().advertised();
        return advertised.isEmpty() ? settings.bind() : host(advertised);
    }

    /** Of {@code host:port}. */
    private static String host(String address) {
        int colon = address.lastIndexOf(':');
        return colon < 0 ? address : address.substring(0, colon);
    }

    private List<Member> members() {
        NodeStatus now = node.status();
        List<Member> all = new ArrayList<>();
        all.add(new Member(selfIp(now), Operator.status(now)));
        for (PeerStatus peer : now.peers()) {
            all.add(new Member(
                    host(peer.address()),
                    switch (peer.state()) {
                        case ALIVE -> "UP";
                        case SUSPECT -> "SUSPICIOUS";
                        case UNKNOWN, GONE, LEFT -> "DOWN";
                    }));
        }
        return all;
    }

    Optional<Answer> list(Call call) {
        String keyword = call.parameters().text("keyword", "address");
        String state = call.parameters().text("state");
        List<Member> wanted = new ArrayList<>(members());
        wanted.removeIf(member -> !address(member).contains(keyword)
                || !state.isEmpty() && !member.state().equalsIgnoreCase(state));
        return result(call, json -> {
            json.writeStartArray();
            for (Member member : wanted) {
                write(json, member);
            }
            json.writeEndArray();
        });
    }

    Optional<Answer> self(Call call) {
        Member self = members().get(0);
        return result(call, json -> write(json, self));
    }

    Optional<Answer> health(Call call) {
        String state = members().get(0).state();
        return result(call, json -> json.writeString(state));
    }

    /** How many connections each node has: this one, and those that it hears from. What it does not know of them is -1. */
    Optional<Answer> loads(Call call) {
        NodeStatus now = node.status();
        List<Load> loads = new ArrayList<>();
        loads.add(new Load(
                selfAddress(),
                now.cluster().ownSessions(),
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()));
        for (PeerStatus peer : now.peers()) {
            Integer sessions = now.cluster().sessions().get(peer.name());
            if (sessions != null) {
                loads.add(new Load(host(peer.address()) + ":" + settings.port().getAsInt(), sessions, -1));
            }
        }
        IntSummaryStatistics all = loads.stream().mapToInt(Load::connections).summaryStatistics();
        return result(call, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("detail");
            for (Load load : loads) {
                json.writeStartObject();
                json.writeStringField("address", load.address());
                json.writeNumberField("sdkConCount", load.connections());
                json.writeNumberField("conCount", load.connections());
                json.writeNumberField("load", load.load());
                json.writeNumberField("cpu", -1);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeNumberField("memberCount", 1 + now.peers().size());
            json.writeNumberField("metricsCount", loads.size());
            json.writeBooleanField("completed", loads.size() == 1 + now.peers().size());
            json.writeNumberField("max", all.getMax());
            json.writeNumberField("min", all.getMin());
            json.writeNumberField("avg", all.getAverage());
            json.writeNumberField("threshold", RegistryNode.toleratedSessions(all.getAverage()));
            json.writeNumberField("total", all.getSum());
            json.writeEndObject();
        });
    }

    private record Load(String address, int connections, double load) {}

    /** The addresses alone. */
    Optional<Answer> simple(Call call) {
        List<Member> all = members();
        return result(call, json -> {
            json.writeStartArray();
            for (Member member : all) {
                json.writeString(address(member));
            }
            json.writeEndArray();
        });
    }

    /** As 1.x had it. */
    Optional<Answer> servers(Call call) {
        boolean healthy = call.parameters().truth(false, "healthy");
        List<Member> wanted = new ArrayList<>(members());
        wanted.removeIf(member -> healthy && !member.state().equals("UP"));
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("servers");
            for (Member member : wanted) {
                write(json, member);
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    private String address(Member member) {
        return member.ip() + ":" + settings.port().getAsInt();
    }

    private void write(JsonGenerator json, Member member) throws IOException {
        json.writeStartObject();
        json.writeStringField("ip", member.ip());
        json.writeNumberField("port", settings.port().getAsInt());
        json.writeStringField("state", member.state());
        json.writeObjectFieldStart("extendInfo");
        json.writeStringField("version", settings.version());
        json.writeEndObject();
        json.writeStringField("address", address(member));
        json.writeNumberField("failAccessCnt", 0);
        json.writeObjectFieldStart("abilities");
        json.writeEndObject();
        json.writeBooleanField("grpcReportEnabled", true);
        json.writeEndObject();
    }

    /** In v1 these come in an envelope of their own. */
    static Optional<Answer> result(Call call, NacosJson.Body value) {
        if (call.generation() != Generation.V1) {
            return Optional.of(Answer.json(value));
        }
        return Optional.of(Answer.json(json -> {
            Operator.beginResult(json);
            value.writeTo(json);
            json.writeEndObject();
        }));
    }
}
