package io.mooring.server.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.InstanceId;
import io.mooring.model.Metadata;
import io.mooring.model.ServiceKey;
import io.mooring.runtime.VirtualTime;
import io.mooring.server.check.Checker.Result;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Who is checked when, and what results come to, in virtual time. */
class HealthChecksTest implements HealthChecks.Wards {
    private final VirtualTime time =
            new VirtualTime(Long.MAX_VALUE - Duration.ofSeconds(30).toNanos());
    private final VirtualTime.Loop loop = time.loop("node");
    private final Map<InstanceId, ClusterSettings> wards = new TreeMap<>();
    private final Set<InstanceId> unhealthy = new HashSet<>();
    private final Map<InstanceId, Result> results = new TreeMap<>();
    private final List<Long> asked = new ArrayList<>();
    private final List<String> found = new ArrayList<>();
    private Duration takes = Duration.ofMillis(10);
    private boolean trusted = true;
    private boolean written = true;
    private int atOnce;
    private int most;
    private final HealthChecks checks = new HealthChecks(
            loop,
            new Random(1),
            (instance, how, result) -> {
                asked.add(time.now());
                most = Math.max(most, ++atOnce);
                loop.schedule(takes, () -> {
                    atOnce--;
                    result.accept(results.getOrDefault(instance, Result.PASSED));
                });
            },
            this);

    @Override
    public void forEach(BiConsumer<InstanceId, ClusterSettings> each) {
        wards.forEach(each);
    }

    @Override
    public boolean isHealthy(InstanceId instance) {
        return !unhealthy.contains(instance);
    }

    @Override
    public boolean isTrusted() {
        return trusted;
    }

    @Override
    public void found(InstanceId instance, boolean healthy) {
        found.add(instance.port() + " " + healthy);
        if (written) {
            if (healthy) {
                unhealthy.remove(instance);
            } else {
                unhealthy.add(instance);
            }
        }
    }

    private InstanceId ward(int port) {
        InstanceId id = new InstanceId(ServiceKey.of("orders"), "DEFAULT", "10.0.0.1", port);
        wards.put(id, ClusterSettings.DEFAULTS);
        return id;
    }

    private void run(int seconds) {
        for (int i = 0; i < seconds; i++) {
            loop.run(checks::look);
            time.runFor(Duration.ofSeconds(1));
        }
    }

    @Test
    void theHealthyIsAskedLessAndLess() {
        ward(80);
        run(60);
        assertEquals(List.of(), found);
        long last = asked.get(asked.size() - 1) - asked.get(asked.size() - 2);
        assertTrue(
                last > Duration.ofSeconds(4).toNanos()
                        && last < Duration.ofSeconds(6).toNanos(),
                "interval " + last);
        assertTrue(asked.size() >= 12 && asked.size() <= 18, "asked " + asked.size());
    }

    @Test
    void threeFailuresInARowAreBelieved() {
        InstanceId id = ward(80);
        run(30);
        results.put(id, Result.FAILED);
        int before = asked.size();
        assertTrue(time.runUntil(() -> asked.size() == before + 2, Duration.ofSeconds(10)));
        time.runFor(takes);
        results.put(id, Result.PASSED);
        run(10);
        assertEquals(List.of(), found, "two are not enough, and a pass between begins anew");
        results.put(id, Result.FAILED);
        run(10);
        assertEquals(List.of("80 false"), found);
        results.put(id, Result.PASSED);
        run(10);
        assertEquals(List.of("80 false", "80 true"), found);
    }

    @Test
    void aRefusalIsBelievedAtOnceAndAPassAfterItIsNot() {
        InstanceId id = ward(80);
        results.put(id, Result.REFUSED);
        run(4);
        assertEquals(List.of("80 false"), found);
        results.put(id, Result.PASSED);
        int before = asked.size();
        while (found.size() < 2) {
            run(1);
            assertTrue(asked.size() - before < 10, "it is never believed");
        }
        assertTrue(asked.size() - before >= 3, "believed after " + (asked.size() - before));
    }

    @Test
    void whatCannotBeAskedIsLeftAlone() {
        InstanceId id = ward(80);
        results.put(id, Result.NOT_ASKED);
        unhealthy.add(id);
        run(60);
        assertEquals(List.of(), found);
        wards.put(id, new ClusterSettings(Check.NONE, "", "", 200, 80, true, Metadata.empty()));
        run(2);
        int before = asked.size();
        run(60);
        assertEquals(before, asked.size());
        assertEquals(0, checks.checked());
    }

    @Test
    void whoDoesNotTrustTheNetworkFindsNobodyUnhealthy() {
        InstanceId id = ward(80);
        InstanceId back = ward(81);
        unhealthy.add(back);
        trusted = false;
        results.put(id, Result.REFUSED);
        run(30);
        assertEquals(List.of("81 true"), found);
        trusted = true;
        run(10);
        assertEquals(List.of("81 true", "80 false"), found);
    }

    @Test
    void whatCouldNotBeWrittenIsSaidAgain() {
        InstanceId id = ward(80);
        written = false;
        results.put(id, Result.REFUSED);
        run(10);
        assertTrue(found.size() > 3, found.toString());
        written = true;
        run(3);
        int before = found.size();
        run(30);
        assertEquals(before, found.size());
    }

    @Test
    void soManyAtOnceAndEverybodyGetsHisTurn() {
        for (int port = 1; port <= 2_000; port++) {
            ward(port);
        }
        takes = Duration.ofMillis(100);
        run(20);
        assertEquals(64, most);
        assertEquals(2_000, checks.checked());
        results.put(ward(1_999), Result.REFUSED);
        run(20);
        assertEquals(List.of("1999 false"), found);
    }

    @Test
    void whoIsGoneIsNotAskedAnyMore() {
        InstanceId id = ward(80);
        run(10);
        wards.clear();
        run(1);
        int before = asked.size();
        run(60);
        assertEquals(before, asked.size());
        wards.put(id, ClusterSettings.DEFAULTS);
        run(5);
        assertFalse(asked.size() == before);
    }
}
