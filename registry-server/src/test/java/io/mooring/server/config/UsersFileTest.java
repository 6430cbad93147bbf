package io.mooring.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.mooring.server.edge.nacos.Users;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file of users that is edited while the node runs. */
class UsersFileTest {
    private static final String ALICE = Users.line("alice", "a") + "\n";
    private static final String BOB = Users.line("bob", "b") + "\n";

    @TempDir
    Path directory;

    private Path file;
    private Users users;
    private UsersFile looking;

    @BeforeEach
    void begin() throws IOException {
        file = Files.writeString(directory.resolve("users"), ALICE);
        users = Users.of(Files.readAllBytes(file), () -> 1_800_000_000L);
        looking = new UsersFile(file.toString(), users);
    }

    private String token(String name, String password) {
        return users.login(name, password, "10.0.0.1") instanceof Users.Login.Welcome welcome ? welcome.token() : "";
    }

    private void lookTwice() {
        looking.look();
        looking.look();
    }

    @Test
    void whoIsNewMayComeAndWhoIsGoneMayNot() throws IOException {
        String before = token("alice", "a");
        Files.writeString(file, BOB);

        lookTwice();

        assertThat(users.allows(before)).isFalse();
        assertThat(token("alice", "a")).as("a password that was right before").isEmpty();
        assertThat(users.allows(token("bob", "b"))).isTrue();
    }

    @Test
    void theSameFileEndsNoToken() {
        String token = token("alice", "a");

        lookTwice();
        lookTwice();

        assertThat(users.allows(token)).isTrue();
    }

    @Test
    void aFileThatIsBeingWrittenWaits() throws IOException {
        String token = token("alice", "a");
        Files.writeString(file, BOB);
        looking.look();
        Files.writeString(file, BOB + ALICE);
        looking.look();
        assertThat(users.allows(token)).isTrue();

        looking.look();

        assertThat(users.allows(token)).isFalse();
        assertThat(token("alice", "a")).isNotEmpty();
    }

    @Test
    void aFileOfNoUseOrNoneLeavesUsersAsTheyWere() throws IOException {
        String token = token("alice", "a");
        for (String text : new String[] {"", "alice:secret\n", ALICE + ALICE}) {
            Files.writeString(file, text);
            lookTwice();
            assertThat(users.allows(token)).as(text).isTrue();
        }
        Files.delete(file);
        lookTwice();
        assertThat(users.allows(token)).as("no file").isTrue();

        Files.writeString(file, BOB);
        lookTwice();
        assertThat(token("bob", "b")).isNotEmpty();
    }
}
