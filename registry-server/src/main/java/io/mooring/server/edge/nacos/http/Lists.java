package io.mooring.server.edge.nacos.http;

import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.node.RegistryNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What there is, as these clients are told of it. Any thread. */
final class Lists {
    private final RegistryNode node;
    private final HealthView.Doubt doubt;

    Lists(RegistryNode node, HealthView.Doubt doubt) {
        this.node = node;
        this.doubt = doubt;
    }

    HealthView health(ServiceKey service) {
        return health(node.view(service));
    }

    HealthView health(ServiceView view) {
        return HealthView.of(view, doubt, threshold(view.service()), node::isPersistent);
    }

    /** The share of a service that is to be healthy, as it is settled now. */
    double threshold(ServiceKey service) {
        return node.settings(service).orElse(ServiceSettings.DEFAULTS).protectThreshold();
    }

    /** That instance, if it is in rotation. */
    Optional<HealthView.Host> find(InstanceId id) {
        return health(id.service()).hosts().stream()
                .filter(host -> host.instance().id().equals(id))
                .findFirst();
    }

    /** Whether it is registered, in rotation or not. */
    boolean isListed(InstanceId id) {
        return node.view(id.service()).instances().stream()
                .anyMatch(listed -> listed.id().equals(id));
    }

    /** Services with an instance, and those about which something was said; in their order. */
    List<ServiceKey> services(Predicate<ServiceKey> wanted) {
        TreeSet<ServiceKey> all = new TreeSet<>();
        for (ServiceKey service : node.services()) {
            if (wanted.test(service)) {
                all.add(service);
            }
        }
        for (ServiceKey service : node.servicesWithSettings()) {
            if (wanted.test(service)) {
                all.add(service);
            }
        }
        return new ArrayList<>(all);
    }

    boolean isThere(ServiceKey service) {
        return !node.view(service).instances().isEmpty()
                || node.settings(service).isPresent();
    }
}
