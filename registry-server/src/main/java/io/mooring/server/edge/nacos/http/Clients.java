package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The clients of this node, as tools ask for them: its connections over gRPC; addresses with beats that this node hears, or that
 * listen to its pushes by UDP, {@code ip:port#true}; and addresses with persistent instances, {@code ip:port#false}.
 */
final class Clients {
    private static final String EPHEMERAL = "#true";
    private static final String PERSISTENT = "#false";

    /** Leases that are looked through on the core's loop; some milliseconds. */
    private static final int MOST_LEASES = 200_000;

    private final RegistryNode node;
    private final NacosConnections connections;
    private final UdpPushes pushes;

    /** @param connection only of those that have one */
    private record Shown(
            String id,
            NacosConnections.@Nullable Client connection,
            List<InstanceId> published,
            List<ServiceKey> subscribed) {
        boolean isThere() {
            return connection != null || !published.isEmpty() || !subscribed.isEmpty();
        }
    }

    private interface Form {
        void write(JsonGenerator json, Shown client) throws IOException;
    }

    Clients(RegistryNode node, NacosConnections connections, UdpPushes pushes) {
        this.node = node;
        this.connections = connections;
        this.pushes = pushes;
    }

    /** How a client is called that is an address. */
    static String id(InstanceId instance, boolean persistent) {
        return id(instance.address(), persistent);
    }

    static String id(String address, boolean persistent) {
        return address + (persistent ? PERSISTENT : EPHEMERAL);
    }

    Optional<Answer> ids(Call call) {
        Set<String> ids = new LinkedHashSet<>(connections.ids());
        pushes.addresses().forEach(address -> ids.add(id(address, false)));
        node.persistent().forEach(instance -> ids.add(id(instance, true)));
        return leased(call, leased -> {
            leased.forEach(instance -> ids.add(id(instance, false)));
            return Answer.json(json -> {
                json.writeStartArray();
                for (String id : ids) {
                    json.writeString(id);
                }
                json.writeEndArray();
            });
        });
    }

    Optional<Answer> get(Call call) {
        return one(call, (json, client) -> {
            NacosConnections.Client connection = client.connection();
            json.writeStartObject();
            json.writeStringField("clientId", client.id());
            json.writeBooleanField("ephemeral", !client.id().endsWith(PERSISTENT));
            json.writeStringField("clientType", connection == null ? "ipPort" : "connection");
            if (connection != null) {
                json.writeNumberField("lastUpdatedTime", connection.updatedAt());
                json.writeStringField("connectType", "GRPC");
                json.writeStringField("appName", connection.app());
                json.writeStringField("version", connection.agent());
                json.writeStringField("clientIp", connection.ip());
                json.writeStringField("clientPort", String.valueOf(connection.port()));
            } else {
                String address = client.id().substring(0, client.id().lastIndexOf('#'));
                json.writeStringField("clientIp", address.substring(0, address.lastIndexOf(':')));
                json.writeStringField("clientPort", address.substring(address.lastIndexOf(':') + 1));
            }
            json.writeEndObject();
        });
    }

    Optional<Answer> published(Call call) {
        return one(call, (json, client) -> {
            json.writeStartArray();
            for (InstanceId instance : client.published()) {
                json.writeStartObject();
                service(json, instance.service());
                json.writeObjectFieldStart("registeredInstance");
                json.writeStringField("ip", instance.host());
                json.writeNumberField("port", instance.port());
                json.writeStringField("cluster", instance.cluster());
                json.writeEndObject();
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    Optional<Answer> subscribed(Call call) {
        return one(call, (json, client) -> {
            NacosConnections.Client connection = client.connection();
            json.writeStartArray();
            for (ServiceKey service : client.subscribed()) {
                json.writeStartObject();
                service(json, service);
                json.writeObjectFieldStart("subscriberInfo");
                json.writeStringField("app", connection == null ? "" : connection.app());
                json.writeStringField("agent", connection == null ? "" : connection.agent());
                json.writeStringField(
                        "addr",
                        connection == null
                                ? client.id().substring(0, client.id().lastIndexOf('#'))
                                : connection.ip() + ":" + connection.port());
                json.writeEndObject();
                json.writeEndObject();
            }
            json.writeEndArray();
        });
    }

    private static void service(JsonGenerator json, ServiceKey service) throws IOException {
        json.writeStringField("namespace", service.namespace());
        json.writeStringField("group", service.group());
        json.writeStringField("serviceName", service.name());
    }

    /** Asks a connection to go elsewhere; those of addresses are none. */
    Optional<Answer> reload(Call call) {
        String id = call.parameters().required("connectionId");
        String to = call.parameters().text("redirectAddress");
        int colon = to.lastIndexOf(':');
        if (!connections.move(id, colon < 0 ? to : to.substring(0, colon))) {
            throw nobody(id);
        }
        return Optional.of(Answer.OK);
    }

    // ---- who is who

    private Optional<Answer> one(Call call, Form form) {
        String id = call.parameters().required("clientId");
        Optional<NacosConnections.Client> connected = connections.find(id);
        if (connected.isPresent()) {
            NacosConnections.Client client = connected.get();
            return Optional.of(answer(new Shown(id, client, client.published(), client.subscribed()), form));
        }
        if (id.endsWith(PERSISTENT)) {
            return Optional.of(answer(new Shown(id, null, at(id, true, node.persistent()), List.of()), form));
        }
        if (!id.endsWith(EPHEMERAL)) {
            throw nobody(id);
        }
        List<ServiceKey> subscribed = pushes.at(id.substring(0, id.length() - EPHEMERAL.length()));
        return leased(call, leased -> answer(new Shown(id, null, at(id, false, leased), subscribed), form));
    }

    private static List<InstanceId> at(String id, boolean persistent, List<InstanceId> instances) {
        List<InstanceId> at = new ArrayList<>();
        for (InstanceId instance : instances) {
            if (id.equals(id(instance, persistent))) {
                at.add(instance);
            }
        }
        return at;
    }

    private static Answer answer(Shown client, Form form) {
        if (!client.isThere()) {
            throw nobody(client.id());
        }
        return Answer.json(json -> form.write(json, client));
    }

    private static FaultException nobody(String id) {
        return new FaultException(
                Fault.NOT_FOUND,
                "clientId: " + InvalidValueException.shown(id)
                        + " is no client of this node; a node knows its own, ask the others");
    }

    private Optional<Answer> leased(Call call, Function<List<InstanceId>, Answer> answer) {
        return call.later(
                (Consumer<Optional<List<InstanceId>>> reply) -> reply.accept(node.leased(MOST_LEASES)),
                leased -> answer.apply(leased.orElseThrow(() -> new FaultException(
                        Fault.LIMIT,
                        "more than " + MOST_LEASES
                                + " instances live by beats on this node; ask for the publishers of each service"))));
    }
}
