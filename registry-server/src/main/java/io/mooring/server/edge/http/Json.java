package io.mooring.server.edge.http;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.membership.PeerStatus;
import io.mooring.server.node.ClusterStatus;
import io.mooring.server.node.NodeStatus;
import io.mooring.server.node.ServiceSummary;
import io.mooring.server.replication.PeerMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** What the answers look like. Everything is spelled out, defaults too: these are read by people and scripts. */
final class Json {
    private static final JsonFactory JSON = new JsonFactory();

    private Json() {}

    interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    static byte[] written(Body body) {
        try (ByteArrayBuilder out = new ByteArrayBuilder(512)) {
            try (JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
                body.writeTo(json);
            }
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
    }

    static byte[] view(ServiceView view, Selection.Selected selected, boolean incomplete) {
        return written(json -> {
            json.writeStartObject();
            service(json, view.service());
            json.writeNumberField("revision", view.revision());
            json.writeStringField("digest", Digest.format(view.digest()));
            json.writeBooleanField("protected", view.underProtection() || selected.spared());
            json.writeBooleanField("incomplete", incomplete);
            json.writeArrayFieldStart("instances");
            for (ListedInstance listed : selected.instances()) {
                json.writeStartObject();
                instance(json, listed.instance());
                json.writeStringField("standing", listed.standing().name().toLowerCase(Locale.ROOT));
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    static byte[] lease(Instance instance, Duration ttl) {
        return written(json -> {
            json.writeStartObject();
            service(json, instance.service());
            instance(json, instance);
            json.writeObjectFieldStart("lease");
            json.writeStringField("ttl", DurationText.of(ttl));
            json.writeStringField("renewEvery", DurationText.of(ttl.dividedBy(3)));
            json.writeEndObject();
            json.writeEndObject();
        });
    }

    static byte[] instance(Instance instance) {
        return written(json -> {
            json.writeStartObject();
            service(json, instance.service());
            instance(json, instance);
            json.writeEndObject();
        });
    }

    static byte[] renewed(int renewed, List<InstanceId> unknown) {
        return written(json -> {
            json.writeStartObject();
            json.writeNumberField("renewed", renewed);
            json.writeArrayFieldStart("unknown");
            for (InstanceId id : unknown) {
                json.writeStartObject();
                service(json, id.service());
                address(json, id);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    static byte[] services(List<ServiceSummary> all, int page, int size) {
        int from = (int) Math.min(all.size(), (long) (page - 1) * size);
        List<ServiceSummary> shown = all.subList(from, Math.min(all.size(), from + size));
        return written(json -> {
            json.writeStartObject();
            json.writeNumberField("total", all.size());
            json.writeNumberField("page", page);
            json.writeNumberField("size", size);
            json.writeArrayFieldStart("services");
            for (ServiceSummary summary : shown) {
                json.writeStartObject();
                service(json, summary.service());
                json.writeNumberField("instances", summary.instances());
                json.writeNumberField("live", summary.live());
                json.writeBooleanField("protected", summary.underProtection());
                json.writeNumberField("revision", summary.revision());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    static byte[] node(NodeStatus node, String version) {
        return written(json -> {
            json.writeStartObject();
            json.writeStringField("name", node.name());
            json.writeStringField("version", version);
            json.writeBooleanField("ready", node.ready());
            json.writeBooleanField("incomplete", node.incomplete());
            if (node.frozen().isPresent()) {
                json.writeStringField("frozen", node.frozen().get());
            }
            json.writeNumberField("incarnation", node.incarnation());
            json.writeNumberField("revision", node.revision());
            json.writeStringField("uptime", DurationText.of(node.uptime()));
            json.writeNumberField("services", node.services());
            json.writeNumberField("protectedServices", node.protectedServices());
            json.writeObjectFieldStart("instances");
            json.writeNumberField("listed", node.instances());
            json.writeNumberField("live", node.live());
            json.writeNumberField("restored", node.restored());
            json.writeNumberField("suspect", node.suspect());
            json.writeNumberField("held", node.held());
            json.writeEndObject();
            json.writeNumberField("sessions", node.sessions());
            json.writeNumberField("leases", node.leases());
            json.writeNumberField("subscriptions", node.subscriptions());
            json.writeNumberField("waitingSubscribers", node.waitingSubscribers());
            json.writeNumberField("refused", node.refused());
            json.writeNumberField("expiryBacklog", node.expiryBacklog());
            json.writeNumberField("probesWaiting", node.probesWaiting());
            json.writeNumberField("orphans", node.orphans());
            json.writeBooleanField("draining", node.draining());
            if (node.diskAge().isPresent()) {
                json.writeStringField("diskAge", DurationText.of(node.diskAge().get()));
            }
            if (node.diskProblem().isPresent()) {
                json.writeStringField("diskProblem", node.diskProblem().get());
            }
            json.writeEndObject();
        });
    }

    static byte[] nodes(NodeStatus node) {
        return written(json -> {
            json.writeStartObject();
            json.writeStringField("cluster", node.cluster().name());
            json.writeStringField("answeredBy", node.name());
            if (node.cluster().isolated().isPresent()) {
                json.writeStringField("isolated", node.cluster().isolated().get());
            }
            json.writeArrayFieldStart("nodes");
            self(json, node);
            for (PeerStatus peer : node.peers()) {
                peer(json, peer, node.cluster());
            }
            json.writeEndArray();
            json.writeArrayFieldStart("shards");
            for (PeerMessage.Digest digest : node.cluster().shards()) {
                json.writeStartObject();
                json.writeStringField("origin", digest.shard().origin().name());
                json.writeNumberField("incarnation", digest.shard().incarnation());
                json.writeNumberField("revision", digest.revision());
                json.writeNumberField("instances", digest.instances());
                if (digest.checksum().isPresent()) {
                    json.writeStringField(
                            "digest", Digest.format(digest.checksum().getAsLong()));
                }
                json.writeBooleanField("whole", digest.whole());
                json.writeBooleanField("alive", digest.alive());
                json.writeNumberField("heardMillis", digest.age());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void self(JsonGenerator json, NodeStatus node) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", node.name());
        json.writeBooleanField("self", true);
        json.writeStringField("address", node.cluster().advertised());
        json.writeStringField("state", node.draining() ? "draining" : node.ready() ? "alive" : "starting");
        json.writeNumberField("incarnation", node.incarnation());
        json.writeNumberField("revision", node.revision());
        json.writeNumberField("instances", node.cluster().ownInstances());
        json.writeNumberField("sessions", node.cluster().ownSessions());
        json.writeEndObject();
    }

    private static void peer(JsonGenerator json, PeerStatus peer, ClusterStatus cluster) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", peer.name());
        json.writeBooleanField("self", false);
        json.writeStringField("address", peer.address());
        json.writeStringField("state", peer.state().name().toLowerCase(Locale.ROOT));
        json.writeNumberField("incarnation", peer.incarnation());
        json.writeNumberField("revision", peer.revision());
        json.writeNumberField("instances", peer.instances());
        Integer sessions = cluster.sessions().get(peer.name());
        if (sessions != null) {
            json.writeNumberField("sessions", sessions);
        }
        if (peer.heard().isPresent()) {
            json.writeNumberField("heardMillis", peer.heard().get().toMillis());
        }
        if (!peer.via().isEmpty()) {
            json.writeStringField("via", peer.via());
        }
        if (peer.problem().isPresent()) {
            json.writeStringField("problem", peer.problem().get());
        }
        json.writeEndObject();
    }

    private static void service(JsonGenerator json, ServiceKey service) throws IOException {
        json.writeStringField("namespace", service.namespace());
        json.writeStringField("group", service.group());
        json.writeStringField("service", service.name());
    }

    private static void address(JsonGenerator json, InstanceId id) throws IOException {
        json.writeStringField("host", id.host());
        json.writeNumberField("port", id.port());
        json.writeStringField("cluster", id.cluster());
    }

    private static void instance(JsonGenerator json, Instance instance) throws IOException {
        address(json, instance.id());
        double weight = instance.weight();
        if (weight == Math.rint(weight)) {
            json.writeNumberField("weight", (int) weight);
        } else {
            json.writeNumberField("weight", weight);
        }
        json.writeBooleanField("enabled", instance.enabled());
        Metadata metadata = instance.metadata();
        json.writeObjectFieldStart("metadata");
        for (int i = 0; i < metadata.size(); i++) {
            json.writeStringField(metadata.keyAt(i), metadata.valueAt(i));
        }
        json.writeEndObject();
    }
}
