package io.mooring.simulation.real;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A session that speaks just enough to register one instance and renew itself, and can die as a process does: no goodbye,
 * no coming back.
 */
final class MortalProvider implements WebSocket.Listener {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().proxy(HttpClient.Builder.NO_PROXY).build();
    private static final ScheduledExecutorService TIMER = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "mortal providers");
        thread.setDaemon(true);
        return thread;
    });

    final CompletableFuture<Void> registered = new CompletableFuture<>();
    private final WebSocket socket;
    private final StringBuilder heard = new StringBuilder();
    private volatile boolean dead;

    /** @param address of a node, {@code host:port} */
    MortalProvider(String address, String service, String host, int port, Map<String, String> metadata) {
        socket = HTTP.newWebSocketBuilder()
                .buildAsync(URI.create("ws://" + address + "/v1/session"), this)
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
        ThreadLocalRandom random = ThreadLocalRandom.current();
        StringBuilder labels = new StringBuilder();
        metadata.forEach((key, value) ->
                labels.append(labels.length() == 0 ? "" : ",").append("\"" + key + "\":\"" + value + "\""));
        say(String.format(
                Locale.ROOT,
                "[{\"type\":\"hello\",\"version\":1,\"session\":\"%016x%016x\",\"client\":\"mortal\","
                        + "\"namespace\":\"public\",\"attempt\":1},{\"type\":\"register\",\"id\":1,\"instances\":"
                        + "[{\"service\":\"%s\",\"host\":\"%s\",\"port\":%d,\"metadata\":{%s}}]}]",
                random.nextLong(),
                random.nextLong(),
                service,
                host,
                port,
                labels));
        TIMER.schedule(() -> renew(2), 4, TimeUnit.SECONDS);
    }

    private void renew(long id) {
        if (!dead) {
            say("[{\"type\":\"renew\",\"id\":" + id + "}]");
            TIMER.schedule(() -> renew(id + 1), 4, TimeUnit.SECONDS);
        }
    }

    private void say(String frame) {
        socket.sendText(frame, true);
    }

    /** Its connection breaks, as when its process is killed. */
    void die() {
        dead = true;
        socket.abort();
    }

    /** It says nothing more and its connection stays: a host that hangs. */
    void fallSilent() {
        dead = true;
    }

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
        heard.append(data);
        if (last) {
            if (heard.indexOf("\"type\":\"done\"") >= 0) {
                registered.complete(null);
            }
            heard.setLength(0);
        }
        from.request(1);
        return CompletableFuture.completedFuture(null);
    }
}
