package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EncodedViewsTest {
    @Test
    void aViewIsEncodedOnceForAllWhoWantTheWholeOfIt() {
        EncodedViews encoded = new EncodedViews();
        ServiceView view = ServiceView.empty(ServiceKey.of("s"));
        Selection everything = new Selection(Set.of(), Map.of(), false);

        byte[] first = encoded.json(view, everything, false);

        assertThat(encoded.json(view, everything, false)).isSameAs(first);
        assertThat(encoded.json(view, everything, true)).isNotSameAs(first);
    }
}
