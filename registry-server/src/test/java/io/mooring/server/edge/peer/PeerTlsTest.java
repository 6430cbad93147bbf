package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mooring.server.membership.PeerLine;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both sides show a certificate of the cluster's authority, or there is no line. */
class PeerTlsTest {
    @TempDir
    private static Path directory;

    private static Certificates ours;
    private static Certificates theirs;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final TestEnds listening = new TestEnds();
    private final TestEnds dialling = new TestEnds();
    private final CountingMeter meter = new CountingMeter();
    private PeerServer server;
    private PeerClient client;

    @BeforeAll
    static void make() throws Exception {
        ours = new Certificates(directory, "ours");
        ours.sign("n1");
        theirs = new Certificates(directory, "theirs");
        theirs.sign("stranger");
    }

    private static Optional<PeerTls> tls(String certificate, Certificates trusted) throws IOException {
        return Optional.of(PeerTls.read(ours.certificate(certificate), ours.key(certificate), trusted.trust()));
    }

    private int listen(Optional<PeerTls> tls) throws IOException {
        PeerSettings settings = PeerSettings.defaults("127.0.0.1", 0, tls);
        server = new PeerServer(settings, listening.loop, () -> listening, meter, group);
        int port = server.bind();
        server.open();
        return port;
    }

    private void dial(Optional<PeerTls> tls, int port) {
        PeerSettings settings = PeerSettings.defaults("127.0.0.1", 0, tls);
        client = new PeerClient(settings, dialling.loop, () -> dialling, PeerMeter.NONE, group, NameLookup.system());
        dialling.dial(client, "127.0.0.1:" + port);
    }

    @AfterEach
    void stop() {
        if (client != null) {
            client.close();
        }
        if (server != null) {
            server.close();
        }
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        listening.close();
        dialling.close();
    }

    @Test
    void nodesOfOneAuthorityTalkWhateverTheirAddressesAre() throws Exception {
        dial(tls("n1", ours), listen(tls("n1", ours)));
        PeerLine there = TestEnds.next(dialling.opened);
        PeerLine here = TestEnds.next(listening.opened);
        for (int i = 0; i < 50; i++) {
            byte[] message = TestEnds.message(0xf0, 100_000);
            dialling.send(there, message, i % 2 == 0);
            listening.send(here, message, i % 3 == 0);
        }
        for (int i = 0; i < 50; i++) {
            assertThat(TestEnds.next(listening.kinds)).isEqualTo(0xf0);
            assertThat(TestEnds.next(dialling.kinds)).isEqualTo(0xf0);
        }
        assertThat(meter.refused).isEmpty();
    }

    @Test
    void aDiallerOfAnotherAuthorityIsRefused() throws Exception {
        dial(tls("stranger", ours), listen(tls("n1", ours))); // it trusts us; we do not trust it
        assertThat(TestEnds.next(dialling.failed)).isNotEmpty();
        assertThat(TestEnds.next(meter.refused)).isEqualTo("tls");
        assertThat(listening.opened).isEmpty();
    }

    @Test
    void aListenerOfAnotherAuthorityIsRefused() throws Exception {
        dial(tls("n1", ours), listen(tls("stranger", ours))); // it would take us; we do not take it
        assertThat(TestEnds.next(dialling.failed)).contains("unable to find valid certification path");
        assertThat(dialling.opened).isEmpty();
        assertThat(listening.opened).isEmpty();
    }

    @Test
    void whoShowsNoCertificateIsRefused() throws Exception {
        int port = listen(tls("n1", ours));
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream authority = Files.newInputStream(ours.trust())) {
            trusted.setCertificateEntry(
                    "ours", CertificateFactory.getInstance("X.509").generateCertificate(authority));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(20_000);
            assertThatThrownBy(() -> {
                        socket.startHandshake();
                        socket.getOutputStream().write("GET /v1/peer HTTP/1.1\r\n\r\n".getBytes());
                        assertThat(socket.getInputStream().read()).isNegative();
                        throw new IOException("ended without a word");
                    })
                    .isInstanceOf(IOException.class);
        }
        assertThat(TestEnds.next(meter.refused)).isEqualTo("tls");
        assertThat(listening.opened).isEmpty();
    }

    @Test
    void plainAndEncryptedDoNotMeet() throws Exception {
        dial(Optional.empty(), listen(tls("n1", ours)));
        assertThat(TestEnds.next(dialling.failed)).isNotEmpty();
        client.close();
        server.close();
        dial(tls("n1", ours), listen(Optional.empty()));
        assertThat(TestEnds.next(dialling.failed)).isNotEmpty();
        assertThat(listening.opened).isEmpty();
        assertThat(dialling.opened).isEmpty();
    }

    @Test
    void filesThatCannotBeUsedAreNamed() throws IOException {
        Path none = directory.resolve("none.pem");
        Path words = Files.writeString(directory.resolve("words.pem"), "not a certificate\n");

        assertThatThrownBy(() -> PeerTls.read(none, ours.key("n1"), ours.trust()))
                .hasMessage("certificate " + none + " cannot be read");
        assertThatThrownBy(() -> PeerTls.read(ours.certificate("n1"), directory, ours.trust()))
                .hasMessage("key " + directory + " cannot be read");
        assertThatThrownBy(() -> PeerTls.read(ours.certificate("n1"), words, ours.trust()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("key " + words);
        assertThatThrownBy(() -> PeerTls.read(words, ours.key("n1"), ours.trust()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("certificate " + words);
        assertThatThrownBy(() -> PeerTls.read(ours.certificate("n1"), ours.key("n1"), words))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("trust " + words);
    }
}
