package io.mooring.server.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ServiceKey;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.shard.LeaseTerms;
import io.mooring.server.shard.Publisher;
import io.mooring.server.shard.Registration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class SharedTextsTest {
    private static final String[] TEXTS = {"a", "b", "ab", "ba", "é", "ß", "日本", "", "x".repeat(70)};

    @Test
    void whatIsLikeTheOneBeforeItIsReadAsItWasWritten() throws MalformedException {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            List<Registration> written = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                written.add(any(random));
            }
            assertEquals(written, readBack(written), "seed " + seed);
        }
    }

    @Test
    void neighboursShareWhatIsTheSame() throws MalformedException {
        Map<String, String> labels = Map.of("zone", "a", "version", "1.4.2");
        Instance first = Instance.of(ServiceKey.of("orders"), "10.0.0.1", 1).withMetadata(labels);
        Instance second = Instance.of(ServiceKey.of("orders"), "10.0.0.2", 1).withMetadata(labels);
        List<Registration> read =
                readBack(List.of(of(first, "0123456789abcdef", 7), of(second, "0123456789abcdef", 7)));
        assertSame(read.get(0).id().service(), read.get(1).id().service());
        assertSame(read.get(0).instance().metadata(), read.get(1).instance().metadata());
        assertSame(read.get(0).publisher(), read.get(1).publisher());
    }

    private static List<Registration> readBack(List<Registration> written) throws MalformedException {
        ByteWriter out = new ByteWriter(16);
        written.forEach(out::registration);
        byte[] bytes = out.bytes();
        ByteReader in = new ByteReader(bytes, 0, bytes.length, new SharedTexts());
        List<Registration> read = new ArrayList<>();
        while (in.hasMore()) {
            read.add(in.registration());
        }
        return read;
    }

    private static Registration any(Random random) {
        ServiceKey service = new ServiceKey(
                random.nextBoolean() ? "public" : "other", random.nextBoolean() ? "G" : "H", "s" + random.nextInt(3));
        Map<String, String> labels = new TreeMap<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            labels.put("k" + TEXTS[random.nextInt(TEXTS.length)], TEXTS[random.nextInt(TEXTS.length)]);
        }
        InstanceId id = new InstanceId(
                service, random.nextBoolean() ? "DEFAULT" : "east", "h" + random.nextInt(3), random.nextInt(3));
        Instance instance =
                Instance.of(id.service(), id.host(), id.port()).withId(id).withMetadata(labels);
        return of(instance, "0123456789abcde" + random.nextInt(3), random.nextInt(3));
    }

    private static Registration of(Instance instance, String publisher, int attempt) {
        LeaseTerms terms = new LeaseTerms(Duration.ofSeconds(20 + attempt % 2), Duration.ofSeconds(attempt));
        return new Registration(instance, Publisher.ofSession(publisher, attempt, terms), 3 + attempt, attempt == 1);
    }
}
