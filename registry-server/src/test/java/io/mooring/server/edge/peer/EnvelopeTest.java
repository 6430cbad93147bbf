package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mooring.server.codec.ByteReader.MalformedException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Messages come out as they went in, or not at all. */
class EnvelopeTest {
    private static final int LONGEST = 100_000;
    private static final int INFLATED = 400_000;

    private final Envelope envelope = new Envelope(LONGEST, INFLATED);

    @AfterEach
    void close() {
        envelope.close();
    }

    /** Repetitive as registrations are; {@code variety} 256 is noise. */
    private static byte[] message(Random random, int length, int variety) {
        byte[] message = new byte[length];
        for (int i = 0; i < length; i++) {
            message[i] = (byte) random.nextInt(variety);
        }
        return message;
    }

    private static byte[] deflated(int announced, byte[] content) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
        deflater.setInput(content);
        deflater.finish();
        byte[] room = new byte[content.length + 100];
        int size = 5 + deflater.deflate(room, 5, room.length - 5);
        deflater.end();
        Unpooled.wrappedBuffer(room).setByte(0, Envelope.DEFLATED).setInt(1, announced);
        return Arrays.copyOf(room, size);
    }

    private byte[] unwrapped(byte[] wrapped) throws MalformedException {
        return envelope.unwrap(Unpooled.wrappedBuffer(wrapped));
    }

    @Test
    void messagesOfAllKindsComeOutAsTheyWentIn() throws MalformedException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            byte[] message = message(random, random.nextInt(LONGEST - 1), 1 + random.nextInt(256));
            byte[] wrapped = envelope.wrap(message, random.nextBoolean());

            assertThat(wrapped.length).as("seed %d", seed).isLessThanOrEqualTo(message.length + 1);
            assertThat(unwrapped(wrapped)).as("seed %d, round %d", seed, round).isEqualTo(message);
        }
    }

    @Test
    void onlyWhatIsLargeAndGetsSmallerIsDeflated() {
        Random random = new Random(1);

        assertThat(envelope.wrap(new byte[50_000], true)).hasSizeLessThan(1_000).startsWith(Envelope.DEFLATED);
        assertThat(envelope.wrap(new byte[50_000], false)).hasSize(50_001).startsWith(Envelope.RAW);
        assertThat(envelope.wrap(message(random, 50_000, 256), true))
                .hasSize(50_001)
                .startsWith(Envelope.RAW);
        assertThat(envelope.wrap(new byte[100], true)).hasSize(101).startsWith(Envelope.RAW);
    }

    @Test
    void whatIsTooLongForTheOtherSideIsNotEvenSent() {
        assertThat(envelope.wrap(new byte[INFLATED], true)).hasSizeLessThan(LONGEST);
        assertThatThrownBy(() -> envelope.wrap(new byte[INFLATED + 1], true))
                .hasMessageContaining("400001 octets")
                .hasMessageContaining("at most 400000");
        assertThatThrownBy(() -> envelope.wrap(new byte[LONGEST], false)).hasMessageContaining("100001 on the line");
    }

    @Test
    void aCutMessageIsRefusedWhereverItIsCut() {
        byte[] whole = envelope.wrap(message(new Random(2), 2_000, 4), true);
        assertThat(whole[0]).isEqualTo((byte) Envelope.DEFLATED);
        for (int length = 1; length < whole.length; length++) {
            ByteBuf cut = Unpooled.wrappedBuffer(whole, 0, length);
            assertThatThrownBy(() -> envelope.unwrap(cut))
                    .as("cut to %d", length)
                    .isInstanceOf(MalformedException.class);
        }
    }

    @Test
    void aBombIsRefused() {
        byte[] million = new byte[1_000_000];

        assertThatThrownBy(() -> unwrapped(deflated(million.length, million)))
                .as("it says so itself")
                .isInstanceOf(MalformedException.class)
                .hasMessage("inflated length: 1000000 (expected: 0-400000)");
        assertThatThrownBy(() -> unwrapped(deflated(1_000, million)))
                .as("it says less")
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("it inflates to less or more than the 1000 octets");
        assertThatThrownBy(() -> unwrapped(deflated(INFLATED, new byte[10])))
                .as("a few bytes that make us reserve much")
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("inflated length: 400000");
        assertThatThrownBy(() -> unwrapped(deflated(-1, new byte[10])))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("inflated length: -1");
    }

    @Test
    void nonsenseIsRefusedAndTheNextMessageIsRead() throws MalformedException {
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            byte[] nonsense = message(random, 1 + random.nextInt(300), 256);
            nonsense[0] = (byte) Envelope.DEFLATED;
            assertThatThrownBy(() -> unwrapped(nonsense)).isInstanceOf(MalformedException.class);
        }
        assertThatThrownBy(() -> unwrapped(new byte[0])).hasMessageContaining("empty");
        assertThatThrownBy(() -> unwrapped(new byte[] {7, 1})).hasMessageContaining("form: 7 (expected: 0 or 1)");
        byte[] message = message(random, 5_000, 3);
        assertThat(unwrapped(envelope.wrap(message, true))).isEqualTo(message);
    }

    @Test
    void whatFollowsADeflatedMessageIsRefused() {
        byte[] whole = deflated(1_000, new byte[1_000]);
        byte[] longer = Arrays.copyOf(whole, whole.length + 1);

        assertThatThrownBy(() -> unwrapped(longer)).isInstanceOf(MalformedException.class);
    }
}
