package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SelectionTest {
    private static final Selection HEALTHY =
            Selection.of(new Query("healthyOnly=true", Set.of("healthyOnly", "cluster", "metadata")));

    private static ServiceView view(Standing... standings) {
        List<ListedInstance> instances = new ArrayList<>();
        for (Standing standing : standings) {
            instances.add(new ListedInstance(Instance.of(ServiceKey.of("s"), "h", instances.size() + 1), standing));
        }
        return new ServiceView(ServiceKey.of("s"), 1, Digest.of(instances), instances, false, List.of());
    }

    @Test
    void healthyOnlyLeavesOutThoseInDoubt() {
        Selection.Selected selected =
                HEALTHY.of(view(Standing.LIVE, Standing.RESTORED, Standing.SUSPECT, Standing.HELD));

        assertThat(selected.instances()).hasSize(2);
        assertThat(selected.spared()).isFalse();
    }

    @Test
    void healthyOnlyIsNeverSuddenEmptiness() {
        assertThat(HEALTHY.of(view(Standing.SUSPECT, Standing.HELD)).instances())
                .hasSize(2);
        assertThat(HEALTHY.of(view(Standing.SUSPECT)).spared()).isTrue();
        assertThat(HEALTHY.of(view(Standing.LIVE, Standing.SUSPECT, Standing.SUSPECT))
                        .instances())
                .hasSize(3);
    }

    @Test
    void disabledInstancesDoNotCountAsLost() {
        ServiceView view = view(Standing.LIVE, Standing.SUSPECT, Standing.SUSPECT);
        List<ListedInstance> instances = new ArrayList<>();
        for (ListedInstance listed : view.instances()) {
            boolean live = listed.standing() == Standing.LIVE;
            instances.add(new ListedInstance(listed.instance().withEnabled(live), listed.standing()));
        }
        ServiceView drained = new ServiceView(view.service(), 2, 0, instances, false, List.of());

        assertThat(HEALTHY.of(drained).instances()).hasSize(1);
    }
}
