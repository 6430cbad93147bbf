package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.DurableEntries;
import io.mooring.server.edge.nacos.DurableEntries.Settings;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Services as a whole: what is said about them, who asks for them, which there are. */
final class Services {
    private static final int LONGEST_SELECTOR = 4_096;

    private final RegistryNode node;
    private final Lists lists;
    private final DurableEntries durable;
    private final NacosSubscribers subscribers;

    Services(RegistryNode node, Lists lists, DurableEntries durable, NacosSubscribers subscribers) {
        this.node = node;
        this.lists = lists;
        this.durable = durable;
        this.subscribers = subscribers;
    }

    // ---- one

    Optional<Answer> create(Call call) {
        ServiceKey service = call.parameters().service();
        Settings settings = settings(call.parameters());
        if (lists.isThere(service)) {
            throw new FaultException(
                    Fault.SERVICE_EXISTS,
                    "specified service already exists, serviceName : " + NacosNames.grouped(service));
        }
        return call.whenAccepted(reply -> durable.settings(service, before -> settings, reply));
    }

    Optional<Answer> update(Call call) {
        ServiceKey service = call.parameters().service();
        if (call.generation() == Generation.V1) {
            call.parameters().required("protectThreshold");
        }
        Settings settings = settings(call.parameters());
        checkThere(service);
        return call.whenAccepted(reply -> durable.settings(
                service,
                before -> new Settings(
                        settings.protectThreshold(), settings.metadata(), settings.selector(), before.clusters()),
                reply));
    }

    private static Settings settings(Parameters given) {
        return new Settings(
                given.number("protectThreshold", 0), Map.copyOf(given.texts("metadata")), selector(given), Map.of());
    }

    private static String selector(Parameters given) {
        String selector = given.text("selector");
        if (selector.isEmpty()) {
            return Settings.NO_SELECTOR;
        }
        if (selector.length() > LONGEST_SELECTOR) {
            throw new InvalidValueException("selector", selector, "at most " + LONGEST_SELECTOR + " characters");
        }
        Parameters.json("selector", selector, (name, json) -> {});
        return selector;
    }

    Optional<Answer> delete(Call call) {
        ServiceKey service = call.parameters().service();
        checkThere(service);
        if (!node.view(service).instances().isEmpty()) {
            throw new FaultException(
                    Fault.SERVICE_IN_USE,
                    "service " + NacosNames.grouped(service)
                            + " is not empty, can't be delete; deregister its instances");
        }
        return call.whenAccepted(reply -> durable.deleteSettings(service, reply));
    }

    private void checkThere(ServiceKey service) {
        if (!lists.isThere(service)) {
            throw new FaultException(
                    Fault.NO_SERVICE,
                    "service not found, namespace: " + service.namespace() + ", serviceName: "
                            + NacosNames.grouped(service));
        }
    }

    Optional<Answer> get(Call call) {
        ServiceKey service = call.parameters().service();
        checkThere(service);
        Settings settings = durable.settings(service).orElse(Settings.NONE);
        Set<String> clusters = clusters(service);
        boolean old = call.generation() == Generation.V1;
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField(old ? "namespaceId" : "namespace", service.namespace());
            json.writeStringField("groupName", service.group());
            json.writeStringField(old ? "name" : "serviceName", service.name());
            about(json, settings);
            if (old) {
                json.writeArrayFieldStart("clusters");
                for (String cluster : clusters) {
                    cluster(json, cluster);
                }
                json.writeEndArray();
            } else {
                json.writeBooleanField("ephemeral", true);
                json.writeObjectFieldStart("clusterMap");
                for (String cluster : clusters) {
                    json.writeFieldName(cluster);
                    cluster(json, cluster);
                }
                json.writeEndObject();
            }
            json.writeEndObject();
        }));
    }

    private static void about(JsonGenerator json, Settings settings) throws IOException {
        json.writeNumberField("protectThreshold", settings.protectThreshold());
        Instances.texts(json, "metadata", settings.metadata());
        json.writeFieldName("selector");
        json.writeRawValue(settings.selector()); // JSON, checked when it came
    }

    private static void cluster(JsonGenerator json, String name) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeStringField("clusterName", name);
        json.writeObjectFieldStart("healthChecker");
        json.writeStringField("type", "NONE");
        json.writeEndObject();
        Instances.texts(json, "metadata", Map.of());
        json.writeEndObject();
    }

    private Set<String> clusters(ServiceKey service) {
        TreeSet<String> clusters = new TreeSet<>();
        node.view(service)
                .instances()
                .forEach(listed -> clusters.add(listed.instance().cluster()));
        return clusters;
    }

    // ---- many

    /** The names of a group: {@code doms} in v1, {@code services} in v2. */
    Optional<Answer> list(Call call) {
        Parameters given = call.parameters();
        boolean old = call.generation() == Generation.V1;
        Page page = old ? Page.required(given) : Page.of(given, 20);
        ServiceKey first = NacosNames.service(given.namespace(), given.text("groupName"), "any");
        List<ServiceKey> all = lists.services(service ->
                service.namespace().equals(first.namespace()) && service.group().equals(first.group()));
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeNumberField("count", all.size());
            json.writeArrayFieldStart(old ? "doms" : "services");
            for (ServiceKey service : page.of(all)) {
                json.writeString(service.name());
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    /** All names, by namespace. */
    Optional<Answer> names(Call call) {
        boolean all = !call.parameters().has("namespaceId");
        String namespace = ServiceKey.checkedNamespace(call.parameters().namespace());
        Map<String, List<String>> names = new TreeMap<>();
        int count = 0;
        for (ServiceKey service : lists.services(key -> all || key.namespace().equals(namespace))) {
            names.computeIfAbsent(service.namespace(), n -> new ArrayList<>()).add(NacosNames.grouped(service));
            count++;
        }
        int counted = count;
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeObjectFieldStart("services");
            for (Map.Entry<String, List<String>> entry : names.entrySet()) {
                json.writeArrayFieldStart(entry.getKey());
                for (String name : entry.getValue()) {
                    json.writeString(name);
                }
                json.writeEndArray();
            }
            json.writeEndObject();
            json.writeNumberField("count", counted);
            json.writeEndObject();
        }));
    }

    Optional<Answer> subscribers(Call call) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        Page page = Page.of(given, 1_000);
        List<NacosSubscribers.Subscriber> all = subscribers.of(service);
        boolean paged = call.generation() == Generation.V3;
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeNumberField(paged ? "totalCount" : "count", all.size());
            if (paged) {
                json.writeNumberField("pageNumber", page.number());
                json.writeNumberField("pagesAvailable", page.pages(all.size()));
            }
            json.writeArrayFieldStart(paged ? "pageItems" : "subscribers");
            for (NacosSubscribers.Subscriber one : page.of(all)) {
                json.writeStartObject();
                json.writeStringField("addrStr", one.ip() + ":" + one.port());
                json.writeStringField(paged ? "address" : "ip", paged ? one.ip() + ":" + one.port() : one.ip());
                json.writeNumberField("port", one.port());
                json.writeStringField("agent", one.agent());
                json.writeStringField("app", one.app());
                json.writeStringField("namespaceId", service.namespace());
                json.writeStringField("serviceName", NacosNames.grouped(service));
                json.writeStringField("cluster", one.clusters());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    Optional<Answer> selectorTypes(Call call) {
        boolean old = call.generation() == Generation.V1;
        return Optional.of(Answer.json(json -> {
            if (old) {
                Operator.beginResult(json);
            }
            json.writeStartArray();
            json.writeString("none");
            json.writeEndArray();
            if (old) {
                json.writeBooleanField("noRight", false);
                json.writeEndObject();
            }
        }));
    }

    /** What is said about a cluster; how it is checked, above all. */
    Optional<Answer> updateCluster(Call call) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        String cluster = NacosNames.instance(service, given.required("clusterName"), "0.0.0.0", 0)
                .cluster();
        String checker = given.text("healthChecker");
        if (!checker.isEmpty()) {
            Parameters.json("healthChecker", checker, (name, json) -> {});
        }
        int port = given.whole("checkPort", 80);
        boolean ofInstance = given.truth(true, "useInstancePort4Check");
        Map<String, String> metadata = given.texts("metadata");
        String text = new String(
                NacosJson.bytes(json -> {
                    json.writeStartObject();
                    json.writeNumberField("checkPort", port);
                    json.writeBooleanField("useInstancePort", ofInstance);
                    json.writeFieldName("healthChecker");
                    json.writeRawValue(checker.isEmpty() ? "{\"type\":\"TCP\"}" : checker);
                    Instances.texts(json, "metadata", metadata);
                    json.writeEndObject();
                }),
                StandardCharsets.UTF_8);
        return call.whenAccepted(
                reply -> durable.settings(service, before -> before.withCluster(cluster, text), reply));
    }
}
