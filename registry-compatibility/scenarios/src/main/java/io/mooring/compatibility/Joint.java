package io.mooring.compatibility;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Something that all clients are put through together: each takes its part, then it happens, once, and each part is judged.
 *
 * @param name as the table calls it
 * @param needs what a client must be able to express to take part
 */
record Joint(String name, Set<Ability> needs, Casting casting, Happening happening) {
    Joint {
        needs = needs.isEmpty() ? Set.of() : EnumSet.copyOf(needs);
    }

    /** Gives a client its part. All clients at once, each on a thread of its own, as is what parts do. */
    @FunctionalInterface
    interface Casting {
        Part cast(Stage stage, Company company) throws Exception;
    }

    /** What happens to all of them. */
    @FunctionalInterface
    interface Happening {
        void happen(Company company) throws Exception;
    }

    /** One client in it. */
    interface Part {
        /** After it happened. */
        void judge() throws Exception;

        /** After all were judged. */
        void leave() throws Exception;
    }

    /**
     * Who is in it.
     *
     * @param registry that everybody may use
     * @param guarded the one with users, of one node
     * @param published grows while parts are cast
     * @param services what the parts have to do with, in the same way
     */
    record Company(Registry registry, Registry guarded, List<Instance> published, List<String> services) {
        Company(Registry registry, Registry guarded) {
            this(registry, guarded, new CopyOnWriteArrayList<>(), new CopyOnWriteArrayList<>());
        }
    }
}
