package io.mooring.server.edge.nacos;

import io.mooring.model.InvalidValueException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.security.spec.InvalidKeySpecException;
import java.util.Base64;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A user as the file of users has it: {@code name:pbkdf2-sha256:iterations:salt:hash}, the last two in Base64.
 *
 * @param name 1-64 letters, digits, {@code _ - . @}
 * @param iterations of the hash; so much it costs to try a password
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never shown
record UserLine(String name, int iterations, byte[] salt, byte[] hash) {
    static final int ITERATIONS = 210_000;
    private static final String KIND = "pbkdf2-sha256";
    private static final String FORM = "name:" + KIND + ":iterations:salt:hash, salt and hash in Base64";
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final int LONGEST_PASSWORD = 1_024;

    UserLine {
        boolean plain = !name.isEmpty()
                && name.length() <= 64
                && name.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || "_-.@".indexOf(c) >= 0));
        if (!plain) {
            throw new InvalidValueException("user", name, "1-64 letters, digits, '_', '-', '.', '@'");
        }
        if (iterations < 1_000 || iterations > 10_000_000) {
            throw new InvalidValueException("iterations", iterations, "1000-10000000");
        }
        if (salt.length < 8 || hash.length != HASH_BYTES) {
            throw new InvalidValueException(
                    "user", name, FORM + "; 8 bytes of salt at least, " + HASH_BYTES + " of hash");
        }
    }

    /** @throws InvalidValueException when it is no such line; without quoting it */
    static UserLine parse(String line) {
        String[] parts = line.split(":", -1);
        if (parts.length != 5 || !parts[1].equals(KIND)) {
            throw new InvalidValueException("line", parts.length + " parts", FORM);
        }
        try {
            byte[] salt = Base64.getDecoder().decode(parts[3]);
            byte[] hash = Base64.getDecoder().decode(parts[4]);
            return new UserLine(parts[0], Integer.parseInt(parts[2]), salt, hash);
        } catch (InvalidValueException e) {
            throw e;
        } catch (IllegalArgumentException e) { // of the number, or of Base64
            throw new InvalidValueException("user", parts[0], FORM);
        }
    }

    static UserLine of(String name, String password, SecureRandom random) {
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(salt);
        return new UserLine(name, ITERATIONS, salt, hash(password, salt, ITERATIONS));
    }

    /** Takes the time of its iterations, whatever the answer. */
    boolean accepts(String password) {
        return password.length() <= LONGEST_PASSWORD && MessageDigest.isEqual(hash, hash(password, salt, iterations));
    }

    private static byte[] hash(String password, byte[] salt, int iterations) {
        if (password.isEmpty()) {
            throw new InvalidValueException("password", "", "at least one character");
        }
        PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, iterations, HASH_BYTES * 8);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (NoSuchAlgorithmException | InvalidKeySpecException e) {
            throw new IllegalStateException("every Java has PBKDF2WithHmacSHA256", e);
        } finally {
            spec.clearPassword();
        }
    }

    String line() {
        Base64.Encoder encoder = Base64.getEncoder();
        return name + ":" + KIND + ":" + iterations + ":" + encoder.encodeToString(salt) + ":"
                + encoder.encodeToString(hash);
    }

    @Override
    public String toString() {
        return "user " + name;
    }
}
