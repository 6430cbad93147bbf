package io.mooring.server.node;

import static io.mooring.server.node.ClusterWorld.ORDERS;
import static io.mooring.server.node.ClusterWorld.id;
import static io.mooring.server.node.ClusterWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import io.mooring.server.check.Checker;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.ClusterWorld.Machine;
import io.mooring.server.node.ClusterWorld.Publisher;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is durable, at the doors of nodes. */
class DurableNodesTest {
    private static void accept(Machine machine, Consumer<Consumer<Outcome>> request) {
        assertEquals(Outcome.ACCEPTED, machine.outcome(request));
    }

    private static String code(Machine machine, Consumer<Consumer<Outcome>> request) {
        return machine.outcome(request) instanceof Outcome.Refused refused ? refused.code() : "accepted";
    }

    private static void put(Machine machine, int port, String version) {
        accept(machine, reply -> machine.node.putPersistent(instance(port, version), reply));
    }

    private static Instance listed(Machine machine, int port) {
        return machine.node.view(ORDERS).instances().stream()
                .map(ListedInstance::instance)
                .filter(each -> each.port() == port)
                .findFirst()
                .orElseThrow();
    }

    private static void weigh(Machine machine, int port, double weight) {
        accept(machine, reply -> machine.node.override(id(port), was -> was.withWeight(weight), reply));
    }

    @Test
    void aPersistentInstanceIsListedOnAllNodesUntilItIsRemoved() {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        put(world.n(1), 80, "1");
        assertEquals(List.of(80), world.n(1).ports(), "read your writes");
        world.run(Duration.ofMillis(20));
        for (Machine machine : world.machines.values()) {
            assertEquals(List.of(80), machine.ports());
            assertEquals(Standing.LIVE, machine.standing(80));
            assertEquals(
                    world.n(1).node.view(ORDERS).digest(),
                    machine.node.view(ORDERS).digest());
        }
        world.run(Duration.ofMinutes(10));
        assertEquals(List.of(80), world.n(3).ports(), "nobody renews it, and nobody has to");
        put(world.n(2), 80, "2");
        accept(world.n(3), reply -> world.n(3).node.removePersistent(id(80), reply));
        assertEquals(List.of(), world.n(3).ports());
        world.run(Duration.ofMillis(20));
        world.machines.values().forEach(machine -> assertEquals(List.of(), machine.ports()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"123", "132", "213", "231", "312", "321"})
    void itIsThereAfterAllWereKilledWhoeverStartsFirst(String order) {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        Machine writer = world.n(2);
        put(writer, 80, "1");
        put(writer, 81, "1");
        accept(writer, reply -> writer.node.removePersistent(id(81), reply));
        accept(writer, reply -> writer.node.settings(ORDERS, was -> was.withProtectThreshold(0.5), reply));
        world.machines.values().forEach(Machine::crash); // the answer has just arrived
        for (char number : order.toCharArray()) {
            Machine machine = world.n(number - '0');
            machine.start();
            if (machine == writer) {
                assertEquals(List.of(80), machine.ports(), "at once, and without the others");
                assertEquals(Standing.LIVE, machine.standing(80));
            }
            world.run(Duration.ofSeconds(5));
        }
        world.run(Duration.ofSeconds(30));
        for (Machine machine : world.machines.values()) {
            assertEquals(List.of(80), machine.ports());
            assertEquals(0.5, machine.node.settings(ORDERS).orElseThrow().protectThreshold());
            assertEquals(
                    writer.node.durableStatus().checksum(),
                    machine.node.durableStatus().checksum());
        }
    }

    @Test
    void aServiceHasInstancesOfOneKind() {
        ClusterWorld world = new ClusterWorld(1, 2).warm();
        Machine a = world.n(1);
        Machine b = world.n(2);
        Publisher publisher = world.new Publisher().connect(a);
        put(a, 80, "1");
        world.run(Duration.ofMillis(20));
        assertEquals("kind", code(a, reply -> a.node.register(publisher.id, List.of(instance(81, "1")), reply)));
        LeaseTerms terms = LeaseTerms.of(Duration.ofSeconds(30));
        assertEquals("kind", code(b, reply -> b.node.put(instance(82, "1"), terms, reply)));
        accept(a, reply -> a.node.removePersistent(id(80), reply));
        publisher.register(instance(81, "1"));
        world.run(Duration.ofMillis(20));
        assertEquals("kind", code(a, reply -> a.node.putPersistent(instance(80, "1"), reply)));
        assertEquals("kind", code(b, reply -> b.node.putPersistent(instance(81, "1"), reply)));
        publisher.deregister(id(81));
        put(a, 80, "1");
    }

    @Test
    void ofARaceBetweenTheKindsBothShowAndNeitherEndsTheOther() {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        world.cut(1, 2);
        world.cut(2, 3);
        world.run(Duration.ofSeconds(20));
        put(world.n(1), 80, "persistent");
        Publisher publisher =
                world.new Publisher().connect(world.n(2)).register(instance(80, "session"), instance(81, "session"));
        world.heal();
        world.run(Duration.ofSeconds(20));
        for (Machine machine : world.machines.values()) {
            assertEquals(List.of(80, 81), machine.ports());
            assertEquals("persistent", machine.version(80));
        }
        publisher.deregister(id(80));
        world.run(Duration.ofSeconds(1));
        for (Machine machine : world.machines.values()) {
            assertEquals(List.of(80, 81), machine.ports());
            assertEquals("persistent", machine.version(80));
        }
    }

    @Test
    void unhealthyIsSuspectEverywhereAndAfterARestart() {
        ClusterWorld world = new ClusterWorld(1, 2).warm();
        put(world.n(1), 80, "1");
        accept(world.n(1), reply -> world.n(1).node.reportHealth(id(80), false, reply));
        world.run(Duration.ofMillis(20));
        world.machines.values().forEach(machine -> assertEquals(Standing.SUSPECT, machine.standing(80)));
        world.n(2).crash();
        world.n(2).start();
        assertEquals(Standing.SUSPECT, world.n(2).standing(80));
        put(world.n(1), 80, "2");
        assertEquals(Standing.SUSPECT, world.n(1).standing(80), "what it says of itself is another thing");
        accept(world.n(1), reply -> world.n(1).node.reportHealth(id(80), true, reply));
        assertEquals(Standing.LIVE, world.n(1).standing(80));
        assertEquals("unknown", code(world.n(1), reply -> world.n(1).node.reportHealth(id(81), true, reply)));
        accept(world.n(1), reply -> world.n(1).node.reportHealth(id(80), false, reply));
        accept(world.n(1), reply -> world.n(1).node.removePersistent(id(80), reply));
        put(world.n(1), 80, "3");
        assertEquals(Standing.LIVE, world.n(1).standing(80), "another one begins without a past");
    }

    @Test
    void oneNodeChecksEachPersistentInstanceAndAllKnowWhatItFound() {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        Map<String, Integer> asked = new TreeMap<>();
        Set<Integer> dead = new HashSet<>();
        for (Machine machine : world.machines.values()) {
            machine.in(() -> machine.node.checksBy((instance, how, result) -> {
                asked.merge(machine.name + " " + instance.port(), 1, Integer::sum);
                machine.loop.execute(() ->
                        result.accept(dead.contains(instance.port()) ? Checker.Result.REFUSED : Checker.Result.PASSED));
            }));
        }
        for (int port = 1; port <= 30; port++) {
            put(world.n(1), port, "1");
        }
        world.run(Duration.ofSeconds(10));
        assertEquals(30, asked.size(), asked.toString());
        dead.add(7);
        world.run(Duration.ofSeconds(6));
        world.machines.values().forEach(machine -> {
            assertEquals(Standing.SUSPECT, machine.standing(7));
            assertEquals(Standing.LIVE, machine.standing(8));
        });
        Machine checker = world.machines.values().stream()
                .filter(machine -> asked.containsKey(machine.name + " 7"))
                .findFirst()
                .orElseThrow();
        checker.crash();
        dead.clear();
        world.run(Duration.ofSeconds(40));
        Machine other = checker == world.n(1) ? world.n(2) : world.n(1);
        assertEquals(Standing.LIVE, other.standing(7), "another one checks it now");
    }

    @Test
    void anOverrideShowsEverywhereAndStaysWhileItsInstanceIsListed() {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        Publisher publisher = world.new Publisher().connect(world.n(1)).register(instance(80, "1"));
        world.run(Duration.ofMillis(50));
        Machine b = world.n(2);
        accept(
                b,
                reply -> b.node.override(
                        id(80),
                        was -> was.withWeight(7).withEnabled(false).withMetadata(Metadata.of(Map.of("by", "operator"))),
                        reply));
        Instance expected = instance(80, "1")
                .withMetadata(Map.of("by", "operator", "version", "1"))
                .withWeight(7)
                .withEnabled(false);
        assertEquals(expected, listed(b, 80), "read your writes");
        world.run(Duration.ofMillis(50));
        world.machines.values().forEach(machine -> assertEquals(expected, listed(machine, 80)));
        publisher.register(instance(80, "2"));
        assertEquals(7, listed(world.n(1), 80).weight(), "registered again");
        assertEquals("2", listed(world.n(1), 80).metadata().get("version"));
        publisher.breakLine();
        world.run(Duration.ofSeconds(1));
        publisher.connect(world.n(3)).register(instance(80, "2"));
        world.run(Duration.ofSeconds(30));
        assertEquals(7, listed(world.n(1), 80).weight(), "moved to another node");
        world.n(3).crash();
        world.n(3).start();
        assertEquals(7, listed(world.n(3), 80).weight(), "restored");
        publisher.connect(world.n(3)).register(instance(80, "2"));
        world.run(Duration.ofSeconds(40));
        world.machines
                .values()
                .forEach(machine -> assertEquals(7, listed(machine, 80).weight()));
        accept(b, reply -> b.node.override(id(80), was -> was.withWeight(8), reply));
        assertEquals(8, listed(b, 80).weight());
        assertFalse(listed(b, 80).enabled(), "one thing at a time");
    }

    @Test
    void whoComesLaterDoesNotInheritAnOverride() {
        for (int way = 0; way < 4; way++) {
            ClusterWorld world = new ClusterWorld(way, 3).warm();
            Publisher publisher =
                    world.new Publisher().connect(world.n(1)).register(instance(80, "1"), instance(81, "1"));
            world.run(Duration.ofMillis(50));
            weigh(world.n(2), 80, 7);
            world.run(Duration.ofSeconds(3));
            switch (way) {
                case 0 -> publisher.deregister(id(80));
                case 1 -> {
                    world.refusing.add("10.0.0.1:80"); // killed: its address refuses
                    publisher.breakLine();
                    world.run(Duration.ofSeconds(1));
                    world.refusing.clear();
                }
                case 2 -> {
                    publisher.breakLine(); // nothing is known; protection holds both for a minute
                    world.run(Duration.ofSeconds(10));
                    assertEquals(Standing.HELD, world.n(1).standing(80));
                    assertEquals(7, listed(world.n(1), 80).weight());
                    world.run(Duration.ofSeconds(60));
                }
                default -> {
                    world.n(1).crash(); // its node, too
                    world.run(Duration.ofSeconds(150));
                }
            }
            world.run(Duration.ofMillis(200));
            assertFalse(world.n(2).ports().contains(80), "way " + way);
            assertEquals(Optional.empty(), world.n(2).node.overrideOf(id(80)), "way " + way);
            world.new Publisher().connect(world.n(2)).register(instance(80, "other"));
            assertEquals(1, listed(world.n(2), 80).weight(), "way " + way);
            world.run(Duration.ofSeconds(10));
            assertEquals(1, listed(world.n(3), 80).weight(), "way " + way);
        }
    }

    @Test
    void anOverrideThatWasLeftOverGoesAfterAWhile() {
        ClusterWorld world = new ClusterWorld(1, 1).warm();
        Machine only = world.n(1);
        Publisher publisher = world.new Publisher().connect(only).register(instance(80, "1"));
        weigh(only, 80, 7);
        world.run(Duration.ofSeconds(1));
        only.disk.hang(true);
        publisher.deregister(id(80)); // and it dies before the disk has the end of the override
        world.run(Duration.ofMillis(100));
        only.crash();
        only.disk.hang(false);
        only.start();
        world.run(Duration.ofSeconds(1));
        assertTrue(only.node.overrideOf(id(80)).isPresent());
        world.run(Duration.ofSeconds(180));
        assertEquals(List.of(), only.ports());
        assertTrue(only.node.overrideOf(id(80)).isEmpty());
    }

    /** The end of the override is written when the deregistration is answered already; a kill may come in between. */
    @Test
    void whoComesAfterAKillDoesNotInheritAnOverrideWhoseEndWasNotWritten() {
        ClusterWorld world = new ClusterWorld(1, 1).warm();
        Machine only = world.n(1);
        Publisher publisher = world.new Publisher().connect(only).register(instance(80, "1"), instance(81, "1"));
        weigh(only, 80, 7);
        weigh(only, 81, 7);
        world.run(Duration.ofSeconds(1));
        publisher.deregister(id(80));
        only.crash();
        only.start();
        world.run(Duration.ofMillis(10));
        assertTrue(only.node.overrideOf(id(80)).isPresent(), "killed in between");
        assertEquals(List.of(81), only.ports());

        Publisher other = world.new Publisher().connect(only).register(instance(80, "other"));
        publisher.connect(only).register(instance(81, "1"));
        assertEquals(1, listed(only, 80).weight());
        assertEquals(7, listed(only, 81).weight(), "that one was there all the time");
        world.run(Duration.ofSeconds(1));
        accept(only, reply -> only.node.override(id(80), was -> was.withEnabled(false), reply));
        assertEquals(1, listed(only, 80).weight(), "an override begins with nothing");
        other.breakLine();
        world.run(Duration.ofSeconds(1));
        other.connect(only).register(instance(80, "other"));
        world.run(Duration.ofSeconds(60));
        assertFalse(listed(only, 80).enabled(), "laid over who is there now");
        assertEquals(1, listed(only, 80).weight());
        assertEquals(7, listed(only, 81).weight());
    }

    @Test
    void whoComesToAnotherNodeDoesNotInheritAnOverrideWhoseEndWasNotWritten() {
        ClusterWorld world = new ClusterWorld(1, 3).warm();
        Publisher publisher = world.new Publisher().connect(world.n(1)).register(instance(80, "1"), instance(81, "1"));
        weigh(world.n(1), 80, 7);
        world.run(Duration.ofSeconds(1));
        world.n(1).disk.hang(true); // discovery goes on, and nothing is written
        publisher.deregister(id(80));
        world.run(Duration.ofMillis(40));
        world.n(1).crash();
        assertFalse(world.n(2).ports().contains(80));
        assertTrue(world.n(2).node.overrideOf(id(80)).isPresent(), "killed in between");

        world.new Publisher().connect(world.n(2)).register(instance(80, "other"));
        world.run(Duration.ofSeconds(1));
        assertEquals(1, listed(world.n(2), 80).weight());
        assertEquals(1, listed(world.n(3), 80).weight());
        world.run(Duration.ofSeconds(30));
        assertEquals(Optional.empty(), world.n(2).node.overrideOf(id(80)), "one of the others has ended it");
        assertEquals(Optional.empty(), world.n(3).node.overrideOf(id(80)));
        world.n(1).disk.hang(false);
        world.n(1).start();
        world.run(Duration.ofSeconds(30));
        world.machines
                .values()
                .forEach(machine -> assertEquals(1, listed(machine, 80).weight()));
    }

    @Test
    void overridesAreForWhatIsListed() {
        ClusterWorld world = new ClusterWorld(1, 1).warm();
        Machine only = world.n(1);
        assertEquals("unknown", code(only, reply -> only.node.override(id(80), was -> was.withWeight(7), reply)));
        put(only, 80, "1");
        assertEquals("invalid", code(only, reply -> only.node.override(id(80), was -> was.withWeight(-1), reply)));
        weigh(only, 80, 7);
        assertEquals(7, listed(only, 80).weight());
        assertEquals(1, only.node.persistent(ORDERS).get(0).weight());
        accept(only, reply -> only.node.removePersistent(id(80), reply));
        put(only, 80, "1");
        assertEquals(1, listed(only, 80).weight());
    }

    @Test
    void settingsAreToldAndListed() {
        ClusterWorld world = new ClusterWorld(1, 2).warm();
        List<ServiceKey> told = new ArrayList<>();
        world.n(2).in(() -> world.n(2).node.onSettings(told::add));
        Machine a = world.n(1);
        accept(a, reply -> a.node.settings(ORDERS, was -> was.withMetadata(Metadata.of(Map.of("team", "x"))), reply));
        world.run(Duration.ofMillis(20));
        assertEquals(List.of(ORDERS), told);
        assertEquals(List.of(ORDERS), world.n(2).node.servicesWithSettings("public"));
        assertEquals(List.of(), world.n(2).node.servicesWithSettings("other"));
        assertEquals(
                ServiceSettings.DEFAULTS.withMetadata(Metadata.of(Map.of("team", "x"))),
                world.n(2).node.settings(ORDERS).orElseThrow());
        assertEquals("invalid", code(a, reply -> a.node.settings(ORDERS, was -> was.withProtectThreshold(2), reply)));
        accept(a, reply -> a.node.deleteSettings(ORDERS, reply));
        world.run(Duration.ofMillis(20));
        assertTrue(world.n(2).node.settings(ORDERS).isEmpty());
        assertEquals(2, told.size());
    }

    @Test
    void aNodeThatHasJustStartedTakesNothingBeforeItKnowsWhatOthersHave() {
        ClusterWorld world = new ClusterWorld(1, 2).warm();
        put(world.n(1), 80, "1");
        world.n(2).crash();
        put(world.n(1), 80, "2");
        world.n(2).start();
        assertEquals("overloaded", code(world.n(2), reply -> world.n(2).node.putPersistent(instance(80, "3"), reply)));
        world.run(Duration.ofSeconds(5));
        put(world.n(2), 80, "3");
        world.run(Duration.ofSeconds(5));
        assertEquals("3", world.n(1).version(80));
    }

    @Test
    void operatorsRemovePersistentInstancesLikeOthers() {
        ClusterWorld world = new ClusterWorld(1, 1).warm();
        Machine only = world.n(1);
        put(only, 80, "1");
        accept(only, reply -> only.node.remove(id(80), true, "operator", reply));
        assertEquals(List.of(), only.ports());
    }

    @Test
    void noNodeMayHaveTheNameOfWhatBelongsToAll() {
        Assertions.assertThrows(InvalidValueException.class, () -> NodeSettings.defaults(NodeId.ALL.name()));
    }

    /** A table of some size is there before anybody is told that the node is ready. */
    @Test
    void aNewNodeIsReadyWhenItHasEverything() {
        ClusterWorld world = new ClusterWorld(1, 2).warm();
        for (int i = 0; i < 500; i++) {
            ServiceKey service = ServiceKey.of("s" + i);
            InstanceId id = new InstanceId(service, "DEFAULT", "10.0.0.1", 80);
            Instance instance = new Instance(id, 1, true, Metadata.of(Map.of("k", "x".repeat(500))));
            world.n(1).in(() -> world.n(1).node.putPersistent(instance, reply -> {}));
        }
        world.run(Duration.ofSeconds(5));
        world.n(2).crash();
        world.n(2).disk.contents().keySet().forEach(world.n(2).disk::remove);
        world.n(2).start();
        Machine fresh = world.n(2);
        assertTrue(world.time.runUntil(() -> fresh.node.status().ready(), Duration.ofSeconds(15)));
        assertEquals(500, fresh.node.durableStatus().values());
        assertEquals(500, fresh.node.services("public").size());
    }
}
