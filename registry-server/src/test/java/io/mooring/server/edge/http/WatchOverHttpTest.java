package io.mooring.server.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.SharedServer;
import io.mooring.server.edge.http.HttpCalls.Answer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WatchOverHttpTest {
    private final HttpEdge edge = SharedServer.get().bean(HttpEdge.class);

    /** Nothing of a watch or stream stays behind: their places are free again. */
    @AfterEach
    void nobodyWatchesAnyMore() {
        edge.close();
        eventually(() -> assertThat(edge.watchers() + edge.streams()).isZero());
    }

    private static void eventually(Runnable holds) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(holds::run);
    }

    @Test
    void aWatchAnswersAtOnceWhenTheClientIsBehind() throws Exception {
        HttpCalls.call("PUT", "/v1/services/w-behind/instances/h:1", "");

        assertThat(HttpCalls.get("/v1/services/w-behind/watch?revision=1&wait=5m")
                        .status())
                .isEqualTo(200);
        assertThat(HttpCalls.get("/v1/services/w-behind/watch?digest=0000000000000000&wait=5m")
                        .status())
                .isEqualTo(200);
        assertThat(HttpCalls.get("/v1/services/w-behind/watch").status()).isEqualTo(200);
    }

    @Test
    void aWatchAnswersWhenTheServiceChanges() throws Exception {
        CompletableFuture<Answer> watch = HttpCalls.later("/v1/services/w-change/watch?revision=0&wait=5m");
        eventually(() -> assertThat(edge.watchers()).isEqualTo(1));
        assertThat(watch).isNotDone();

        HttpCalls.call("PUT", "/v1/services/w-change/instances/h:1", "");

        Answer answer = watch.get(20, TimeUnit.SECONDS);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().at("/instances/0/port").asInt()).isEqualTo(1);
    }

    @Test
    void aWatchByDigestSleepsThroughWhatChangesBack() throws Exception {
        HttpCalls.call("PUT", "/v1/services/w-digest/instances/h:1", "");
        String digest =
                HttpCalls.get("/v1/services/w-digest").json().at("/digest").asString();
        CompletableFuture<Answer> watch = HttpCalls.later("/v1/services/w-digest/watch?digest=" + digest + "&wait=5m");
        eventually(() -> assertThat(edge.watchers()).isEqualTo(1));

        HttpCalls.call("PUT", "/v1/services/w-digest/instances/h:1", ""); // equal: no change
        HttpCalls.call("PUT", "/v1/services/w-digest/instances/h:2", "");

        Answer answer = watch.get(20, TimeUnit.SECONDS);
        assertThat(answer.json().at("/instances").size()).isEqualTo(2);
    }

    @Test
    void aWatchEndsUnchangedWhenItsTimeIsOver() throws Exception {
        assertThat(HttpCalls.get("/v1/services/w-time/watch?revision=0&wait=0s").status())
                .isEqualTo(304);
    }

    @Test
    void moreWatchersThanPlacesAreSentAway() throws Exception {
        List<CompletableFuture<Answer>> watches = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            watches.add(HttpCalls.later("/v1/services/w-full/watch?revision=0&wait=5m"));
        }
        eventually(() -> assertThat(edge.watchers()).isEqualTo(4));

        Answer refused = HttpCalls.get("/v1/services/w-full/watch?revision=0&wait=5m");
        Answer read = HttpCalls.get("/v1/services/w-full");

        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.json().at("/code").asString()).isEqualTo("overloaded");
        assertThat(refused.header("Retry-After")).isEqualTo("1");
        assertThat(read.status()).isEqualTo(200);
        edge.close();
        for (CompletableFuture<Answer> watch : watches) {
            Answer stopped = watch.get(20, TimeUnit.SECONDS);
            assertThat(stopped.json().at("/code").asString()).isEqualTo("stopping");
        }
    }

    /** A reader of events that waits for a while, not for ever. */
    private static Socket reader(String service, int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(receiveBuffer);
        socket.setSoTimeout(20_000);
        socket.connect(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), SharedServer.get().port()));
        socket.getOutputStream()
                .write(("GET /v1/services/" + service + "/events HTTP/1.1\r\nHost: x\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static BufferedReader lines(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    @Test
    void aStreamTellsTheViewFirstAndThenEachChange() throws Exception {
        HttpCalls.call("PUT", "/v1/services/s-first/instances/h:1", "");
        try (Socket socket = reader("s-first", 65_536)) {
            BufferedReader events = lines(socket);
            assertThat(nextView(events)).contains("\"port\":1,").doesNotContain("\"port\":2,");

            HttpCalls.call("PUT", "/v1/services/s-first/instances/h:2", "");
            assertThat(viewWith(events, "\"port\":2,")).contains("\"port\":1,");

            HttpCalls.call("DELETE", "/v1/services/s-first/instances/h:1", "");
            assertThat(viewWith(events, "\"instances\":[{\"host\":\"h\",\"port\":2,"))
                    .doesNotContain("\"port\":1,");
        }
    }

    /** The first event from now on that contains {@code text}: the end of incompleteness is an event too. */
    private static String viewWith(BufferedReader events, String text) throws IOException {
        String view = nextView(events);
        while (!view.contains(text)) {
            view = nextView(events);
        }
        return view;
    }

    /** The data of the next event. */
    private static String nextView(BufferedReader events) throws IOException {
        String name = "";
        for (String line = events.readLine(); line != null; line = events.readLine()) {
            if (line.equals(":")) {
                throw new IOException("nothing but a heartbeat in 15 s");
            }
            if (line.startsWith("event: ")) {
                name = line.substring(7);
            } else if (line.startsWith("data: ")) {
                assertThat(name).isEqualTo("view");
                return line.substring(6);
            }
        }
        throw new IOException("the stream ended");
    }

    @Test
    void aReaderThatTakesNothingGetsTheLatestLaterAndDelaysNobody() throws Exception {
        String label = "x".repeat(8_000);
        for (int i = 1; i <= 100; i++) {
            HttpCalls.call("PUT", "/v1/services/s-slow/instances/h:" + i, "{\"metadata\":{\"l\":\"" + label + "\"}}");
        }
        try (Socket slow = reader("s-slow", 65_536)) {
            eventually(() -> assertThat(edge.streams()).isEqualTo(1));
            for (int weight = 1; weight <= 50; weight++) { // each view is 800 kB: more than all buffers on the way
                Answer change =
                        HttpCalls.call("PATCH", "/v1/services/s-slow/instances/h:1", "{\"weight\":" + weight + "}");
                assertThat(change.status()).isEqualTo(200);
            }
            BufferedReader events = lines(slow);
            int views = 0;
            String last = "";
            while (!last.contains("\"weight\":50,")) {
                last = nextView(events);
                views++;
            }
            assertThat(views).isLessThan(10);
        }
    }

    @Test
    void aReaderThatGoesAwayGivesItsPlaceBack() throws Exception {
        HttpCalls.call("PUT", "/v1/services/s-gone/instances/h:1", "");
        try (Socket reader =
                new Socket(InetAddress.getLoopbackAddress(), SharedServer.get().port())) {
            reader.getOutputStream()
                    .write("GET /v1/services/s-gone/events HTTP/1.1\r\nHost: x\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            eventually(() -> assertThat(edge.streams()).isEqualTo(1));
        }
        // The next pushes find the line dead.
        for (int weight = 1; weight <= 50 && edge.streams() > 0; weight++) {
            HttpCalls.call("PATCH", "/v1/services/s-gone/instances/h:1", "{\"weight\":" + weight + "}");
        }
        eventually(() -> assertThat(edge.streams()).isZero());
    }
}
