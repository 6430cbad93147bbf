package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where peers are written down: believed when it makes sense, kept when it does not. */
class AddressWatchTest {
    @TempDir
    private Path directory;

    private Path file;
    private AddressWatch watch;
    private final List<List<String>> told = new ArrayList<>();

    @BeforeEach
    void begin() throws IOException {
        file = directory.resolve("peers");
        Files.writeString(file, "10.0.0.1:9849\n10.0.0.2\n");
        watch = new AddressWatch(AddressSource.file(file), Duration.ofHours(1));
        look();
        watch.begin(new CompletableFuture<>());
    }

    private void look() {
        watch.look(told::add);
    }

    @Test
    void aFileHasAnAddressPerLineAndWordsForPeople() throws IOException {
        Files.writeString(
                file,
                "# three nodes\r\n a.example \r\n\r\n[2001:db8::1]:7000 # the new one\n2001:db8::2\na.example:9849");

        assertThat(AddressSource.file(file).read())
                .containsExactly("a.example:9849", "[2001:db8::1]:7000", "[2001:db8::2]:9849");
    }

    @Test
    void aNewListIsToldWhenItIsThereTwice() throws IOException {
        look();
        Files.writeString(file, "10.0.0.1\n10.0.0.3\n");
        look();
        assertThat(told).as("it may be in the middle of being written").isEmpty();
        look();
        look();
        assertThat(told).containsExactly(List.of("10.0.0.1:9849", "10.0.0.3:9849"));
    }

    @Test
    void halfAFileIsNotBelieved() throws IOException {
        Files.writeString(file, "10.0.0.1\n");
        look();
        Files.writeString(file, "10.0.0.1\n10.0.0.2\n10.0.0.3\n");
        look();
        look();
        assertThat(told).containsExactly(List.of("10.0.0.1:9849", "10.0.0.2:9849", "10.0.0.3:9849"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\n\n# nobody\n",
                "10.0.0.1\nhttp://10.0.0.2\n",
                "10.0.0.1:0",
                "10.0.0.1:70000",
                "a b",
                "\u0000\u0001\u0002",
                "10.0.0.1:9849:1",
                "[10.0.0.1]:1",
                ":9849",
                "<html>502 Bad Gateway</html>"
            })
    void aFileThatMakesNoSenseChangesNothing(String content) throws IOException {
        Files.writeString(file, content);
        for (int i = 0; i < 4; i++) {
            look();
        }
        assertThat(told).isEmpty();
        Files.writeString(file, "10.0.0.1\n10.0.0.2\n");
        look();
        look();
        assertThat(told).as("it is what it was").isEmpty();
    }

    @Test
    void aFileThatIsTooLargeOrGoneChangesNothing() throws IOException {
        Files.writeString(
                file, IntStream.range(0, 65).mapToObj(i -> "10.0.1." + i).collect(Collectors.joining("\n")));
        look();
        look();
        Files.writeString(file, "#".repeat(70_000) + "\n10.0.0.9\n");
        look();
        look();
        Files.delete(file);
        look();
        look();
        Files.createDirectory(file);
        look();
        look();
        assertThat(told).isEmpty();
    }

    @Test
    void theComplaintNamesTheLine() throws IOException {
        Files.writeString(file, "10.0.0.1\n\n10.0.0.2:x\n");

        assertThatThrownBy(() -> AddressSource.file(file).read())
                .hasMessage("line 3: address: 10.0.0.2:x (expected: host or host:port, with brackets around an IPv6"
                        + " address)");
    }

    @Test
    void aNameGivesAllItsAddressesInOneOrder() throws IOException {
        NameLookup lookup = name -> List.of(
                InetAddress.getByName("10.0.0.2"),
                InetAddress.getByName("2001:db8::1"),
                InetAddress.getByName("10.0.0.1"));

        assertThat(AddressSource.name(PeerAddress.parse("nodes.example:7000"), lookup)
                        .read())
                .containsExactly("10.0.0.1:7000", "10.0.0.2:7000", "[2001:db8:0:0:0:0:0:1]:7000");
    }

    @Test
    void aNameThatHasNoAddressAnyMoreKeepsItsLast() throws UnknownHostException {
        List<InetAddress> answer = new ArrayList<>(List.of(InetAddress.getByName("10.0.0.1")));
        boolean[] dead = {false};
        watch = new AddressWatch(
                AddressSource.name(PeerAddress.parse("nodes.example"), name -> {
                    if (dead[0]) {
                        throw new UnknownHostException(name);
                    }
                    return List.copyOf(answer);
                }),
                Duration.ofHours(1));
        assertThat(watch.first(Duration.ofSeconds(20))).containsExactly("10.0.0.1:9849");
        dead[0] = true;
        look();
        look();
        dead[0] = false;
        answer.clear();
        look();
        look();
        assertThat(told).isEmpty();
        answer.add(InetAddress.getByName("10.0.0.7"));
        look();
        look();
        assertThat(told).containsExactly(List.of("10.0.0.7:9849"));
    }

    @Test
    void aResolverThatHangsDoesNotKeepTheNodeFromStartingAndIsHeardLater() throws Exception {
        CountDownLatch answering = new CountDownLatch(1);
        CompletableFuture<List<String>> later = new CompletableFuture<>();
        AddressSource slow = () -> {
            try {
                answering.await();
            } catch (InterruptedException e) {
                throw new IOException("interrupted", e);
            }
            return List.of("10.0.0.1:9849");
        };
        try (AddressWatch hanging = new AddressWatch(slow, Duration.ofMillis(1))) {
            assertThat(hanging.first(Duration.ofMillis(1))).isEmpty();
            hanging.start(later::complete);
            answering.countDown();
            assertThat(later.get(20, TimeUnit.SECONDS)).containsExactly("10.0.0.1:9849");
        }
    }

    @Test
    void aMissingFileIsWaitedFor() throws Exception {
        Files.delete(file);
        CompletableFuture<List<String>> later = new CompletableFuture<>();
        try (AddressWatch missing = new AddressWatch(AddressSource.file(file), Duration.ofMillis(1))) {
            assertThat(missing.first(Duration.ofSeconds(20))).isEmpty();
            missing.start(later::complete);
            Files.writeString(file, "10.0.0.1\n");
            assertThat(later.get(20, TimeUnit.SECONDS)).containsExactly("10.0.0.1:9849");
        }
    }

    @Test
    void theHostToTellIsTheBoundOneOrOneOfThisMachines() throws UnknownHostException {
        assertThat(OwnAddress.of("127.0.0.1", List.of("10.0.0.1:9849"))).isEqualTo("127.0.0.1");
        assertThat(OwnAddress.of("::1", List.of())).isEqualTo("0:0:0:0:0:0:0:1");
        String own = OwnAddress.of("0.0.0.0", List.of("nodes.example:9849", "127.0.0.1:9849"));
        assertThat(InetAddress.getByName(own).isAnyLocalAddress()).isFalse();
        assertThat(PeerAddress.parse(new PeerAddress(own, 1).toString())).isEqualTo(new PeerAddress(own, 1));
        assertThat(OwnAddress.of("0.0.0.0", List.of("127.0.0.9:9849")))
                .as("from there the first peer is reached")
                .isEqualTo("127.0.0.1");
    }
}
