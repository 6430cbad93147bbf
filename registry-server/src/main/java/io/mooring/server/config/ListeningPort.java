package io.mooring.server.config;

import java.io.IOException;
import java.net.InetSocketAddress;
import org.springframework.context.SmartLifecycle;

/** An endpoint that listens before the web server says that the node is there, and until after it has ended. */
abstract class ListeningPort implements SmartLifecycle {
    private static final int NOWHERE = -1;

    private final String whose;
    private final String property;
    private final InetSocketAddress configured;
    private volatile int port = NOWHERE;

    /**
     * @param whose for people, who is served there
     * @param property that says where
     * @param configured what it says
     */
    ListeningPort(String whose, String property, InetSocketAddress configured) {
        this.whose = whose;
        this.property = property;
        this.configured = configured;
    }

    /** @return the port; negative if there is nothing to serve */
    abstract int listen() throws IOException;

    abstract void close();

    @Override
    public final void start() {
        try {
            port = listen();
        } catch (IOException e) {
            throw StartRefusedException.portTaken(whose, configured, property, e);
        }
    }

    @Override
    public final void stop() {
        port = NOWHERE;
        close();
    }

    @Override
    public final boolean isRunning() {
        return port >= 0;
    }

    @Override
    public final int getPhase() {
        return 0;
    }

    /** Where it listens; negative when it does not. */
    final int port() {
        return port;
    }
}
