package io.mooring.server.config;

import io.mooring.server.edge.session.SessionServer;
import io.mooring.server.edge.session.SessionSettings;
import java.io.IOException;
import java.net.InetSocketAddress;

/** The endpoint of sessions. */
final class Sessions extends ListeningPort {
    private final SessionServer server;

    Sessions(SessionServer server, SessionSettings settings) {
        super("sessions", "mooring.session.port", InetSocketAddress.createUnresolved(settings.bind(), settings.port()));
        this.server = server;
    }

    @Override
    int listen() throws IOException {
        return server.start();
    }

    @Override
    void close() {
        server.close();
    }

    int connections() {
        return server.connections();
    }
}
