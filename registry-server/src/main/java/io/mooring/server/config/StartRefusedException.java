package io.mooring.server.config;

import io.mooring.server.edge.disk.DataDirectoryException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Locale;

/** The node cannot start as it is set up. The message is one sentence; {@link #action()} says what to do. */
final class StartRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String action;

    private StartRefusedException(String sentence, String action, Throwable cause) {
        super(sentence, cause);
        this.action = action;
    }

    private StartRefusedException(String sentence, String action) {
        super(sentence);
        this.action = action;
    }

    /**
     * @param purpose of the port, as in "sessions"
     * @param property that sets it, as in {@code mooring.session.port}
     */
    static StartRefusedException portTaken(
            String purpose, InetSocketAddress address, String property, Throwable cause) {
        return new StartRefusedException(
                "Port " + address.getPort() + " for " + purpose + " is taken or cannot be bound on "
                        + address.getHostString() + ".",
                "Stop what listens there, or set " + property + " to another port.",
                cause);
    }

    /** @param problem whose message says what is wrong with it */
    static StartRefusedException unusable(Path directory, IOException problem) {
        String what = problem instanceof DataDirectoryException
                ? sentence(String.valueOf(problem.getMessage()))
                : "The data directory " + directory.toAbsolutePath() + " cannot be read: " + problem + ".";
        return new StartRefusedException(
                what,
                "Make it readable and writable for the user who runs the registry, or set mooring.data-directory to"
                        + " another one; each node needs its own.",
                problem);
    }

    private static String sentence(String words) {
        return words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1) + ".";
    }

    static StartRefusedException open(String bind) {
        return new StartRefusedException(
                "mooring.bind: " + bind + " is beyond loopback, and nobody has to authenticate yet.",
                "Keep to 127.0.0.1 or ::1, or set mooring.insecure=true if your network keeps strangers out.");
    }

    static StartRefusedException unknownAddress(String bind, Throwable cause) {
        return new StartRefusedException(
                "mooring.bind: " + bind + " is not an address of this machine.",
                "Set mooring.bind to an IP address such as 127.0.0.1 or 0.0.0.0.",
                cause);
    }

    static StartRefusedException unknownProperty(String name, String where, String near) {
        return new StartRefusedException(
                "There is no property " + name + where + ".",
                near.isEmpty()
                        ? "Remove it; docs/operations.md lists the properties."
                        : "Did you mean " + near + "? docs/operations.md lists the properties.");
    }

    /** What the operator should do, in a sentence. */
    String action() {
        return action;
    }
}
