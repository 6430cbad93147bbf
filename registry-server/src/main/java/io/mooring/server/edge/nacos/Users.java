package io.mooring.server.edge.nacos;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.mooring.model.InvalidValueException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Who may use the endpoints for Nacos clients, by a file of users, or everybody without one. Logging in gives a token, valid
 * on every node that has the same file; another file ends all tokens. Any thread.
 *
 * <p>Trying passwords is made slow: each try costs what the file says, two at a time, and after ten wrong ones within a
 * minute nobody of that name at that address is listened to.
 */
public final class Users implements Access {
    /** How long a token is valid. */
    public static final Duration TOKEN_LIFE = Duration.ofHours(5);

    private static final int MOST_USERS = 10_000;
    private static final int WRONG_PER_MINUTE = 10;
    private static final int TRIES_AT_ONCE = 2;
    private static final int TRIES_WAITING = 4; // each holds a thread
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final boolean required;
    private final LongSupplier wallSeconds;
    private volatile Known known;
    private final byte[] remembering = new byte[32];
    private final Semaphore queue = new Semaphore(TRIES_AT_ONCE + TRIES_WAITING);
    private final Semaphore tries = new Semaphore(TRIES_AT_ONCE);
    private final Cache<String, AtomicInteger> wrong = Caffeine.newBuilder()
            .maximumSize(10_000)
            .expireAfterWrite(Duration.ofMinutes(1))
            .build();

    /** How a try to log in ended. */
    public sealed interface Login {
        /** @param token to be brought along for {@link #TOKEN_LIFE} */
        record Welcome(String token) implements Login {}

        /** @param sentence why, without saying whether there is such a user */
        record Refused(String sentence) implements Login {}
    }

    /** What one file says. */
    private static final class Known {
        final Map<String, UserLine> users;
        final byte[] secret;
        final Tokens tokens;
        final UserLine nobody; // takes as long to refuse as anybody

        /** Passwords that were right, by a keyed hash: some clients send them with every request. */
        final Cache<String, Boolean> right = Caffeine.newBuilder()
                .maximumSize(1_000)
                .expireAfterWrite(Duration.ofMinutes(10))
                .build();

        Known(Map<String, UserLine> users, byte[] secret) {
            this.users = users;
            this.secret = secret;
            this.tokens = new Tokens(secret);
            byte[] salt = new byte[16];
            new SecureRandom().nextBytes(salt);
            int iterations =
                    users.values().stream().mapToInt(UserLine::iterations).max().orElse(UserLine.ITERATIONS);
            nobody = new UserLine("nobody", iterations, salt, new byte[32]);
        }
    }

    private Users(Known known, boolean required, LongSupplier wallSeconds) {
        this.known = known;
        this.required = required;
        this.wallSeconds = wallSeconds;
        new SecureRandom().nextBytes(remembering);
    }

    /** Everybody is welcome under any name. */
    public static Users everybody(LongSupplier wallSeconds) {
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        return new Users(new Known(Map.of(), secret), false, wallSeconds);
    }

    /**
     * @param file a user per line, {@code #} for remarks
     * @param wallSeconds since 1970
     * @throws InvalidValueException naming the first line that is of no use
     */
    public static Users of(byte[] file, LongSupplier wallSeconds) {
        return new Users(new Known(parsed(file), secret(file)), true, wallSeconds);
    }

    /**
     * Goes by another file from now on, or by the same, and then nothing changes. Only for those that have one.
     *
     * @return whether it says anything else
     * @throws InvalidValueException naming the first line that is of no use; users stay as they were
     */
    public boolean goBy(byte[] file) {
        if (!required) {
            throw new IllegalStateException("everybody was welcome, and is to stay so");
        }
        byte[] secret = secret(file);
        if (MessageDigest.isEqual(secret, known.secret)) {
            return false;
        }
        known = new Known(parsed(file), secret);
        return true;
    }

    private static byte[] secret(byte[] file) {
        return Tokens.mac("mooring tokens".getBytes(StandardCharsets.UTF_8), file);
    }

    private static Map<String, UserLine> parsed(byte[] file) {
        Map<String, UserLine> users = new HashMap<>();
        int number = 0;
        for (String line : new String(file, StandardCharsets.UTF_8).split("\n", -1)) {
            number++;
            String text = line.strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            UserLine user;
            try {
                user = UserLine.parse(text);
            } catch (InvalidValueException e) {
                throw e.inside("line " + number);
            }
            if (users.put(user.name(), user) != null) {
                throw new InvalidValueException("line " + number + ".user", user.name(), "each user once");
            }
        }
        if (users.isEmpty() || users.size() > MOST_USERS) {
            throw new InvalidValueException("users", users.size(), "1-" + MOST_USERS);
        }
        return users;
    }

    /** A line for the file of users. @throws InvalidValueException when the name or the password is of no use */
    public static String line(String name, String password) {
        return UserLine.of(name, password, new SecureRandom()).line();
    }

    @Override
    public boolean required() {
        return required;
    }

    @Override
    public boolean allows(@Nullable String token) {
        return !required || token != null && user(token).isPresent();
    }

    private Optional<String> user(String token) {
        Known now = known;
        return now.tokens.user(token, wallSeconds.getAsLong()).filter(now.users::containsKey);
    }

    /**
     * Blocks for the time it takes to try a password.
     *
     * @param from the address it comes from
     */
    public Login login(String name, String password, String from) {
        Known now = known; // a token of the file that the password is from
        if (required) {
            String attempt = name + " " + from;
            AtomicInteger wrongBefore = wrong.getIfPresent(attempt);
            if (wrongBefore != null && wrongBefore.get() >= WRONG_PER_MINUTE) {
                return new Login.Refused("too many wrong passwords; wait a minute");
            }
            Optional<Boolean> accepted = accepts(now, name, password);
            if (accepted.isEmpty()) {
                return new Login.Refused("too many try to log in at the same time; try again");
            }
            if (!accepted.get()) {
                wrong.get(attempt, a -> new AtomicInteger()).incrementAndGet();
                return new Login.Refused("unknown user or wrong password");
            }
        }
        return new Login.Welcome(now.tokens.issue(name, wallSeconds.getAsLong() + TOKEN_LIFE.toSeconds()));
    }

    /** @return nothing if there was no room to try it */
    private Optional<Boolean> accepts(Known now, String name, String password) {
        if (password.isEmpty()) {
            return Optional.of(false);
        }
        String remembered = remembered(name, password);
        if (now.right.getIfPresent(remembered) != null) {
            return Optional.of(true);
        }
        if (!queue.tryAcquire()) {
            return Optional.empty();
        }
        try {
            return tried(now, name, password, remembered);
        } finally {
            queue.release();
        }
    }

    private Optional<Boolean> tried(Known now, String name, String password, String remembered) {
        if (!mayTry()) {
            return Optional.empty();
        }
        try {
            boolean accepted = now.users.getOrDefault(name, now.nobody).accepts(password);
            if (accepted) {
                now.right.put(remembered, true);
            }
            return Optional.of(accepted);
        } finally {
            tries.release();
        }
    }

    private String remembered(String name, String password) {
        byte[] text = (name.length() + ":" + name + password).getBytes(StandardCharsets.UTF_8);
        return HexFormat.of().formatHex(Tokens.mac(remembering, text));
    }

    private boolean mayTry() {
        try {
            return tries.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
