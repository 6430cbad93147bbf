package io.mooring.server.config;

import io.mooring.server.edge.session.SessionServer;
import io.mooring.server.edge.session.SessionSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.springframework.context.SmartLifecycle;

/** Starts the endpoint of sessions before the web server says that the node is there, and ends it after. */
final class Sessions implements SmartLifecycle {
    private final SessionServer server;
    private final SessionSettings settings;
    private volatile int port = -1;

    Sessions(SessionServer server, SessionSettings settings) {
        this.server = server;
        this.settings = settings;
    }

    @Override
    public void start() {
        try {
            port = server.start();
        } catch (IOException e) {
            InetSocketAddress address = InetSocketAddress.createUnresolved(settings.bind(), settings.port());
            throw StartRefusedException.portTaken("sessions", address, "mooring.session.port", e);
        }
    }

    @Override
    public void stop() {
        port = -1;
        server.close();
    }

    @Override
    public boolean isRunning() {
        return port >= 0;
    }

    @Override
    public int getPhase() {
        return 0;
    }

    /** Where it listens; negative when it does not. */
    int port() {
        return port;
    }

    int connections() {
        return server.connections();
    }
}
