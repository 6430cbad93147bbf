package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosSettings;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Services as a whole: what is said about them, who asks for them, which there are. */
final class Services {
    private final RegistryNode node;
    private final Lists lists;
    private final NacosSubscribers subscribers;

    Services(RegistryNode node, Lists lists, NacosSubscribers subscribers) {
        this.node = node;
        this.lists = lists;
        this.subscribers = subscribers;
    }

    // ---- one

    Optional<Answer> create(Call call) {
        ServiceKey service = call.parameters().service();
        ServiceSettings settings = settings(call.parameters());
        if (lists.isThere(service)) {
            throw new FaultException(
                    Fault.SERVICE_EXISTS,
                    "specified service already exists, serviceName : " + NacosNames.grouped(service));
        }
        return call.whenAccepted(reply -> node.settings(service, before -> settings, reply));
    }

    Optional<Answer> update(Call call) {
        ServiceKey service = call.parameters().service();
        if (call.generation() == Generation.V1) {
            call.parameters().required("protectThreshold");
        }
        ServiceSettings settings = settings(call.parameters());
        checkThere(service);
        return call.whenAccepted(reply -> node.settings(
                service,
                before -> new ServiceSettings(
                        settings.protectThreshold(), settings.metadata(), settings.selector(), before.clusters()),
                reply));
    }

    private static ServiceSettings settings(Parameters given) {
        return new ServiceSettings(
                given.number("protectThreshold", 0),
                Metadata.of(given.texts("metadata")),
                NacosSettings.selector(given.text("selector")),
                Map.of());
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
        return call.whenAccepted(reply -> node.deleteSettings(service, reply));
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
        ServiceSettings settings = node.settings(service).orElse(ServiceSettings.DEFAULTS);
        Set<String> clusters = clusters(service, settings);
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
                    cluster(json, cluster, settings.cluster(cluster));
                }
                json.writeEndArray();
            } else {
                json.writeBooleanField("ephemeral", node.persistent(service).isEmpty());
                json.writeObjectFieldStart("clusterMap");
                for (String cluster : clusters) {
                    json.writeFieldName(cluster);
                    cluster(json, cluster, settings.cluster(cluster));
                }
                json.writeEndObject();
            }
            json.writeEndObject();
        }));
    }

    private static void about(JsonGenerator json, ServiceSettings settings) throws IOException {
        json.writeNumberField("protectThreshold", settings.protectThreshold());
        Instances.texts(json, "metadata", settings.metadata());
        NacosSettings.writeSelector(json, settings);
    }

    private static void cluster(JsonGenerator json, String name, ClusterSettings settings) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", name);
        json.writeStringField("clusterName", name);
        NacosSettings.writeChecker(json, settings);
        json.writeNumberField("healthyCheckPort", settings.port());
        json.writeBooleanField("useInstancePortForCheck", settings.ofInstance());
        Instances.texts(json, "metadata", settings.metadata());
        json.writeEndObject();
    }

    private Set<String> clusters(ServiceKey service, ServiceSettings settings) {
        TreeSet<String> clusters = new TreeSet<>(settings.clusters().keySet());
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
        ClusterSettings settings = NacosSettings.cluster(
                given.text("healthChecker"),
                given.whole("checkPort", ClusterSettings.DEFAULTS.port()),
                given.truth(true, "useInstancePort4Check"),
                Metadata.of(given.texts("metadata")));
        return call.whenAccepted(
                reply -> node.settings(service, before -> before.withCluster(cluster, settings), reply));
    }
}
