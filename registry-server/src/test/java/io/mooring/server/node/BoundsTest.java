package io.mooring.server.node;

import static io.mooring.server.node.NodeWorld.ORDERS;
import static io.mooring.server.node.NodeWorld.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.ServiceKey;
import io.mooring.server.lease.LeaseSettings;
import io.mooring.server.lease.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** E9: every bound of the core is reached, refuses or forgets as it should, and lets go again. */
class BoundsTest {
    private static final int LIMIT = 5;

    /** All that grows in the core. A new one belongs here; the table of docs/architecture.md names them for people. */
    enum Bound {
        INSTANCES(world -> {
            world.session().connect().register(ofServices(LIMIT));
            refused(world, world.session().connect(), Instance.of(ServiceKey.of("one-more"), "10.0.0.1", 1));
        }),
        SERVICES(world -> {
            world.session().connect().register(ofServices(LIMIT));
            refused(world, world.session().connect(), Instance.of(ServiceKey.of("another"), "10.0.0.1", 1));
        }),
        INSTANCES_PER_SERVICE(world -> {
            world.session().connect().register(ofOneService(LIMIT));
            refused(world, world.session().connect(), instance(LIMIT + 1));
        }),
        INSTANCES_PER_SESSION(world -> {
            NodeWorld.Session session = world.session().connect().register(ofServices(LIMIT));
            refused(world, session, Instance.of(ServiceKey.of("service-0"), "10.0.0.2", 1));
        }),
        SESSIONS(world -> {
            for (int i = 0; i < LIMIT; i++) {
                world.session().connect();
            }
            NodeWorld.Session oneMore = world.session().connect();
            assertEquals("refused", oneMore.closed.orElseThrow());
            assertEquals(LIMIT, world.statusNow().sessions());
        }),
        REMOVALS_REMEMBERED(world -> {
            for (int round = 0; round < 50; round++) {
                NodeWorld.Session session = world.session().connect();
                session.register(instance(2 * round + 1), instance(2 * round + 2));
                session.bye();
            }
            assertEquals(64, world.view().removals().size());
            assertEquals(100, world.view().removals().get(63).instance().port(), "the latest are kept");
        }),
        EMPTY_SERVICES_REMEMBERED(world -> {
            ServiceKey first = ServiceKey.of("gone-0");
            for (int i = 0; i <= 10_000; i++) {
                NodeWorld.Session session = world.session().connect();
                session.register(Instance.of(ServiceKey.of("gone-" + i), "10.0.0.1", 1));
                session.bye();
            }
            assertEquals(0, world.node.view(first).revision(), "the oldest is forgotten");
            assertTrue(world.node.view(ServiceKey.of("gone-1")).revision() > 0);
        }),
        PROBES_WAITING(world -> {
            List<io.mooring.model.InstanceId> many = new ArrayList<>();
            for (int port = 1; port <= Evidence.MAX_WAITING + 1_000; port++) {
                many.add(instance(port).id());
            }
            List<Integer> probed = new ArrayList<>();
            Evidence evidence = new Evidence((host, port, verdict) -> probed.add(port), world.loop);
            world.in(() -> evidence.look(many, (id, verdict) -> {}));
            assertEquals(64, probed.size(), "a few at a time");
            assertEquals(Evidence.MAX_WAITING - 64, evidence.waiting());
        }),
        INSTANCES_PER_DELIVERY(world -> {
            NodeWorld.Session provider = world.session().connect();
            List<ServiceKey> keys = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                ServiceKey key = ServiceKey.of("large-" + i);
                keys.add(key);
                Instance[] instances = new Instance[900];
                for (int port = 1; port <= instances.length; port++) {
                    instances[port - 1] = Instance.of(key, "10.0.0.1", port);
                }
                provider.register(instances);
            }
            NodeWorld.Session reader = world.session().connect();
            reader.reads = false;
            world.in(
                    () -> world.node.subscribe(reader, ORDERS, java.util.OptionalLong.empty())); // the line is busy now
            world.in(() -> keys.forEach(key -> world.node.subscribe(reader, key, java.util.OptionalLong.empty())));
            reader.reads = true;
            world.run(Duration.ofSeconds(1));
            assertEquals(3, reader.mostAtOnce, "views of 900 instances in one delivery");
            assertEquals(9, reader.updates.size());
            assertEquals(0, world.statusNow().waitingSubscribers());
        }),
        DELIVERIES_PER_SUBSCRIBER(world -> {
            NodeWorld.Session slow = world.session().connect().subscribe();
            slow.reads = false;
            NodeWorld.Session provider = world.session().connect();
            for (int i = 0; i < 100; i++) {
                provider.register(instance(1, "v" + i));
            }
            world.run(Duration.ofSeconds(1));
            assertEquals(1, slow.updates.size());
            assertEquals(1, world.statusNow().waitingSubscribers());
            world.in(() -> world.node.forget(slow));
            assertEquals(0, world.statusNow().waitingSubscribers());
            assertEquals(0, world.statusNow().subscriptions());
        });

        private final Consumer<NodeWorld> reached;

        Bound(Consumer<NodeWorld> reached) {
            this.reached = reached;
        }
    }

    @ParameterizedTest
    @EnumSource
    void isReachedAndHolds(Bound bound) {
        NodeWorld world = new NodeWorld(1);
        boolean small = bound != Bound.REMOVALS_REMEMBERED
                && bound != Bound.EMPTY_SERVICES_REMEMBERED
                && bound != Bound.INSTANCES_PER_DELIVERY;
        LeaseSettings d = LeaseSettings.DEFAULTS;
        world.lease = !small
                ? d
                : new LeaseSettings(
                        d.ttl(),
                        d.grace(),
                        d.evictionWindow(),
                        d.evictionShare(),
                        d.evictionFloor(),
                        bound == Bound.INSTANCES ? LIMIT : 1_000,
                        bound == Bound.SERVICES ? LIMIT : 1_000,
                        bound == Bound.INSTANCES_PER_SERVICE ? LIMIT : 1_000,
                        bound == Bound.INSTANCES_PER_SESSION ? LIMIT : 1_000,
                        bound == Bound.SESSIONS ? LIMIT : 1_000);
        world.startWarm();
        bound.reached.accept(world);
    }

    private static Instance[] ofServices(int count) {
        Instance[] instances = new Instance[count];
        for (int i = 0; i < count; i++) {
            instances[i] = Instance.of(ServiceKey.of("service-" + i), "10.0.0.1", 1);
        }
        return instances;
    }

    private static Instance[] ofOneService(int count) {
        Instance[] instances = new Instance[count];
        for (int i = 0; i < count; i++) {
            instances[i] = Instance.of(ORDERS, "10.0.0.1", i + 1);
        }
        return instances;
    }

    private static void refused(NodeWorld world, NodeWorld.Session session, Instance oneMore) {
        Outcome outcome = session.tryRegister(List.of(oneMore));
        assertTrue(outcome instanceof Outcome.Refused, "one more was taken: " + outcome);
        assertEquals("limit", ((Outcome.Refused) outcome).code());
        assertTrue(((Outcome.Refused) outcome).message().contains("at most " + LIMIT), outcome.toString());
        assertEquals(LIMIT, world.statusNow().instances());
    }
}
