package io.mooring.simulation.drill;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Standard output, a line at a time and at once: for people, and between the drill and its processes. */
final class Say {
    private static final PrintStream OUT =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

    private Say() {}

    static void line(String text) {
        OUT.println(text);
    }
}
