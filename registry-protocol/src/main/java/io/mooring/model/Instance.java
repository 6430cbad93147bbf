package io.mooring.model;

import java.util.Map;

/**
 * One copy of a service as its publisher describes it.
 *
 * @param id which copy
 * @param weight its share of calls relative to the others, 0-{@value #MAX_WEIGHT}; 0 means no calls
 * @param enabled false takes it out of rotation without deregistering it
 * @param metadata labels, in key order
 */
public record Instance(InstanceId id, double weight, boolean enabled, Metadata metadata) {
    public static final double MAX_WEIGHT = 10_000;
    public static final double DEFAULT_WEIGHT = 1;

    /** @throws InvalidValueException when the weight is not a number between 0 and {@value #MAX_WEIGHT} */
    public Instance {
        if (!(weight >= 0 && weight <= MAX_WEIGHT)) { // written so that NaN fails
            throw new InvalidValueException("weight", weight, "0-10000");
        }
        weight = weight + 0.0; // -0.0 and 0.0 are the same weight
    }

    /** An enabled instance of weight 1 without metadata in the default cluster. */
    public static Instance of(ServiceKey service, String host, int port) {
        InstanceId id = new InstanceId(service, InstanceId.DEFAULT_CLUSTER, host, port);
        return new Instance(id, DEFAULT_WEIGHT, true, Metadata.empty());
    }

    public ServiceKey service() {
        return id.service();
    }

    public String cluster() {
        return id.cluster();
    }

    public String host() {
        return id.host();
    }

    public int port() {
        return id.port();
    }

    /** {@code host:port}, with brackets around an IPv6 address. */
    public String address() {
        return id.address();
    }

    public Instance withId(InstanceId other) {
        return other == id ? this : new Instance(other, weight, enabled, metadata);
    }

    public Instance withWeight(double newWeight) {
        return new Instance(id, newWeight, enabled, metadata);
    }

    public Instance withEnabled(boolean newEnabled) {
        return new Instance(id, weight, newEnabled, metadata);
    }

    public Instance withMetadata(Map<String, String> newMetadata) {
        return new Instance(id, weight, enabled, Metadata.of(newMetadata));
    }
}
