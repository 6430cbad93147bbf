package io.mooring.server.edge.nacos.grpc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.GZIPInputStream;
import java.util.zip.Inflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Shared texts, compressed in parts, are what every reader of gzip takes them for. */
class EncodingTest {
    private static byte[] text(Random random, int length) {
        byte[] text = new byte[length];
        for (int i = 0; i < length; i++) {
            text[i] = (byte) (random.nextInt(10) == 0 ? random.nextInt(256) : "{\"ip\":\"10.0.0.1\"}".charAt(i % 17));
        }
        return text;
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    @ParameterizedTest
    @CsvSource({"0,1,0", "1,1,1", "100,9000,60", "63,330000,61", "65535,20000,65535", "7,65536,13", "200,1000003,40"})
    void whatIsCompressedInPartsIsOneMemberOfGzip(int head, int shared, int tail) throws Exception {
        Random random = new Random(head + shared + tail);
        byte[] first = text(random, head);
        byte[] long_ = text(random, shared);
        byte[] last = text(random, tail);
        SharedText text = new SharedText(long_);

        byte[] gzip = joined(text.gzip(first, last));

        byte[] whole = joined(first, long_, last);
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(gzip))) {
            assertArrayEquals(whole, in.readAllBytes(), "GZIPInputStream, which checks the CRC and the length");
        }
        assertArrayEquals(whole, inflatedByteByByte(gzip, whole.length), "an inflater that is fed byte by byte");
        CRC32 crc = new CRC32();
        crc.update(whole);
        assertEquals((int) crc.getValue(), littleEndian(gzip, gzip.length - 8), "CRC");
        assertEquals(whole.length, littleEndian(gzip, gzip.length - 4), "length");
    }

    /** A reader as Go's and gRPC's own: raw deflate between a head and a foot of its own reckoning. */
    private static byte[] inflatedByteByByte(byte[] gzip, int length) throws DataFormatException {
        Inflater inflater = new Inflater(true);
        byte[] out = new byte[length + 1];
        int at = 0;
        int fed = 10; // behind gzip's head
        while (!inflater.finished()) {
            if (inflater.needsInput()) {
                inflater.setInput(gzip, fed++, 1);
            }
            at += inflater.inflate(out, at, out.length - at);
        }
        assertEquals(gzip.length - 8, fed, "the last block ends where the foot begins");
        inflater.end();
        return Arrays.copyOf(out, at);
    }

    private static int littleEndian(byte[] bytes, int at) {
        return bytes[at] & 0xff | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16 | bytes[at + 3] << 24;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 7, 8, 60, 255, 4_096, 100_000})
    void theCrcOfTwoTextsComesFromThoseOfEach(int length) {
        Random random = new Random(length);
        byte[] first = text(random, 1 + random.nextInt(5_000));
        byte[] second = text(random, length);

        int joined = Crc32Join.join(crc(first), crc(second), Crc32Join.shift(length));

        assertEquals(crc(joined(first, second)), joined);
    }

    private static int crc(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    @Test
    void aTextIsCompressedOnceWhateverStandsAroundIt() {
        SharedText text = new SharedText(text(new Random(1), 50_000));

        byte[][] one = text.gzip(new byte[] {1}, new byte[] {2});
        byte[][] other = text.gzip(new byte[] {3, 4}, new byte[] {});

        assertTrue(one[1] == other[1], "the same bytes, not equal ones");
        assertTrue(one[1].length < 50_000);
    }

    @ParameterizedTest
    @CsvSource({"false,100", "false,20000", "true,100", "true,20000"})
    void aMessageIsTheProtobufThatClientsRead(boolean gzip, int length) throws IOException {
        byte[] list =
                ("{\"hosts\":[\"" + "x".repeat(length) + "\"],\"lastRefTime\":").getBytes(StandardCharsets.US_ASCII);

        Outgoing push = Answers.push(17, new SharedText(list), 1_700_000_000_000L, gzip);
        byte[] sent;
        try (InputStream in = Outgoing.TO_CLIENT.stream(push)) {
            assertEquals(push.length(), ((io.grpc.KnownLength) in).available());
            sent = in.readAllBytes();
        }
        if (push.isCompressed()) {
            sent = new GZIPInputStream(new ByteArrayInputStream(sent)).readAllBytes();
        }
        TestClient.Message message = TestClient.message(sent);

        assertEquals(gzip && length > 10_000, push.isCompressed(), "small ones are not worth it");
        assertEquals("NotifySubscriberRequest", message.type());
        assertEquals("17", message.json().get("requestId").asString());
        assertEquals(
                1_700_000_000_000L,
                message.json().get("serviceInfo").get("lastRefTime").asLong());
    }

    @Test
    void itDrainsAndReadsTheSame() throws IOException {
        Outgoing message = Answers.push(1, new SharedText(text(new Random(3), 9_000)), 1, true);
        ByteArrayOutputStream drained = new ByteArrayOutputStream();
        InputStream in = Outgoing.TO_CLIENT.stream(message);
        int first = in.read();
        drained.write(first);
        int length = ((io.grpc.Drainable) in).drainTo(drained);

        assertEquals(drained.size(), 1 + length);
        assertArrayEquals(Outgoing.TO_CLIENT.stream(message).readAllBytes(), drained.toByteArray());
        assertEquals(-1, in.read());
        assertEquals(0, in.available());
    }

    @Test
    void whatIsNoMessageSaysSoAndDoesNotThrow() {
        for (byte[] bad :
                new byte[][] {{(byte) 0xff}, {0x12, 0x7f, 1}, {0x1a, 2, 0x12, 5}, {0x0c}, {0x12, 2, 0x1a, 40}, {0, 1, 2}
                }) {
            Payload payload = Payload.FROM_CLIENT.parse(new ByteArrayInputStream(bad));
            assertEquals("the payload is no protobuf message", payload.problem(), Arrays.toString(bad));
        }
        Payload empty = Payload.FROM_CLIENT.parse(new ByteArrayInputStream(new byte[0]));
        assertEquals("", empty.type());
        assertEquals(null, empty.problem());
    }

    @Test
    void thePartsOfAPayloadAreFoundWhereverTheyStand() {
        byte[] bytes = TestClient.payload(
                "InstanceRequest", "{\"a\":\"ä\"}", java.util.Map.of("app", "x", "accessToken", "t0ken"));
        byte[] withMore = joined(bytes, new byte[] {0x20, 5, 0x2a, 2, 1, 1}); // fields of a later version

        Payload payload = Payload.FROM_CLIENT.parse(new ByteArrayInputStream(withMore));

        assertEquals("InstanceRequest", payload.type());
        assertEquals("t0ken", payload.token());
        assertEquals("{\"a\":\"ä\"}", new String(payload.body(), StandardCharsets.UTF_8));
        assertFalse(payload.type().isEmpty());
    }
}
