package io.mooring.server;

import io.mooring.server.config.Application;
import io.mooring.server.config.PasswordLine;
import java.io.IOException;
import java.util.Optional;

/** Starts one registry node. */
public final class MooringServer {
    private MooringServer() {}

    /** @param args properties, as in {@code --mooring.http.port=8848}; {@code docs/operations.md} lists them; or
     *     {@code --hash-password=NAME} to make a line of the file of users instead */
    public static void main(String[] args) throws IOException {
        Optional<Integer> done = PasswordLine.run(args, System.in, System.out, System.err);
        if (done.isPresent()) {
            System.exit(done.get());
        }
        Application.start(args);
    }
}
