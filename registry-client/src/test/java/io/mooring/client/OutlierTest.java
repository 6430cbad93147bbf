package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** C7 and the rest of ejection. */
class OutlierTest {
    private final Stage stage = new Stage(11);

    private Service service(int instances, Balancer balancer) {
        stage.registry.put(Stage.instances(instances));
        Service orders = stage.client(builder -> builder.balancer(balancer)).service("orders");
        stage.runMillis(20);
        assertEquals(instances, orders.instances().size());
        return orders;
    }

    @Test
    void eachDeadInstanceIsTriedOnceInACoolDown() {
        for (Balancer balancer : List.of(
                Balancer.weightedRandom(),
                Balancer.roundRobin(),
                Balancer.leastActive(),
                Balancer.consistentHash(),
                Balancer.zoneFirst("x", Balancer.roundRobin()))) {
            Stage own = new Stage(12);
            own.registry.put(Stage.instances(10));
            Service orders = own.client(builder -> builder.balancer(balancer)).service("orders");
            own.runMillis(20);
            own.registry.crash();
            Set<InstanceId> dead = new HashSet<>(List.of(Stage.ids(0, 5)));
            Map<InstanceId, Integer> tries = new HashMap<>();
            int coolDowns = 6;
            for (int call = 0; call < coolDowns * 1_000; call++) {
                Instance chosen = orders.choose("key-" + call).orElseThrow();
                boolean fails = dead.contains(chosen.id());
                if (fails) {
                    tries.merge(chosen.id(), 1, Integer::sum);
                }
                orders.report(chosen, fails ? CallResult.UNREACHABLE : CallResult.SUCCESS);
                own.runMillis(10); // a cool-down is a thousand calls
            }
            assertEquals(5, tries.size());
            tries.forEach((id, count) -> assertTrue(count <= coolDowns + 1, id + " was tried " + count + " times"));
            tries.forEach((id, count) -> assertTrue(count >= coolDowns - 2, id + " was tried " + count + " times"));
        }
    }

    @Test
    void ejectionCountsAtOnceWithoutWaitingForTheLoop() {
        Service orders = service(4, Balancer.roundRobin());
        Instance first = orders.choose().orElseThrow();
        orders.report(first, CallResult.UNREACHABLE);
        for (int i = 0; i < 100; i++) { // the loop has not run
            assertFalse(orders.choose().orElseThrow().equals(first));
        }
    }

    @Test
    void aRetryGoesToOneThatAnsweredWell() {
        Service orders = service(10, Balancer.weightedRandom());
        orders.report(Stage.instance(7), CallResult.SUCCESS);
        stage.runMillis(5);
        orders.report(Stage.instance(3), CallResult.SUCCESS);
        stage.runMillis(5);
        for (int i = 0; i < 50; i++) {
            assertEquals(
                    Stage.instance(3), orders.chooseAnother(Stage.instance(1)).orElseThrow());
        }
        assertEquals(Stage.instance(7), orders.chooseAnother(Stage.instance(3)).orElseThrow());
    }

    @Test
    void withOneDeadProviderOneRetrySuffices() {
        for (long seed = 0; seed < 50; seed++) {
            Stage own = new Stage(seed);
            own.registry.put(Stage.instances(2 + (int) (seed % 5)));
            Service orders = own.client().service("orders");
            own.runMillis(20);
            own.registry.crash();
            for (int call = 0; call < 300; call++) {
                Instance chosen = orders.choose().orElseThrow();
                if (chosen.equals(Stage.instance(0))) {
                    orders.report(chosen, CallResult.UNREACHABLE);
                    Instance other = orders.chooseAnother(chosen).orElseThrow();
                    assertFalse(other.equals(chosen), "seed " + seed);
                }
                own.runMillis(50);
            }
        }
    }

    @Test
    void neverMoreThanHalf() {
        Service orders = service(5, Balancer.weightedRandom());
        for (Instance instance : Stage.instances(5)) {
            orders.report(instance, CallResult.UNREACHABLE);
        }
        stage.runMillis(5);
        Set<Instance> chosen = new HashSet<>();
        for (int i = 0; i < 500; i++) {
            chosen.add(orders.choose().orElseThrow());
        }
        assertEquals(3, chosen.size());
        stage.registry.remove(io.mooring.model.RemovalCause.DEREGISTERED, Stage.ids(0, 4));
        stage.runMillis(20);
        orders.report(Stage.instance(4), CallResult.UNREACHABLE);
        assertEquals(Stage.instance(4), orders.choose().orElseThrow());
    }

    @Test
    void failuresInARowAndTheirShareEject() {
        Stage row = new Stage(1);
        row.registry.put(Stage.instances(4));
        Mooring mooring = row.client(b -> b.outlierEjection(3, 2, Duration.ofSeconds(10)));
        Service orders = mooring.service("orders");
        row.runMillis(20);
        for (int i = 0; i < 2; i++) {
            orders.report(Stage.instance(0), CallResult.FAILURE);
        }
        orders.report(Stage.instance(0), CallResult.SUCCESS);
        for (int i = 0; i < 2; i++) {
            orders.report(Stage.instance(0), CallResult.FAILURE);
        }
        assertEquals(0, mooring.status().ejectedInstances());
        orders.report(Stage.instance(0), CallResult.FAILURE);
        assertEquals(1, mooring.status().ejectedInstances());
        row.run(Duration.ofSeconds(11));
        orders.report(Stage.instance(0), CallResult.SUCCESS);
        assertEquals(0, mooring.status().ejectedInstances());

        Stage share = new Stage(1);
        share.registry.put(Stage.instances(4));
        Mooring other = share.client(b -> b.outlierEjection(0, 0.5, Duration.ofSeconds(10)));
        Service same = other.service("orders");
        share.runMillis(20);
        for (int i = 0; i < 19; i++) {
            same.report(Stage.instance(1), i % 2 == 0 ? CallResult.FAILURE : CallResult.SUCCESS);
        }
        assertEquals(0, other.status().ejectedInstances());
        same.report(Stage.instance(1), CallResult.FAILURE);
        assertEquals(1, other.status().ejectedInstances());
    }

    @Test
    void oneThatLeavesWhileEjectedIsForgotten() {
        stage.registry.put(Stage.instances(4));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        orders.report(Stage.instance(0), CallResult.UNREACHABLE);
        stage.registry.remove(
                io.mooring.model.RemovalCause.DEREGISTERED, Stage.instance(0).id());
        stage.runMillis(20);
        assertEquals(0, mooring.status().ejectedInstances());
        stage.registry.put(Stage.instance(0));
        stage.runMillis(20);
        Set<Instance> chosen = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            chosen.add(orders.choose().orElseThrow());
        }
        assertEquals(4, chosen.size());
    }

    @Test
    void callsUnderWayAreCountedOverChangesOfTheList() {
        Service orders = service(2, Balancer.leastActive());
        for (int i = 0; i < 50; i++) {
            Call call = orders.begin().orElseThrow();
            if (!call.instance().equals(Stage.instance(0))) {
                call.close(); // 0 keeps its calls
                call.close();
            }
        }
        stage.registry.put(Stage.instance(5));
        stage.runMillis(20);
        Map<Instance, Integer> counts = new HashMap<>();
        for (int i = 0; i < 3_000; i++) {
            counts.merge(orders.choose().orElseThrow(), 1, Integer::sum);
        }
        assertTrue(counts.getOrDefault(Stage.instance(0), 0) < 500, counts.toString()); // one ninth, when drawn twice
    }
}
