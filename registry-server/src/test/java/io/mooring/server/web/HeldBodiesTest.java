package io.mooring.server.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeldBodiesTest {
    private final HeldBodies bodies = new HeldBodies(100);

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
}
