package io.mooring.compatibility.nacos;

import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingFactory;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.listener.EventListener;
import com.alibaba.nacos.api.naming.listener.NamingEvent;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.api.naming.pojo.ListView;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One client of the library, its subscriptions and its watches. */
final class NacosClient {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private static final Duration CONNECTED_WITHIN = Duration.ofSeconds(60);

    private final String name;
    private final NamingService naming;
    private final Consumer<ObjectNode> heard;
    private final Map<List<Object>, EventListener> listeners = new HashMap<>();
    private final Map<List<Object>, Watch> watches = new HashMap<>();

    /** @param heard takes what this client hears between commands, from any thread */
    NacosClient(String name, JsonNode command, Consumer<ObjectNode> heard)
            throws NacosException, ReflectiveOperationException {
        this.name = name;
        this.heard = heard;
        Properties properties = new Properties();
        properties.put("serverAddr", command.path("servers").asText());
        for (String key : List.of("namespace", "username", "password")) {
            if (!command.path(key).asText().isEmpty()) {
                properties.put(key, command.path(key).asText());
            }
        }
        properties.put("namingLoadCacheAtStart", "false"); // or it would tell what it knew and not what it is told
        this.naming = NamingFactory.createNamingService(properties);
        if (NacosDriver.connects()) {
            awaitConnection();
        }
    }

    /** Until then calls fail at once, or after tries that depend on the machine. Who cannot connect says so with the first call. */
    private void awaitConnection() {
        long end = System.nanoTime() + CONNECTED_WITHIN.toNanos();
        while (!"UP".equals(naming.getServerStatus()) && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    void close() throws NacosException {
        watches.values().forEach(Watch::end);
        naming.shutDown();
    }

    ObjectNode done(JsonNode command) throws Exception {
        String service = command.path("service").asText();
        String group = command.path("group").asText();
        List<String> clusters = new ArrayList<>();
        command.path("clusters").forEach(cluster -> clusters.add(cluster.asText()));
        List<Object> selection = List.of(service, group, clusters);
        ObjectNode answer = JSON.objectNode();
        switch (command.path("do").asText()) {
            case "register" -> naming.registerInstance(service, group, instance(command.path("instance")));
            case "deregister" -> naming.deregisterInstance(service, group, instance(command.path("instance")));
            case "batchRegister" -> Newer.batchRegister(naming, service, group, instances(command));
            case "batchDeregister" -> Newer.batchDeregister(naming, service, group, instances(command));
            case "list" -> answer.set("instances", json(naming.getAllInstances(service, group, clusters, false)));
            case "select" ->
                answer.set(
                        "instances", json(naming.selectInstances(service, group, clusters, healthy(command), false)));
            case "choose" -> answer.set("chosen", choose(service, group, clusters, command));
            case "services" -> {
                ListView<String> page = naming.getServicesOfServer(
                        command.path("page").asInt(), command.path("size").asInt(), group);
                answer.put("count", page.getCount());
                page.getData().forEach(answer.putArray("services")::add);
            }
            case "status" -> answer.put("status", naming.getServerStatus());
            case "subscribe" -> {
                EventListener listener = event -> tell("event", service, group, ((NamingEvent) event).getInstances());
                listeners.put(selection, listener);
                naming.subscribe(service, group, clusters, listener);
            }
            case "unsubscribe" -> naming.unsubscribe(service, group, clusters, known(listeners.remove(selection)));
            case "watch" ->
                watches.put(
                        selection,
                        Watch.of(
                                () -> naming.getAllInstances(service, group, clusters, true),
                                list -> tell("watch", service, group, list),
                                e -> heard.accept(seen("watch", service, group).put("error", e.toString()))));
            case "unwatch" -> known(watches.remove(selection)).end();
            case "watchServices" ->
                Newer.watchServices(
                                naming,
                                command.path("pattern").asText(),
                                group,
                                (changed, change) -> heard.accept(
                                        seen("pattern", changed, group).put("change", change)))
                        .forEach(answer.putArray("services")::add);
            default -> throw new IllegalArgumentException("do: " + command.path("do") + " (expected: a known command)");
        }
        return answer;
    }

    private void tell(String by, String service, String group, List<Instance> instances) {
        ObjectNode line = seen(by, service, group);
        line.set("instances", json(instances));
        heard.accept(line);
    }

    private ObjectNode seen(String by, String service, String group) {
        return JSON.objectNode()
                .put("seen", name)
                .put("by", by)
                .put("service", service)
                .put("group", group);
    }

    private ObjectNode choose(String service, String group, List<String> clusters, JsonNode command) throws Exception {
        Map<String, Integer> chosen = new TreeMap<>();
        for (int i = 0; i < command.path("times").asInt(); i++) {
            Instance one = naming.selectOneHealthyInstance(service, group, clusters, true);
            if (one != null) { // some generations throw when there is none
                chosen.merge(one.getIp() + ":" + one.getPort(), 1, Integer::sum);
            }
        }
        ObjectNode out = JSON.objectNode();
        chosen.forEach(out::put);
        return out;
    }

    private static boolean healthy(JsonNode command) {
        return command.path("healthy").asBoolean();
    }

    private static <T> T known(@Nullable T found) {
        if (found == null) {
            throw new IllegalStateException("nothing of that kind was asked for with that service, group and clusters");
        }
        return found;
    }

    private static List<Instance> instances(JsonNode command) {
        List<Instance> out = new ArrayList<>();
        command.path("instances").forEach(json -> out.add(instance(json)));
        return out;
    }

    /** As a program would make it: what is not said stays as the library has it. */
    private static Instance instance(JsonNode json) {
        Instance out = new Instance();
        out.setIp(json.path("ip").asText());
        out.setPort(json.path("port").asInt());
        out.setWeight(json.path("weight").asDouble(1));
        out.setEnabled(json.path("enabled").asBoolean(true));
        out.setEphemeral(json.path("ephemeral").asBoolean(true));
        if (json.has("cluster")) {
            out.setClusterName(json.path("cluster").asText());
        }
        Map<String, String> metadata = new HashMap<>();
        JsonNode labels = json.path("metadata");
        labels.fieldNames()
                .forEachRemaining(
                        label -> metadata.put(label, labels.path(label).asText()));
        out.setMetadata(metadata);
        return out;
    }

    private static ArrayNode json(List<Instance> instances) {
        ArrayNode out = JSON.arrayNode();
        for (Instance instance : instances) {
            ObjectNode json = out.addObject()
                    .put("ip", instance.getIp())
                    .put("port", instance.getPort())
                    .put("cluster", instance.getClusterName())
                    .put("weight", instance.getWeight())
                    .put("healthy", instance.isHealthy())
                    .put("enabled", instance.isEnabled())
                    .put("ephemeral", instance.isEphemeral());
            ObjectNode metadata = json.putObject("metadata");
            instance.getMetadata().forEach(metadata::put);
        }
        return out;
    }
}
