package io.mooring.server.edge.nacos;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import java.io.IOException;

/**
 * An instance as a Nacos client describes it; unchecked until it becomes one of ours.
 *
 * @param ip an address or a host's name
 * @param port as sent; -1 if it was not
 * @param cluster {@code DEFAULT} if none was named
 * @param healthy what the publisher thinks of itself; counts for persistent instances that nobody checks
 * @param ephemeral whether it lives as long as its publisher is heard of
 */
public record NacosInstance(
        String ip,
        int port,
        double weight,
        boolean enabled,
        boolean healthy,
        boolean ephemeral,
        String cluster,
        Metadata metadata) {

    /** @throws InvalidValueException when something is missing or breaks its rule, in the words of Nacos clients */
    public Instance of(ServiceKey service) {
        if (ip.isEmpty()) {
            throw new InvalidValueException("ip", "", "an IP address or host name");
        }
        try {
            return new Instance(new InstanceId(service, cluster, ip, port), weight, enabled, metadata);
        } catch (InvalidValueException e) {
            throw NacosNames.inTheirWords(e);
        }
    }

    /**
     * From the JSON of {@code instance} and the like; the parser stands on its brace.
     *
     * @throws InvalidValueException when a field is of the wrong kind
     */
    public static NacosInstance read(String name, JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw TolerantJson.wrong(name, json, "an object");
        }
        Fields fields = new Fields();
        TolerantJson.fields(json, fields);
        return fields.instance();
    }

    /**
     * From a JSON object by itself.
     *
     * @throws IOException when it is not one JSON object
     * @throws InvalidValueException when a field is of the wrong kind
     */
    public static NacosInstance read(byte[] object) throws IOException {
        Fields fields = new Fields();
        TolerantJson.object(object, fields);
        return fields.instance();
    }

    private static final class Fields implements TolerantJson.Field {
        private String ip = "";
        private int port = -1;
        private double weight = Instance.DEFAULT_WEIGHT;
        private boolean enabled = true;
        private boolean healthy = true;
        private boolean ephemeral = true;
        private String cluster = "";
        private Metadata metadata = Metadata.empty();

        NacosInstance instance() {
            return new NacosInstance(
                    ip, port, weight, enabled, healthy, ephemeral, NacosNames.cluster(cluster), metadata);
        }

        @Override
        public void read(String name, JsonParser json) throws IOException {
            switch (name) {
                case "ip" -> ip = TolerantJson.text(name, json);
                case "port" -> port = TolerantJson.whole(name, json);
                case "weight" -> weight = TolerantJson.number(name, json);
                case "enabled" -> enabled = TolerantJson.truth(name, json);
                case "healthy" -> healthy = TolerantJson.truth(name, json);
                case "ephemeral" -> ephemeral = TolerantJson.truth(name, json);
                case "clusterName", "cluster" -> cluster = TolerantJson.text(name, json); // beats say cluster
                case "metadata" -> metadata = TolerantJson.metadata(name, json);
                default -> {}
            }
        }
    }
}
