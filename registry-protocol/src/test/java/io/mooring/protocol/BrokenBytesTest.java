package io.mooring.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Whatever bytes come, a reader answers with messages or {@link MalformedFrameException}, and stays usable. */
class BrokenBytesTest {
    private static final byte[] PROBE = "[{\"type\":\"renew\",\"id\":5}]".getBytes(StandardCharsets.UTF_8);

    private final MessageReader reader = new MessageReader(ProtocolLimits.DEFAULTS);

    @Test
    void aFrameCutAtAnyByteIsMalformed() {
        for (int seed = 0; seed < 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] requests = MessageWriter.frame(Frames.some(random, 1, () -> Frames.anyRequest(random)));
            byte[] answers = MessageWriter.frame(Frames.some(random, 1, () -> Frames.anyAnswer(random)));
            String story = "seed " + seed;
            for (int length = 0; length < requests.length; length++) {
                int cut = length;
                assertThrows(
                        MalformedFrameException.class,
                        () -> reader.readFromClient(requests, 0, cut, Frames.NAMESPACE),
                        () -> story + " cut at " + cut);
            }
            for (int length = 0; length < answers.length; length++) {
                int cut = length;
                assertThrows(
                        MalformedFrameException.class,
                        () -> reader.readFromServer(answers, 0, cut, Frames.NAMESPACE),
                        () -> story + " cut at " + cut);
            }
        }
    }

    @Test
    void flippedBitsNeverEscape() {
        for (int seed = 0; seed < 20_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] requests = MessageWriter.frame(Frames.some(random, 1, () -> Frames.anyRequest(random)));
            byte[] answers = MessageWriter.frame(Frames.some(random, 1, () -> Frames.anyAnswer(random)));
            damage(requests, random);
            damage(answers, random);
            survives(seed, requests, answers);
        }
    }

    @Test
    void swappedPiecesNeverEscape() {
        String[] pieces = {
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "\"",
            "\"type\":",
            "\"hello\"",
            "\"register\"",
            "\"view\"",
            "\"id\":",
            "1",
            "-1",
            "1e400",
            "9007199254740992",
            "\"instances\":",
            "\"metadata\":",
            "\"host\":",
            "\"port\":",
            "\"weight\":",
            "null",
            "true",
            "\"limits\":",
            "\"peers\":",
            "\"peers\"",
            "\"attempt\":",
            "\"\\ud800\"",
            "\"s\"",
            "\"service\":",
            "\"digest\":",
            "\"0000000000000000\"",
            "\"revision\":",
            "\"removed\":",
            "\"cause\":",
            " ",
            "\\u0000",
            "\u0000",
            "é"
        };
        for (int seed = 0; seed < 50_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder(random.nextInt(8) == 0 ? "" : "[{");
            int count = random.nextInt(24);
            for (int i = 0; i < count; i++) {
                text.append(pieces[random.nextInt(pieces.length)]);
                if (random.nextInt(3) == 0) {
                    text.append(',');
                }
            }
            text.append(random.nextInt(4) == 0 ? "" : "}]");
            byte[] frame = text.toString().getBytes(StandardCharsets.UTF_8);
            survives(seed, frame, frame);
        }
    }

    private static void damage(byte[] frame, RandomGenerator random) {
        int hits = 1 + random.nextInt(4);
        for (int i = 0; i < hits; i++) {
            int at = random.nextInt(frame.length);
            frame[at] = random.nextBoolean() ? (byte) (frame[at] ^ 1 << random.nextInt(8)) : (byte) random.nextInt(256);
        }
    }

    private void survives(int seed, byte[] requests, byte[] answers) {
        List<Message> read = new ArrayList<>();
        try {
            read.addAll(reader.readFromClient(requests, 0, requests.length, seed % 2 == 0 ? Frames.NAMESPACE : ""));
        } catch (MalformedFrameException expected) {
            assertReason(seed, expected);
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed + " " + Arrays.toString(requests), e);
        }
        try {
            read.addAll(reader.readFromServer(answers, 0, answers.length, Frames.NAMESPACE));
        } catch (MalformedFrameException expected) {
            assertReason(seed, expected);
        } catch (Throwable e) {
            throw new AssertionError("seed " + seed + " " + Arrays.toString(answers), e);
        }
        // What was read can be written again, a refusal included.
        for (Message message : read) {
            try {
                if (message instanceof ClientMessage.Unacceptable refused) {
                    String why = String.valueOf(refused.reason().getMessage());
                    MessageWriter.message(new ServerMessage.Refused(
                            refused.id(),
                            refused.code(),
                            refused.reason().field(),
                            refused.reason().value(),
                            refused.reason().expected(),
                            why,
                            java.time.Duration.ZERO));
                } else if (message instanceof ClientMessage) {
                    MessageWriter.message(message);
                }
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + " " + message, e);
            }
        }
        try {
            assertEquals(
                    List.of(new ClientMessage.Renew(5)),
                    reader.readFromClient(PROBE, 0, PROBE.length, Frames.NAMESPACE),
                    "seed " + seed);
        } catch (MalformedFrameException e) {
            fail("seed " + seed, e);
        }
    }

    private static void assertReason(int seed, MalformedFrameException e) {
        if (String.valueOf(e.getMessage()).isEmpty()
                || String.valueOf(e.getMessage()).length() > 600) {
            fail("seed " + seed + ": " + e.getMessage());
        }
    }
}
