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

    static StartRefusedException openPeers(String bind) {
        return new StartRefusedException(
                "mooring.bind: " + bind
                        + " is beyond loopback, and peers need not prove that they belong to the cluster.",
                "Give all nodes the same mooring.cluster.secret-file, or certificates by mooring.cluster.tls.*, or set"
                        + " mooring.insecure=true if your network keeps strangers out.");
    }

    /** @param both properties that exclude one another */
    static StartRefusedException twoWays(String both, String action) {
        return new StartRefusedException("More than one of " + both + " is set.", action);
    }

    static StartRefusedException noSecret(String what) {
        return new StartRefusedException(
                what + ".", "Write the secret that all nodes share there, or remove the property to do without.");
    }

    static StartRefusedException halfTls() {
        return new StartRefusedException(
                "mooring.cluster.tls needs all of certificate, key and trust.",
                "Set the missing ones, or remove the others to do without TLS.");
    }

    /** @param problem whose message names the file */
    static StartRefusedException badTls(IOException problem) {
        return new StartRefusedException(
                "mooring.cluster.tls: " + problem.getMessage() + ".",
                "Give PEM files that the user of the node can read: a certificate, its PKCS#8 key without password, and"
                        + " the authority that signed the certificates of all nodes.",
                problem);
    }

    /** @param what is wrong with the file of users, naming it */
    static StartRefusedException badUsers(String what) {
        return new StartRefusedException(
                "mooring.nacos.users-file: " + what + ".",
                "Give a file that the user of the node can read, with lines made by java -jar registry-server.jar"
                        + " --hash-password=NAME, or remove the property to do without users.");
    }

    static StartRefusedException renamed(String given, String stored, Path directory) {
        return new StartRefusedException(
                "mooring.node.name: " + given + ", but the data directory " + directory.toAbsolutePath()
                        + " belongs to the node " + stored + ".",
                "Set mooring.node.name=" + stored + " or remove it, or give this node a directory of its own by"
                        + " mooring.data-directory; to rename the node, stop it and delete the file node-name there.");
    }

    static StartRefusedException badName(String stored, Path directory) {
        return new StartRefusedException(
                "The file node-name in the data directory " + directory.toAbsolutePath() + " has no name in it: "
                        + stored + ".",
                "Write the node's name into it, or delete it.");
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
