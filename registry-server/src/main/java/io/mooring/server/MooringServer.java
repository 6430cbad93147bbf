package io.mooring.server;

import io.mooring.server.config.Application;

/** Starts one registry node. */
public final class MooringServer {
    private MooringServer() {}

    /** @param args properties, as in {@code --mooring.http.port=8848}; {@code docs/operations.md} lists them */
    public static void main(String[] args) {
        Application.start(args);
    }
}
