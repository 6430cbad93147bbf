package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.model.Instance;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.model.Standing;
import io.mooring.server.durable.ServiceSettings;
import io.mooring.server.edge.nacos.HealthView;
import io.mooring.server.lease.Outcome;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Update;
import io.mooring.server.shard.LeaseTerms;
import io.netty.channel.EventLoopGroup;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Telling clients of v1 by UDP, over real sockets. */
@Timeout(120)
class UdpPushesTest {
    private final RegistryNode node = NacosCalls.SHARED.server().node();
    private final BlockingQueue<UdpMeter.Result> results = new LinkedBlockingQueue<>();
    private UdpPushes pushes = pushes(Duration.ofHours(1), Duration.ofHours(1), 2);
    private DatagramSocket client;

    private UdpPushes pushes(Duration listensFor, Duration ackWithin, int most) {
        Lists lists = new Lists(node, HealthView.Doubt.DEFAULTS);
        return new UdpPushes(
                node,
                new Datagrams(lists, node.clock(), 1_000),
                new UdpPushes.Times(listensFor, ackWithin, Duration.ofMillis(20)),
                most,
                results::add);
    }

    private void start() throws IOException {
        pushes.start(NacosCalls.SHARED.server().bean(EventLoopGroup.class), "127.0.0.1");
    }

    @BeforeEach
    void open() throws IOException {
        client = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        client.setSoTimeout(30_000);
    }

    @AfterEach
    void close() {
        pushes.close();
        client.close();
    }

    private boolean listen(ServiceKey service) {
        return pushes.heard(node.view(service), "", (InetSocketAddress) client.getLocalSocketAddress());
    }

    private void register(Instance instance) throws Exception {
        CompletableFuture<Outcome> done = new CompletableFuture<>();
        node.loop().execute(() -> node.put(instance, LeaseTerms.of(Duration.ofHours(1)), done::complete));
        assertThat(done.get(20, TimeUnit.SECONDS)).isEqualTo(Outcome.ACCEPTED);
    }

    private record Push(JsonNode message, JsonNode list, boolean compressed, InetSocketAddress from) {
        String number() {
            return message.get("lastRefTime").toString();
        }
    }

    private Push receive() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
        client.receive(packet);
        byte[] bytes = Arrays.copyOf(packet.getData(), packet.getLength());
        boolean compressed = bytes[0] == 0x1f && bytes[1] == (byte) 0x8b;
        if (compressed) {
            bytes = new GZIPInputStream(new ByteArrayInputStream(bytes)).readAllBytes();
        }
        JsonNode message = JsonMapper.shared().readTree(new String(bytes, StandardCharsets.UTF_8));
        JsonNode list = JsonMapper.shared().readTree(message.get("data").asString());
        return new Push(message, list, compressed, (InetSocketAddress) packet.getSocketAddress());
    }

    private void say(Push push, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        client.send(new DatagramPacket(bytes, bytes.length, push.from()));
    }

    private void ack(Push push) throws IOException {
        say(push, "{\"type\":\"push-ack\",\"lastRefTime\":\"" + push.number() + "\",\"data\":\"\"}");
    }

    @Test
    void whoListensHearsOfChangesAndAcksThem() throws Exception {
        start();
        ServiceKey service = new ServiceKey("public", "G1", "udp-heard");
        assertThat(listen(service)).isTrue();

        register(Instance.of(service, "10.0.0.1", 80));
        Push first = receive();
        ack(first);

        assertThat(first.message().get("type").asString()).isEqualTo("dom");
        assertThat(first.list().get("name").asString()).isEqualTo("G1@@udp-heard");
        assertThat(first.list().at("/hosts/0/ip").asString()).isEqualTo("10.0.0.1");
        assertThat(first.compressed()).isFalse();
        assertThat(results.poll(30, TimeUnit.SECONDS)).isEqualTo(UdpMeter.Result.ACKED);
    }

    @Test
    void aNumberOfAPushIsExactInEveryJson() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-number");
        listen(service);
        register(Instance.of(service, "10.0.0.1", 80));

        assertThat(Long.parseLong(receive().number())).isLessThan(1L << 53);
    }

    @Test
    void longListsAreCompressed() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-long");
        listen(service);

        register(Instance.of(service, "10.0.0.1", 80).withMetadata(Map.of("long", "x".repeat(2_000))));
        Push push = receive();

        assertThat(push.compressed()).isTrue();
        assertThat(push.list().at("/hosts/0/metadata/long").asString()).hasSize(2_000);
    }

    @Test
    void whatIsNotAcknowledgedIsSentOnceMoreAndThenTheClientIsToldToAskMoreOften() throws Exception {
        pushes = pushes(Duration.ofHours(1), Duration.ofMillis(50), 2);
        start();
        ServiceKey service = ServiceKey.of("udp-deaf");
        listen(service);
        register(Instance.of(service, "10.0.0.1", 80));

        Push first = receive();
        Push again = receive();

        assertThat(again.list().get("hosts")).isEqualTo(first.list().get("hosts"));
        assertThat(again.number()).isNotEqualTo(first.number());
        assertThat(results.poll(30, TimeUnit.SECONDS)).isEqualTo(UdpMeter.Result.UNACKED);
        assertThat(listen(service)).as("whether it hears of changes").isFalse();

        register(Instance.of(service, "10.0.0.2", 80));
        Push next = receive();
        assertThat(next.list().get("hosts")).hasSize(2);
        ack(next);
        UdpMeter.Result result = results.poll(30, TimeUnit.SECONDS);
        while (result == UdpMeter.Result.UNACKED) {
            ack(receive()); // this machine was slow
            result = results.poll(30, TimeUnit.SECONDS);
        }
        assertThat(result).isEqualTo(UdpMeter.Result.ACKED);
        assertThat(listen(service)).as("whether it hears of changes").isTrue();
    }

    @Test
    void anAckOfAnotherNumberOrOfNobodyAndOtherTextDoNoHarm() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-acks");
        listen(service);
        register(Instance.of(service, "10.0.0.1", 80));
        Push push = receive();

        say(push, "{\"type\":\"push-ack\",\"lastRefTime\":\"7\",\"data\":\"\"}");
        say(push, "{\"type\":\"push-ack\",\"lastRefTime\":\"x\"}");
        say(push, "{\"type\":");
        say(push, "");
        say(push, "{\"type\":\"unknown-ack\",\"lastRefTime\":" + (Long.parseLong(push.number()) + 1) + "}");
        ack(push);

        assertThat(results.poll(30, TimeUnit.SECONDS)).isEqualTo(UdpMeter.Result.ACKED);
        assertThat(results).isEmpty();
    }

    @Test
    void anAckOfAnotherNumberCountsForNothing() throws Exception {
        pushes = pushes(Duration.ofHours(1), Duration.ofMillis(50), 2);
        start();
        ServiceKey service = ServiceKey.of("udp-other-ack");
        listen(service);
        register(Instance.of(service, "10.0.0.1", 80));
        Push first = receive();

        say(first, "{\"type\":\"push-ack\",\"lastRefTime\":\"" + (Long.parseLong(first.number()) + 1) + "\"}");

        assertThat(receive().list()).as("sent again").isNotNull();
    }

    @Test
    void whoAsksNoMoreIsForgotten() throws Exception {
        pushes = pushes(Duration.ofMillis(1), Duration.ofHours(1), 2);
        start();
        int before = node.status().subscriptions();
        listen(ServiceKey.of("udp-gone"));

        while (pushes.size() > 0) {
            Thread.onSpinWait();
        }
        while (node.status().subscriptions() > before) {
            Thread.onSpinWait();
        }
        assertThat(pushes.of(ServiceKey.of("udp-gone"))).isEmpty();
    }

    @Test
    void oneTooManyPolls() throws Exception {
        start();

        assertThat(listen(ServiceKey.of("udp-1"))).isTrue();
        assertThat(listen(ServiceKey.of("udp-2"))).isTrue();
        assertThat(listen(ServiceKey.of("udp-3"))).isFalse();
        assertThat(listen(ServiceKey.of("udp-1"))).isTrue();
    }

    @Test
    void aListTooLongForADatagramIsNotSentAndItsReaderAsksMoreOften() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-huge");
        listen(service);
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 1; i <= 20; i++) {
            register(Instance.of(service, "10.0.0." + i, 80)
                    .withMetadata(Map.of("a", noise(random), "b", noise(random))));
        }

        UdpMeter.Result result = results.poll(30, TimeUnit.SECONDS);
        while (result == UdpMeter.Result.UNACKED) { // of the first ones, which were short enough
            result = results.poll(30, TimeUnit.SECONDS);
        }
        assertThat(result).isEqualTo(UdpMeter.Result.TOO_LARGE);
        assertThat(listen(service)).isFalse();
    }

    private static String noise(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        while (text.length() < 8_000) {
            text.append(Long.toString(random.nextLong(Long.MAX_VALUE), 36));
        }
        return text.toString();
    }

    @Test
    void fromAnIncompleteNodeItHearsOfThoseWhoComeAndOfNobodyWhoIsMissingWithoutCause() {
        ServiceKey service = ServiceKey.of("udp-incomplete");
        ListedInstance first = listed(service, 1);
        ListedInstance second = listed(service, 2);
        ListedInstance third = listed(service, 3);
        Removal left = new Removal(first.id(), RemovalCause.DEREGISTERED);
        List<ServiceView> sent = new ArrayList<>();
        UdpSubscriber subscriber = new UdpSubscriber(
                new UdpSubscriber.Key(service, "", (InetSocketAddress) client.getLocalSocketAddress()),
                node,
                view(service, List.of(), first, second),
                (who, view) -> sent.add(view),
                0);
        ServiceView more = view(service, List.of(), first, second, third);
        ServiceView less = view(service, List.of(), first, third);
        ServiceView explained = view(service, List.of(left), second, third);

        for (ServiceView view : List.of(more, less, explained)) {
            subscriber.deliver(List.of(new Update(null, view, true)));
        }
        subscriber.deliver(List.of(new Update(null, less, false)));

        assertThat(sent).containsExactly(more, explained, less);
    }

    private static ListedInstance listed(ServiceKey service, int number) {
        return new ListedInstance(Instance.of(service, "10.0.0." + number, 80), Standing.LIVE);
    }

    private static ServiceView view(ServiceKey service, List<Removal> removals, ListedInstance... instances) {
        long digest = 0;
        for (ListedInstance listed : instances) {
            digest += listed.fingerprint();
        }
        return new ServiceView(service, 1, digest, List.of(instances), false, removals);
    }

    @Test
    void theThresholdOfAServiceIsToldWhenItChanges() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-threshold");
        register(Instance.of(service, "10.0.0.1", 80));
        listen(service);

        settle(service, 1, Map.of());
        Push all = receive();
        ack(all);
        settle(service, 1, Map.of("a", "1"));
        settle(service, 0, Map.of("a", "1"));
        Push none = receive();

        assertThat(all.list().get("reachProtectionThreshold").asBoolean()).isTrue();
        assertThat(none.list().get("reachProtectionThreshold").asBoolean())
                .as("labels of the service alone are not worth telling")
                .isFalse();
    }

    private void settle(ServiceKey service, double threshold, Map<String, String> labels) throws Exception {
        CompletableFuture<Outcome> done = new CompletableFuture<>();
        ServiceSettings settings = new ServiceSettings(threshold, Metadata.of(labels), "", Map.of());
        node.loop().execute(() -> node.settings(service, before -> settings, done::complete));
        assertThat(done.get(20, TimeUnit.SECONDS)).isEqualTo(Outcome.ACCEPTED);
    }

    @Test
    void nothingChangedIsNotTold() throws Exception {
        start();
        ServiceKey service = ServiceKey.of("udp-quiet");
        register(Instance.of(service, "10.0.0.1", 80));
        ServiceView before = node.view(service);

        pushes.heard(before, "", (InetSocketAddress) client.getLocalSocketAddress());
        register(Instance.of(service, "10.0.0.1", 80)); // the same
        register(Instance.of(service, "10.0.0.2", 80));

        assertThat(receive().list().get("hosts")).as("the first that is heard").hasSize(2);
    }
}
