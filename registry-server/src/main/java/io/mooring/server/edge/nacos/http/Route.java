package io.mooring.server.edge.nacos.http;

import java.util.Optional;
import java.util.Set;

/**
 * One operation.
 *
 * @param path below {@code /nacos}
 * @param traits how it differs from the others
 */
record Route(String method, String path, Set<Trait> traits, Handler handler) {
    enum Trait {
        /** Needs no token. */
        OPEN,
        /** Is answered although the node is not ready. */
        ALWAYS,
        /** Has no envelope although its generation has. */
        BARE
    }

    interface Handler {
        /** Answers, or arranges for a later answer and returns nothing. */
        Optional<Answer> handle(Call call);
    }

    boolean is(Trait trait) {
        return traits.contains(trait);
    }

    Generation generation() {
        return Generation.of(path);
    }
}
