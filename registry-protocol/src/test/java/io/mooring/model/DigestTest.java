package io.mooring.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mooring.protocol.ClientMessage;
import io.mooring.protocol.MalformedFrameException;
import io.mooring.protocol.MessageReader;
import io.mooring.protocol.ProtocolLimits;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    @Test
    void fingerprintsAreThoseOfTheTestVectors() throws IOException, MalformedFrameException {
        List<ListedInstance> all = new ArrayList<>();
        String sum = "";
        for (String line : vectors()) {
            String[] parts = line.split("\t", 3);
            if (parts[0].equals("sum")) {
                sum = parts[1];
                continue;
            }
            Standing standing = Standing.valueOf(parts[0].toUpperCase(Locale.ROOT));
            ListedInstance listed = new ListedInstance(instance(parts[2]), standing);
            assertEquals(parts[1], Digest.format(listed.fingerprint()), parts[2]);
            all.add(listed);
        }
        assertTrue(all.size() >= 20);
        assertEquals(sum, Digest.format(Digest.of(all)));
    }

    private static List<String> vectors() throws IOException {
        try (InputStream in = Objects.requireNonNull(DigestTest.class.getResourceAsStream("/digest-vectors.txt"))) {
            // Not lines(): some vectors hold characters that it would take for the end of a line.
            List<String> lines =
                    new ArrayList<>(List.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")));
            lines.removeIf(line -> line.isEmpty() || line.startsWith("#"));
            return lines;
        }
    }

    private static Instance instance(String json) throws MalformedFrameException {
        byte[] frame =
                ("[{\"type\":\"register\",\"id\":1,\"instances\":[" + json + "]}]").getBytes(StandardCharsets.UTF_8);
        ClientMessage message = new MessageReader(ProtocolLimits.DEFAULTS)
                .readFromClient(frame, 0, frame.length, "public")
                .get(0);
        return ((ClientMessage.Register) message).instances().get(0);
    }

    @Test
    void orderDoesNotMatterAndAChangeMovesTheSum() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Map<InstanceId, ListedInstance> list = new HashMap<>();
            long moved = Digest.EMPTY;
            for (int step = 0; step < 100; step++) {
                ListedInstance next = any(random);
                ListedInstance before = random.nextInt(4) == 0 ? list.remove(next.id()) : list.put(next.id(), next);
                moved -= before == null ? 0 : before.fingerprint();
                moved += list.containsKey(next.id()) ? next.fingerprint() : 0;
            }
            List<ListedInstance> shuffled = new ArrayList<>(list.values());
            Collections.shuffle(shuffled, random);
            assertEquals(Digest.of(shuffled), moved, "seed " + seed);
        }
        assertEquals(Digest.EMPTY, Digest.of(List.of()));
    }

    private static ListedInstance any(Random random) {
        Instance instance = Instance.of(ORDERS, "10.0.0." + random.nextInt(20), 8080)
                .withWeight(random.nextInt(3))
                .withMetadata(Map.of("zone", "z" + random.nextInt(3)));
        return new ListedInstance(instance, List.of(Standing.values()).get(random.nextInt(4)));
    }

    @Test
    void everyFieldCountsAndNoTwoRunTogether() {
        Instance base = Instance.of(ORDERS, "10.0.0.7", 8080).withMetadata(Map.of("a", "b", "c", "d"));
        List<Instance> others = List.of(
                base,
                base.withId(new InstanceId(ServiceKey.of("order"), "DEFAULT", "10.0.0.7", 8080)),
                base.withId(new InstanceId(new ServiceKey("public", "g", "orders"), "DEFAULT", "10.0.0.7", 8080)),
                base.withId(new InstanceId(ORDERS, "D", "10.0.0.7", 8080)),
                base.withId(new InstanceId(ORDERS, "DEFAULT", "10.0.0.70", 8080)),
                base.withId(new InstanceId(ORDERS, "DEFAULT", "10.0.0.7", 8081)),
                base.withWeight(1.0000000000000002),
                base.withEnabled(false),
                base.withMetadata(Map.of("a", "b")),
                base.withMetadata(Map.of("a", "bc", "d", "")),
                base.withMetadata(Map.of("ab", "c", "d", "")),
                base.withMetadata(Map.of("a", "d", "c", "b")));
        Set<Long> fingerprints = new HashSet<>();
        others.forEach(other -> fingerprints.add(Fingerprint.of(other, Standing.LIVE)));
        fingerprints.add(Fingerprint.of(base, Standing.SUSPECT));
        fingerprints.add(Fingerprint.of(base, Standing.HELD));
        assertEquals(others.size() + 2, fingerprints.size());
    }

    @Test
    void whatIsTheSameToACallerHasTheSameFingerprint() {
        Instance base = Instance.of(ORDERS, "10.0.0.7", 8080);
        assertEquals(Fingerprint.of(base, Standing.LIVE), Fingerprint.of(base, Standing.RESTORED));
        assertEquals(
                Fingerprint.of(base.withWeight(0.0), Standing.LIVE),
                Fingerprint.of(base.withWeight(-0.0), Standing.LIVE));
        InstanceId elsewhere =
                new InstanceId(new ServiceKey("other", "DEFAULT_GROUP", "orders"), "DEFAULT", "10.0.0.7", 8080);
        assertEquals(Fingerprint.of(base, Standing.LIVE), Fingerprint.of(base.withId(elsewhere), Standing.LIVE));
    }

    @Test
    void writtenDigestsAreReadBack() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 1_000; i++) {
            long digest = random.nextLong();
            assertEquals(digest, Digest.parse("digest", Digest.format(digest)));
        }
        assertEquals("00000000000000ff", Digest.format(255));
        assertEquals("ffffffffffffffff", Digest.format(-1));
        assertNotEquals(0, Digest.parse("digest", "8000000000000000"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "00000000000000000",
                "000000000000000g",
                "000000000000000:",
                "000000000000000`",
                "000000000000000/",
                "00000000000000FF",
                "-000000000000001",
                "000000000000000٣"
            })
    void otherTextsAreNoDigests(String text) {
        assertEquals(
                "digest",
                assertThrows(InvalidValueException.class, () -> Digest.parse("digest", text))
                        .field());
    }
}
