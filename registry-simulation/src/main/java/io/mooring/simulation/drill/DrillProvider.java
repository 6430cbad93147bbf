package io.mooring.simulation.drill;

import com.sun.net.httpserver.HttpServer;
import io.mooring.client.ClientStatus;
import io.mooring.client.Mooring;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A process that answers calls and registers itself. Arguments: registry addresses, cache directory. */
final class DrillProvider {
    private DrillProvider() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        System.setProperty("sun.net.httpserver.nodelay", "true"); // head and body leave apart; do not wait between
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), 0), 64);
        int port = server.getAddress().getPort();
        byte[] answer = ("hello from " + port + "\n").getBytes(StandardCharsets.UTF_8);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
        try (Mooring mooring = Mooring.builder()
                .servers(arguments[0].split(","))
                .cacheDirectory(Path.of(arguments[1]))
                .build()) {
            mooring.register(OutageDrill.SERVICE, "127.0.0.1", port);
            Say.line("port " + port);
            boolean there = false;
            while (true) {
                ClientStatus status = mooring.status();
                boolean now = status.state() == ClientStatus.State.CONNECTED && status.confirmedRegistrations() == 1;
                if (now != there) {
                    there = now;
                    Say.line(now ? "connected" : "disconnected");
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
    }
}
