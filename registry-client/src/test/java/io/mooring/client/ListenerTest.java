package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.model.ListedInstance;
import io.mooring.model.RemovalCause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** B12, B13. */
class ListenerTest {
    private final Stage stage = new Stage(5);

    @Test
    void hearsWhatIsThereThenWhatChangesAndWhy() {
        stage.registry.put(Stage.instances(3));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        List<ServiceChange> heard = new ArrayList<>();
        Subscription subscription = orders.onChange(heard::add);
        stage.runMillis(20);
        assertEquals(1, heard.size());
        assertEquals(3, heard.get(0).added().size());
        assertEquals(ServiceSnapshot.Source.LIVE, heard.get(0).view().source());

        stage.registry.put(Stage.instance(1).withWeight(7));
        stage.registry.remove(RemovalCause.OPERATOR, Stage.instance(2).id());
        stage.registry.put(Stage.instance(9));
        stage.runMillis(20);
        List<ListedInstance> added = new ArrayList<>();
        List<ListedInstance> changed = new ArrayList<>();
        List<ServiceChange.Removed> removed = new ArrayList<>();
        for (ServiceChange change : heard.subList(1, heard.size())) {
            added.addAll(change.added());
            changed.addAll(change.changed());
            removed.addAll(change.removed());
        }
        assertEquals(
                List.of(Stage.instance(9).id()),
                added.stream().map(ListedInstance::id).toList());
        assertEquals(7, changed.get(0).instance().weight());
        assertEquals(1, removed.size());
        assertEquals(Stage.instance(2).id(), removed.get(0).instance().id());
        assertEquals(Optional.of(RemovalCause.OPERATOR), removed.get(0).cause());

        List<ServiceChange> late = new ArrayList<>();
        orders.onChange(late::add).close();
        Subscription second = orders.onChange(late::add);
        stage.runMillis(20);
        assertEquals(1, late.size());
        assertEquals(3, late.get(0).added().size());
        second.close();
        subscription.close();
        int before = heard.size();
        stage.registry.put(Stage.instance(10));
        stage.runMillis(20);
        assertEquals(before, heard.size());
        assertEquals(1, late.size());
    }

    @Test
    void hearsOfAnEmptyServiceOnceItIsKnown() {
        Mooring mooring = stage.client();
        List<ServiceChange> heard = new ArrayList<>();
        Subscription subscription = mooring.service("nobody").onChange(heard::add);
        stage.runMillis(20);
        assertEquals(1, heard.size());
        assertTrue(heard.get(0).added().isEmpty());
        subscription.close();
    }

    @Test
    void oneThatThrowsIsCalledAgainAndDisturbsNobody() {
        stage.registry.put(Stage.instance(0));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        AtomicInteger calls = new AtomicInteger();
        List<ServiceChange> heard = new ArrayList<>();
        Subscription hostile = orders.onChange(change -> {
            calls.incrementAndGet();
            throw new LinkageError("planted");
        });
        Subscription friendly = orders.onChange(heard::add);
        stage.runMillis(20);
        stage.registry.put(Stage.instance(1));
        stage.runMillis(20);
        assertEquals(2, calls.get());
        assertEquals(2, heard.size());
        assertEquals(2, mooring.status().listenerFailures());
        assertEquals(0, mooring.status().internalFailures());
        hostile.close();
        friendly.close();
    }

    /** On real threads: ten listeners block for as long as the test lasts; the others hear, renewals go on. */
    @Test
    @Timeout(60)
    void onesThatBlockDelayNobodyAndHearTheLastStateInTheEnd() throws Exception {
        stage.registry.put(Stage.instance(0));
        ExecutorService threads = Executors.newFixedThreadPool(Mooring.MOST_LISTENER_THREADS);
        MooringPorts plain = stage.ports();
        Mooring mooring = Mooring.builder()
                .servers("a")
                .ports(new MooringPorts(
                        plain.loop(),
                        plain.random(),
                        plain.lookupRandom(),
                        plain.wallClock(),
                        plain.connector(),
                        plain.cache(),
                        plain.cacheExecutor(),
                        threads,
                        plain.released()))
                .build();
        Service orders = mooring.service("orders");
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(10);
        CountDownLatch sawAll = new CountDownLatch(10);
        AtomicInteger hostileCalls = new AtomicInteger();
        for (int i = 0; i < 10; i++) {
            orders.onChange(change -> {
                hostileCalls.incrementAndGet();
                blocked.countDown();
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                if (change.view().instances().size() == 50) {
                    sawAll.countDown();
                }
            });
        }
        CountDownLatch heard = new CountDownLatch(1);
        orders.onChange(change -> {
            if (change.view().instances().size() == 50) {
                heard.countDown();
            }
        });
        stage.runMillis(20);
        assertTrue(blocked.await(30, TimeUnit.SECONDS));
        for (int i = 1; i < 50; i++) {
            stage.registry.put(Stage.instance(i));
            stage.run(Duration.ofSeconds(2)); // a hundred seconds of blocking, in virtual time
        }
        assertTrue(heard.await(30, TimeUnit.SECONDS), "a friendly listener waited for a hostile one");
        assertEquals(1, stage.registry.opened.size(), "renewals stopped");
        assertEquals(10, hostileCalls.get());
        release.countDown();
        assertTrue(sawAll.await(30, TimeUnit.SECONDS), "the last state did not arrive");
        assertEquals(20, hostileCalls.get(), "50 changes are one merged change");
        threads.shutdownNow();
    }

    @Test
    void whatStillWaitsForAThreadWhenItIsClosedIsNotTold() {
        stage.registry.put(Stage.instance(0));
        Service orders = stage.client().service("orders");
        stage.runMillis(20);
        List<Runnable> waiting = new ArrayList<>();
        List<ServiceChange> told = new ArrayList<>();
        ListenerQueue queue = new ListenerQueue(told::add, waiting::add, stage.loop, new Counters(), q -> {});
        queue.offer(lookup(orders, 1), java.util.Map.of());
        assertEquals(1, waiting.size());
        queue.close();
        waiting.forEach(Runnable::run);
        assertEquals(List.of(), told);
    }

    /** On real threads, again and again: no call starts after close has returned. */
    @Test
    @Timeout(60)
    void afterCloseReturnedNoCallStarts() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        stage.registry.put(Stage.instance(0));
        Mooring mooring = stage.client();
        Service orders = mooring.service("orders");
        stage.runMillis(20);
        Lookup one = lookup(orders, 1);
        Lookup two = lookup(orders, 2);
        for (int round = 0; round < 20_000; round++) {
            AtomicBoolean closed = new AtomicBoolean();
            AtomicInteger running = new AtomicInteger();
            AtomicInteger late = new AtomicInteger();
            ListenerQueue queue = new ListenerQueue(
                    change -> {
                        running.incrementAndGet();
                        if (closed.get() && running.get() > 1) {
                            late.incrementAndGet(); // the second call begins after close: the first was "the one
                            // running"
                        }
                    },
                    threads,
                    stage.loop,
                    new Counters(),
                    q -> {});
            queue.offer(one, java.util.Map.of());
            queue.close();
            closed.set(true);
            int before = running.get();
            queue.offer(two, java.util.Map.of());
            assertEquals(0, late.get());
            assertTrue(running.get() <= Math.max(1, before), "round " + round);
        }
        threads.shutdown();
        assertTrue(threads.awaitTermination(30, TimeUnit.SECONDS));
        assertFalse(orders.instances().isEmpty());
    }

    private Lookup lookup(Service orders, int size) {
        while (orders.view().instances().size() < size) {
            stage.registry.put(Stage.instance(orders.view().instances().size()));
            stage.runMillis(20);
        }
        return new Lookup(
                Stage.ORDERS,
                orders.view().instances(),
                new Candidate[0],
                List.of(),
                new Candidates(new Candidate[0], stage.ports().lookupRandom()),
                new Lookup.Prepared[0],
                ServiceSnapshot.Source.LIVE,
                new Lookup.Freshness(Duration.ZERO, 0),
                false,
                false);
    }
}
