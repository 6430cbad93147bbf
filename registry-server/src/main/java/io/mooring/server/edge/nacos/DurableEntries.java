package io.mooring.server.edge.nacos;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.server.lease.Outcome;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * What outlives its publisher and every node: persistent instances, the settings of services, and what operators have laid
 * over instances. A port of the endpoints for Nacos clients.
 *
 * <p>Methods with a reply are called on the core's loop and reply there; the others from any thread.
 */
public interface DurableEntries {
    /** Refuses because this node keeps nothing of that kind. */
    String NOT_KEPT = "not_kept";

    /**
     * What is said about a service as a whole.
     *
     * @param protectThreshold protected when no greater share of its instances is healthy, 0-1
     * @param metadata of the service
     * @param selector as JSON, {@link #NO_SELECTOR} for none
     * @param clusters what is said about each cluster, as JSON
     */
    record Settings(
            double protectThreshold, Map<String, String> metadata, String selector, Map<String, String> clusters) {
        public static final String NO_SELECTOR = "{\"type\":\"none\",\"contextType\":\"NONE\"}";
        public static final Settings NONE = new Settings(0, Map.of(), NO_SELECTOR, Map.of());

        /** @throws InvalidValueException when the threshold is no share */
        public Settings {
            if (!(protectThreshold >= 0 && protectThreshold <= 1)) { // written so that NaN fails
                throw new InvalidValueException("protectThreshold", protectThreshold, "0-1");
            }
            metadata = Map.copyOf(metadata);
            clusters = Map.copyOf(clusters);
        }

        /** With that said about a cluster. */
        public Settings withCluster(String cluster, String said) {
            Map<String, String> all = new LinkedHashMap<>(clusters);
            all.put(cluster, said);
            return new Settings(protectThreshold, metadata, selector, all);
        }
    }

    /**
     * What is laid over an instance until it leaves the list.
     *
     * @param weight instead of the published one
     * @param enabled instead of what was published
     * @param metadata put over the published labels, key by key
     */
    record Overlay(OptionalDouble weight, Optional<Boolean> enabled, Map<String, String> metadata) {
        public static final Overlay NONE = new Overlay(OptionalDouble.empty(), Optional.empty(), Map.of());

        public static Overlay of(double weight, boolean enabled, Map<String, String> metadata) {
            return new Overlay(OptionalDouble.of(weight), Optional.of(enabled), metadata);
        }

        public Overlay withWeight(double newWeight) {
            return new Overlay(OptionalDouble.of(newWeight), enabled, metadata);
        }

        public Overlay withEnabled(boolean newEnabled) {
            return new Overlay(weight, Optional.of(newEnabled), metadata);
        }

        /** With these labels, too. */
        public Overlay with(Map<String, String> more) {
            Map<String, String> all = new LinkedHashMap<>(metadata);
            all.putAll(more);
            return new Overlay(weight, enabled, Collections.unmodifiableMap(all));
        }

        /** Without what it said about these labels. */
        public Overlay without(Set<String> keys) {
            Map<String, String> rest = new LinkedHashMap<>(metadata);
            rest.keySet().removeAll(keys);
            return new Overlay(weight, enabled, Collections.unmodifiableMap(rest));
        }
    }

    /** Registers an instance that no publisher keeps alive. */
    void putPersistent(Instance instance, Consumer<Outcome> reply);

    void removePersistent(InstanceId instance, Consumer<Outcome> reply);

    /** @param change gets {@link Settings#NONE} where nothing was said yet */
    void settings(ServiceKey service, UnaryOperator<Settings> change, Consumer<Outcome> reply);

    void deleteSettings(ServiceKey service, Consumer<Outcome> reply);

    /** @param change gets {@link Overlay#NONE} where nothing lies over the instance yet */
    void override(InstanceId instance, UnaryOperator<Overlay> change, Consumer<Outcome> reply);

    /** Somebody has looked whether a persistent instance works. */
    void reportHealth(InstanceId instance, boolean healthy, Consumer<Outcome> reply);

    /** Empty where nothing was said. */
    Optional<Settings> settings(ServiceKey service);

    /** The services about which something was said, in their order. */
    List<ServiceKey> services();

    /** Whether no publisher keeps it alive. */
    boolean isPersistent(InstanceId instance);

    /** Keeps nothing and refuses everything. */
    DurableEntries NONE = new DurableEntries() {
        private static void refuse(String what, Consumer<Outcome> reply) {
            reply.accept(Outcome.refused(NOT_KEPT, "this node keeps no " + what));
        }

        @Override
        public void putPersistent(Instance instance, Consumer<Outcome> reply) {
            refuse("persistent instances; register it with ephemeral=true", reply);
        }

        @Override
        public void removePersistent(InstanceId instance, Consumer<Outcome> reply) {
            refuse("persistent instances; leave ephemeral=false away to remove an ephemeral one", reply);
        }

        @Override
        public void settings(ServiceKey service, UnaryOperator<Settings> change, Consumer<Outcome> reply) {
            refuse("settings of services; a service is there as long as it has instances", reply);
        }

        @Override
        public void deleteSettings(ServiceKey service, Consumer<Outcome> reply) {
            refuse("settings of services; a service is gone when its last instance is", reply);
        }

        @Override
        public void override(InstanceId instance, UnaryOperator<Overlay> change, Consumer<Outcome> reply) {
            refuse("changes made to instances by others; let the publisher register it with other values", reply);
        }

        @Override
        public void reportHealth(InstanceId instance, boolean healthy, Consumer<Outcome> reply) {
            refuse("persistent instances, and the health of others is what their publishers' beats say", reply);
        }

        @Override
        public Optional<Settings> settings(ServiceKey service) {
            return Optional.empty();
        }

        @Override
        public List<ServiceKey> services() {
            return List.of();
        }

        @Override
        public boolean isPersistent(InstanceId instance) {
            return false;
        }
    };
}
