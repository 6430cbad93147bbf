package io.mooring.server.lease;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Counts the registrations of each service, those from the disk among them, and says whether there is room for more. */
final class Room {
    private final LeaseSettings settings;
    private final Map<ServiceKey, Count> services = new HashMap<>();
    private int registered;

    /** The registrations of a service; lends its key, so that they all share one. */
    private static final class Count {
        final ServiceKey key;
        int registrations;

        Count(ServiceKey key) {
            this.key = key;
        }
    }

    Room(LeaseSettings settings) {
        this.settings = settings;
    }

    /** One more registration of that service. */
    void take(ServiceKey service) {
        services.computeIfAbsent(service, Count::new).registrations++;
        registered++;
    }

    /** One less. */
    void free(ServiceKey service) {
        Count count = services.get(service);
        if (count == null) {
            throw new IllegalStateException("no registration of " + service + " is counted");
        }
        registered--;
        if (--count.registrations == 0) {
            services.remove(service);
        }
    }

    /** The same instance under the key that all registrations of its service share. */
    Instance shared(Instance instance) {
        Count count = services.get(instance.service());
        return count == null ? instance : instance.withId(instance.id().withService(count.key));
    }

    /**
     * Whether there is room for them.
     *
     * @param ofThisPublisher how many its publisher has
     * @param isThere whether one of them is registered: it is replaced or confirmed, and the table does not grow
     */
    Outcome lookFor(List<Instance> instances, int ofThisPublisher, Predicate<InstanceId> isThere) {
        return fits(instances, ofThisPublisher) ? Outcome.ACCEPTED : exactly(instances, ofThisPublisher, isThere);
    }

    /** Whether there is room even if all of them are new: then nothing needs to be looked up one by one. */
    private boolean fits(List<Instance> instances, int ofThisPublisher) {
        int count = instances.size();
        if (registered + count > settings.maxInstances()
                || services.size() + count > settings.maxServices()
                || ofThisPublisher + count > settings.maxInstancesPerSession()) {
            return false;
        }
        ServiceKey last = null;
        for (Instance instance : instances) {
            if (instance.service() != last) {
                last = instance.service();
                if (registrations(last) + count > settings.maxInstancesPerService()) {
                    return false;
                }
            }
        }
        return true;
    }

    private Outcome exactly(List<Instance> instances, int ofThisPublisher, Predicate<InstanceId> isThere) {
        int fresh = 0;
        Map<ServiceKey, Integer> freshByService = instances.size() == 1 ? Map.of() : new HashMap<>();
        int freshServices = 0;
        for (Instance instance : instances) {
            if (isThere.test(instance.id())) {
                continue;
            }
            fresh++;
            int before = registrations(instance.service());
            int freshHere = instances.size() == 1 ? 1 : freshByService.merge(instance.service(), 1, Integer::sum);
            if (before == 0 && freshHere == 1) {
                freshServices++;
            }
            if (before + freshHere > settings.maxInstancesPerService()) {
                return full("instances of " + instance.service(), before, settings.maxInstancesPerService());
            }
        }
        if (fresh > 0 && registered + fresh > settings.maxInstances()) {
            return full("instances on this node", registered, settings.maxInstances());
        }
        if (freshServices > 0 && services.size() + freshServices > settings.maxServices()) {
            return full("services on this node", services.size(), settings.maxServices());
        }
        if (ofThisPublisher + fresh > settings.maxInstancesPerSession()) {
            return full("instances of this session", ofThisPublisher, settings.maxInstancesPerSession());
        }
        return Outcome.ACCEPTED;
    }

    private int registrations(ServiceKey service) {
        Count count = services.get(service);
        return count == null ? 0 : count.registrations;
    }

    private static Outcome full(String what, int have, int limit) {
        return Outcome.refused(
                "limit",
                what + ": " + have + " registered (expected: at most " + limit
                        + "); deregister some or raise the limit");
    }
}
