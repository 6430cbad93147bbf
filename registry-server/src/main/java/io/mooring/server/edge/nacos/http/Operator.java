package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InstanceId;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** How the node does, and the switches that this one has not. */
final class Operator {
    private final RegistryNode node;
    private final Members members;

    Operator(RegistryNode node, Members members) {
        this.node = node;
        this.members = members;
    }

    static String status(NodeStatus status) {
        return status.ready() ? "UP" : status.draining() ? "DOWN" : "STARTING";
    }

    /** The beginning of what consoles of v1 read; the value comes next, then {@code noRight} or the end. */
    static void beginResult(JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeNumberField("code", 200);
        json.writeNullField("message");
        json.writeFieldName("data");
    }

    Optional<Answer> metrics(Call call) {
        boolean onlyStatus = call.parameters().truth(true, "onlyStatus");
        NodeStatus now = node.status();
        Set<String> persistent = new HashSet<>();
        if (!onlyStatus) {
            node.persistent().forEach(instance -> persistent.add(instance.address()));
        }
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("status", status(now));
            if (!onlyStatus) {
                numbers(json, now, persistent.size());
            }
            json.writeEndObject();
        }));
    }

    private static void numbers(JsonGenerator json, NodeStatus now, int persistent) throws IOException {
        int clients = now.sessions() + now.leases();
        json.writeNumberField("serviceCount", now.services());
        json.writeNumberField("instanceCount", now.instances());
        json.writeNumberField("subscribeCount", now.subscriptions());
        json.writeNumberField("responsibleInstanceCount", now.cluster().ownInstances());
        json.writeNumberField("clientCount", clients + persistent);
        json.writeNumberField("connectionBasedClientCount", now.sessions());
        json.writeNumberField("ephemeralIpPortClientCount", now.leases());
        json.writeNumberField("persistentIpPortClientCount", persistent);
        json.writeNumberField("responsibleClientCount", clients);
        Runtime runtime = Runtime.getRuntime();
        double used = (double) (runtime.totalMemory() - runtime.freeMemory()) / runtime.maxMemory();
        json.writeNumberField("cpu", -1); // not measured
        json.writeNumberField(
                "load", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
        json.writeNumberField("mem", used);
    }

    /** As a new Nacos has them. They say how clients should behave; those that concern its servers mean nothing here. */
    Optional<Answer> switches(Call call) {
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("name", "00-00---000-NACOS_SWITCH_DOMAIN-000---00-00");
            json.writeNullField("masters");
            json.writeObjectFieldStart("adWeightMap");
            json.writeEndObject();
            json.writeNumberField("defaultPushCacheMillis", Instances.CACHE_MILLIS);
            json.writeNumberField("clientBeatInterval", 5_000);
            json.writeNumberField("defaultCacheMillis", Instances.POLL_MILLIS);
            json.writeNumberField("distroThreshold", 0.7);
            json.writeBooleanField("healthCheckEnabled", true);
            json.writeBooleanField("autoChangeHealthCheckEnabled", true);
            json.writeBooleanField("distroEnabled", true);
            json.writeBooleanField("enableStandalone", true);
            json.writeBooleanField("pushEnabled", true);
            json.writeNumberField("checkTimes", 3);
            health(json, "httpHealthParams", 5_000, 500, 0.85);
            health(json, "tcpHealthParams", 5_000, 1_000, 0.75);
            health(json, "mysqlHealthParams", 3_000, 2_000, 0.65);
            json.writeArrayFieldStart("incrementalList");
            json.writeEndArray();
            json.writeNumberField("serverStatusSynchronizationPeriodMillis", 2_000);
            json.writeNumberField("serviceStatusSynchronizationPeriodMillis", 5_000);
            json.writeBooleanField("disableAddIP", false);
            json.writeBooleanField("sendBeatOnly", false);
            json.writeBooleanField("lightBeatEnabled", true);
            json.writeObjectFieldStart("limitedUrlMap");
            json.writeEndObject();
            json.writeNumberField("distroServerExpiredMillis", 10_000);
            json.writeStringField("pushGoVersion", "0.1.0");
            json.writeStringField("pushJavaVersion", "0.1.0");
            json.writeStringField("pushPythonVersion", "0.4.3");
            json.writeStringField("pushCVersion", "1.0.12");
            json.writeStringField("pushCSharpVersion", "0.9.0");
            json.writeBooleanField("enableAuthentication", false);
            json.writeNullField("overriddenServerStatus");
            json.writeBooleanField("defaultInstanceEphemeral", true);
            json.writeArrayFieldStart("healthCheckWhiteList");
            json.writeEndArray();
            json.writeNullField("checksum");
            json.writeEndObject();
        }));
    }

    private static void health(JsonGenerator json, String name, int max, int min, double factor) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("max", max);
        json.writeNumberField("min", min);
        json.writeNumberField("factor", factor);
        json.writeEndObject();
    }

    /** Any node takes any request. */
    Optional<Answer> responsible(Call call) {
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("responsibleServer", members.selfAddress());
            json.writeEndObject();
        }));
    }

    // ---- health

    Optional<Answer> reportHealth(Call call) {
        InstanceId id = call.parameters().instanceId();
        call.parameters().required("healthy");
        boolean healthy = call.parameters().truth(true, "healthy");
        Check check = node.settings(id.service())
                .orElse(ServiceSettings.DEFAULTS)
                .cluster(id.cluster())
                .check();
        if (node.isPersistent(id) && check != Check.NONE) {
            throw new FaultException(
                    Fault.ILLEGAL,
                    "health check is still working: " + id.address() + " is checked by " + check
                            + " (expected: NONE, for somebody to say how it is); set the cluster's healthChecker");
        }
        return call.whenAccepted(reply -> node.reportHealth(id, healthy, reply));
    }

    Optional<Answer> checkers(Call call) {
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            for (Check check : Check.values()) {
                json.writeObjectFieldStart(check.name());
                json.writeStringField("type", check.name());
                json.writeEndObject();
            }
            json.writeEndObject();
        }));
    }

    Optional<Answer> greeting(Call call) {
        NodeStatus now = node.status();
        String says = "Hello! I am Nacos-Naming and healthy! total services: " + now.services() + ", instances: "
                + now.instances();
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField("msg", says);
            json.writeEndObject();
        }));
    }
}
