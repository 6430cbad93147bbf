package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.Users;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What charts, scripts and consoles ask before anything else: whether the node is there, what it is, and which namespaces it
 * has. A namespace is there as long as something is registered in it, and any id may be used without making it first.
 */
final class Console {
    private static final int QUOTA = 200;

    private final RegistryNode node;
    private final Lists lists;
    private final Users users;
    private final NacosHttpSettings settings;

    Console(RegistryNode node, Lists lists, Users users, NacosHttpSettings settings) {
        this.node = node;
        this.lists = lists;
        this.users = users;
        this.settings = settings;
    }

    // ---- the node

    Optional<Answer> alive(Call call) {
        return Optional.of(new Answer.Text("OK"));
    }

    Optional<Answer> ready(Call call) {
        if (!node.status().ready()) {
            throw new FaultException(Fault.SERVER, "naming is not ready: " + Operator.status(node.status()));
        }
        return alive(call);
    }

    Optional<Answer> state(Call call) {
        NodeStatus now = node.status();
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("version", settings.version());
            json.writeStringField("standalone_mode", now.cluster().name().isEmpty() ? "standalone" : "cluster");
            json.writeStringField("startup_mode", now.cluster().name().isEmpty() ? "standalone" : "cluster");
            json.writeStringField("function_mode", "naming");
            json.writeStringField("auth_enabled", String.valueOf(users.required()));
            json.writeStringField("auth_system_type", "nacos");
            json.writeStringField("auth_admin_request", "false");
            json.writeStringField("login_page_enabled", "false");
            json.writeStringField("console_ui_enabled", "false");
            json.writeStringField("server_port", String.valueOf(settings.port().getAsInt()));
            json.writeEndObject();
        }));
    }

    // ---- namespaces

    /** With their number of services; the one that is always there comes first. */
    private Map<String, Integer> namespaces() {
        Map<String, Integer> all = new TreeMap<>((a, b) -> {
            boolean first = a.equals(ServiceKey.DEFAULT_NAMESPACE);
            boolean second = b.equals(ServiceKey.DEFAULT_NAMESPACE);
            return first || second ? Boolean.compare(second, first) : a.compareTo(b);
        });
        all.put(ServiceKey.DEFAULT_NAMESPACE, 0);
        for (ServiceKey service : lists.services(any -> true)) {
            all.merge(service.namespace(), 1, Integer::sum);
        }
        return all;
    }

    /** All of them, one of them, or whether there is one: v1 has one path for the three. */
    Optional<Answer> namespaces(Call call) {
        Parameters given = call.parameters();
        if (given.truth(false, "checkNamespaceIdExist")) {
            return exists(call);
        }
        return given.text("show").equals("all") ? namespace(call) : listOfNamespaces(call);
    }

    Optional<Answer> listOfNamespaces(Call call) {
        Map<String, Integer> all = namespaces();
        return Members.result(call, json -> {
            json.writeStartArray();
            for (String name : all.keySet()) {
                write(json, call.generation(), name);
            }
            json.writeEndArray();
        });
    }

    Optional<Answer> namespace(Call call) {
        String name = checked(call.parameters().text("namespaceId"));
        if (!namespaces().containsKey(name)) {
            throw new FaultException(Fault.NOT_FOUND, "namespace: " + name + " has nothing registered in it");
        }
        return Optional.of(Answer.json(json -> write(json, call.generation(), name)));
    }

    private static void write(JsonGenerator json, Generation generation, String name) throws IOException {
        boolean builtIn = name.equals(ServiceKey.DEFAULT_NAMESPACE);
        json.writeStartObject();
        json.writeStringField("namespace", builtIn && generation == Generation.V1 ? "" : name);
        json.writeStringField("namespaceShowName", name);
        json.writeStringField("namespaceDesc", builtIn ? "Default Namespace" : "");
        json.writeNumberField("quota", QUOTA);
        json.writeNumberField("configCount", 0);
        json.writeNumberField("type", builtIn ? 0 : 2);
        json.writeEndObject();
    }

    Optional<Answer> exists(Call call) {
        Parameters given = call.parameters();
        String name = given.text("customNamespaceId", "namespaceId");
        return Optional.of(Answer.truth(!name.isEmpty() && namespaces().containsKey(name)));
    }

    /** There is nothing to be made; what is asked is only whether the id may be used. */
    Optional<Answer> create(Call call) {
        checked(call.parameters().text("customNamespaceId", "namespaceId"));
        return Optional.of(Answer.truth(true));
    }

    /** What is empty is gone already. */
    Optional<Answer> delete(Call call) {
        String name = checked(call.parameters().required("namespaceId"));
        int services = namespaces().getOrDefault(name, 0);
        if (services > 0) {
            throw new FaultException(
                    Fault.NAMESPACE,
                    "namespace: " + name + " has " + services + " services (expected: none); deregister them first");
        }
        return Optional.of(Answer.truth(true));
    }

    private static String checked(String name) {
        try {
            return ServiceKey.checkedNamespace(NacosNames.namespace(name));
        } catch (InvalidValueException e) {
            throw new FaultException(Fault.NAMESPACE, String.valueOf(e.getMessage()));
        }
    }
}
