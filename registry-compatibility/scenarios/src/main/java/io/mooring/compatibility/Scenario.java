package io.mooring.compatibility;

import java.util.EnumSet;
import java.util.Set;

/**
 * Something that a client is put through, by itself, on a registry that others use at the same time.
 *
 * @param name as the table calls it
 * @param needs what the client must be able to express
 * @param story throws if it goes wrong
 */
record Scenario(String name, Set<Ability> needs, Story story) {
    /** What happens, with the client that the stage has. */
    @FunctionalInterface
    interface Story {
        void play(Stage stage) throws Exception;
    }

    Scenario {
        needs = needs.isEmpty() ? Set.of() : EnumSet.copyOf(needs);
    }
}
