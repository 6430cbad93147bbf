package io.mooring.protocol;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * Writes messages as JSON. What is the default is left out: group, cluster, weight 1, enabled, live, no metadata.
 * Stateless; any thread.
 */
public final class MessageWriter {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int INITIAL_BYTES = 512;
    private static final byte[] DONE = "{\"type\":\"done\",\"id\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] RENEWED = "{\"type\":\"renewed\",\"id\":".getBytes(StandardCharsets.US_ASCII);

    private MessageWriter() {}

    /** A whole frame: the array of these messages. */
    public static byte[] frame(List<? extends Message> messages) {
        return written(json -> {
            json.writeStartArray();
            for (Message message : messages) {
                write(json, message);
            }
            json.writeEndArray();
        });
    }

    /** One message without the array around it, so that many sessions can share its bytes. */
    public static byte[] message(Message message) {
        if (message instanceof ServerMessage.Done done) { // most answers: worth the few lines
            return answer(DONE, done.id());
        }
        if (message instanceof ServerMessage.Renewed renewed) {
            return answer(RENEWED, renewed.id());
        }
        return written(json -> write(json, message));
    }

    private static byte[] answer(byte[] start, long id) {
        int digits = 1;
        for (long rest = id / 10; rest > 0; rest /= 10) {
            digits++;
        }
        byte[] out = Arrays.copyOf(start, start.length + digits + 1);
        int at = out.length - 1;
        out[at--] = '}';
        for (long rest = id; at >= start.length; rest /= 10) {
            out[at--] = (byte) ('0' + rest % 10);
        }
        return out;
    }

    private interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    private static byte[] written(Body body) {
        try (ByteArrayBuilder out = new ByteArrayBuilder(INITIAL_BYTES)) {
            try (JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
                body.writeTo(json);
            }
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
    }

    private static void write(JsonGenerator json, Message message) throws IOException {
        json.writeStartObject();
        if (message instanceof ServerMessage server) {
            writeServer(json, server);
        } else if (message instanceof ClientMessage client) {
            writeClient(json, client);
        }
        json.writeEndObject();
    }

    private static void type(JsonGenerator json, String type) throws IOException {
        json.writeStringField("type", type);
    }

    private static void request(JsonGenerator json, String type, long id) throws IOException {
        type(json, type);
        json.writeNumberField("id", id);
    }

    private static void writeClient(JsonGenerator json, ClientMessage message) throws IOException {
        if (message instanceof ClientMessage.Register m) {
            request(json, "register", m.id());
            json.writeArrayFieldStart("instances");
            for (Instance instance : m.instances()) {
                json.writeStartObject();
                service(json, instance.service());
                instance(json, instance);
                json.writeEndObject();
            }
            json.writeEndArray();
        } else if (message instanceof ClientMessage.Deregister m) {
            request(json, "deregister", m.id());
            json.writeArrayFieldStart("instances");
            for (InstanceId id : m.instances()) {
                json.writeStartObject();
                service(json, id.service());
                address(json, id);
                json.writeEndObject();
            }
            json.writeEndArray();
        } else if (message instanceof ClientMessage.Renew m) {
            request(json, "renew", m.id());
        } else if (message instanceof ClientMessage.Subscribe m) {
            request(json, "subscribe", m.id());
            service(json, m.service());
            digest(json, "digest", m.digest());
        } else if (message instanceof ClientMessage.Unsubscribe m) {
            request(json, "unsubscribe", m.id());
            service(json, m.service());
        } else if (message instanceof ClientMessage.Hello m) {
            type(json, "hello");
            json.writeNumberField("version", m.version());
            json.writeStringField("session", m.session());
            if (m.attempt() > 0) {
                json.writeNumberField("attempt", m.attempt());
            }
            json.writeStringField("client", m.client());
            json.writeStringField("namespace", m.namespace());
            digest(json, "holds", m.holds());
        } else if (message instanceof ClientMessage.Bye m) {
            request(json, "bye", m.id());
        } else {
            throw new IllegalArgumentException("not a message of the wire: " + message);
        }
    }

    private static void writeServer(JsonGenerator json, ServerMessage message) throws IOException {
        if (message instanceof ServerMessage.Done m) {
            request(json, "done", m.id());
        } else if (message instanceof ServerMessage.Delta m) {
            type(json, "delta");
            service(json, m.service());
            json.writeNumberField("from", m.from());
            json.writeNumberField("to", m.to());
            json.writeStringField("digest", Digest.format(m.digest()));
            if (!m.put().isEmpty()) {
                listed(json, "put", m.put());
            }
            removals(json, m.removed());
            flags(json, m.underProtection(), m.incomplete());
        } else if (message instanceof ServerMessage.View m) {
            type(json, "view");
            id(json, m.id());
            service(json, m.service());
            json.writeNumberField("revision", m.revision());
            json.writeStringField("digest", Digest.format(m.digest()));
            listed(json, "instances", m.instances());
            removals(json, m.removals());
            flags(json, m.underProtection(), m.incomplete());
        } else if (message instanceof ServerMessage.Same m) {
            type(json, "same");
            id(json, m.id());
            service(json, m.service());
            json.writeNumberField("revision", m.revision());
            json.writeStringField("digest", Digest.format(m.digest()));
            flags(json, m.underProtection(), m.incomplete());
        } else if (message instanceof ServerMessage.Renewed m) {
            request(json, "renewed", m.id());
        } else if (message instanceof ServerMessage.Refused m) {
            request(json, "refused", m.id());
            json.writeStringField("code", m.code());
            text(json, "field", m.field());
            text(json, "value", m.value());
            text(json, "expected", m.expected());
            text(json, "message", m.message());
            if (!m.retryAfter().isZero()) {
                json.writeNumberField("retryAfter", m.retryAfter().toMillis());
            }
        } else if (message instanceof ServerMessage.Welcome m) {
            welcome(json, m);
        } else if (message instanceof ServerMessage.Move m) {
            type(json, "move");
            json.writeNumberField("within", m.within().toMillis());
            texts(json, "peers", m.peers());
        } else if (message instanceof ServerMessage.Peers m) {
            type(json, "peers");
            texts(json, "peers", m.peers());
        } else if (message instanceof ServerMessage.Closing m) {
            type(json, "closing");
            json.writeStringField("code", m.code());
            text(json, "message", m.message());
        }
    }

    private static void welcome(JsonGenerator json, ServerMessage.Welcome m) throws IOException {
        type(json, "welcome");
        json.writeNumberField("version", m.version());
        json.writeStringField("node", m.node());
        json.writeStringField("epoch", m.epoch());
        json.writeNumberField("lease", m.lease().toMillis());
        json.writeNumberField("renewEvery", m.renewEvery().toMillis());
        json.writeNumberField("reconnectSpread", m.reconnectSpread().toMillis());
        if (m.held()) {
            json.writeBooleanField("held", true);
        }
        texts(json, "peers", m.peers());
        ProtocolLimits limits = m.limits();
        json.writeObjectFieldStart("limits");
        json.writeNumberField("frameBytes", limits.frameBytes());
        json.writeNumberField("messagesPerFrame", limits.messagesPerFrame());
        json.writeNumberField("instancesPerMessage", limits.instancesPerMessage());
        json.writeNumberField("instancesPerSession", limits.instancesPerSession());
        json.writeNumberField("subscriptionsPerSession", limits.subscriptionsPerSession());
        json.writeEndObject();
    }

    private static void service(JsonGenerator json, ServiceKey service) throws IOException {
        json.writeStringField("service", service.name());
        if (!service.group().equals(ServiceKey.DEFAULT_GROUP)) {
            json.writeStringField("group", service.group());
        }
    }

    private static void address(JsonGenerator json, InstanceId id) throws IOException {
        json.writeStringField("host", id.host());
        json.writeNumberField("port", id.port());
        if (!id.cluster().equals(InstanceId.DEFAULT_CLUSTER)) {
            json.writeStringField("cluster", id.cluster());
        }
    }

    private static void instance(JsonGenerator json, Instance instance) throws IOException {
        address(json, instance.id());
        double weight = instance.weight();
        if (weight != Instance.DEFAULT_WEIGHT) {
            if (weight == Math.rint(weight)) {
                json.writeNumberField("weight", (int) weight);
            } else {
                json.writeNumberField("weight", weight);
            }
        }
        if (!instance.enabled()) {
            json.writeBooleanField("enabled", false);
        }
        Metadata metadata = instance.metadata();
        if (!metadata.isEmpty()) {
            json.writeObjectFieldStart("metadata");
            for (int i = 0; i < metadata.size(); i++) {
                json.writeStringField(metadata.keyAt(i), metadata.valueAt(i));
            }
            json.writeEndObject();
        }
    }

    private static void listed(JsonGenerator json, String field, List<ListedInstance> instances) throws IOException {
        json.writeArrayFieldStart(field);
        for (ListedInstance listed : instances) {
            json.writeStartObject();
            instance(json, listed.instance());
            if (listed.standing() == Standing.SUSPECT) {
                json.writeStringField("standing", "suspect");
            } else if (listed.standing() == Standing.HELD) {
                json.writeStringField("standing", "held");
            }
            generation(json, listed.generation());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void removals(JsonGenerator json, List<Removal> removals) throws IOException {
        if (removals.isEmpty()) {
            return;
        }
        json.writeArrayFieldStart("removed");
        for (Removal removal : removals) {
            json.writeStartObject();
            address(json, removal.instance());
            json.writeStringField("cause", word(removal.cause()));
            generation(json, removal.generation());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void generation(JsonGenerator json, long generation) throws IOException {
        if (generation != 0) {
            json.writeStringField("generation", Long.toHexString(generation));
        }
    }

    private static String word(RemovalCause cause) {
        return cause.name().toLowerCase(Locale.ROOT);
    }

    private static void flags(JsonGenerator json, boolean underProtection, boolean incomplete) throws IOException {
        if (underProtection) {
            json.writeBooleanField("protected", true);
        }
        if (incomplete) {
            json.writeBooleanField("incomplete", true);
        }
    }

    private static void id(JsonGenerator json, OptionalLong id) throws IOException {
        if (id.isPresent()) {
            json.writeNumberField("id", id.getAsLong());
        }
    }

    private static void digest(JsonGenerator json, String field, OptionalLong digest) throws IOException {
        if (digest.isPresent()) {
            json.writeStringField(field, Digest.format(digest.getAsLong()));
        }
    }

    private static void text(JsonGenerator json, String field, String text) throws IOException {
        if (!text.isEmpty()) {
            json.writeStringField(field, text);
        }
    }

    private static void texts(JsonGenerator json, String field, List<String> texts) throws IOException {
        if (!texts.isEmpty()) {
            json.writeArrayFieldStart(field);
            for (String text : texts) {
                json.writeString(text);
            }
            json.writeEndArray();
        }
    }
}
