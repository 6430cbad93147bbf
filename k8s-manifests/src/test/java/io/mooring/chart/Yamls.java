package io.mooring.chart;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Finds its way through maps and lists of YAML. */
final class Yamls {
    private Yamls() {}

    static Map<String, Object> map(@Nullable Object value) {
        if (!(value instanceof Map<?, ?> given)) {
            throw new IllegalArgumentException("a map is expected, not " + value);
        }
        Map<String, Object> out = new LinkedHashMap<>();
        given.forEach((key, each) -> out.put(String.valueOf(key), each));
        return out;
    }

    /** Of maps, as lists in manifests are. */
    static List<Map<String, Object>> list(@Nullable Object value) {
        if (!(value instanceof List<?> given)) {
            throw new IllegalArgumentException("a list is expected, not " + value);
        }
        List<Map<String, Object>> out = new ArrayList<>();
        given.forEach(each -> out.add(map(each)));
        return out;
    }

    /** @param path keys with dots between them */
    static Optional<Object> find(Map<String, Object> from, String path) {
        Object at = from;
        for (String key : path.split("\\.")) {
            if (!(at instanceof Map<?, ?> here)) {
                return Optional.empty();
            }
            at = here.get(key);
        }
        return Optional.ofNullable(at);
    }

    static Object get(Map<String, Object> from, String path) {
        return find(from, path).orElseThrow(() -> new NoSuchElementException(path + " is missing in " + from));
    }

    static Map<String, Object> mapAt(Map<String, Object> from, String path) {
        return map(get(from, path));
    }

    static List<Map<String, Object>> listAt(Map<String, Object> from, String path) {
        return list(get(from, path));
    }

    /** The one whose {@code name} that is. */
    static Map<String, Object> named(List<Map<String, Object>> list, String name) {
        return list.stream()
                .filter(each -> name.equals(each.get("name")))
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException(name + " is missing in " + list));
    }
}
