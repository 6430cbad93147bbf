package io.mooring.server.config;

import io.mooring.model.InvalidValueException;
import io.mooring.server.edge.nacos.Users;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** {@code --hash-password=NAME}: makes a line of the file of users from a password on standard input. */
public final class PasswordLine {
    private static final String OPTION = "--hash-password";

    private PasswordLine() {}

    /**
     * Does it if it is asked for.
     *
     * @return the exit code; empty if something else is asked for
     */
    public static Optional<Integer> run(String[] args, InputStream in, PrintStream out, PrintStream err)
            throws IOException {
        for (String arg : args) {
            if (arg.equals(OPTION)) {
                err.println("Say whose password it is: " + OPTION + "=NAME, the password on standard input.");
                return Optional.of(2);
            }
            if (arg.startsWith(OPTION + "=")) {
                return Optional.of(line(arg.substring(OPTION.length() + 1), in, out, err));
            }
        }
        return Optional.empty();
    }

    private static int line(String name, InputStream in, PrintStream out, PrintStream err) throws IOException {
        String password = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine();
        try {
            out.println(Users.line(name, password == null ? "" : password));
            return 0;
        } catch (InvalidValueException e) {
            err.println(e.getMessage());
            return 2;
        }
    }
}
