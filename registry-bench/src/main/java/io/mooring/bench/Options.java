package io.mooring.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What was asked for: {@code --name=value …}. An option nobody asks about is refused, for it is most likely misspelt. */
final class Options {
    private final Map<String, String> given = new TreeMap<>();
    private final List<String> known = new ArrayList<>();

    Options(List<String> args) {
        for (String arg : args) {
            int equals = arg.indexOf('=');
            if (!arg.startsWith("--") || equals < 3) {
                throw new IllegalArgumentException("option: " + arg + " (expected: --name=value)");
            }
            given.put(arg.substring(2, equals), arg.substring(equals + 1));
        }
    }

    String text(String name, String otherwise) {
        known.add(name);
        return given.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        String text = text(name, String.valueOf(otherwise));
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--" + name + ": " + text + " (expected: a whole number)", e);
        }
    }

    List<Integer> numbers(String name, String otherwise) {
        List<Integer> out = new ArrayList<>();
        for (String part : List.of(text(name, otherwise).split(","))) {
            out.add(Integer.parseInt(part.trim()));
        }
        return out;
    }

    /** Arguments separated by spaces. */
    List<String> words(String name, String otherwise) {
        String text = text(name, otherwise).trim();
        return text.isEmpty() ? List.of() : List.of(text.split(" +"));
    }

    /** To be called when every option has been asked for. */
    void refuseUnknown() {
        for (String name : given.keySet()) {
            if (!known.contains(name)) {
                throw new IllegalArgumentException("option: --" + name + " (expected: one of " + known + ")");
            }
        }
    }
}
