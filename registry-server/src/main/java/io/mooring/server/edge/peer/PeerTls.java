package io.mooring.server.edge.peer;

import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import javax.net.ssl.SSLException;

/**
 * Mutual TLS between nodes. Both sides show a certificate and both must be signed by the cluster's own authority: that
 * is the whole identity. Host names and addresses in certificates are not looked at, because nodes change addresses and
 * one certificate may serve them all. So the authority must sign for this cluster only.
 */
public final class PeerTls {
    private static final String[] VERSIONS = {"TLSv1.3", "TLSv1.2"};

    private final SslContext server;
    private final SslContext client;

    private PeerTls(SslContext server, SslContext client) {
        this.server = server;
        this.client = client;
    }

    /**
     * Reads the files once; new ones take a restart.
     *
     * @param certificate in PEM, this node's first, then those of authorities between it and the trusted one
     * @param key of the certificate, in PEM (PKCS#8), without a password
     * @param trust in PEM, the authorities whose certificates are believed
     * @throws IOException when one of them cannot be used; the message names it
     */
    public static PeerTls read(Path certificate, Path key, Path trust) throws IOException {
        checkReadable("certificate", certificate);
        checkReadable("key", key);
        checkReadable("trust", trust);
        SslContextBuilder serverSide =
                with(certificate, key, SslContextBuilder::forServer).clientAuth(ClientAuth.REQUIRE);
        SslContextBuilder clientSide = with(
                        certificate,
                        key,
                        (chain, secret) -> SslContextBuilder.forClient().keyManager(chain, secret))
                .endpointIdentificationAlgorithm("");
        return new PeerTls(trusting(serverSide, trust), trusting(clientSide, trust));
    }

    private static void checkReadable(String what, Path file) throws IOException {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new IOException(what + " " + file + " cannot be read");
        }
    }

    private interface Builder {
        SslContextBuilder of(InputStream chain, InputStream key);
    }

    private static SslContextBuilder with(Path certificate, Path key, Builder builder) throws IOException {
        try (InputStream chain = Files.newInputStream(certificate);
                InputStream secret = Files.newInputStream(key)) {
            return builder.of(chain, secret);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    "certificate " + certificate + " and key " + key + " are not a PEM certificate and its PKCS#8 key: "
                            + e.getMessage(),
                    e);
        }
    }

    private static SslContext trusting(SslContextBuilder builder, Path trust) throws IOException {
        try (InputStream authorities = Files.newInputStream(trust)) {
            return builder.trustManager(authorities)
                    .sslProvider(SslProvider.JDK)
                    .protocols(VERSIONS)
                    .build();
        } catch (IllegalArgumentException | SSLException e) {
            throw new IOException("trust " + trust + " has no PEM certificate: " + e.getMessage(), e);
        }
    }

    SslHandler forServer(SocketChannel channel, Duration within) {
        return timed(server.newHandler(channel.alloc()), within);
    }

    SslHandler forClient(SocketChannel channel, Duration within) {
        return timed(client.newHandler(channel.alloc()), within);
    }

    private static SslHandler timed(SslHandler handler, Duration within) {
        handler.setHandshakeTimeoutMillis(within.toMillis());
        handler.setCloseNotifyFlushTimeoutMillis(within.toMillis());
        return handler;
    }
}
