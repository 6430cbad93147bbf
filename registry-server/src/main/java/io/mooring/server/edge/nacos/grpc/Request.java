package io.mooring.server.edge.nacos.grpc;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.Instance;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.edge.nacos.NacosInstance;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.TolerantJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of all requests in one; each kind looks at its own. What a client leaves out is empty. */
final class Request implements TolerantJson.Field {
    private static final int LONGEST_ID = 256;
    private static final int LONGEST_CLUSTERS = 4_096;

    String requestId = "";
    String type = "";
    String clusters = "";
    boolean healthyOnly;
    boolean subscribe = true;
    int pageNo = 1;
    int pageSize = 10;

    String groupKeyPattern = "";
    List<String> receivedGroupKeys = List.of();
    String watchType = "";
    boolean initializing;

    String content = "";
    boolean listen = true;
    List<Interfaces.Named> listened = List.of();

    String clientVersion = "";
    Map<String, String> labels = Map.of();
    boolean asksForAbilities;

    private String dataId = "";
    private String configGroup = "";
    private String tenant = "";
    private String namespace = "";
    private String group = "";
    private String name = "";
    private @Nullable NacosInstance instance;
    private @Nullable List<NacosInstance> instances;

    /**
     * @throws IOException when it is not JSON
     * @throws InvalidValueException when a field is of no use; {@link #requestId} may be known all the same
     */
    void read(byte[] json) throws IOException {
        TolerantJson.object(json, this);
    }

    @Override
    public void read(String field, JsonParser json) throws IOException {
        switch (field) {
            case "requestId" -> requestId = atMost(LONGEST_ID, field, TolerantJson.text(field, json));
            case "namespace" -> namespace = TolerantJson.text(field, json);
            case "serviceName" -> name = TolerantJson.text(field, json);
            case "groupName" -> group = TolerantJson.text(field, json);
            case "type" -> type = TolerantJson.text(field, json);
            case "instance" -> instance = NacosInstance.read(field, json);
            case "instances" -> instances = list(field, json);
            case "cluster", "clusters" -> clusters = atMost(LONGEST_CLUSTERS, field, TolerantJson.text(field, json));
            case "healthyOnly" -> healthyOnly = TolerantJson.truth(field, json);
            case "subscribe" -> subscribe = TolerantJson.truth(field, json);
            case "pageNo" -> pageNo = TolerantJson.whole(field, json);
            case "pageSize" -> pageSize = TolerantJson.whole(field, json);
            case "groupKeyPattern" -> groupKeyPattern = TolerantJson.text(field, json);
            case "receivedGroupKeys" -> receivedGroupKeys = TolerantJson.list(field, json);
            case "watchType" -> watchType = TolerantJson.text(field, json);
            case "initializing" -> initializing = TolerantJson.truth(field, json);
            case "dataId" -> dataId = TolerantJson.text(field, json);
            case "group" -> configGroup = TolerantJson.text(field, json);
            case "tenant" -> tenant = TolerantJson.text(field, json);
            case "content" -> content = TolerantJson.text(field, json);
            case "listen" -> listen = TolerantJson.truth(field, json);
            case "configListenContexts" -> listened = named(field, json);
            case "clientVersion" -> clientVersion = TolerantJson.text(field, json);
            case "labels" -> labels = TolerantJson.texts(field, json);
            case "abilityTable" -> asksForAbilities = true; // an empty one too; null never comes here
            default -> {}
        }
    }

    private static String atMost(int longest, String field, String text) {
        if (text.length() > longest) {
            throw new InvalidValueException(field, text, "at most " + longest + " characters");
        }
        return text;
    }

    private static List<NacosInstance> list(String field, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            throw TolerantJson.wrong(field, json, "a list of instances");
        }
        List<NacosInstance> list = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            list.add(NacosInstance.read(field + "[" + list.size() + "]", json));
        }
        return list;
    }

    private static List<Interfaces.Named> named(String field, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_ARRAY) {
            throw TolerantJson.wrong(field, json, "a list");
        }
        List<Interfaces.Named> list = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw TolerantJson.wrong(field, json, "a list of objects");
            }
            Map<String, String> texts = TolerantJson.texts(field, json);
            list.add(new Interfaces.Named(
                    texts.getOrDefault("dataId", ""),
                    texts.getOrDefault("group", ""),
                    texts.getOrDefault("tenant", ""),
                    texts.getOrDefault("md5", "")));
        }
        return list;
    }

    /** What a request about configuration names. */
    Interfaces.Named named() {
        return new Interfaces.Named(dataId, configGroup, tenant, "");
    }

    /** @throws InvalidValueException when it is missing or breaks a rule */
    ServiceKey service() {
        return NacosNames.service(namespace, group, name);
    }

    /**
     * The service, and the one that group and name make when swapped; what is legal of them.
     *
     * @throws InvalidValueException when neither is
     */
    List<ServiceKey> eitherWay() {
        List<ServiceKey> out = new ArrayList<>(2);
        @Nullable InvalidValueException illegal = null;
        try {
            out.add(service());
        } catch (InvalidValueException e) {
            illegal = e;
        }
        try {
            out.add(NacosNames.service(namespace, /* group= */ name, /* name= */ group));
        } catch (InvalidValueException e) {
            if (illegal != null) { // what was said, not what was made of it
                throw illegal;
            }
        }
        return out;
    }

    /** @throws InvalidValueException when it breaks its rule */
    String namespace() {
        return ServiceKey.checkedNamespace(NacosNames.namespace(namespace));
    }

    String group() {
        return NacosNames.group(group);
    }

    /** @throws InvalidValueException when it is missing or breaks a rule */
    Instance instance(ServiceKey service) {
        NacosInstance given = instance;
        if (given == null) {
            throw new InvalidValueException("instance", "", "an instance");
        }
        return given.of(service);
    }

    /** @throws InvalidValueException when the list is missing or one of them breaks a rule */
    List<Instance> instances(ServiceKey service) {
        List<NacosInstance> given = instances;
        if (given == null) {
            throw new InvalidValueException("instances", "", "a list of instances, which may be empty");
        }
        List<Instance> checked = new ArrayList<>(given.size());
        for (int i = 0; i < given.size(); i++) {
            try {
                checked.add(given.get(i).of(service));
            } catch (InvalidValueException e) {
                throw e.inside("instances[" + i + "]");
            }
        }
        return checked;
    }
}
