package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.push.Update;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One connection's deliveries, from a node that may still be gathering, over a stream that may not be ready. */
class PushesTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    private final List<TestClient.Message> sent = new ArrayList<>();
    private final Room room = new Room(1 << 20, Runnable::run);
    private boolean streamReady = true;
    private int readies;
    private long revision = 1;
    private long now = Long.MAX_VALUE - 1; // about to overflow, as the real one may
    private TestEndpoint end;
    private StreamOut out;
    private Pushes pushes;

    /** A stream that takes what it is given, if it likes. */
    private final class Stream extends ServerCall<Payload, Outgoing> {
        @Override
        public void request(int messages) {}

        @Override
        public void sendHeaders(Metadata headers) {}

        @Override
        public void sendMessage(Outgoing message) {
            try {
                sent.add(TestClient.message(Outgoing.TO_CLIENT.stream(message).readAllBytes()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close(Status status, Metadata trailers) {}

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public boolean isReady() {
            return streamReady;
        }

        @Override
        public MethodDescriptor<Payload, Outgoing> getMethodDescriptor() {
            throw new UnsupportedOperationException();
        }
    }

    @BeforeEach
    void start() {
        end = new TestEndpoint(); // whose node knows nothing of the service: what is delivered is what is told
        out = new StreamOut(new Stream(), false, room);
        pushes = new Pushes(
                end.node,
                out,
                new SharedLists(end.node, HealthView.Doubt.DEFAULTS),
                new Stamps(end.node.clock()),
                NacosGrpcMeter.NONE,
                () -> readies++,
                Duration.ofSeconds(1),
                () -> now);
    }

    @AfterEach
    void stop() {
        end.close();
    }

    private ServiceView view(List<Removal> removals, int... ports) {
        List<ListedInstance> listed = new ArrayList<>();
        long digest = 0;
        for (int port : ports) {
            ListedInstance one = new ListedInstance(Instance.of(ORDERS, "10.0.0.1", port), Standing.LIVE);
            digest += one.fingerprint();
            listed.add(one);
        }
        return new ServiceView(ORDERS, ++revision, digest, listed, false, removals);
    }

    private ServiceView view(int... ports) {
        return view(List.of(), ports);
    }

    private void deliver(ServiceView view, boolean incomplete) {
        pushes.deliver(List.of(new Update(null, view, incomplete)), System.nanoTime());
    }

    private List<Integer> last() {
        List<Integer> ports = new ArrayList<>();
        sent.get(sent.size() - 1)
                .hosts()
                .forEach(host -> ports.add(host.get("port").asInt()));
        return ports;
    }

    private void ack() {
        TestClient.Message push = sent.get(sent.size() - 1);
        pushes.acked(push.json().get("requestId").asLong());
    }

    /** These clients take a list for the truth, and have nothing to add it to. */
    @Test
    void whileTheNodeGathersNobodyLeavesWithoutACause() {
        pushes.subscribe(view(1, 2, 3), "");

        deliver(view(1, 3, 4), true);
        assertEquals(0, sent.size(), "2 is missing, and nobody said why");
        assertEquals(1, readies, "the next one may come");

        deliver(view(1, 2, 3, 4), true);
        assertEquals(List.of(1, 2, 3, 4), last(), "more is fine");
        ack();

        Removal goodbye = new Removal(Instance.of(ORDERS, "10.0.0.1", 2).id(), RemovalCause.DEREGISTERED);
        deliver(view(List.of(goodbye), 1, 3, 4), true);
        assertEquals(List.of(1, 3, 4), last(), "2 said goodbye");
        ack();

        deliver(view(1), false);
        assertEquals(List.of(1), last(), "the node knows");
    }

    @Test
    void whatTheClientHasIsNotToldAgain() {
        ServiceView told = view(1);
        pushes.subscribe(told, "");

        deliver(view(1), false);

        assertEquals(0, sent.size());
        assertEquals(1, readies);
    }

    /** Java clients that subscribe again on a new connection drop the answer. */
    @Test
    void whatTheAnswerSaidIsPushedOnceWhenItIsOver() {
        ServiceView told = view(1);
        pushes.subscribe(told, "");
        assertEquals(List.of(), pushes.unsure(), "it may still be at the answer");

        now += Duration.ofSeconds(1).toNanos();
        assertEquals(List.of(ORDERS), pushes.unsure());
        deliver(told, false);
        assertEquals(List.of(1), last());
        ack();

        assertEquals(List.of(), pushes.unsure(), "once");
        deliver(told, false);
        assertEquals(1, sent.size());

        pushes.subscribe(told, "");
        now += Duration.ofSeconds(1).toNanos();
        assertEquals(List.of(ORDERS), pushes.unsure(), "and once for each time it subscribes");
    }

    /** Java clients wait for the answer on one thread and take pushes on another; what comes last is believed. */
    @Test
    void whatMayHaveBeenTakenBeforeTheAnswerIsToldAgain() {
        pushes.subscribe(view(), "");
        deliver(view(1), false);
        assertEquals(List.of(1), last());
        ack();
        assertEquals(List.of(), pushes.unsure(), "it may still be at the answer");

        now += Duration.ofSeconds(1).toNanos();
        assertEquals(List.of(ORDERS), pushes.unsure());
        deliver(view(1, 2), false);
        assertEquals(List.of(1, 2), last());
        ack();
        assertEquals(List.of(), pushes.unsure(), "a later change has told it");
        deliver(view(1, 2), false);
        assertEquals(2, sent.size());
    }

    /** nacos-client 2.0.4 asks for what it has subscribed to, and keeps the answer though it be older than a push. */
    @Test
    void whatMayHaveBeenTakenBeforeTheAnswerToAQueryIsToldAgain() {
        long second = Duration.ofSeconds(1).toNanos();
        pushes.subscribe(view(1), "");
        now += second;
        deliver(view(1, 2), false);
        ack();
        assertEquals(List.of(), pushes.unsure());

        pushes.queried(ORDERS);
        deliver(view(1, 2, 3), false);
        ack();
        now += second / 2;
        pushes.queried(ORDERS);
        now += second / 2;
        assertEquals(List.of(ORDERS), pushes.unsure(), "however often it asks");
        deliver(view(1, 2, 3), false);
        assertEquals(3, sent.size());
        assertEquals(List.of(1, 2, 3), last());
        ack();
        assertEquals(List.of(), pushes.unsure());

        pushes.queried(ORDERS);
        now += second;
        assertEquals(List.of(), pushes.unsure(), "nothing was pushed meanwhile");
    }

    @Test
    void nothingIsWrittenWhileTheClientDoesNotReadAndRoomIsGivenBack() {
        pushes.subscribe(view(1), "");
        streamReady = false;

        deliver(view(1, 2), false);
        assertEquals(0, sent.size());
        assertEquals(0, readies);

        streamReady = true;
        out.onReady();
        assertEquals(List.of(1, 2), last());
        assertEquals(0, readies, "until it has its ack");

        streamReady = false;
        now += 1;
        assertEquals(true, pushes.look(Duration.ZERO) > 0, "it does not read: how long so far");
        assertEquals(0, readies, "the next one would wait behind it");
        streamReady = true;
        assertEquals(0, pushes.look(Duration.ZERO));
        assertEquals(1, readies, "it reads, but does not acknowledge");
    }

    @Test
    void whoUnsubscribesWhileAPushWaitsDoesNotGetIt() {
        pushes.subscribe(view(1), "");
        streamReady = false;
        deliver(view(2), false);

        pushes.unsubscribe(ORDERS, "");
        streamReady = true;
        out.onReady();

        assertEquals(0, sent.size());
        assertEquals(1, readies);
    }
}
