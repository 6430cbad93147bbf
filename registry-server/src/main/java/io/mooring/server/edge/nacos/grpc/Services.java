package io.mooring.server.edge.nacos.grpc;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/** The names of all services with an instance, kept up as they come and go. Confined to the I/O thread. */
final class Services {
    private final NavigableSet<ServiceKey> present = new TreeSet<>();
    private final Consumer<ServiceKey> listener;

    /** @param listener hears of services that appear, or vanish */
    Services(Consumer<ServiceKey> listener) {
        this.listener = listener;
    }

    /** Those that are there to begin with. */
    void add(Collection<ServiceKey> services) {
        present.addAll(services);
    }

    /** These views are new. */
    void changed(List<ServiceView> views) {
        for (ServiceView view : views) {
            ServiceKey service = view.service();
            if (view.instances().isEmpty()) {
                if (present.remove(service)) {
                    listener.accept(service);
                }
            } else if (present.add(service)) {
                listener.accept(service);
            }
        }
    }

    boolean has(ServiceKey service) {
        return present.contains(service);
    }

    /** The names of a group, in order. */
    List<String> of(String namespace, String group) {
        List<String> names = new ArrayList<>();
        ServiceKey first = new ServiceKey(namespace, group, "!"); // no name comes before it
        for (ServiceKey service : present.tailSet(first, true)) {
            if (!service.namespace().equals(namespace) || !service.group().equals(group)) {
                break;
            }
            names.add(service.name());
        }
        return names;
    }

    /** Those of a namespace, in the order of group and name. */
    Iterable<ServiceKey> ofNamespace(String namespace) {
        ServiceKey first = new ServiceKey(namespace, "-", "!"); // no group comes before it
        return () -> present.tailSet(first, true).stream()
                .takeWhile(service -> service.namespace().equals(namespace))
                .iterator();
    }
}
