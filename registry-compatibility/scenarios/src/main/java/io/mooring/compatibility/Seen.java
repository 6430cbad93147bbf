package io.mooring.compatibility;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * What a client heard, or saw when it looked.
 *
 * @param at when it was read from its driver, in the nanoseconds of this process
 * @param by {@code event}, {@code watch} or {@code pattern}
 * @param instances of the service, all of them; empty for {@code pattern}
 * @param said the error met, or the change of services; empty otherwise
 */
record Seen(long at, String by, String service, String group, List<Instance> instances, String said) {
    static Seen of(JsonNode line) {
        List<Instance> instances = new ArrayList<>();
        line.path("instances").forEach(json -> instances.add(Instance.of(json)));
        return new Seen(
                System.nanoTime(),
                line.path("by").asString(""),
                line.path("service").asString(""),
                line.path("group").asString(""),
                List.copyOf(instances),
                line.path("error").asString(line.path("change").asString("")));
    }

    long healthy() {
        return instances.stream().filter(Instance::healthy).count();
    }

    @Override
    public String toString() {
        return by + " " + (said.isEmpty() ? instances : service + " " + said);
    }
}
