package io.mooring.server.shard;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;

/**
 * An instance as a node accepted it.
 *
 * @param instance what its publisher said
 * @param publisher who keeps it alive
 * @param generation one more than the highest the accepting node had seen for this instance; decides between shards
 * @param suspect whether its publisher is out of touch
 */
public record Registration(Instance instance, Publisher publisher, long generation, boolean suspect) {
    public InstanceId id() {
        return instance.id();
    }

    public Registration suspected(boolean newSuspect) {
        return newSuspect == suspect ? this : new Registration(instance, publisher, generation, newSuspect);
    }
}
