package io.mooring.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.client.MooringPorts.CacheStore;
import io.mooring.client.MooringPorts.Connector;
import io.mooring.client.MooringPorts.Link;
import io.mooring.client.MooringPorts.LinkListener;
import io.mooring.client.ServiceSnapshot.Source;
import io.mooring.model.Instance;
import io.mooring.protocol.ServerMessage;
import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** C11: a layer around every port throws at each call in turn, enumerated; the client must be back each time. */
class ReconnectLoopCannotDieTest {
    private static final List<Supplier<Throwable>> KINDS = List.of(
            () -> new IllegalStateException("planted"),
            () -> new StackOverflowError("planted"),
            () -> new NoClassDefFoundError("planted"));

    /** Counts calls of ports on the client's behalf, and throws in one of them. */
    private static final class Faults {
        long calls;
        long failAt = -1;
        Supplier<Throwable> kind = KINDS.get(0);
        boolean off = true;
        String failed = "";

        void at(String site) {
            if (!off && calls++ == failAt) {
                failed = site;
                sneak(kind.get());
            }
        }

        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private static <T extends Throwable> void sneak(Throwable e) throws T {
            throw (T) e;
        }
    }

    private record FaultyLoop(VirtualEventLoop loop, Faults faults) implements EventLoop {
        @Override
        public void execute(Runnable task) {
            faults.at("execute");
            loop.execute(task);
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            faults.at("schedule");
            Timer timer = loop.schedule(delay, task);
            return () -> {
                faults.at("cancel");
                timer.cancel();
            };
        }

        @Override
        public long now() {
            faults.at("now");
            return loop.now();
        }

        @Override
        public boolean inLoop() {
            return loop.inLoop();
        }
    }

    private static Connector faulty(Stage stage, Faults faults, List<Long> attempts) {
        Connector connector = stage.registry;
        return (address, listener) -> {
            attempts.add(stage.loop.now());
            faults.at("open");
            LinkListener sturdy = new LinkListener() {
                @Override
                public void opened() {
                    listener.opened();
                }

                @Override
                public void received(byte[] frame) {
                    listener.received(frame);
                }

                @Override
                public void sent() {
                    listener.sent();
                }

                @Override
                public void closed(String reason) {
                    listener.closed(reason);
                }
            };
            Link link = connector.open(address, sturdy);
            return new Link() {
                @Override
                public void send(byte[] frame) {
                    faults.at("send");
                    link.send(frame);
                }

                @Override
                public void next() {
                    faults.at("next");
                    link.next();
                }

                @Override
                public void abort() {
                    faults.at("abort");
                    link.abort();
                }
            };
        };
    }

    private static MooringPorts faultyPorts(Stage stage, Faults faults, List<Long> attempts) {
        MooringPorts plain = stage.ports();
        RandomGenerator random = new Random(stage.seed);
        FaultyLoop loop = new FaultyLoop(stage.loop, faults);
        CacheStore store = new CacheStore() {
            @Override
            public List<byte[]> read(String name) throws IOException {
                faults.at("read");
                return stage.disk.read(name);
            }

            @Override
            public void write(String name, byte[] content) throws IOException {
                faults.at("write");
                stage.disk.write(name, content);
            }
        };
        return new MooringPorts(
                loop,
                () -> {
                    faults.at("random");
                    return random.nextLong();
                },
                plain.lookupRandom(),
                () -> {
                    faults.at("clock");
                    return stage.loop.instant();
                },
                faulty(stage, faults, attempts),
                Optional.of(store),
                task -> {
                    faults.at("cache executor");
                    stage.loop.execute(task);
                },
                task -> {
                    faults.at("listener executor");
                    stage.loop.execute(task);
                },
                plain.released());
    }

    /** The story: connect, register, subscribe, lose the registry, move, lose it for long, and have it back. */
    private static long play(long failAt, Supplier<Throwable> kind) {
        Faults faults = new Faults();
        faults.failAt = failAt;
        faults.kind = kind;
        Stage stage = new Stage(7);
        List<Long> attempts = new ArrayList<>();
        stage.registry.put(Stage.instances(3));
        Mooring mooring = Mooring.builder()
                .servers("a", "b")
                .ports(faultyPorts(stage, faults, attempts))
                .build();
        Service orders = mooring.service("orders");
        Subscription subscription = orders.onChange(change -> {});
        mooring.register("billing", "10.9.9.9", 80);
        faults.off = false; // what the application calls itself may throw at it; from here on nobody could catch
        stage.run(Duration.ofSeconds(12));
        stage.registry.latest().end("reset");
        stage.run(Duration.ofSeconds(12));
        stage.registry
                .latest()
                .say(new ServerMessage.Peers(List.of("c:1")), new ServerMessage.Move(Duration.ZERO, List.of("c:1")));
        stage.run(Duration.ofSeconds(12));
        stage.registry.crash();
        stage.run(Duration.ofSeconds(70));
        stage.registry.holders.clear();
        stage.registry.forget(io.mooring.model.ServiceKey.of("billing"));
        stage.registry.mode = FakeRegistry.Mode.UP;
        stage.run(Duration.ofSeconds(12));
        faults.off = true;
        stage.registry.put(Instance.of(Stage.ORDERS, "10.1.1.1", 1));
        stage.run(Duration.ofSeconds(65));

        String what = "call " + failAt + " (" + faults.failed + ", "
                + kind.get().getClass().getSimpleName() + ")";
        assertEquals(Source.LIVE, orders.view().source(), what);
        assertEquals(4, orders.view().instances().size(), what);
        assertEquals(1, stage.confirmed(), what);
        assertTrue(failAt < 0 || !faults.failed.isEmpty(), "the fault never happened: " + what);
        for (int i = 1; i < attempts.size(); i++) {
            Duration gap = Duration.ofNanos(attempts.get(i) - attempts.get(i - 1));
            assertTrue(gap.toMillis() <= 36_000, "gap of " + gap + ": " + what); // 30 s, and one round of the watchdog
        }
        subscription.close();
        return faults.calls;
    }

    @Test
    void noCallOfAPortThatThrowsEndsTheLoop() {
        long calls = play(-1, KINDS.get(0));
        assertTrue(calls > 100, "calls: " + calls);
        for (Supplier<Throwable> kind : KINDS) {
            for (long call = 0; call < calls; call++) {
                play(call, kind);
            }
        }
    }
}
