package io.mooring.compatibility;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A client to be tried.
 *
 * @param name as people call it, with its version; unique
 * @param version that its driver must say it runs
 * @param representative whether every build tries it, or only the full matrix
 * @param command starts its driver in the given directory, which is its own and empty
 * @param lacks what its API cannot express, and why
 * @param absent why it cannot run on this machine, such as that a toolchain is missing; empty if it can
 */
record Client(
        String name,
        String version,
        boolean representative,
        Function<Path, List<String>> command,
        Map<Ability, String> lacks,
        Supplier<String> absent) {
    Client {
        if (!name.contains(version)) {
            throw new IllegalArgumentException("name: " + name + " (expected: with the version " + version + ")");
        }
        lacks = lacks.isEmpty() ? Map.of() : new EnumMap<>(lacks);
    }

    /** For names of services and directories. */
    String tag() {
        return name.replaceAll("[^A-Za-z0-9.]+", "-");
    }
}
