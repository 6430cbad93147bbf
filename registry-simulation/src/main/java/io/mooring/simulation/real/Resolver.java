package io.mooring.simulation.real;

import java.io.IOException;
import java.util.List;

/** Who answers for the one name that pods ask for. */
interface Resolver extends AutoCloseable {
    /** The names that are answered: of peers, and of the registry for clients. */
    List<String> NAMES = List.of("mooring-peers", "mooring");

    /** How it is called in reports. */
    String name();

    /** Its answer from now on. */
    void answer(List<String> addresses) throws IOException;

    /** It answers nobody any more. */
    void die() throws IOException;

    @Override
    void close() throws IOException;
}
