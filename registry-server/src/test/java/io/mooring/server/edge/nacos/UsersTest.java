package io.mooring.server.edge.nacos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mooring.model.InvalidValueException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UsersTest {
    private static final String ALICE = Users.line("alice", "open sesame");
    private final AtomicLong now = new AtomicLong(1_800_000_000);

    private Users users(String... lines) {
        return Users.of(String.join("\n", lines).getBytes(StandardCharsets.UTF_8), now::get);
    }

    private static String token(Users users) {
        return ((Users.Login.Welcome) users.login("alice", "open sesame", "10.0.0.1")).token();
    }

    @Test
    void theRightPasswordGivesATokenForFiveHours() {
        Users users = users("# who may", "", ALICE);
        String token = token(users);

        assertThat(users.required()).isTrue();
        assertThat(users.allows(token)).isTrue();
        now.addAndGet(Users.TOKEN_LIFE.toSeconds() - 1);
        assertThat(users.allows(token)).isTrue();
        now.addAndGet(1);
        assertThat(users.allows(token)).isFalse();
    }

    @Test
    void aTokenIsGoodOnEveryNodeWithTheSameFileAndOnNoOther() {
        String token = token(users(ALICE));

        assertThat(users(ALICE).allows(token)).isTrue();
        assertThat(users(ALICE, Users.line("bob", "x")).allows(token)).isFalse();
    }

    @Test
    void aTokenIsOneOfThoseThatAreCommon() {
        String[] parts = token(users(ALICE)).split("\\.");

        assertThat(new String(Base64.getUrlDecoder().decode(parts[0]), StandardCharsets.UTF_8))
                .isEqualTo("{\"alg\":\"HS256\"}");
        assertThat(new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8))
                .isEqualTo("{\"sub\":\"alice\",\"exp\":1800018000}");
    }

    @Test
    void whateverIsChangedInATokenEndsIt() {
        Users users = users(ALICE);
        String token = token(users);

        for (int i = 0; i < token.length(); i++) {
            char c = token.charAt(i);
            String changed = token.substring(0, i) + (c == 'A' ? 'B' : 'A') + token.substring(i + 1);
            // The last letter of Base64 has bits that mean nothing.
            assertThat(users.allows(changed) && i != token.length() - 1)
                    .as("at %d", i)
                    .isFalse();
        }
        String unsigned = Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString("{\"alg\":\"none\"}".getBytes(StandardCharsets.UTF_8))
                + token.substring(token.indexOf('.'), token.lastIndexOf('.') + 1);
        assertThat(users.allows(unsigned)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.", "eyJhbGciOiJIUzI1NiJ9..", "\u00e4"})
    void whatIsNoTokenIsNone(String token) {
        assertThat(users(ALICE).allows(token)).isFalse();
        assertThat(users(ALICE).allows(null)).isFalse();
    }

    @Test
    void aWrongPasswordAndAnUnknownUserAreToldInTheSameWords() {
        Users users = users(ALICE);

        Users.Login wrong = users.login("alice", "open", "10.0.0.1");

        assertThat(wrong).isInstanceOf(Users.Login.Refused.class);
        assertThat(users.login("bob", "open", "10.0.0.1")).isEqualTo(wrong);
        assertThat(users.login("alice", "", "10.0.0.1")).isEqualTo(wrong);
    }

    @Test
    void tenWrongPasswordsAreEnoughForAWhileAndForThatAddress() {
        Users users =
                users("alice:pbkdf2-sha256:1000:c2FsdHNhbHQ=:" + "A".repeat(43) + "=", ALICE.replace("alice", "a"));
        for (int i = 0; i < 10; i++) {
            users.login("a", "wrong", "10.0.0.1");
        }

        assertThat(users.login("a", "open sesame", "10.0.0.1"))
                .isEqualTo(new Users.Login.Refused("too many wrong passwords; wait a minute"));
        assertThat(users.login("a", "open sesame", "10.0.0.2")).isInstanceOf(Users.Login.Welcome.class);
    }

    @Test
    void withoutUsersEverybodyIsWelcome() {
        Users users = Users.everybody(now::get);

        assertThat(users.required()).isFalse();
        assertThat(users.login("anybody", "anything", "10.0.0.1")).isInstanceOf(Users.Login.Welcome.class);
        assertThat(users.allows(null)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alice",
                "alice:secret",
                "alice:plain:1000:c2FsdHNhbHQ=:AAAA",
                "alice:pbkdf2-sha256:10:c2FsdHNhbHQ=:AAAA",
                "alice:pbkdf2-sha256:many:c2FsdHNhbHQ=:AAAA",
                "alice:pbkdf2-sha256:1000:%%:AAAA",
                "alice:pbkdf2-sha256:1000:c2FsdHNhbHQ=:AAAA",
                "al ice:pbkdf2-sha256:1000:c2FsdHNhbHQ=:AAAA"
            })
    void aLineOfNoUseIsNamedAndNotQuoted(String line) {
        assertThatThrownBy(() -> users(ALICE, "", line))
                .isInstanceOf(InvalidValueException.class)
                .hasMessageStartingWith("line 3.")
                .hasMessageNotContaining("secret")
                .hasMessageNotContaining("c2Fs");
    }

    @Test
    void aUserTwiceAndNoUserAtAllAreRefused() {
        assertThatThrownBy(() -> users(ALICE, ALICE)).hasMessageContaining("each user once");
        assertThatThrownBy(() -> users("# nobody")).hasMessageStartingWith("users: 0");
    }
}
