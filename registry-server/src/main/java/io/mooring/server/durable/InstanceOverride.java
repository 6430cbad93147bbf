package io.mooring.server.durable;

import io.mooring.model.Instance;
import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * What an operator lays over an instance: it shows in place of what the publisher said, until the instance leaves the list.
 *
 * @param weight in place of the published one; 0-{@value Instance#MAX_WEIGHT}
 * @param enabled in place of the published one
 * @param metadata put over the published labels, key by key
 */
public record InstanceOverride(OptionalDouble weight, Optional<Boolean> enabled, Metadata metadata) {
    /** Everything is as published. */
    public static final InstanceOverride NONE =
            new InstanceOverride(OptionalDouble.empty(), Optional.empty(), Metadata.empty());

    /** @throws InvalidValueException when the weight breaks its rule */
    public InstanceOverride {
        if (weight.isPresent() && !(weight.getAsDouble() >= 0 && weight.getAsDouble() <= Instance.MAX_WEIGHT)) {
            throw new InvalidValueException("weight", weight.getAsDouble(), "0-10000");
        }
    }

    public InstanceOverride withWeight(double newWeight) {
        return new InstanceOverride(OptionalDouble.of(newWeight + 0.0), enabled, metadata);
    }

    public InstanceOverride withEnabled(boolean newEnabled) {
        return new InstanceOverride(weight, Optional.of(newEnabled), metadata);
    }

    public InstanceOverride withMetadata(Metadata newMetadata) {
        return new InstanceOverride(weight, enabled, newMetadata);
    }

    public boolean isNone() {
        return equals(NONE);
    }

    /** What shows of an instance as published. Labels that together break the limits are left as published. */
    public Instance over(Instance published) {
        Instance out = enabled.isPresent() ? published.withEnabled(enabled.get()) : published;
        out = weight.isPresent() ? out.withWeight(weight.getAsDouble()) : out;
        if (metadata.isEmpty()) {
            return out;
        }
        Map<String, String> both = new TreeMap<>(published.metadata());
        both.putAll(metadata);
        try {
            return out.withMetadata(both);
        } catch (InvalidValueException e) {
            return out;
        }
    }
}
