package io.mooring.protocol;

import io.mooring.model.Digest;
import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Metadata;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Makes frames, from text and at random, and reads them. */
final class Frames {
    static final String NAMESPACE = "tenant-1";
    static final String HELLO =
            "{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"tenant-1\"}";

    private Frames() {}

    static List<ClientMessage> read(String frame) throws MalformedFrameException {
        return read(frame.getBytes(StandardCharsets.UTF_8));
    }

    static List<ClientMessage> read(byte[] frame) throws MalformedFrameException {
        return new MessageReader(ProtocolLimits.DEFAULTS).readFromClient(frame, 0, frame.length, NAMESPACE);
    }

    static List<ClientMessage> readFirst(String frame) throws MalformedFrameException {
        byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
        return new MessageReader(ProtocolLimits.DEFAULTS).readFromClient(bytes, 0, bytes.length, "");
    }

    static List<ServerMessage> readAnswers(String frame) throws MalformedFrameException {
        byte[] bytes = frame.getBytes(StandardCharsets.UTF_8);
        return new MessageReader(ProtocolLimits.DEFAULTS).readFromServer(bytes, 0, bytes.length, NAMESPACE);
    }

    // ---- at random, every field of every message

    static ClientMessage anyRequest(RandomGenerator random) {
        long id = number(random, 1);
        return switch (random.nextInt(6)) {
            case 0 -> new ClientMessage.Register(id, some(random, 1, () -> instance(random, anyKey(random))));
            case 1 -> new ClientMessage.Deregister(id, some(random, 1, () -> instanceId(random, anyKey(random))));
            case 2 -> new ClientMessage.Subscribe(id, anyKey(random), maybe(random));
            case 3 -> new ClientMessage.Unsubscribe(id, anyKey(random));
            case 4 -> new ClientMessage.Renew(id);
            default -> new ClientMessage.Bye(id);
        };
    }

    static ClientMessage.Hello anyHello(RandomGenerator random) {
        String session = Digest.format(random.nextLong()) + Digest.format(random.nextLong());
        long attempt = random.nextInt(3) == 0 ? 0 : positive(random);
        return new ClientMessage.Hello(1, session, attempt, name(random, 40), NAMESPACE, maybe(random));
    }

    static ServerMessage anyAnswer(RandomGenerator random) {
        long id = number(random, 1);
        ServiceKey key = anyKey(random);
        return switch (random.nextInt(10)) {
            case 0 ->
                new ServerMessage.Welcome(
                        random.nextInt(5),
                        text(random, 20),
                        text(random, 20),
                        millis(random),
                        millis(random),
                        millis(random),
                        random.nextBoolean(),
                        some(random, 0, () -> name(random, 20)),
                        new ProtocolLimits(
                                positive(random),
                                positive(random),
                                positive(random),
                                positive(random),
                                positive(random)));
            case 1 -> new ServerMessage.Done(id);
            case 2 -> new ServerMessage.Renewed(id);
            case 3 ->
                new ServerMessage.Refused(
                        id,
                        name(random, 10),
                        text(random, 30),
                        text(random, 30),
                        text(random, 30),
                        text(random, 90),
                        millis(random));
            case 4 ->
                new ServerMessage.View(
                        maybeId(random),
                        key,
                        number(random, 0),
                        random.nextLong(),
                        some(random, 0, () -> listed(random, key)),
                        some(random, 0, () -> removal(random, key)),
                        random.nextBoolean(),
                        random.nextBoolean());
            case 5 ->
                new ServerMessage.Delta(
                        key,
                        number(random, 0),
                        number(random, 0),
                        random.nextLong(),
                        some(random, 0, () -> listed(random, key)),
                        some(random, 0, () -> removal(random, key)),
                        random.nextBoolean(),
                        random.nextBoolean());
            case 6 ->
                new ServerMessage.Same(
                        maybeId(random),
                        key,
                        number(random, 0),
                        random.nextLong(),
                        random.nextBoolean(),
                        random.nextBoolean());
            case 7 -> new ServerMessage.Move(millis(random), some(random, 0, () -> name(random, 20)));
            case 8 -> new ServerMessage.Peers(some(random, 0, () -> name(random, 20)));
            default -> new ServerMessage.Closing(name(random, 10), text(random, 60));
        };
    }

    static <T> List<T> some(RandomGenerator random, int least, Supplier<T> one) {
        List<T> out = new ArrayList<>();
        int count = least + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            out.add(one.get());
        }
        return List.copyOf(out);
    }

    static ServiceKey anyKey(RandomGenerator random) {
        String group = random.nextBoolean() ? ServiceKey.DEFAULT_GROUP : name(random, 128);
        return new ServiceKey(NAMESPACE, group, random.nextBoolean() ? name(random, 512) : visible(random));
    }

    static Instance instance(RandomGenerator random, ServiceKey key) {
        double weight = switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> random.nextInt(10_001);
            case 2 -> random.nextDouble() * 1e-12;
            default -> random.nextDouble() * Instance.MAX_WEIGHT;
        };
        Map<String, String> metadata = new HashMap<>();
        int entries = random.nextInt(5);
        for (int i = 0; i < entries; i++) {
            metadata.put(name(random, 60) + i, text(random, 60));
        }
        return new Instance(instanceId(random, key), weight, random.nextBoolean(), Metadata.of(metadata));
    }

    private static InstanceId instanceId(RandomGenerator random, ServiceKey key) {
        String cluster = random.nextBoolean() ? InstanceId.DEFAULT_CLUSTER : name(random, 64);
        String host = random.nextBoolean() ? "fe80::" + random.nextInt(100) + "%eth0" : name(random, 253);
        return new InstanceId(key, cluster, host, 1 + random.nextInt(65_535));
    }

    private static ListedInstance listed(RandomGenerator random, ServiceKey key) {
        Standing[] onTheWire = {Standing.LIVE, Standing.SUSPECT, Standing.HELD};
        return new ListedInstance(
                instance(random, key), onTheWire[random.nextInt(onTheWire.length)], generation(random));
    }

    private static Removal removal(RandomGenerator random, ServiceKey key) {
        RemovalCause[] causes = RemovalCause.values();
        return new Removal(instanceId(random, key), causes[random.nextInt(causes.length)], generation(random));
    }

    private static long generation(RandomGenerator random) {
        return random.nextBoolean() ? 0 : random.nextLong() >>> random.nextInt(1, 64);
    }

    private static long number(RandomGenerator random, long least) {
        return switch (random.nextInt(3)) {
            case 0 -> least;
            case 1 -> MessageReader.MAX_SAFE_INTEGER;
            default -> random.nextLong(least, MessageReader.MAX_SAFE_INTEGER);
        };
    }

    private static int positive(RandomGenerator random) {
        return 1 + random.nextInt(Integer.MAX_VALUE - 1);
    }

    private static Duration millis(RandomGenerator random) {
        return Duration.ofMillis(random.nextBoolean() ? 0 : random.nextInt(100_000));
    }

    private static OptionalLong maybe(RandomGenerator random) {
        return random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(random.nextLong());
    }

    private static OptionalLong maybeId(RandomGenerator random) {
        return random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(number(random, 1));
    }

    /** 1 to {@code longest} characters that every name may have. */
    private static String name(RandomGenerator random, int longest) {
        String alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
        int length = 1 + random.nextInt(random.nextInt(8) == 0 ? longest : Math.min(12, longest));
        StringBuilder out = new StringBuilder();
        while (out.length() < length) {
            out.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return out.toString();
    }

    private static String visible(RandomGenerator random) {
        StringBuilder out = new StringBuilder("s");
        for (int length = random.nextInt(40); length > 0; length--) {
            char c = (char) ('!' + random.nextInt('~' - '!' + 1));
            out.append(c == '@' ? '"' : c);
        }
        return out.toString();
    }

    /** 0 to {@code longest} characters: control characters, quotes, two to four bytes of UTF-8 among them. */
    static String text(RandomGenerator random, int longest) {
        StringBuilder out = new StringBuilder();
        int length = random.nextInt(longest);
        while (out.length() < length) {
            out.appendCodePoint(
                    switch (random.nextInt(8)) {
                        case 0 -> random.nextInt(0x20);
                        case 1 -> "\"\\/\u007f".charAt(random.nextInt(4));
                        case 2 -> random.nextInt(0x80, 0x800);
                        case 3 -> random.nextInt(0x800, 0xd800);
                        case 4 -> random.nextInt(0xe000, 0x10000);
                        case 5 -> random.nextInt(0x10000, 0x110000);
                        default -> random.nextInt(0x20, 0x7f);
                    });
        }
        return out.toString();
    }
}
