package io.mooring.server.edge.nacos.grpc;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import io.mooring.server.edge.nacos.NacosSettings;
import io.mooring.server.node.RegistryNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The lists of services as Nacos clients read them, each view and selection encoded once, whoever asked for it and however it
 * travels: up to {@code "lastRefTime":}. Bounded by its bytes; confined to the I/O thread.
 */
final class SharedLists {
    private static final long CACHE_BYTES = 16L << 20;
    private static final long CACHE_MILLIS = 10_000;
    private static final byte[] LAST_REF_TIME = "\"lastRefTime\":".getBytes(StandardCharsets.US_ASCII);

    private final RegistryNode node;
    private final HealthView.Doubt doubt;

    /** What makes two lists the same: revisions are of this node, and settings are no part of views. */
    private record Form(ServiceKey service, long revision, double threshold, String clusters, boolean healthyOnly) {}

    private final Cache<Form, SharedText> cache = Caffeine.newBuilder()
            .maximumWeight(CACHE_BYTES)
            .weigher((Form form, SharedText text) -> text.length() + text.length() / 8 + 300)
            .expireAfterAccess(Duration.ofSeconds(10))
            .executor(Runnable::run)
            .build();

    private @Nullable Form lastForm;
    private @Nullable SharedText lastText;

    SharedLists(RegistryNode node, HealthView.Doubt doubt) {
        this.node = node;
        this.doubt = doubt;
    }

    /** The share of a service that is to be healthy, as it is settled now. */
    double threshold(ServiceKey service) {
        return NacosSettings.threshold(node, service);
    }

    /** @param clusters as the client sent it; it gets it back */
    SharedText of(ServiceView view, String clusters, boolean healthyOnly) {
        double threshold = threshold(view.service());
        Form last = lastForm;
        SharedText text = lastText;
        if (last != null
                && text != null
                && last.revision == view.revision()
                && last.threshold == threshold
                && last.healthyOnly == healthyOnly
                && last.clusters.equals(clusters)
                && last.service.equals(view.service())) {
            return text;
        }
        Form form = new Form(view.service(), view.revision(), threshold, clusters, healthyOnly);
        text = cache.get(form, f -> encoded(view, threshold, clusters, healthyOnly));
        lastForm = form;
        lastText = text;
        return text;
    }

    private SharedText encoded(ServiceView view, double threshold, String clusters, boolean healthyOnly) {
        HealthView health = HealthView.of(view, doubt, threshold, node::isPersistent)
                .only(NacosNames.clusters(clusters), healthyOnly);
        byte[] begun = NacosJson.bytes(json -> {
            NacosJson.beginList(json, view.service(), NacosJson.NameForm.BARE, clusters, health, CACHE_MILLIS);
            json.writeRaw(',');
        });
        byte[] text = Arrays.copyOf(begun, begun.length + LAST_REF_TIME.length);
        System.arraycopy(LAST_REF_TIME, 0, text, begun.length, LAST_REF_TIME.length);
        return new SharedText(text);
    }
}
