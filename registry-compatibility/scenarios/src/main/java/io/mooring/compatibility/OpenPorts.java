package io.mooring.compatibility;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Addresses at which somebody answers, for instances that are to be believed when their registry asks whether they are there. */
final class OpenPorts implements AutoCloseable {
    private final List<ServerSocket> open = new ArrayList<>();

    /** One more, until this is closed; each connection is taken and closed. */
    synchronized Instance next() throws IOException {
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
        open.add(socket);
        Thread thread = new Thread(() -> serve(socket), "answers at " + socket.getLocalPort());
        thread.setDaemon(true);
        thread.start();
        return Instance.at("127.0.0.1", socket.getLocalPort());
    }

    private static void serve(ServerSocket socket) {
        while (!socket.isClosed()) {
            try (Socket taken = socket.accept()) {
                taken.setSoLinger(true, 0);
            } catch (IOException e) {
                if (!socket.isClosed()) { // else this is how waiting ends
                    throw new IllegalStateException("cannot answer at " + socket, e);
                }
            }
        }
    }

    /** From now on nobody answers there. */
    synchronized void close(Instance instance) throws IOException {
        for (ServerSocket socket : open) {
            if (socket.getLocalPort() == instance.port()) {
                socket.close();
            }
        }
    }

    @Override
    public synchronized void close() throws IOException {
        for (ServerSocket socket : open) {
            socket.close();
        }
    }
}
