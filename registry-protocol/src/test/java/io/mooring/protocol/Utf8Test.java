package io.mooring.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Utf8Test {
    @Test
    void everyCodePointPasses() {
        for (int point = 0; point <= Character.MAX_CODE_POINT; point++) {
            if (point < 0xd800 || point > 0xdfff) {
                byte[] bytes = ("abcdefg" + Character.toString(point)).getBytes(StandardCharsets.UTF_8);
                if (Utf8.firstBad(bytes, 0, bytes.length) != -1) {
                    throw new AssertionError("U+" + Integer.toHexString(point));
                }
            }
        }
    }

    @Test
    void itAgreesWithTheDecoderOfTheJdk() {
        for (int seed = 0; seed < 200_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = Frames.text(random, 12).getBytes(StandardCharsets.UTF_8);
            for (int i = random.nextInt(3); i > 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            assertEquals(
                    decodes(bytes),
                    Utf8.firstBad(bytes, 0, bytes.length) == -1,
                    "seed " + seed + " " + Arrays.toString(bytes));
        }
    }

    @Test
    void itTellsWhereFromTheGivenOffset() {
        byte[] bytes = {(byte) 0xff, 'a', 'b', (byte) 0xc3, (byte) 0xa9, (byte) 0xc3, 'x'};
        assertEquals(4, Utf8.firstBad(bytes, 1, 6));
        assertEquals(-1, Utf8.firstBad(bytes, 1, 4));
        assertEquals(2, Utf8.firstBad(bytes, 1, 3), "the second byte lies outside");
    }

    private static boolean decodes(byte[] bytes) {
        try {
            StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
