package io.mooring.protocol;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ListedInstance;
import io.mooring.model.Removal;
import io.mooring.model.RemovalCause;
import io.mooring.model.ServiceKey;
import io.mooring.model.Standing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.ThrowingSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What one side writes the other side reads, and the bytes are those of {@code docs/protocol.md}. */
class RoundTripTest {
    private static final ServiceKey ORDERS = new ServiceKey(Frames.NAMESPACE, ServiceKey.DEFAULT_GROUP, "orders");
    private static final ServiceKey BLUE = new ServiceKey(Frames.NAMESPACE, "blue", "orders");
    private static final Instance PLAIN = Instance.of(ORDERS, "10.0.0.7", 8080);
    private static final Instance FULL = new Instance(
                    new InstanceId(BLUE, "eu", "10.0.0.8", 8081), 2.5, false, PLAIN.metadata())
            .withMetadata(Map.of("zone", "a", "x", "\"é\n"));
    private static final String DIGEST = "00000000000000ff";

    static Stream<Arguments> requests() {
        return Stream.of(
                Arguments.of(
                        new ClientMessage.Register(2, List.of(PLAIN, FULL)),
                        "{\"type\":\"register\",\"id\":2,\"instances\":["
                                + "{\"service\":\"orders\",\"host\":\"10.0.0.7\",\"port\":8080},"
                                + "{\"service\":\"orders\",\"group\":\"blue\",\"host\":\"10.0.0.8\",\"port\":8081,"
                                + "\"cluster\":\"eu\",\"weight\":2.5,\"enabled\":false,"
                                + "\"metadata\":{\"x\":\"\\\"é\\n\",\"zone\":\"a\"}}]}"),
                Arguments.of(
                        new ClientMessage.Deregister(3, List.of(PLAIN.id(), FULL.id())),
                        "{\"type\":\"deregister\",\"id\":3,\"instances\":["
                                + "{\"service\":\"orders\",\"host\":\"10.0.0.7\",\"port\":8080},"
                                + "{\"service\":\"orders\",\"group\":\"blue\",\"host\":\"10.0.0.8\",\"port\":8081,\"cluster\":\"eu\"}]}"),
                Arguments.of(
                        new ClientMessage.Subscribe(4, ORDERS, OptionalLong.empty()),
                        "{\"type\":\"subscribe\",\"id\":4,\"service\":\"orders\"}"),
                Arguments.of(
                        new ClientMessage.Subscribe(4, BLUE, OptionalLong.of(255)),
                        "{\"type\":\"subscribe\",\"id\":4,\"service\":\"orders\",\"group\":\"blue\",\"digest\":\""
                                + DIGEST + "\"}"),
                Arguments.of(
                        new ClientMessage.Unsubscribe(5, BLUE),
                        "{\"type\":\"unsubscribe\",\"id\":5,\"service\":\"orders\",\"group\":\"blue\"}"),
                Arguments.of(new ClientMessage.Renew(6), "{\"type\":\"renew\",\"id\":6}"),
                Arguments.of(
                        new ClientMessage.Bye(9_007_199_254_740_991L), "{\"type\":\"bye\",\"id\":9007199254740991}"));
    }

    @ParameterizedTest
    @MethodSource("requests")
    void requestsHaveTheirWrittenForm(ClientMessage message, String json) throws MalformedFrameException {
        assertEquals(json, new String(MessageWriter.message(message), StandardCharsets.UTF_8));
        assertEquals(List.of(message), Frames.read("[" + json + "]"));
    }

    @Test
    void helloHasItsWrittenForm() throws MalformedFrameException {
        ClientMessage hello = new ClientMessage.Hello(
                1, "0123456789abcdef0123456789abcdef", 7, "mooring-java/0.1.0", "public", OptionalLong.of(255));
        String json = "[{\"type\":\"hello\",\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\","
                + "\"attempt\":7,\"client\":\"mooring-java/0.1.0\",\"namespace\":\"public\",\"holds\":\"" + DIGEST
                + "\"}]";
        assertEquals(json, new String(MessageWriter.frame(List.of(hello)), StandardCharsets.UTF_8));
        assertEquals(List.of(hello), Frames.readFirst(json));
    }

    @Test
    void aHelloThatIsNotCountedSaysNothingAboutIt() throws MalformedFrameException {
        ClientMessage.Hello first =
                (ClientMessage.Hello) Frames.readFirst("[" + Frames.HELLO + "]").get(0);
        assertEquals(0, first.attempt());
        assertFalse(new String(MessageWriter.message(first), StandardCharsets.UTF_8).contains("attempt"));
        for (long attempt : new long[] {1, 2, Integer.MAX_VALUE}) {
            String counted = Frames.HELLO.replace("{", "{\"attempt\":" + attempt + ",");
            ClientMessage.Hello hello =
                    (ClientMessage.Hello) Frames.readFirst("[" + counted + "]").get(0);
            assertEquals(attempt, hello.attempt());
        }
    }

    static Stream<Arguments> answers() {
        Removal removal = new Removal(FULL.id(), RemovalCause.PROBE_FAILED, Long.MAX_VALUE);
        ListedInstance suspect = new ListedInstance(
                new Instance(new InstanceId(BLUE, "DEFAULT", "h", 1), 1, true, PLAIN.metadata()),
                Standing.SUSPECT,
                0x300000001L);
        return Stream.of(
                Arguments.of(
                        new ServerMessage.Welcome(
                                1,
                                "n1",
                                "n1-4",
                                Duration.ofSeconds(15),
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(1),
                                true,
                                List.of("10.0.0.2:9847"),
                                new ProtocolLimits(1, 2, 3, 4, 5)),
                        "{\"type\":\"welcome\",\"version\":1,\"node\":\"n1\",\"epoch\":\"n1-4\",\"lease\":15000,"
                                + "\"renewEvery\":5000,\"reconnectSpread\":1000,\"held\":true,\"peers\":[\"10.0.0.2:9847\"],"
                                + "\"limits\":{\"frameBytes\":1,\"messagesPerFrame\":2,\"instancesPerMessage\":3,"
                                + "\"instancesPerSession\":4,\"subscriptionsPerSession\":5}}"),
                Arguments.of(new ServerMessage.Done(7), "{\"type\":\"done\",\"id\":7}"),
                Arguments.of(new ServerMessage.Renewed(8), "{\"type\":\"renewed\",\"id\":8}"),
                Arguments.of(
                        new ServerMessage.Refused(9, "invalid", "port", "0", "1-65535", "m", Duration.ofMillis(5)),
                        "{\"type\":\"refused\",\"id\":9,\"code\":\"invalid\",\"field\":\"port\",\"value\":\"0\","
                                + "\"expected\":\"1-65535\",\"message\":\"m\",\"retryAfter\":5}"),
                Arguments.of(
                        new ServerMessage.View(
                                OptionalLong.of(1), BLUE, 0, 255, List.of(suspect), List.of(removal), true, true),
                        "{\"type\":\"view\",\"id\":1,\"service\":\"orders\",\"group\":\"blue\",\"revision\":0,\"digest\":\""
                                + DIGEST
                                + "\",\"instances\":[{\"host\":\"h\",\"port\":1,\"standing\":\"suspect\",\"generation\":\"300000001\"}],"
                                + "\"removed\":[{\"host\":\"10.0.0.8\",\"port\":8081,\"cluster\":\"eu\","
                                + "\"cause\":\"probe_failed\",\"generation\":\"7fffffffffffffff\"}],\"protected\":true,\"incomplete\":true}"),
                Arguments.of(
                        new ServerMessage.Delta(ORDERS, 1, 2, 255, List.of(), List.of(), false, false),
                        "{\"type\":\"delta\",\"service\":\"orders\",\"from\":1,\"to\":2,\"digest\":\"" + DIGEST
                                + "\"}"),
                Arguments.of(
                        new ServerMessage.Same(OptionalLong.empty(), ORDERS, 3, 255, false, true),
                        "{\"type\":\"same\",\"service\":\"orders\",\"revision\":3,\"digest\":\"" + DIGEST
                                + "\",\"incomplete\":true}"),
                Arguments.of(
                        new ServerMessage.Move(Duration.ofSeconds(2), List.of("a:1")),
                        "{\"type\":\"move\",\"within\":2000,\"peers\":[\"a:1\"]}"),
                Arguments.of(
                        new ServerMessage.Peers(List.of("10.0.0.2:9847", "[fe80::1]:9847")),
                        "{\"type\":\"peers\",\"peers\":[\"10.0.0.2:9847\",\"[fe80::1]:9847\"]}"),
                Arguments.of(new ServerMessage.Peers(List.of()), "{\"type\":\"peers\"}"),
                Arguments.of(
                        new ServerMessage.Closing("stopping", "bye"),
                        "{\"type\":\"closing\",\"code\":\"stopping\",\"message\":\"bye\"}"));
    }

    @ParameterizedTest
    @MethodSource("answers")
    void answersHaveTheirWrittenForm(ServerMessage message, String json) throws MalformedFrameException {
        assertEquals(json, new String(MessageWriter.message(message), StandardCharsets.UTF_8));
        assertEquals(List.of(message), Frames.readAnswers("[" + json + "]"));
    }

    @Test
    void everyMessageSurvivesTheJourney() {
        MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS); // one for all: nothing may leak over
        for (int seed = 0; seed < 3_000; seed++) {
            RandomGenerator random = new SplittableRandom(seed);
            List<ClientMessage> requests = Frames.some(random, 0, () -> Frames.anyRequest(random));
            byte[] frame = padded(MessageWriter.frame(requests));
            assertEquals(
                    requests,
                    seeded(seed, () -> reader.readFromClient(frame, 3, frame.length - 6, Frames.NAMESPACE)),
                    "seed " + seed);

            List<ClientMessage> opening = new ArrayList<>(List.of(Frames.anyHello(random)));
            opening.addAll(requests);
            byte[] first = MessageWriter.frame(opening);
            assertEquals(
                    opening, seeded(seed, () -> reader.readFromClient(first, 0, first.length, "")), "seed " + seed);

            List<ServerMessage> answers = Frames.some(random, 0, () -> Frames.anyAnswer(random));
            byte[] back = MessageWriter.frame(answers);
            List<ServerMessage> read =
                    seeded(seed, () -> reader.readFromServer(back, 0, back.length, Frames.NAMESPACE));
            assertEquals(answers, read, "seed " + seed);
            assertArrayEquals(back, MessageWriter.frame(read), "seed " + seed); // generations, too
        }
    }

    @Test
    void fieldsMayComeInAnyOrder() throws MalformedFrameException {
        assertEquals(
                List.of(new ClientMessage.Register(2, List.of(FULL))),
                Frames.read(
                        "[{\"instances\":[{\"metadata\":{\"zone\":\"a\",\"x\":\"\\\"\\u00e9\\u000a\"},\"enabled\":false,"
                                + "\"weight\":25e-1,\"cluster\":\"eu\",\"port\":8081,\"host\":\"10.0.0.8\",\"group\":\"blue\","
                                + "\"service\":\"orders\"}],\"id\":2,\"type\":\"register\"}]"));
        assertEquals(
                1,
                Frames.readAnswers("[{\"instances\":[{\"port\":1,\"host\":\"h\"}],\"digest\":\"" + DIGEST
                                + "\",\"revision\":1,\"service\":\"orders\",\"type\":\"view\"}]")
                        .size());
    }

    @Test
    void servicesThatMeetInTheReadersCacheStayApart() throws MalformedFrameException {
        // "Aa" and "BB" have the same hash, so all of these share a slot.
        MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);
        for (String namespace : List.of("one", "two", "one")) {
            List<ClientMessage> requests = new ArrayList<>();
            for (String name : List.of("Aa", "BB", "Aa")) {
                for (String group : List.of("Aa", "BB", "Aa")) {
                    requests.add(new ClientMessage.Unsubscribe(1, new ServiceKey(namespace, group, name)));
                }
            }
            byte[] frame = MessageWriter.frame(requests);
            assertEquals(requests, reader.readFromClient(frame, 0, frame.length, namespace));
        }
    }

    @Test
    void anAnswersBytesAreThoseItHasInAFrame() {
        List<Long> ids = new ArrayList<>(List.of(1L, 9L, 10L, 99L, 100L, 1_000_000_007L, (1L << 53) - 1));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100; i++) {
            ids.add(random.nextLong(1, 1L << (1 + random.nextInt(52))));
        }
        for (long id : ids) {
            for (ServerMessage answer : List.of(new ServerMessage.Done(id), new ServerMessage.Renewed(id))) {
                String alone = new String(MessageWriter.message(answer), StandardCharsets.UTF_8);
                String framed = new String(MessageWriter.frame(List.of(answer)), StandardCharsets.UTF_8);
                assertEquals(framed, "[" + alone + "]");
            }
        }
    }

    @Test
    void anUnacceptableRequestIsNoMessageOfTheWire() {
        ClientMessage refused = new ClientMessage.Unacceptable(1, "invalid", new InvalidValueException("a", "b", "c"));
        org.junit.jupiter.api.Assertions.assertThrows(
                IllegalArgumentException.class, () -> MessageWriter.message(refused));
    }

    private static <T> T seeded(int seed, ThrowingSupplier<T> action) {
        try {
            return action.get();
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    /** With bytes around it that do not belong to it. */
    private static byte[] padded(byte[] frame) {
        byte[] out = new byte[frame.length + 6];
        java.util.Arrays.fill(out, (byte) 0xff);
        System.arraycopy(frame, 0, out, 3, frame.length);
        return out;
    }
}
