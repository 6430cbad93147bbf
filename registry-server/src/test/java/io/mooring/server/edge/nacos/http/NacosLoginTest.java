package io.mooring.server.edge.nacos.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.config.PasswordLine;
import io.mooring.server.config.RunningServer;
import io.mooring.server.edge.nacos.http.NacosCalls.Answer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logging in, with and without a file of users. */
class NacosLoginTest {
    private static final String LIST = "/v1/ns/instance/list?serviceName=s";

    @TempDir
    static Path directory;

    private static NacosCalls guarded;

    @BeforeAll
    static void start() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream printed = new PrintStream(out, true, StandardCharsets.UTF_8);
        ByteArrayInputStream in = new ByteArrayInputStream("s3cret\n".getBytes(StandardCharsets.UTF_8));
        assertThat(PasswordLine.run(new String[] {"--hash-password=alice"}, in, printed, printed))
                .contains(0);
        Path file = Files.write(directory.resolve("users"), out.toByteArray());
        guarded = new NacosCalls(
                RunningServer.start("--mooring.nacos.users-file=" + file).ready());
    }

    @AfterAll
    static void stop() {
        guarded.server().close();
    }

    private static String token(NacosCalls nacos) throws Exception {
        return nacos.call("POST", "/v1/auth/users/login?username=alice", "password=s3cret")
                .at("/accessToken")
                .asString();
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/auth/users/login?username=x, password=y",
        "/v1/auth/login, username=x&password=y",
        "/v3/auth/user/login?username=x&password=y, ''"
    })
    void loggingInWorksWithoutUsers(String path, String form) throws Exception {
        Answer answer = NacosCalls.SHARED.call("POST", path, form);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.at("/accessToken").asString()).isNotEmpty();
        assertThat(answer.at("/tokenTtl").asLong()).isEqualTo(18_000);
        assertThat(answer.at("/globalAdmin").asBoolean()).isTrue();
        assertThat(answer.at("/username").asString()).isEqualTo("x");
    }

    @Test
    void withoutATokenNothingIsSaidOrDone() throws Exception {
        Answer read = guarded.get(LIST);
        Answer write = guarded.call("POST", "/v2/ns/instance?serviceName=s&ip=10.0.0.1&port=80");

        assertThat(read.status()).isEqualTo(403);
        assertThat(read.at("/status").asInt()).isEqualTo(403);
        assertThat(read.at("/error").asString()).isEqualTo("Forbidden");
        assertThat(read.at("/message").asString()).startsWith("Code: 401, Message: token invalid!");
        assertThat(read.at("/path").asString()).isEqualTo("/nacos/v1/ns/instance/list");
        assertThat(write.status()).isEqualTo(403);
        assertThat(guarded.get(LIST + "&accessToken=" + token(guarded)).at("/hosts"))
                .isEmpty();
    }

    @Test
    void aTokenIsTakenWhereverItComes() throws Exception {
        String token = token(guarded);

        assertThat(guarded.get(LIST + "&accessToken=" + token).status()).isEqualTo(200);
        assertThat(guarded.call("PUT", "/v1/ns/instance/beat", "serviceName=s&ip=h&port=1&accessToken=" + token)
                        .status())
                .isEqualTo(200);
        assertThat(with("accessToken", token).status()).isEqualTo(200);
        assertThat(with("Authorization", "Bearer " + token).status()).isEqualTo(200);
        assertThat(with("Authorization", "Basic " + token).status()).isEqualTo(403);
        assertThat(guarded.get(LIST + "&username=alice&password=s3cret").status())
                .isEqualTo(200);
        assertThat(guarded.get(LIST + "&username=alice&password=wrong").status())
                .isEqualTo(403);
        assertThat(guarded.get(LIST + "&accessToken=" + token(NacosCalls.SHARED))
                        .status())
                .as("a token of another server")
                .isEqualTo(403);
    }

    private static Answer with(String header, String value) throws Exception {
        HttpRequest.Builder request = guarded.request("GET", LIST, "").header(header, value);
        return guarded.send(request);
    }

    @ParameterizedTest
    @ValueSource(strings = {"username=alice&password=wrong", "username=bob&password=s3cret", "username=alice", ""})
    void aWrongPasswordIsForbidden(String form) throws Exception {
        Answer answer = guarded.call("POST", "/v1/auth/users/login", form);

        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.at("/message").asString()).contains("unknown user or wrong password");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/console/health/liveness", "/v1/console/health/readiness", "/v1/console/server/state"})
    void probesNeedNoToken(String path) throws Exception {
        assertThat(guarded.get(path).status()).isEqualTo(200);
    }

    @Test
    void aLineNeedsANameAndAPassword() throws IOException {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        ByteArrayInputStream empty = new ByteArrayInputStream(new byte[0]);

        assertThat(PasswordLine.run(new String[] {"--hash-password"}, empty, nowhere, nowhere))
                .contains(2);
        assertThat(PasswordLine.run(new String[] {"--hash-password=a"}, empty, nowhere, nowhere))
                .contains(2);
        assertThat(PasswordLine.run(new String[] {"--mooring.bind=x"}, empty, nowhere, nowhere))
                .isEmpty();
    }
}
