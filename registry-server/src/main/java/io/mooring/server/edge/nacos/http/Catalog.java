package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosConnections;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosSettings;
import io.mooring.server.edge.nacos.NacosSubscribers;
import io.mooring.server.node.RegistryNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** What consoles show: services with their numbers, and all instances, in rotation or not. */
final class Catalog {
    private final RegistryNode node;
    private final Lists lists;
    private final NacosSubscribers subscribers;
    private final NacosConnections connections;

    Catalog(RegistryNode node, Lists lists, NacosSubscribers subscribers, NacosConnections connections) {
        this.connections = connections;
        this.subscribers = subscribers;
        this.node = node;
        this.lists = lists;
    }

    Optional<Answer> services(Call call) {
        Parameters given = call.parameters();
        boolean paged = call.generation() == Generation.V3;
        if (given.truth(false, "withInstances")) {
            throw new FaultException(
                    Fault.NOT_OFFERED, "withInstances=true is not offered; ask for the instances of each service");
        }
        String namespace = ServiceKey.checkedNamespace(given.namespace());
        String name = given.text("serviceNameParam");
        String group = given.text("groupNameParam");
        boolean hideEmpty = given.truth(false, "hasIpCount", "ignoreEmptyService");
        Page page = Page.of(given, 20);
        List<ServiceKey> all = lists.services(service -> service.namespace().equals(namespace)
                && service.name().contains(name)
                && service.group().contains(group));
        if (hideEmpty) {
            all.removeIf(service -> node.view(service).instances().isEmpty());
        }
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            begin(json, paged, page, all.size(), paged ? "pageItems" : "serviceList");
            for (ServiceKey service : page.of(all)) {
                summary(json, service);
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    private static void begin(JsonGenerator json, boolean paged, Page page, int all, String list) throws IOException {
        json.writeNumberField(paged ? "totalCount" : "count", all);
        if (paged) {
            json.writeNumberField("pageNumber", page.number());
            json.writeNumberField("pagesAvailable", page.pages(all));
        }
        json.writeArrayFieldStart(list);
    }

    private void summary(JsonGenerator json, ServiceKey service) throws IOException {
        ServiceView view = node.view(service);
        TreeSet<String> clusters = new TreeSet<>();
        int healthy = 0;
        for (ListedInstance listed : view.instances()) {
            clusters.add(listed.instance().cluster());
            healthy += listed.standing().inDoubt() ? 0 : 1;
        }
        json.writeStartObject();
        json.writeStringField("name", service.name());
        json.writeStringField("groupName", service.group());
        json.writeNumberField("clusterCount", clusters.size());
        json.writeNumberField("ipCount", view.instances().size());
        json.writeNumberField("healthyInstanceCount", healthy);
        json.writeStringField("triggerFlag", String.valueOf(lists.health(view).underProtection()));
        json.writeEndObject();
    }

    Optional<Answer> service(Call call) {
        ServiceKey service = call.parameters().service();
        if (!lists.isThere(service)) {
            throw new FaultException(Fault.NO_SERVICE, "service not found: " + NacosNames.grouped(service));
        }
        ServiceSettings settings = node.settings(service).orElse(ServiceSettings.DEFAULTS);
        TreeSet<String> clusters = new TreeSet<>(settings.clusters().keySet());
        node.view(service)
                .instances()
                .forEach(listed -> clusters.add(listed.instance().cluster()));
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeObjectFieldStart("service");
            json.writeStringField("name", service.name());
            json.writeStringField("groupName", service.group());
            json.writeNumberField("protectThreshold", settings.protectThreshold());
            NacosSettings.writeSelector(json, settings);
            Instances.texts(json, "metadata", settings.metadata());
            json.writeEndObject();
            json.writeArrayFieldStart("clusters");
            for (String cluster : clusters) {
                ClusterSettings its = settings.cluster(cluster);
                json.writeStartObject();
                json.writeStringField("serviceName", NacosNames.grouped(service));
                json.writeStringField("name", cluster);
                NacosSettings.writeChecker(json, its);
                json.writeNumberField("defaultPort80", 80);
                json.writeNumberField("defaultCheckPort80", its.port());
                json.writeBooleanField("useIpPort4Check", its.ofInstance());
                Instances.texts(json, "metadata", its.metadata());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    /** All instances of a service, those out of rotation too. */
    Optional<Answer> instances(Call call) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        boolean old = call.generation() == Generation.V1;
        String cluster = old ? given.required("clusterName") : given.text("clusterName", "cluster");
        Page page = old ? Page.required(given) : Page.of(given, 100);
        ServiceView view = node.view(service);
        List<HealthView.Host> all = new ArrayList<>();
        boolean believed = lists.health(view).underProtection();
        for (ListedInstance listed : view.instances()) {
            if (cluster.isEmpty() || listed.instance().cluster().equals(cluster)) {
                all.add(new HealthView.Host(
                        listed.instance(), believed || !listed.standing().inDoubt(), node.isPersistent(listed.id())));
            }
        }
        boolean paged = call.generation() == Generation.V3;
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            begin(json, paged, page, all.size(), paged ? "pageItems" : "list");
            for (HealthView.Host host : page.of(all)) {
                NacosJson.instance(json, host);
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }

    /** Who hears of a service. */
    Optional<Answer> subscribers(Call call) {
        ServiceKey service = call.parameters().service();
        Wanted wanted = new Wanted(call.parameters());
        List<NacosSubscribers.Subscriber> all = subscribers.of(service);
        return Optional.of(Answer.json(json -> {
            json.writeStartArray();
            for (NacosSubscribers.Subscriber one : all) {
                if (wanted.is(one.ip(), one.port())) {
                    client(json, one.clientId(), one.ip(), one.port());
                }
            }
            json.writeEndArray();
        }));
    }

    private static void client(JsonGenerator json, String id, String ip, int port) throws IOException {
        json.writeStartObject();
        json.writeStringField("clientId", id);
        json.writeStringField("ip", ip);
        json.writeNumberField("port", port);
        json.writeEndObject();
    }

    /** The part that is asked for. */
    private static final class Wanted {
        private final String ip;
        private final int port;

        Wanted(Parameters given) {
            ip = given.text("ip");
            port = given.whole("port", 0);
        }

        boolean is(String oneIp, int onePort) {
            return (ip.isEmpty() || ip.equals(oneIp)) && (port == 0 || port == onePort);
        }
    }

    /** Who publishes a service: a connection to this node; else each address is its own client to these tools. */
    Optional<Answer> publishers(Call call) {
        ServiceKey service = call.parameters().service();
        Wanted wanted = new Wanted(call.parameters());
        ServiceView view = node.view(service);
        Map<InstanceId, String> connected = connections.publishers(service);
        return Optional.of(Answer.json(json -> {
            json.writeStartArray();
            for (ListedInstance listed : view.instances()) {
                InstanceId id = listed.id();
                if (wanted.is(id.host(), id.port())) {
                    String address = Clients.id(id, node.isPersistent(id));
                    client(json, connected.getOrDefault(id, address), id.host(), id.port());
                }
            }
            json.writeEndArray();
        }));
    }
}
