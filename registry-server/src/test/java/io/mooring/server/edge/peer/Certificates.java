package io.mooring.server.edge.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority of a cluster, made by the JDK's keytool, and what it signs; all in PEM. */
public final class Certificates {
    private static final String PASSWORD = "only-for-tests";

    private final Path directory;
    private final String authority;

    /** @param authority its name; another name is another authority */
    public Certificates(Path directory, String authority) throws IOException, InterruptedException {
        this.directory = directory;
        this.authority = authority;
        pair(authority, "-ext", "bc:c");
        Files.writeString(trust(), keytool(authority, "-exportcert", "-rfc", "-alias", authority));
    }

    public Path trust() {
        return directory.resolve(authority + "-ca.pem");
    }

    public Path certificate(String node) {
        return directory.resolve(node + ".pem");
    }

    public Path key(String node) {
        return directory.resolve(node + "-key.pem");
    }

    /** Makes a node's key and certificate. */
    public void sign(String node) throws IOException, InterruptedException, GeneralSecurityException {
        pair(node);
        Path request = directory.resolve(node + ".csr");
        keytool(node, "-certreq", "-alias", node, "-file", request.toString());
        String signed = keytool(authority, "-gencert", "-rfc", "-alias", authority, "-infile", request.toString());
        Files.writeString(certificate(node), signed);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store(node))) {
            store.load(in, PASSWORD.toCharArray());
        }
        Key key = store.getKey(node, PASSWORD.toCharArray());
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded());
        Files.writeString(key(node), "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n-----END PRIVATE KEY-----\n");
    }

    private Path store(String name) {
        return directory.resolve(name + ".p12");
    }

    private void pair(String name, String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(
                List.of("-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name, "-validity", "30"));
        arguments.addAll(List.of(more));
        keytool(name, arguments.toArray(String[]::new));
    }

    private String keytool(String store, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-J-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store(store).toString(), "-storepass", PASSWORD));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output;
        try (InputStream out = process.getInputStream()) {
            output = new String(out.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }
}
