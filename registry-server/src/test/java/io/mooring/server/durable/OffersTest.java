package io.mooring.server.durable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.InvalidValueException;
import io.mooring.server.durable.DurableWorld.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which applications offer which interface. */
class OffersTest {
    private static final InterfaceKey GREETER = new InterfaceKey("public", "com.example.Greeter");

    private static List<String> of(Node node) {
        return node.durables.applications(GREETER);
    }

    @Test
    void whatOneNodeAcceptsAllHaveAndHearOf() {
        DurableWorld world = new DurableWorld(1, 3);
        assertEquals(List.of(), of(world.n(1)));
        List<Optional<Refusal>> answers = world.n(2).offer(GREETER, "shop", "bank");
        world.run(Duration.ofMillis(10));
        assertEquals(List.of(Optional.empty()), answers);
        for (Node node : world.nodes.values()) {
            assertEquals(List.of("bank", "shop"), of(node));
            assertTrue(node.heardOf.contains(GREETER));
            node.heardOf.clear();
        }
        world.n(1).offer(GREETER, "shop");
        world.run(Duration.ofMillis(10));
        assertEquals(List.of(), world.n(1).heardOf, "it was so already");
        assertEquals(
                List.of(),
                world.n(1).durables.applications(new InterfaceKey("other", GREETER.name())),
                "another namespace is another interface");
    }

    @Test
    void applicationsThatComeAtNodesThatDoNotHearEachOtherAreBothThere() {
        DurableWorld world = new DurableWorld(1, 2);
        world.cut(1, 2);
        world.n(1).offer(GREETER, "bank");
        world.n(2).offer(GREETER, "shop");
        world.run(Duration.ofSeconds(10));
        world.heal();
        assertTrue(world.time.runUntil(world::isEqual, Duration.ofSeconds(1)));
        assertEquals(List.of("bank", "shop"), of(world.n(1)));
        assertEquals(List.of("bank", "shop"), of(world.n(2)));
    }

    @Test
    void theyAreThereAfterAllWereKilledAndGoWhenSomebodyRemovesThem() {
        DurableWorld world = new DurableWorld(1, 2);
        world.n(1).offer(GREETER, "bank", "shop");
        world.run(Duration.ofMillis(10));
        world.nodes.values().forEach(Node::kill);
        world.nodes.values().forEach(Node::start);
        world.run(Duration.ofSeconds(5));
        assertEquals(List.of("bank", "shop"), of(world.n(1)));
        List<Optional<Refusal>> answers = new ArrayList<>();
        world.n(2).loop.run(() -> world.n(2).durables.removeApplications(GREETER, Optional::empty, answers::add));
        world.run(Duration.ofMillis(10));
        assertEquals(List.of(Optional.empty()), answers);
        assertEquals(List.of(), of(world.n(1)));
        assertEquals(List.of(), of(world.n(2)));
    }

    @Test
    void thereIsABoundToThem() {
        DurableWorld world = new DurableWorld(1, 1);
        String[] many = IntStream.range(0, Durables.MOST_APPLICATIONS)
                .mapToObj(i -> "a" + i)
                .toArray(String[]::new);
        world.n(1).offer(GREETER, many);
        world.run(Duration.ofMillis(10));
        List<Optional<Refusal>> one = world.n(1).offer(GREETER, "more");
        List<Optional<Refusal>> known = world.n(1).offer(GREETER, "a7");
        world.run(Duration.ofMillis(10));
        assertEquals("limit", one.get(0).orElseThrow().code());
        assertEquals(Optional.empty(), known.get(0));
        assertEquals(Durables.MOST_APPLICATIONS, of(world.n(1)).size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a,b", "caf\u00e9"})
    void namesThatCouldNotTravelAreRefused(String application) {
        assertThrows(InvalidValueException.class, () -> InterfaceKey.checkedApplication(application));
        assertThrows(InvalidValueException.class, () -> new InterfaceKey("public", application.replace(",", " ")));
    }
}
