package io.mooring.server.edge.nacos.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosSettings;
import io.mooring.server.node.RegistryNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * What there is, as these clients are told of it. They ask again and again for what has not changed, so lists are kept as text
 * for a while. Any thread.
 */
final class Lists {
    private static final long CACHE_BYTES = 8L << 20;

    private final RegistryNode node;
    private final HealthView.Doubt doubt;

    /** What makes two lists the same: revisions are of this node, and settings are no part of views. */
    private record Form(
            ServiceKey service,
            long revision,
            double threshold,
            String clusters,
            boolean healthyOnly,
            long cacheMillis) {}

    private final Cache<Form, String> texts = Caffeine.newBuilder()
            .maximumWeight(CACHE_BYTES)
            .weigher((Form form, String text) -> 2 * (text.length() + form.clusters.length()) + 300)
            .expireAfterAccess(Duration.ofSeconds(30)) // clients ask every ten
            .build();

    Lists(RegistryNode node, HealthView.Doubt doubt) {
        this.node = node;
        this.doubt = doubt;
    }

    HealthView health(ServiceKey service) {
        return health(node.view(service));
    }

    HealthView health(ServiceView view) {
        return health(view, threshold(view.service()));
    }

    private HealthView health(ServiceView view, double threshold) {
        return HealthView.of(view, doubt, threshold, node::isPersistent);
    }

    /**
     * A list as JSON.
     *
     * @param clusters as the client asked for them
     * @param cacheMillis after which it is to ask again
     * @param lastRefTime see {@link NacosJson#beginList}
     */
    String text(ServiceView view, String clusters, boolean healthyOnly, long cacheMillis, long lastRefTime) {
        double threshold = threshold(view.service());
        Form form = new Form(view.service(), view.revision(), threshold, clusters, healthyOnly, cacheMillis);
        String begun = view.instances().isEmpty() // anybody can ask for any name, and it is short
                ? begun(view, form)
                : texts.get(form, f -> begun(view, f));
        return begun + ",\"lastRefTime\":" + lastRefTime + "}";
    }

    private String begun(ServiceView view, Form form) {
        HealthView wanted = health(view, form.threshold).only(NacosNames.clusters(form.clusters), form.healthyOnly);
        byte[] json = NacosJson.bytes(to -> NacosJson.beginList(
                to, form.service, NacosJson.NameForm.GROUPED, form.clusters, wanted, form.cacheMillis));
        return new String(json, StandardCharsets.UTF_8);
    }

    /** The share of a service that is to be healthy, as it is settled now. */
    double threshold(ServiceKey service) {
        return NacosSettings.threshold(node, service);
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
