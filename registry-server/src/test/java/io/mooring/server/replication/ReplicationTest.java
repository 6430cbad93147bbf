package io.mooring.server.replication;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What one node grants, the others have. */
class ReplicationTest {
    private final PeerWorld world = new PeerWorld(1);

    private PeerWorld.Node node(String name) {
        return world.node(name);
    }

    private void three() {
        List<String> all = world.addressesOf("a", "b", "c");
        for (String name : List.of("a", "b", "c")) {
            node(name).configured = all;
            node(name).start();
        }
        world.until(
                "all see each other",
                () -> node("a").alive().size() == 3
                        && node("b").alive().size() == 3
                        && node("c").alive().size() == 3,
                5);
    }

    @Test
    void whatOneGrantsTheOthersHaveAtOnce() {
        three();
        world.converge(5);
        node("a").grant(1, 2, 3);
        world.run(0.005);
        assertEquals(List.of(1, 2, 3), node("b").ports("a"));
        assertEquals(List.of(1, 2, 3), node("c").ports("a"));
        node("a").remove(2);
        world.run(0.005);
        assertEquals(List.of(1, 3), node("b").ports("a"));
        assertTrue(world.isConverged(), world::describe);
    }

    @Test
    void whoComesLaterGetsTheWholeOfIt() {
        three();
        for (int port = 1; port <= 5_000; port++) {
            node("a").grant(port);
        }
        node("d").configured = world.addressesOf("a");
        node("d").start();
        world.converge(5);
        assertEquals(List.of("a", "b", "c", "d"), node("c").alive());
        assertTrue(node("d").replication.caughtUp());
    }
}
