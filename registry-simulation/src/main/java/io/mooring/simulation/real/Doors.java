package io.mooring.simulation.real;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The addresses of providers: whoever probes them finds somebody there, until they are shut. One thread. */
final class Doors implements AutoCloseable {
    private final Selector selector = Selector.open();
    private final Map<String, ServerSocketChannel> open = new ConcurrentHashMap<>();
    private volatile boolean closed;

    Doors() throws IOException {
        Thread thread = new Thread(this::run, "doors");
        thread.setDaemon(true);
        thread.start();
    }

    /** Somebody is there from now on; returns the port. */
    int open(String host) throws IOException {
        ServerSocketChannel door = ServerSocketChannel.open();
        door.bind(new InetSocketAddress(host, 0), 200);
        door.configureBlocking(false);
        selector.wakeup();
        door.register(selector, SelectionKey.OP_ACCEPT);
        open.put(host, door);
        return door.socket().getLocalPort();
    }

    /** Connections are refused from now on, as by the system of a dead process. */
    void shut(String host) throws IOException {
        ServerSocketChannel door = open.remove(host);
        if (door != null) {
            door.close();
            selector.wakeup(); // a closed channel lets go of its port when the selector looks
        }
    }

    private void run() {
        try {
            while (!closed) {
                selector.select(key -> {
                    try (SocketChannel caller = ((ServerSocketChannel) key.channel()).accept()) {
                        if (caller != null) {
                            caller.shutdownOutput();
                        }
                    } catch (IOException e) {
                        key.cancel(); // shut meanwhile
                    }
                });
            }
            for (ServerSocketChannel door : open.values()) {
                door.close();
            }
            selector.close();
        } catch (IOException e) {
            throw new IllegalStateException("the doors do not open any more", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        selector.wakeup();
    }
}
