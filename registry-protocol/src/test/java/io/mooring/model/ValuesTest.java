package io.mooring.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Values keep their rules from the moment they are made, and say which one was broken. */
class ValuesTest {
    private static final ServiceKey ORDERS = ServiceKey.of("orders");

    @Test
    void namesReachTheirLimitsAndNoFurther() {
        ServiceKey longest = new ServiceKey("n".repeat(64), "g".repeat(128), "s".repeat(512));
        new InstanceId(longest, "c".repeat(64), "h".repeat(253), 65_535);
        invalid("namespace", () -> new ServiceKey("n".repeat(65), "g", "s"));
        invalid("group", () -> new ServiceKey("n", "g".repeat(129), "s"));
        invalid("service", () -> new ServiceKey("n", "g", "s".repeat(513)));
        invalid("cluster", () -> new InstanceId(ORDERS, "c".repeat(65), "h", 1));
        invalid("host", () -> new InstanceId(ORDERS, "c", "h".repeat(254), 1));
        new InstanceId(ORDERS, "c", "h", 0);
        invalid("port", () -> new InstanceId(ORDERS, "c", "h", 65_536));
        invalid("port", () -> new InstanceId(ORDERS, "c", "h", -1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a/b", "a\\b", "a@b", "a?b=c&d", "a#b", "<b>", "../x", "a,b", "\"", "%2F", "providers:x:1.0::"})
    void namesOfServicesAreFree(String name) {
        assertEquals(name, new ServiceKey("n", "g", name).name());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a\u0000", "a\n", "\u007f", "é", "\ud800", "@a", "a@@b"})
    void namesOfServicesTakeNoSpaceAndCannotBeTakenForGroups(String name) {
        invalid("service", () -> new ServiceKey("n", "g", name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", "a b", "a/b", "a\\b", "a@b", "a\u0000", "a\n", "\u007f", "é", "\ud800", "a?b", "a#b", "<b>",
                "../x", "a,b"
            })
    void noNameTakesSeparatorsSpacesOrControlCharacters(String name) {
        invalid("namespace", () -> new ServiceKey(name, "g", "s"));
        invalid("group", () -> new ServiceKey("n", name, "s"));
        invalid("cluster", () -> new InstanceId(ORDERS, name, "h", 1));
        invalid("host", () -> new InstanceId(ORDERS, "c", name, 1));
    }

    @ParameterizedTest
    @ValueSource(
            doubles = {
                -1,
                -Double.MIN_VALUE,
                10_000.000000000002,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Double.NEGATIVE_INFINITY
            })
    void weightIsANumberFromZeroToTenThousand(double weight) {
        invalid("weight", () -> Instance.of(ORDERS, "h", 1).withWeight(weight));
    }

    @Test
    void theWeightsOfZeroAreOne() {
        assertEquals(
                Instance.of(ORDERS, "h", 1).withWeight(0.0),
                Instance.of(ORDERS, "h", 1).withWeight(-0.0));
    }

    @Test
    void metadataIsAMapInKeyOrder() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            Map<String, String> entries = new HashMap<>();
            int count = random.nextInt(Metadata.MAX_ENTRIES + 1);
            for (int i = 0; i < count; i++) {
                entries.put("k" + random.nextInt(500), "v" + random.nextInt(5));
            }
            List<String> keys = new ArrayList<>(entries.keySet());
            Collections.shuffle(keys, random);
            @Nullable String[] flat = new @Nullable String[2 * keys.size() + 2];
            for (int i = 0; i < keys.size(); i++) {
                flat[2 * i] = keys.get(i);
                flat[2 * i + 1] = entries.get(keys.get(i));
            }
            Metadata metadata = Metadata.ofFlat(flat, 2 * keys.size());
            assertEquals(entries, metadata, "seed " + seed);
            assertEquals(metadata, entries, "seed " + seed);
            assertEquals(entries.hashCode(), metadata.hashCode(), "seed " + seed);
            assertEquals(Metadata.of(entries), metadata, "seed " + seed);
            assertEquals(
                    new ArrayList<>(new TreeMap<>(entries).keySet()),
                    new ArrayList<>(metadata.keySet()),
                    "seed " + seed);
            for (String key : keys) {
                assertEquals(entries.get(key), metadata.get(key), "seed " + seed);
            }
            Arrays.fill(flat, "changed later");
            assertEquals(entries, metadata, "seed " + seed);
        }
        assertSame(Metadata.empty(), Metadata.of(Map.of()));
        assertThrows(
                UnsupportedOperationException.class,
                () -> Metadata.of(Map.of("a", "b")).put("a", "c"));
        assertTrue(Metadata.of(Map.of("a", "b")).containsKey("a"));
        assertEquals(null, Metadata.of(Map.of("a", "b")).get("b"));
    }

    @Test
    void metadataReachesItsLimitsAndNoFurther() {
        assertEquals(128, Metadata.of(entries(128)).size());
        invalid("metadata", () -> Metadata.of(entries(129)));
        Metadata.of(Map.of("k".repeat(256), ""));
        invalid("metadata key", () -> Metadata.of(Map.of("k".repeat(257), "")));
        invalid("metadata key", () -> Metadata.of(Map.of("", "v")));
        Metadata.of(Map.of("k", "v".repeat(8_192)));
        invalid("metadata.k", () -> Metadata.of(Map.of("k", "v".repeat(8_193))));
        Metadata.of(Map.of("k", "v".repeat(8_191), "l", "v".repeat(8_191)));
        invalid("metadata", () -> Metadata.of(Map.of("k", "v".repeat(8_192), "l", "v".repeat(8_191))));
    }

    @Test
    void metadataIsWellFormedTextAndKeysHaveNoControlCharacters() {
        Metadata.of(Map.of("😀", "\u0000\n😀\u007f"));
        invalid("metadata key", () -> Metadata.of(Map.of("\n", "v")));
        invalid("metadata key", () -> Metadata.of(Map.of("\u007f", "v")));
        invalid("metadata key", () -> Metadata.of(Map.of("a\ud83d", "v")));
        for (String bad : List.of("\ud83d", "a\ud83d", "\ude00", "\ude00\ud83d", "\ud83d\ud83d\ude00", "\ud83dx")) {
            invalid("metadata.k", () -> Metadata.of(Map.of("k", bad)));
        }
        invalid("metadata.k", () -> Metadata.ofFlat(new @Nullable String[] {"k", null}, 2));
        invalid("metadata key", () -> Metadata.ofFlat(new @Nullable String[] {null, "v"}, 2));
        invalid("metadata.k", () -> Metadata.ofFlat(new @Nullable String[] {"k", "1", "j", "2", "k", "3"}, 6));
    }

    @Test
    void idsAreOrderedByServiceClusterHostAndPort() {
        ServiceKey billing = ServiceKey.of("billing");
        List<InstanceId> ordered = List.of(
                new InstanceId(new ServiceKey("a", "z", "z"), "z", "z", 9),
                new InstanceId(new ServiceKey("b", "a", "z"), "z", "z", 9),
                new InstanceId(new ServiceKey("b", "b", "a"), "z", "z", 9),
                new InstanceId(billing, "a", "z", 9),
                new InstanceId(billing, "b", "a", 10),
                new InstanceId(billing, "b", "b", 9),
                new InstanceId(ServiceKey.of("billing"), "b", "b", 10));
        for (int seed = 0; seed < 20; seed++) {
            List<InstanceId> shuffled = new ArrayList<>(ordered);
            Collections.shuffle(shuffled, new Random(seed));
            Collections.sort(shuffled);
            assertEquals(ordered, shuffled, "seed " + seed);
        }
        InstanceId one = ordered.get(6);
        InstanceId equal = new InstanceId(billing, "b", "b", 10);
        assertEquals(one, equal);
        assertEquals(one.hashCode(), equal.hashCode());
        assertNotEquals(one, ordered.get(5));
    }

    @Test
    void addressesPutIpv6InBrackets() {
        assertEquals("10.0.0.7:80", Instance.of(ORDERS, "10.0.0.7", 80).address());
        assertEquals(
                "[fe80::1%eth0]:80", Instance.of(ORDERS, "fe80::1%eth0", 80).address());
    }

    @Test
    void complaintsAreSafeToShow() {
        InvalidValueException e =
                new InvalidValueException("a\nb", "x\u0000\ud800\u202e" + "y".repeat(1_000), "better");
        assertTrue(e.getMessage().chars().allMatch(c -> c >= ' ' && c != 0x7f && c != 0x202e), e.getMessage());
        assertTrue(e.getMessage().length() < 250, e.getMessage());
        assertEquals("list[3].a\\u000ab", e.inside("list[3]").field());
        assertEquals(e.value(), e.inside("list[3]").value());
        assertEquals("null", new InvalidValueException("a", null, "b").value());
    }

    private static Map<String, String> entries(int count) {
        Map<String, String> out = new HashMap<>();
        for (int i = 0; i < count; i++) {
            out.put("key-" + i, "v");
        }
        return out;
    }

    private static void invalid(String field, Executable action) {
        InvalidValueException e = assertThrows(InvalidValueException.class, action);
        assertEquals(field, e.field(), e.getMessage());
    }
}
