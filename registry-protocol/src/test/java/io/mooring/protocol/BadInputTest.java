package io.mooring.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bad input is either a request refused by its id, with the field, the value and the expectation, or a frame that ends
 * the connection; never anything else.
 */
class BadInputTest {
    private static final String GOOD = "{\"service\":\"orders\",\"host\":\"10.0.0.7\",\"port\":8080}";

    /** One register with an instance of the usual fields, one of them replaced or added. */
    private static String instanceWith(String field, String json) {
        StringBuilder out = new StringBuilder("[{\"type\":\"register\",\"id\":7,\"instances\":[{");
        String[] usual = {"service", "\"orders\"", "host", "\"10.0.0.7\"", "port", "8080"};
        for (int i = 0; i < usual.length; i += 2) {
            if (!usual[i].equals(field)) {
                out.append('"')
                        .append(usual[i])
                        .append("\":")
                        .append(usual[i + 1])
                        .append(',');
            }
        }
        return out.append('"')
                .append(field)
                .append("\":")
                .append(json)
                .append("}]}]")
                .toString();
    }

    private static String request(String fields) {
        return "[{\"type\":\"subscribe\",\"id\":7," + fields + "}]";
    }

    static Stream<Arguments> refused() {
        List<Arguments> cases = new ArrayList<>();
        String key = "instances[0].";
        for (String port :
                List.of("0", "65536", "-1", "8080.5", "\"80\"", "null", "true", "1e400", "99999999999", "[]")) {
            cases.add(Arguments.of(instanceWith("port", port), "invalid", key + "port"));
        }
        for (String weight : List.of("-1", "-1e-9", "10000.001", "\"NaN\"", "\"1\"", "1e400", "-1e400", "null", "{}")) {
            cases.add(Arguments.of(instanceWith("weight", weight), "invalid", key + "weight"));
        }
        for (String name : List.of(
                "\"\"",
                "\"a@@b\"",
                "\"a b\"",
                "\"a\\u0000b\"",
                "\"a\\nb\"",
                "\"a\\u007fb\"",
                "\"é\"",
                "\"\\ud800\"",
                "\"\\u2028\"",
                "\"" + "n".repeat(10_240) + "\"",
                "5",
                "null",
                "[\"orders\"]",
                "{\"a\":1}")) {
            for (String field : List.of("service", "group", "cluster", "host")) {
                if (field.equals("host") && name.equals("\"\"")) {
                    continue;
                }
                cases.add(Arguments.of(instanceWith(field, name), "invalid", key + field));
            }
            cases.add(Arguments.of(request("\"service\":" + name), "invalid", "service"));
            cases.add(Arguments.of(request("\"service\":\"s\",\"group\":" + name), "invalid", "group"));
        }
        cases.add(Arguments.of(instanceWith("service", "\"" + "n".repeat(513) + "\""), "invalid", key + "service"));
        for (String name : List.of("\"a/b\"", "\"a\\\\b\"")) { // which a service may be called
            cases.add(Arguments.of(instanceWith("group", name), "invalid", key + "group"));
            cases.add(Arguments.of(instanceWith("cluster", name), "invalid", key + "cluster"));
            cases.add(Arguments.of(instanceWith("host", name), "invalid", key + "host"));
        }
        cases.add(Arguments.of(instanceWith("service", "\"@s\""), "invalid", key + "service"));
        cases.add(Arguments.of(instanceWith("group", "\"" + "n".repeat(129) + "\""), "invalid", key + "group"));
        cases.add(Arguments.of(instanceWith("cluster", "\"" + "n".repeat(65) + "\""), "invalid", key + "cluster"));
        cases.add(Arguments.of(instanceWith("host", "\"" + "n".repeat(254) + "\""), "invalid", key + "host"));
        cases.add(Arguments.of(instanceWith("host", "\"[::1]\""), "invalid", key + "host"));
        cases.add(Arguments.of(instanceWith("enabled", "\"true\""), "invalid", key + "enabled"));
        cases.add(Arguments.of(instanceWith("enabled", "1"), "invalid", key + "enabled"));

        for (String metadata : List.of("[]", "null", "\"a\"", "7")) {
            cases.add(Arguments.of(instanceWith("metadata", metadata), "invalid", key + "metadata"));
        }
        for (String value : List.of("1", "null", "true", "{\"b\":\"c\"}", "[\"b\"]")) {
            cases.add(Arguments.of(instanceWith("metadata", "{\"a\":" + value + "}"), "invalid", key + "metadata.a"));
        }
        cases.add(Arguments.of(instanceWith("metadata", "{\"\":\"v\"}"), "invalid", key + "metadata key"));
        cases.add(Arguments.of(instanceWith("metadata", "{\"a\\u0001\":\"v\"}"), "invalid", key + "metadata key"));
        cases.add(Arguments.of(
                instanceWith("metadata", "{\"" + "k".repeat(257) + "\":\"v\"}"), "invalid", key + "metadata key"));
        cases.add(Arguments.of(instanceWith("metadata", "{\"a\":\"\\ud83d\"}"), "invalid", key + "metadata.a"));
        cases.add(Arguments.of(instanceWith("metadata", "{\"a\":\"\\ude00\\ud83d\"}"), "invalid", key + "metadata.a"));
        cases.add(Arguments.of(
                instanceWith("metadata", "{\"a\":\"" + "v".repeat(8_193) + "\"}"), "invalid", key + "metadata.a"));
        cases.add(Arguments.of(instanceWith("metadata", entries(129, 1)), "invalid", key + "metadata"));
        cases.add(Arguments.of(instanceWith("metadata", entries(3, 8_000)), "invalid", key + "metadata"));
        cases.add(Arguments.of(
                instanceWith("metadata", "{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}"), "invalid", key + "metadata.a"));

        // given twice
        cases.add(Arguments.of(instanceWith("host\":\"h\",\"host", "\"i\""), "invalid", key + "host"));
        cases.add(Arguments.of(instanceWith("weight\":1,\"weight", "1"), "invalid", key + "weight"));
        cases.add(Arguments.of(instanceWith("metadata\":{},\"metadata", "{\"a\":\"b\"}"), "invalid", key + "metadata"));
        cases.add(Arguments.of(request("\"service\":\"a\",\"service\":\"a\""), "invalid", "service"));
        cases.add(Arguments.of(request("\"type\":\"subscribe\",\"service\":\"a\""), "invalid", "type"));
        cases.add(Arguments.of(request("\"service\":\"a\",\"version\":1,\"version\":1"), "invalid", "version"));
        cases.add(Arguments.of(
                "[{\"type\":\"register\",\"id\":7,\"instances\":[" + GOOD + "],\"instances\":[]}]",
                "invalid",
                "instances"));

        // missing
        cases.add(Arguments.of("[{\"id\":7}]", "missing", "type"));
        cases.add(Arguments.of("[{\"type\":\"subscribe\",\"id\":7}]", "missing", "service"));
        cases.add(Arguments.of("[{\"type\":\"unsubscribe\",\"id\":7}]", "missing", "service"));
        cases.add(Arguments.of("[{\"type\":\"register\",\"id\":7}]", "missing", "instances"));
        cases.add(Arguments.of("[{\"type\":\"deregister\",\"id\":7}]", "missing", "instances"));
        cases.add(Arguments.of(listOf("{\"host\":\"h\",\"port\":1}"), "missing", key + "service"));
        cases.add(Arguments.of(listOf("{\"service\":\"s\",\"port\":1}"), "missing", key + "host"));
        cases.add(Arguments.of(listOf("{\"service\":\"s\",\"host\":\"h\"}"), "missing", key + "port"));
        cases.add(Arguments.of(listOf("{}"), "missing", key + "service"));
        cases.add(Arguments.of(listOf(GOOD + ",{\"service\":\"s\",\"host\":\"h\"}"), "missing", "instances[1].port"));

        // lists
        cases.add(Arguments.of(listOf(""), "limit", "instances"));
        cases.add(Arguments.of(listOf((GOOD + ",").repeat(1_000) + GOOD), "limit", "instances"));
        cases.add(Arguments.of(listOf("null"), "invalid", "instances[0]"));
        cases.add(Arguments.of(listOf(GOOD + ",[[]]"), "invalid", "instances[1]"));
        cases.add(Arguments.of("[{\"type\":\"register\",\"id\":7,\"instances\":{}}]", "invalid", "instances"));
        cases.add(Arguments.of("[{\"type\":\"register\",\"id\":7,\"instances\":\"x\"}]", "invalid", "instances"));

        // the rest
        cases.add(Arguments.of("[{\"type\":\"gossip\",\"id\":7}]", "unknown", "type"));
        cases.add(Arguments.of("[{\"type\":\"gossip\",\"id\":7,\"service\":[1],\"digest\":{}}]", "unknown", "type"));
        cases.add(Arguments.of("[{\"type\":\"Register\",\"id\":7}]", "unknown", "type"));
        cases.add(Arguments.of("[{\"type\":\"done\",\"id\":7}]", "unknown", "type"));
        cases.add(Arguments.of("[{\"type\":7,\"id\":7}]", "invalid", "type"));
        for (String digest : List.of(
                "\"\"", "\"0\"", "\"00000000000000FF\"", "\"000000000000000g\"", "\"00000000000000000\"", "0")) {
            cases.add(Arguments.of(request("\"service\":\"s\",\"digest\":" + digest), "invalid", "digest"));
        }
        return cases.stream();
    }

    private static String listOf(String instances) {
        return "[{\"type\":\"register\",\"id\":7,\"instances\":[" + instances + "]}]";
    }

    private static String entries(int count, int length) {
        StringBuilder out = new StringBuilder("{");
        for (int i = 0; i < count; i++) {
            out.append(i == 0 ? "" : ",")
                    .append("\"k")
                    .append(i)
                    .append("\":\"")
                    .append("v".repeat(length))
                    .append('"');
        }
        return out.append('}').toString();
    }

    @ParameterizedTest
    @MethodSource("refused")
    void aRequestThatBreaksARuleIsRefusedByItsId(String frame, String code, String field)
            throws MalformedFrameException {
        // Between two good ones: the refusal concerns nobody else, and leaves nothing behind.
        String between = "[{\"type\":\"renew\",\"id\":6}," + frame.substring(1, frame.length() - 1)
                + ",{\"type\":\"subscribe\",\"id\":8,\"service\":\"\"},{\"type\":\"renew\",\"id\":9}]";
        List<ClientMessage> messages = Frames.read(between);
        assertEquals(4, messages.size());
        assertEquals(new ClientMessage.Renew(6), messages.get(0));
        assertEquals(new ClientMessage.Renew(9), messages.get(3));
        ClientMessage.Unacceptable refused = assertInstanceOf(ClientMessage.Unacceptable.class, messages.get(1));
        assertEquals(7, refused.id());
        assertEquals(code, refused.code(), refused.reason()::getMessage);
        assertEquals(field, refused.reason().field(), refused.reason()::getMessage);
        assertFalse(refused.reason().expected().isEmpty());
        assertTrue(refused.reason().value().length() <= 500, refused.reason().value());
        assertEquals("invalid", ((ClientMessage.Unacceptable) messages.get(2)).code(), "the next refusal's own code");
        // It can be told to the client.
        assertTrue(MessageWriter.message(new ServerMessage.Refused(
                                refused.id(),
                                refused.code(),
                                refused.reason().field(),
                                refused.reason().value(),
                                refused.reason().expected(),
                                String.valueOf(refused.reason().getMessage()),
                                java.time.Duration.ZERO))
                        .length
                > 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\\u0000b", "\\u202e", "\\ud83d\\ude00", "\\u0085"})
    void aFieldNameOfTheSendersChoiceIsMadePrintable(String key) throws MalformedFrameException {
        ClientMessage message =
                Frames.read(instanceWith("metadata", "{\"" + key + "\":5}")).get(0);
        ClientMessage.Unacceptable refused = assertInstanceOf(ClientMessage.Unacceptable.class, message);
        assertTrue(
                refused.reason().field().chars().allMatch(c -> c >= ' ' && c < 0x7f),
                refused.reason().field());
        assertTrue(refused.reason().getMessage().chars().allMatch(c -> c >= ' ' && c < 0x7f));
    }

    @Test
    void aFieldNameOfTheSendersChoiceIsShortened() throws MalformedFrameException {
        ClientMessage message = Frames.read(instanceWith("metadata", "{\"" + "k".repeat(4_000) + "\":5}"))
                .get(0);
        ClientMessage.Unacceptable refused = assertInstanceOf(ClientMessage.Unacceptable.class, message);
        assertTrue(refused.reason().field().length() < 200, refused.reason().field());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "{}",
                "7",
                "\"x\"",
                "[",
                "[]]",
                "[][]",
                "[] x",
                "[{}",
                "[{]",
                "[7]",
                "[null]",
                "[[]]",
                "[\"renew\"]",
                "[{\"type\":\"renew\",\"id\":1},]",
                "[,{\"type\":\"renew\",\"id\":1}]",
                "[{\"type\":\"renew\",\"id\":1,}]",
                "[{type:\"renew\",\"id\":1}]",
                "[{'type':'renew','id':1}]",
                "[{\"type\":\"renew\",\"id\":1}] // done",
                "[{\"type\":\"renew\",\"id\":01}]",
                "[{\"type\":\"renew\",\"id\":+1}]",
                "[{\"type\":\"renew\",\"id\":0x1}]",
                "[{\"type\":\"renew\",\"id\":NaN}]",
                "[{\"type\":\"renew\",\"id\":1,\"weight\":Infinity}]",
                "[{\"type\":\"re\nnew\",\"id\":1}]",
                "[{\"type\":\"re\\qnew\",\"id\":1}]",
                "[{\"type\":\"re\\u12g4\",\"id\":1}]",
                "[{\"type\":\"renew\",\"id\":1,\"\\ud800\":1}]",
                "[{\"type\":\"renew\",\"id\":1,\"\\udc00\":1}]",
                // requests that cannot be named
                "[{}]",
                "[{\"type\":\"renew\"}]",
                "[{\"type\":\"renew\",\"id\":0}]",
                "[{\"type\":\"renew\",\"id\":-1}]",
                "[{\"type\":\"renew\",\"id\":1.0}]",
                "[{\"type\":\"renew\",\"id\":\"1\"}]",
                "[{\"type\":\"renew\",\"id\":null}]",
                "[{\"type\":\"renew\",\"id\":[1]}]",
                "[{\"type\":\"renew\",\"id\":1e3}]",
                "[{\"type\":\"renew\",\"id\":1e400}]",
                "[{\"type\":\"renew\",\"id\":9007199254740992}]",
                "[{\"type\":\"renew\",\"id\":9223372036854775808}]",
                "[{\"type\":\"renew\",\"id\":123456789012345678901234567890}]",
                "[{\"type\":\"renew\",\"id\":1,\"id\":1}]",
                "[{\"type\":\"renew\",\"id\":1,\"id\":2}]",
                "[{\"type\":\"renew\",\"id\":1,\"id\":\"x\"}]",
                "[{\"type\":\"renew\",\"id\":\"x\",\"id\":1}]",
                "[{\"type\":\"renew\",\"id\":1,\"id\":2,\"id\":3}]",
            })
    void aFrameInDoubtIsMalformed(String frame) {
        MalformedFrameException e = assertThrows(MalformedFrameException.class, () -> Frames.read(frame));
        assertEquals(RefusalCode.MALFORMED, e.code());
        assertFalse(String.valueOf(e.getMessage()).isEmpty());
        assertTrue(String.valueOf(e.getMessage()).length() < 500, e.getMessage());
    }

    @Test
    void oneBadMessageSpoilsItsFrame() {
        assertThrows(
                MalformedFrameException.class, () -> Frames.read("[{\"type\":\"renew\",\"id\":1},{\"type\":\"bye\"}]"));
    }

    @Test
    void theLimitsOfJsonHold() throws MalformedFrameException {
        assertEquals(
                1, Frames.read(request("\"service\":\"s\",\"x\":" + nested(14))).size());
        assertThrows(
                MalformedFrameException.class, () -> Frames.read(request("\"service\":\"s\",\"x\":" + nested(15))));
        assertThrows(MalformedFrameException.class, () -> Frames.read("[".repeat(500_000)));
        assertThrows(MalformedFrameException.class, () -> Frames.read("[{\"a\":".repeat(100_000)));
        String longText = "\"" + "t".repeat((1 << 17) + 1) + "\"";
        assertThrows(MalformedFrameException.class, () -> Frames.read(request("\"service\":" + longText)));
        String longName = "\"" + "n".repeat(60_000) + "\"";
        assertThrows(MalformedFrameException.class, () -> Frames.read(request("\"service\":\"s\"," + longName + ":1")));
        String longNumber = "1".repeat(65);
        assertThrows(
                MalformedFrameException.class, () -> Frames.read("[{\"type\":\"renew\",\"id\":" + longNumber + "}]"));
        assertThrows(MalformedFrameException.class, () -> Frames.read(instanceWith("weight", "1." + longNumber)));
        assertThrows(MalformedFrameException.class, () -> Frames.read(instanceWith("port", "1".repeat(900_000))));
    }

    private static String nested(int depth) {
        return "[".repeat(depth) + "]".repeat(depth);
    }

    @Test
    void aFrameHasAtMostTenThousandMessages() throws MalformedFrameException {
        String renew = "{\"type\":\"renew\",\"id\":1}";
        assertEquals(
                10_000,
                Frames.read("[" + (renew + ",").repeat(9_999) + renew + "]").size());
        assertThrows(
                MalformedFrameException.class, () -> Frames.read("[" + (renew + ",").repeat(10_000) + renew + "]"));
    }

    @Test
    void unknownFieldsAreIgnoredWhateverTheyHold() throws MalformedFrameException {
        String strange = "\"later\":{\"a\":[1,{\"a\":1,\"a\":2}],\"a\":null},\"later\":1e400,";
        String ofTheOtherSide =
                "\"revision\":\"x\",\"removed\":7,\"put\":[[]],\"held\":{},\"held\":1,\"value\":5,\"peers\":0,";
        assertEquals(
                Frames.read(listOf(GOOD)),
                Frames.read("[{" + strange + ofTheOtherSide + "\"type\":\"register\",\"id\":7,\"instances\":[{"
                        + strange + "\"standing\":5,\"standing\":6,\"cause\":[]," + GOOD.substring(1) + "]}]"));
        assertEquals(
                Frames.readAnswers("[{\"type\":\"done\",\"id\":1}]"),
                Frames.readAnswers("[{" + strange + "\"holds\":5,\"namespace\":{},\"type\":\"done\",\"id\":1}]"));
    }

    @Test
    void aGenerationIsHexadecimalOrTheFrameIsNotToBeTrusted() throws MalformedFrameException {
        String view =
                "[{\"type\":\"view\",\"service\":\"s\",\"revision\":1,\"digest\":\"00000000000000ff\",\"instances\":[{"
                        + "\"host\":\"h\",\"port\":1,\"generation\":%s}]}]";
        assertEquals(
                1, Frames.readAnswers(view.formatted("\"7fffffffffffffff\"")).size());
        for (String generation : List.of(
                "\"\"",
                "\"0\"",
                "\"0a\"",
                "\"A\"",
                "\"x\"",
                "\"-1\"",
                "\"8000000000000000\"",
                "\"11111111111111111\"",
                "5",
                "null",
                "[]",
                "\"1\",\"generation\":\"1\"")) {
            assertThrows(
                    MalformedFrameException.class, () -> Frames.readAnswers(view.formatted(generation)), generation);
        }
    }

    @Test
    void aClientPassesOverMessagesOfALaterVersion() throws MalformedFrameException {
        assertEquals(
                List.of(new ServerMessage.Done(2)),
                Frames.readAnswers(
                        "[{\"type\":\"weather\",\"id\":\"sunny\",\"service\":[],\"revision\":-7,\"peers\":1},"
                                + "{\"instances\":{\"x\":[]},\"type\":\"weather\"},{\"type\":\"done\",\"id\":2}]"));
        assertThrows(MalformedFrameException.class, () -> Frames.readAnswers("[{\"id\":2}]"));
        for (String peers : List.of("7", "\"a:1\"", "null", "[7]", "[null]", "[[]]", "{}", "[],\"peers\":[]")) {
            assertThrows(
                    MalformedFrameException.class,
                    () -> Frames.readAnswers("[{\"type\":\"peers\",\"peers\":" + peers + "}]"),
                    peers);
        }
        String tooMany = "\"a:1\",".repeat(1_000) + "\"a:1\"";
        assertThrows(
                MalformedFrameException.class,
                () -> Frames.readAnswers("[{\"type\":\"peers\",\"peers\":[" + tooMany + "]}]"));
        assertThrows(MalformedFrameException.class, () -> Frames.readAnswers("[{\"type\":\"done\"}]"));
        assertThrows(MalformedFrameException.class, () -> Frames.readAnswers("[{\"type\":\"done\",\"id\":0}]"));
        assertThrows(
                MalformedFrameException.class, () -> Frames.readAnswers("[{\"type\":\"done\",\"id\":1,\"id\":2}]"));
        assertThrows(
                MalformedFrameException.class,
                () -> Frames.readAnswers("[{\"type\":\"delta\",\"service\":\"s\",\"from\":1,\"to\":2}]"));
        assertThrows(
                MalformedFrameException.class,
                () -> Frames.readAnswers("[{\"type\":\"same\",\"service\":\"s\",\"revision\":1,\"digest\":\"x\"}]"));
        assertThrows(
                MalformedFrameException.class,
                () -> Frames.readAnswers("[{\"type\":\"view\",\"service\":\"s\",\"revision\":1,"
                        + "\"digest\":\"0000000000000000\",\"instances\":[{\"host\":\"h\",\"port\":-1}]}]"));
    }

    @Test
    void helloComesFirstAndOnce() throws MalformedFrameException {
        assertEquals(
                2,
                Frames.readFirst("[" + Frames.HELLO + ",{\"type\":\"renew\",\"id\":1}]")
                        .size());
        assertOutOfOrder(() -> Frames.readFirst("[{\"type\":\"renew\",\"id\":1}]"));
        assertOutOfOrder(() -> Frames.readFirst("[{\"type\":\"renew\",\"id\":1}," + Frames.HELLO + "]"));
        assertOutOfOrder(() -> Frames.readFirst("[{\"type\":\"nonsense\"}]"));
        assertOutOfOrder(() -> Frames.readFirst("[{}]"));
        assertOutOfOrder(() -> Frames.readFirst("[" + Frames.HELLO + "," + Frames.HELLO + "]"));
        assertOutOfOrder(() -> Frames.read("[" + Frames.HELLO + "]"));
    }

    private static void assertOutOfOrder(org.junit.jupiter.api.function.Executable action) {
        assertEquals(
                RefusalCode.OUT_OF_ORDER,
                assertThrows(MalformedFrameException.class, action).code());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"version\":1",
                "\"version\":1,\"session\":\"\"",
                "\"version\":1,\"session\":\"0123456789ABCDEF0123456789ABCDEF\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcde\"",
                "\"version\":1,\"session\":7",
                "\"session\":\"0123456789abcdef0123456789abcdef\"",
                "\"version\":\"1\",\"session\":\"0123456789abcdef0123456789abcdef\"",
                "\"version\":1,\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"a/b\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"namespace\":\"\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"holds\":\"x\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"client\":7",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":0",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":-1",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":2147483648",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":1e99",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":1.0",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":\"1\"",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":null",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":[1]",
                "\"version\":1,\"session\":\"0123456789abcdef0123456789abcdef\",\"attempt\":1,\"attempt\":1",
            })
    void aHelloThatBreaksARuleIsMalformed(String fields) {
        MalformedFrameException e = assertThrows(
                MalformedFrameException.class, () -> Frames.readFirst("[{\"type\":\"hello\"," + fields + "}]"));
        assertEquals(RefusalCode.MALFORMED, e.code());
        assertFalse(String.valueOf(e.getMessage()).contains("0123456789"), "a session is a secret: " + e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "2", "4294967297", "9007199254740991"})
    void anotherVersionIsNamedAsSuchWhateverElseItSays(String version) {
        MalformedFrameException e = assertThrows(
                MalformedFrameException.class,
                () -> Frames.readFirst("[{\"type\":\"hello\",\"session\":{\"id\":7},\"version\":" + version + "}]"));
        assertEquals(RefusalCode.VERSION, e.code());
    }

    static Stream<byte[]> badUtf8() {
        return Stream.of(
                        "80",
                        "bf",
                        "c0af",
                        "c1bf",
                        "c280c0",
                        "e08080",
                        "e09fbf",
                        "eda080",
                        "edbfbf",
                        "eda080edb080",
                        "f08080af",
                        "f0808080",
                        "f48fbf",
                        "f4908080",
                        "f5808080",
                        "fe",
                        "ff",
                        "c2",
                        "e282",
                        "f09f98",
                        "fffe",
                        "feff")
                .map(BadInputTest::bytes);
    }

    @ParameterizedTest
    @MethodSource("badUtf8")
    void badUtf8IsMalformedWhereverItStands(byte[] bad) {
        assertMalformed(join("[{\"type\":\"renew\",\"id\":1,\"x\":\"", bad, "\"}]")); // even in an unknown field
        assertMalformed(join("[{\"type\":\"renew\",\"id\":1,\"x", bad, "\":1}]"));
        assertMalformed(
                join("[{\"type\":\"register\",\"id\":1,\"instances\":[{\"metadata\":{\"a\":\"", bad, "\"}}]}]"));
        assertMalformed(join("", bad, "[]"));
        assertMalformed(join("[]", bad, ""));
    }

    @Test
    void otherEncodingsAreMalformed() {
        String frame = "[{\"type\":\"renew\",\"id\":1}]";
        assertMalformed(frame.getBytes(StandardCharsets.UTF_16));
        assertMalformed(frame.getBytes(StandardCharsets.UTF_16BE));
        assertMalformed(frame.getBytes(StandardCharsets.UTF_16LE));
        assertMalformed(frame.getBytes(java.nio.charset.Charset.forName("UTF-32BE")));
        assertMalformed(frame.getBytes(java.nio.charset.Charset.forName("UTF-32LE")));
        assertMalformed("[]".getBytes(StandardCharsets.UTF_16BE));
        assertMalformed(join("", bytes("efbbbf"), "[]"));
        assertMalformed(new byte[] {0});
        assertMalformed(new byte[0]);
    }

    private static void assertMalformed(byte[] frame) {
        assertEquals(
                RefusalCode.MALFORMED,
                assertThrows(MalformedFrameException.class, () -> Frames.read(frame))
                        .code());
        assertThrows(
                MalformedFrameException.class,
                () -> new MessageReader(ProtocolLimits.DEFAULTS).readFromServer(frame, 0, frame.length, "public"));
    }

    private static byte[] bytes(String hex) {
        byte[] out = new byte[hex.length() / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return out;
    }

    private static byte[] join(String before, byte[] middle, String after) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(before.getBytes(StandardCharsets.UTF_8));
        out.writeBytes(middle);
        out.writeBytes(after.getBytes(StandardCharsets.UTF_8));
        return out.toByteArray();
    }
}
