package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OutgoingBodiesTest {
    private final OutgoingBodies bodies = new OutgoingBodies(100);

    @Test
    void aBodyThatManyAreSentCountsOnce() {
        byte[] shared = new byte[60];

        assertThat(bodies.hold(shared)).isTrue();
        assertThat(bodies.hold(shared)).isTrue();
        assertThat(bodies.hold(new byte[40])).isTrue();
        assertThat(bodies.hold(new byte[1])).isFalse();
        assertThat(bodies.bytes()).isEqualTo(100);

        bodies.release(shared);
        assertThat(bodies.hold(new byte[1]))
                .as("one of its two readers still takes it")
                .isFalse();
        bodies.release(shared);
        assertThat(bodies.hold(new byte[60])).isTrue();
    }

    @Test
    void oneBodyPassesWhateverItsLength() {
        byte[] huge = new byte[1_000];

        assertThat(bodies.hold(huge)).isTrue();
        assertThat(bodies.hold(new byte[1])).isFalse();
        bodies.release(huge);
        assertThat(bodies.bytes()).isZero();
    }

    @Test
    void aViewIsEncodedOnceForAllWhoWantTheWholeOfIt() {
        ServiceView view = ServiceView.empty(ServiceKey.of("s"));
        Selection everything = new Selection(Set.of(), Map.of(), false);

        byte[] first = bodies.json(view, everything, false);

        assertThat(bodies.json(view, everything, false)).isSameAs(first);
        assertThat(bodies.json(view, everything, true)).isNotSameAs(first);
    }
}
