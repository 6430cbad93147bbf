package io.mooring.server.edge.nacos;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What Nacos clients are told of a service: who is in rotation, and who of them is healthy. These clients have no protection
 * of their own, so where too many are in doubt to be believed, all are called healthy and the list says that it is
 * protected. That is decided over all instances in rotation, before any filter: who asks for the healthy ones alone needs the
 * protection most.
 *
 * @param hosts in the order of their ids
 * @param underProtection whether somebody in doubt is called healthy
 */
public record HealthView(List<Host> hosts, boolean underProtection) {
    /**
     * One instance in rotation.
     *
     * @param persistent whether it stays when its publisher goes
     */
    public record Host(Instance instance, boolean healthy, boolean persistent) {}

    /**
     * When doubt is not believed; the same numbers as for removals, {@code mooring.protection}.
     *
     * @param share more than this share of a service in doubt is not believed, 0-1
     * @param atLeast but fewer than this always are, unless it is all of them
     */
    public record Doubt(double share, int atLeast) {
        public static final Doubt DEFAULTS = new Doubt(0.5, 2);
    }

    /**
     * @param protectThreshold of the service: protected when no greater share of it is healthy, 0-1
     * @param persistent which instances stay when their publishers go
     */
    public static HealthView of(
            ServiceView view, Doubt doubt, double protectThreshold, Predicate<InstanceId> persistent) {
        List<Host> hosts = new ArrayList<>(view.instances().size());
        int healthy = 0;
        boolean held = false;
        for (ListedInstance listed : view.instances()) {
            if (listed.instance().enabled()) {
                boolean well = !listed.standing().inDoubt();
                hosts.add(new Host(listed.instance(), well, persistent.test(listed.id())));
                healthy += well ? 1 : 0;
                held |= listed.standing() == Standing.HELD;
            }
        }
        boolean underProtection = held || tooMany(doubt, protectThreshold, hosts.size(), healthy);
        if (underProtection) {
            hosts.replaceAll(host -> host.healthy ? host : new Host(host.instance, true, host.persistent));
        }
        return new HealthView(hosts, underProtection);
    }

    private static boolean tooMany(Doubt doubt, double protectThreshold, int all, int healthy) {
        int inDoubt = all - healthy;
        return all > 0
                && (healthy <= protectThreshold * all // at 0: when nobody is healthy
                        || inDoubt >= doubt.atLeast && inDoubt > doubt.share * all);
    }

    /**
     * What is left for somebody who wants less.
     *
     * @param clusters none: all of them
     */
    public HealthView only(Set<String> clusters, boolean healthyOnly) {
        if (clusters.isEmpty() && !healthyOnly) {
            return this;
        }
        List<Host> wanted = new ArrayList<>(hosts);
        wanted.removeIf(host ->
                !clusters.isEmpty() && !clusters.contains(host.instance.cluster()) || healthyOnly && !host.healthy);
        return new HealthView(wanted, underProtection);
    }
}
