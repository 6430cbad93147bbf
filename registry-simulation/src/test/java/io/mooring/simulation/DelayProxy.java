package io.mooring.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Stands between the SDK and the registry: passes bytes on late and in pieces, and cuts connections anywhere. */
final class DelayProxy implements AutoCloseable {
    private final ServerSocket listening;
    private final int target;
    private final Random random;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    final AtomicInteger cuts = new AtomicInteger();
    final AtomicLong delayed = new AtomicLong();
    volatile boolean cutting = true;

    DelayProxy(int target, long seed) throws IOException {
        this.target = target;
        this.random = new Random(seed);
        listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon("proxy", this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                sockets.add(client);
                sockets.add(server);
                // Some connections live long enough to be welcomed and used, none for ever.
                int upLimit = cutting ? 300 + next(20_000) : Integer.MAX_VALUE;
                int downLimit = cutting ? 600 + next(60_000) : Integer.MAX_VALUE;
                daemon("proxy up", () -> pass(client, server, upLimit));
                daemon("proxy down", () -> pass(server, client, downLimit));
            } catch (IOException e) {
                if (listening.isClosed()) {
                    return;
                }
            }
        }
    }

    private synchronized int next(int bound) {
        return random.nextInt(bound);
    }

    private void pass(Socket from, Socket to, int limit) {
        byte[] buffer = new byte[2_048];
        int left = limit;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            while (true) {
                int read = in.read(buffer, 0, 1 + next(buffer.length));
                if (read < 0) {
                    return;
                }
                int wait = next(4) == 0 ? next(101) : next(3);
                delayed.addAndGet(wait);
                TimeUnit.MILLISECONDS.sleep(wait);
                int pass = Math.min(read, left);
                out.write(buffer, 0, pass);
                out.flush();
                left -= pass;
                if (left == 0) {
                    cuts.incrementAndGet();
                    return;
                }
            }
        } catch (IOException e) {
            // the other direction ended it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
