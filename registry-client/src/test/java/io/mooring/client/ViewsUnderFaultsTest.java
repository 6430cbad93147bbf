package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import io.mooring.model.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * B2 to B7, from the client's side: random changes, cuts, crashes, restarts without memory, odd deltas, and process
 * restarts from disk, while a listener writes down what it is told and rebuilds the list from that alone.
 */
class ViewsUnderFaultsTest {
    private static final String VERSION = "version";

    private final Map<String, Integer> happened = new HashMap<>();

    private final class Recorder implements ServiceListener {
        private final TreeMap<InstanceId, ListedInstance> rebuilt = new TreeMap<>();
        private final Map<InstanceId, Long> highest = new HashMap<>();
        private final String seed;

        Recorder(String seed) {
            this.seed = seed;
        }

        private long version(ListedInstance listed) {
            return Long.parseLong(String.valueOf(listed.instance().metadata().get(VERSION)));
        }

        private final List<AssertionError> failures = new ArrayList<>(); // the client would only log them

        @Override
        public void onChange(ServiceChange change) {
            try {
                compare(change);
            } catch (AssertionError e) {
                failures.add(e);
            }
        }

        void verify() {
            for (AssertionError failure : failures) {
                throw failure;
            }
        }

        private void compare(ServiceChange change) {
            int before = rebuilt.size();
            int unexplained = 0;
            for (ServiceChange.Removed removed : change.removed()) {
                assertEquals(
                        removed.instance(),
                        rebuilt.remove(removed.instance().id()),
                        seed + " removed what was not there");
                boolean certain = removed.cause().map(RemovalCause::certain).orElse(false);
                unexplained += certain ? 0 : 1;
            }
            if (unexplained == before && before > 0) {
                count("emptied by confirmation");
            }
            for (ListedInstance listed : change.added()) {
                assertEquals(null, rebuilt.put(listed.id(), listed), seed + " added twice");
                check(listed);
            }
            for (ListedInstance listed : change.changed()) {
                ListedInstance was = rebuilt.put(listed.id(), listed);
                assertFalse(was == null || was.equals(listed), seed + " changed into the same");
                check(listed);
            }
            assertEquals(
                    change.view().instances(),
                    List.copyOf(rebuilt.values()),
                    seed + " the parts do not make the whole");
        }

        private void check(ListedInstance listed) {
            long known = highest.getOrDefault(listed.id(), 0L);
            assertTrue(version(listed) >= known, seed + " went back: " + listed + " after " + known);
            highest.put(listed.id(), version(listed));
        }
    }

    private void count(String what) {
        happened.merge(what, 1, Integer::sum);
    }

    @Test
    void viewsNeverGoBackNeverEmptyAndArriveInTheEnd() {
        for (long seed = 0; seed < 300; seed++) {
            play(seed);
        }
        for (String what : List.of("put", "remove", "cut", "crash", "amnesia", "odd delta", "restart", "held")) {
            assertTrue(happened.getOrDefault(what, 0) > 20, what + " happened too seldom: " + happened);
        }
    }

    private void play(long number) {
        String seed = "seed " + number + ":";
        Random random = new Random(number);
        Stage stage = new Stage(number);
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        Recorder recorder = new Recorder(seed);
        Subscription subscription = orders.onChange(recorder);
        long version = 1;
        for (int step = 0; step < 60; step++) {
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3 -> {
                    List<Instance> put = new ArrayList<>();
                    for (int i = random.nextInt(4); i >= 0; i--) {
                        put.add(Stage.instance(random.nextInt(8)).withMetadata(Map.of(VERSION, "" + version++)));
                    }
                    stage.registry.put(put.toArray(new Instance[0]));
                    count("put");
                }
                case 4 -> {
                    RemovalCause cause = random.nextBoolean() ? RemovalCause.DEREGISTERED : RemovalCause.LEASE_EXPIRED;
                    int from = random.nextInt(8);
                    stage.registry.remove(cause, Stage.ids(from, from + random.nextInt(8 - from) + 1));
                    count("remove");
                }
                case 5 -> {
                    stage.registry.live().forEach(c -> c.end("cut"));
                    count("cut");
                }
                case 6 -> {
                    stage.registry.crash();
                    stage.runMillis(random.nextInt(20_000));
                    if (random.nextBoolean()) {
                        stage.registry.forget(Stage.ORDERS);
                        stage.registry.incomplete = random.nextBoolean();
                        count("amnesia");
                    }
                    stage.registry.mode = FakeRegistry.Mode.UP;
                    count("crash");
                }
                case 7 -> {
                    stage.registry
                            .live()
                            .forEach(c -> c.say(new io.mooring.protocol.ServerMessage.Delta(
                                    Stage.ORDERS,
                                    random.nextInt(30),
                                    1_000_000,
                                    5,
                                    List.of(),
                                    List.of(),
                                    false,
                                    false)));
                    count("odd delta");
                }
                case 8 -> {
                    if (stage.registry.incomplete) {
                        stage.registry.incomplete = false;
                        stage.registry
                                .live()
                                .forEach(c -> c.say(stage.registry.same(OptionalLong.empty(), Stage.ORDERS)));
                    }
                }
                case 9 -> {
                    List<ListedInstance> listed = new ArrayList<>();
                    stage.registry
                            .view(OptionalLong.empty(), Stage.ORDERS)
                            .instances()
                            .forEach(i -> listed.add(new ListedInstance(
                                    i.instance(), random.nextBoolean() ? Standing.SUSPECT : Standing.LIVE)));
                    stage.registry.list(listed);
                }
                case 10 -> {
                    if (random.nextInt(3) == 0) {
                        subscription.close();
                        var closing = mooring.closeAsync();
                        stage.run(Duration.ofSeconds(2));
                        assertTrue(closing.isDone(), seed + " did not close");
                        int known = orders.view().instances().size();
                        mooring = stage.client();
                        orders = mooring.service("orders");
                        assertEquals(known, orders.view().instances().size(), seed + " the disk knows less");
                        recorder.verify();
                        recorder = new Recorder(seed);
                        subscription = orders.onChange(recorder);
                        count("restart");
                    }
                }
                default -> stage.runMillis(random.nextInt(90_000));
            }
            int shown = orders.view().instances().size();
            stage.runMillis(random.nextInt(30));
            if (orders.view().underProtection()) {
                count("held");
                assertTrue(orders.view().instances().size() > 0, seed + " empty under protection");
                assertTrue(orders.view().instances().size() >= shown / 2, seed + " shrank under protection");
            }
        }
        stage.registry.incomplete = false;
        stage.registry.live().forEach(c -> c.say(stage.registry.same(OptionalLong.empty(), Stage.ORDERS)));
        stage.run(Duration.ofMinutes(3));
        assertEquals(Source.LIVE, orders.view().source(), seed);
        assertEquals(
                stage.registry.view(OptionalLong.empty(), Stage.ORDERS).instances(),
                orders.view().instances(),
                seed + " did not converge");
        assertFalse(orders.view().underProtection(), seed);
        assertEquals(orders.view().instances(), List.copyOf(recorder.rebuilt.values()), seed);
        recorder.verify();
        assertEquals(0, mooring.status().internalFailures(), seed);
        assertEquals(0, mooring.status().watchdogRestarts(), seed);
        if (stage.loop.lastFailure.isPresent()) {
            throw new AssertionError(seed, stage.loop.lastFailure.get());
        }
    }
}
