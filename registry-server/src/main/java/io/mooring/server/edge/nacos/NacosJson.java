package io.mooring.server.edge.nacos;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import io.mooring.model.Instance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * Writes what Nacos clients read: instances, and the list of a service that they call {@code serviceInfo}. Stateless; any
 * thread.
 */
public final class NacosJson {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int INITIAL_BYTES = 512;

    static final String BEAT_INTERVAL = "preserved.heart.beat.interval";
    static final String BEAT_TIMEOUT = "preserved.heart.beat.timeout";
    static final String DELETE_TIMEOUT = "preserved.ip.delete.timeout";
    private static final String ID_GENERATOR = "preserved.instance.id.generator";

    private NacosJson() {}

    /** How a list calls its service: clients over HTTP want the group in it, those over gRPC must not find it there. */
    public enum NameForm {
        BARE,
        GROUPED
    }

    /** Writes a part of some JSON. */
    public interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** The bytes of what {@code body} writes, in UTF-8. */
    public static byte[] bytes(Body body) {
        try (ByteArrayBuilder out = new ByteArrayBuilder(INITIAL_BYTES)) {
            try (JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
                json.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT); // a beginning stays a beginning
                body.writeTo(json);
            }
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
    }

    /**
     * The list of a service up to where its last field is missing, {@code lastRefTime}, the one that differs from sending to
     * sending: so all that comes before can be shared. It is not to be smaller than in any list of this service that the client
     * has had, and larger if something changed.
     *
     * @param clusters as the client asked for them: old clients look for the list under this very text
     * @param cacheMillis after which a client that polls asks again
     */
    public static void beginList(
            JsonGenerator json, ServiceKey service, NameForm form, String clusters, HealthView view, long cacheMillis)
            throws IOException {
        String grouped = NacosNames.grouped(service);
        json.writeStartObject();
        json.writeStringField("name", form == NameForm.BARE ? service.name() : grouped);
        json.writeStringField("groupName", service.group());
        json.writeStringField("clusters", clusters);
        json.writeNumberField("cacheMillis", cacheMillis);
        json.writeBooleanField("allIps", false);
        json.writeStringField("checksum", "");
        json.writeBooleanField("reachProtectionThreshold", view.underProtection());
        json.writeBooleanField("valid", true);
        json.writeArrayFieldStart("hosts"); // never null: clients take that for an error
        for (HealthView.Host host : view.hosts()) {
            instance(json, host, grouped);
        }
        json.writeEndArray();
    }

    /** One instance as an object. */
    public static void instance(JsonGenerator json, HealthView.Host host) throws IOException {
        instance(json, host, NacosNames.grouped(host.instance().service()));
    }

    private static void instance(JsonGenerator json, HealthView.Host host, String grouped) throws IOException {
        Instance instance = host.instance();
        Metadata metadata = instance.metadata();
        json.writeStartObject();
        json.writeStringField("instanceId", NacosNames.instanceId(instance.id()));
        json.writeStringField("ip", instance.host());
        json.writeNumberField("port", instance.port());
        json.writeNumberField("weight", instance.weight());
        json.writeBooleanField("healthy", host.healthy());
        json.writeBooleanField("enabled", instance.enabled());
        json.writeBooleanField("ephemeral", !host.persistent());
        json.writeStringField("clusterName", instance.cluster());
        json.writeStringField("serviceName", grouped);
        json.writeObjectFieldStart("metadata");
        for (int i = 0; i < metadata.size(); i++) {
            json.writeStringField(metadata.keyAt(i), metadata.valueAt(i));
        }
        json.writeEndObject();
        json.writeNumberField("instanceHeartBeatInterval", millis(metadata, BEAT_INTERVAL, BeatTerms.INTERVAL_MILLIS));
        json.writeNumberField("instanceHeartBeatTimeOut", millis(metadata, BEAT_TIMEOUT, BeatTerms.TIMEOUT_MILLIS));
        json.writeNumberField("ipDeleteTimeout", millis(metadata, DELETE_TIMEOUT, BeatTerms.DELETE_MILLIS));
        String generator = metadata.isEmpty() ? "simple" : metadata.get(ID_GENERATOR);
        if (generator != null) {
            json.writeStringField("instanceIdGenerator", generator);
        }
        json.writeEndObject();
    }

    /** A time an instance sets for itself in its labels; what is no number does not count. */
    public static long millis(Metadata metadata, String key, long otherwise) {
        String text = metadata.get(key);
        if (text == null || text.isEmpty() || text.length() > 12) {
            return otherwise;
        }
        long value = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return otherwise;
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }
}
