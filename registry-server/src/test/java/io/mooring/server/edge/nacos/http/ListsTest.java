package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.edge.nacos.NacosJson;
import io.mooring.server.edge.nacos.NacosNames;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Lists as text, kept or made anew, are those that there are. */
class ListsTest {
    private static final ServiceKey SERVICE = new ServiceKey("public", "G1", "kept");

    private final Lists lists = new Lists(NacosCalls.SHARED.server().node(), HealthView.Doubt.DEFAULTS);

    private static ServiceView view(long revision, Standing first) {
        ListedInstance one = new ListedInstance(Instance.of(SERVICE, "10.0.0.1", 80), first);
        ListedInstance two = new ListedInstance(Instance.of(SERVICE, "10.0.0.2", 80), Standing.LIVE);
        return new ServiceView(SERVICE, revision, revision, List.of(one, two), false, List.of());
    }

    private String made(ServiceView view, String clusters, boolean healthyOnly, long cacheMillis, long time) {
        HealthView wanted = lists.health(view).only(NacosNames.clusters(clusters), healthyOnly);
        byte[] json = NacosJson.bytes(to -> {
            NacosJson.beginList(to, SERVICE, NacosJson.NameForm.GROUPED, clusters, wanted, cacheMillis);
            to.writeNumberField("lastRefTime", time);
            to.writeEndObject();
        });
        return new String(json, StandardCharsets.UTF_8);
    }

    @Test
    void whateverIsAskedForIsToldAsIfItWereMadeAnew() {
        for (int round = 0; round < 2; round++) {
            for (long revision : new long[] {1, 2}) {
                ServiceView view = view(revision, revision == 1 ? Standing.LIVE : Standing.SUSPECT);
                for (String clusters : List.of("", "DEFAULT", "c1")) {
                    for (boolean healthyOnly : new boolean[] {true, false}) {
                        for (long cacheMillis : new long[] {3_000, 10_000}) {
                            long time = 1_800_000_000_000L + round;
                            assertThat(lists.text(view, clusters, healthyOnly, cacheMillis, time))
                                    .isEqualTo(made(view, clusters, healthyOnly, cacheMillis, time));
                        }
                    }
                }
            }
        }
    }
}
