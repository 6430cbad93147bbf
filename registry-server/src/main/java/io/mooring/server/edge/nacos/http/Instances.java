package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.durable.InstanceOverride;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.edge.nacos.BeatTerms;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosInstance;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.shard.LeaseTerms;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;

/** Registering, beating, asking: what clients do. An instance that lives by beats is a lease of the core. */
final class Instances {
    private static final int BEAT_ACCEPTED = 10_200;
    private static final int BEAT_OF_NOBODY = 20_404;
    private static final int NOBODY_SINCE_V3 = 21_003;

    /** For clients that hear of changes by UDP, after which they ask all the same. */
    static final long CACHE_MILLIS = 10_000;
    /** For those that do not. */
    static final long POLL_MILLIS = 3_000;

    private final RegistryNode node;
    private final Lists lists;
    private final UdpPushes pushes;

    Instances(RegistryNode node, Lists lists, UdpPushes pushes) {
        this.node = node;
        this.lists = lists;
        this.pushes = pushes;
    }

    // ---- register, deregister, beat

    Optional<Answer> register(Call call) {
        Parameters given = call.parameters();
        if (given.truth(false, "heartBeat")) {
            return renew(call);
        }
        ServiceKey service = given.service();
        NacosInstance said = given.instance();
        Instance instance = said.of(service);
        return call.whenAccepted(reply -> {
            if (said.ephemeral()) {
                node.put(instance, terms(instance), reply);
            } else {
                node.putPersistent(instance, reply);
            }
        });
    }

    private LeaseTerms terms(Instance instance) {
        Metadata ofService = node.settings(instance.service())
                .orElse(ServiceSettings.DEFAULTS)
                .metadata();
        return BeatTerms.of(instance.metadata(), ofService);
    }

    Optional<Answer> deregister(Call call) {
        InstanceId id = call.parameters().instanceId();
        boolean ephemeral = call.parameters().truth(true, "ephemeral");
        String actor = call.actor();
        return call.whenAccepted(reply -> {
            Consumer<Outcome> gone = outcome -> reply.accept(isUnknown(outcome) ? Outcome.ACCEPTED : outcome);
            if (ephemeral) {
                node.remove(id, false, actor, gone); // a persistent one that is not called so is removed, too
            } else {
                node.removePersistent(id, gone);
            }
        });
    }

    private static boolean isUnknown(Outcome outcome) {
        return outcome instanceof Outcome.Refused refused && refused.code().equals(RefusalCode.UNKNOWN);
    }

    /** A beat as v3 has it: a registration that must be there already. */
    private Optional<Answer> renew(Call call) {
        InstanceId id = call.parameters().instanceId();
        return call.later(
                (Consumer<List<InstanceId>> reply) -> node.renew(List.of(id), reply),
                unknown -> unknown.isEmpty()
                        ? Answer.OK
                        : new Answer.Notice(NOBODY_SINCE_V3, "instance not found, register it: " + id));
    }

    Optional<Answer> beat(Call call) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        String beat = given.text("beat");
        Optional<Instance> full = beat.isEmpty() ? Optional.empty() : Optional.of(instance(beat, service));
        InstanceId id = full.isPresent() ? full.get().id() : given.instanceId();
        return call.later(
                (Consumer<Answer> reply) -> node.renew(List.of(id), unknown -> {
                    if (unknown.isEmpty()) {
                        reply.accept(heard(id, BEAT_ACCEPTED));
                    } else if (full.isEmpty()) {
                        reply.accept(heard(id, BEAT_OF_NOBODY));
                    } else {
                        node.put(full.get(), terms(full.get()), outcome -> reply.accept(heard(id, outcome)));
                    }
                }),
                answer -> answer);
    }

    /** The client tries again with its next beat, whatever the reason. */
    private Answer heard(InstanceId id, Outcome outcome) {
        return heard(id, outcome instanceof Outcome.Accepted ? BEAT_ACCEPTED : BEAT_OF_NOBODY);
    }

    private Answer heard(InstanceId id, int code) {
        Metadata labels = node.view(id.service()).instances().stream()
                .filter(listed -> listed.id().equals(id))
                .findFirst()
                .map(listed -> listed.instance().metadata())
                .orElse(Metadata.empty());
        return Answer.json(json -> {
            json.writeStartObject();
            json.writeNumberField("clientBeatInterval", BeatTerms.interval(labels));
            json.writeNumberField("code", code);
            json.writeBooleanField("lightBeatEnabled", true);
            json.writeEndObject();
        });
    }

    private static Instance instance(String beat, ServiceKey service) {
        try {
            return NacosInstance.read(beat.getBytes(StandardCharsets.UTF_8)).of(service);
        } catch (IOException e) {
            throw new InvalidValueException("beat", beat, "a JSON object");
        }
    }

    // ---- changing what others registered

    /** PUT: all three are said, or have their defaults. */
    Optional<Answer> update(Call call) {
        Parameters given = call.parameters();
        Instance instance = given.instance().of(given.service());
        checkListed(instance.id());
        InstanceOverride override = new InstanceOverride(
                OptionalDouble.of(instance.weight()), Optional.of(instance.enabled()), instance.metadata());
        return call.whenAccepted(reply -> node.override(instance.id(), before -> override, reply));
    }

    /** PATCH: what is said. */
    Optional<Answer> patch(Call call) {
        Parameters given = call.parameters();
        InstanceId id = given.instanceId();
        Optional<Boolean> enabled = given.enabled();
        double weight = given.number("weight", -1);
        Map<String, String> metadata = given.texts("metadata");
        Metadata.of(metadata); // checks it
        if (given.has("weight") && !(weight >= 0 && weight <= Instance.MAX_WEIGHT)) {
            throw new InvalidValueException("weight", given.text("weight"), "0-10000");
        }
        checkListed(id);
        return call.whenAccepted(reply -> node.override(
                id,
                before -> {
                    InstanceOverride after = Batches.with(before, metadata);
                    after = given.has("weight") ? after.withWeight(weight) : after;
                    return enabled.isPresent() ? after.withEnabled(enabled.get()) : after;
                },
                reply));
    }

    private void checkListed(InstanceId id) {
        if (node.view(id.service()).instances().isEmpty()) {
            throw new FaultException(Fault.NO_SERVICE, "service not found: " + NacosNames.grouped(id.service()));
        }
        if (!lists.isListed(id)) {
            throw new FaultException(Fault.INSTANCE_NOT_CHANGED, "instance not found: " + id.address());
        }
    }

    // ---- asking

    Optional<Answer> get(Call call) {
        InstanceId id = call.parameters().instanceId();
        HealthView all = lists.health(id.service()).only(Set.of(id.cluster()), false);
        if (all.hosts().isEmpty()) {
            throw new FaultException(
                    Fault.NO_INSTANCE,
                    "no ips found for cluster " + id.cluster() + " in service " + NacosNames.grouped(id.service()));
        }
        HealthView.Host host = all.hosts().stream()
                .filter(h -> h.instance().id().equals(id))
                .findFirst()
                .orElseThrow(() -> new FaultException(Fault.NO_INSTANCE, "no matched ip found!"));
        String serviceIs = call.generation() == Generation.V1 ? "service" : "serviceName";
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeStringField(serviceIs, NacosNames.grouped(id.service()));
            json.writeStringField("ip", id.host());
            json.writeNumberField("port", id.port());
            json.writeStringField("clusterName", id.cluster());
            json.writeNumberField("weight", host.instance().weight());
            json.writeBooleanField("healthy", host.healthy());
            json.writeStringField("instanceId", NacosNames.instanceId(id));
            texts(json, "metadata", host.instance().metadata());
            json.writeEndObject();
        }));
    }

    static void texts(JsonGenerator json, String name, Map<String, String> texts) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, String> entry : texts.entrySet()) {
            json.writeStringField(entry.getKey(), entry.getValue());
        }
        json.writeEndObject();
    }

    Optional<Answer> list(Call call) {
        Parameters given = call.parameters();
        ServiceKey service = given.service();
        String clusters = given.text("clusters", "clusterName", "cluster");
        boolean healthyOnly = given.truth(false, "healthyOnly");
        long stamp = node.clock().millis(); // before the look: what changes now is told with a later one
        ServiceView view = node.view(service);
        long cacheMillis = listens(call, view, clusters) ? CACHE_MILLIS : POLL_MILLIS;
        String list = lists.text(view, clusters, healthyOnly, cacheMillis, stamp);
        return Optional.of(Answer.json(json -> json.writeRawValue(list)));
    }

    /** Whether the client that asks will hear of changes by itself. */
    private boolean listens(Call call, ServiceView view, String clusters) {
        int port = call.parameters().whole("udpPort", 0);
        if (port == 0) {
            return false;
        }
        if (port < 0 || port > 65_535) {
            throw new InvalidValueException("udpPort", port, "0-65535");
        }
        // To whom asked, not to the address it names: that might be anybody's.
        return pushes.heard(view, clusters, new InetSocketAddress(call.from(), port));
    }

    /** As v3 has it for clients: the instances alone, of one cluster unless others are named. */
    Optional<Answer> listOfDefaultCluster(Call call) {
        return listOfInstances(call, NacosNames.cluster(call.parameters().text("clusterName", "clusters")));
    }

    Optional<Answer> listOfInstances(Call call) {
        return listOfInstances(call, call.parameters().text("clusterName", "clusters"));
    }

    private Optional<Answer> listOfInstances(Call call, String named) {
        Parameters given = call.parameters();
        Set<String> clusters = NacosNames.clusters(named);
        HealthView wanted = lists.health(given.service()).only(clusters, given.truth(false, "healthyOnly"));
        return Optional.of(Answer.json(json -> instances(json, wanted.hosts())));
    }

    static void instances(JsonGenerator json, List<HealthView.Host> hosts) throws IOException {
        json.writeStartArray();
        for (HealthView.Host host : hosts) {
            NacosJson.instance(json, host);
        }
        json.writeEndArray();
    }

    /** {@code namespace##group@@service}, as a parameter or at the end of the path. */
    Optional<Answer> statuses(Call call, String key) {
        int between = key.indexOf("##");
        ServiceKey service = NacosNames.service(
                between < 0 ? "" : key.substring(0, between), "", between < 0 ? key : key.substring(between + 2));
        HealthView all = lists.health(service);
        return Optional.of(Answer.json(json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("ips");
            for (HealthView.Host host : all.hosts()) {
                json.writeString(host.instance().host() + ":" + host.instance().port() + "_" + host.healthy());
            }
            json.writeEndArray();
            json.writeEndObject();
        }));
    }
}
