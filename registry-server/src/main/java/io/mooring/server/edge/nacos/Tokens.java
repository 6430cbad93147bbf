package io.mooring.server.edge.nacos;

import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** JSON web tokens of the one kind there is here: HS256 over who it is and until when. Any thread. */
final class Tokens {
    private static final String MAC = "HmacSHA256";
    private static final int LONGEST = 2_048;
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();
    private static final String HEAD = encoded("{\"alg\":\"HS256\"}") + ".";

    private final SecretKeySpec key;

    /** @param secret of any length but 0 */
    Tokens(byte[] secret) {
        key = new SecretKeySpec(secret, MAC);
    }

    /** @param until the second since 1970 in which it ends */
    String issue(String user, long until) {
        byte[] claims = NacosJson.bytes(json -> {
            json.writeStartObject();
            json.writeStringField("sub", user);
            json.writeNumberField("exp", until);
            json.writeEndObject();
        });
        String signed = HEAD + ENCODER.encodeToString(claims);
        return signed + "." + ENCODER.encodeToString(mac(signed));
    }

    /**
     * The user of a token of ours.
     *
     * @param now seconds since 1970
     */
    Optional<String> user(String token, long now) {
        int end = token.lastIndexOf('.');
        // What it says about its algorithm is not asked: there is one.
        if (token.length() > LONGEST || !token.startsWith(HEAD) || end <= HEAD.length()) {
            return Optional.empty();
        }
        try {
            byte[] given = Base64.getUrlDecoder().decode(token.substring(end + 1));
            if (!MessageDigest.isEqual(given, mac(token.substring(0, end)))) {
                return Optional.empty();
            }
            Claims claims = new Claims();
            TolerantJson.object(Base64.getUrlDecoder().decode(token.substring(HEAD.length(), end)), claims);
            return claims.until > now ? Optional.of(claims.user) : Optional.empty();
        } catch (IllegalArgumentException | IOException e) { // nothing of ours; InvalidValueException is one of these
            return Optional.empty();
        }
    }

    private static final class Claims implements TolerantJson.Field {
        private String user = "";
        private long until;

        @Override
        public void read(String name, JsonParser json) throws IOException {
            if (name.equals("sub")) {
                user = TolerantJson.text(name, json);
            } else if (name.equals("exp")) {
                until = (long) TolerantJson.number(name, json);
            }
        }
    }

    private byte[] mac(String text) {
        return mac(key, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] mac(byte[] key, byte[] text) {
        return mac(new SecretKeySpec(key, MAC), text);
    }

    private static byte[] mac(SecretKeySpec key, byte[] text) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            return mac.doFinal(text);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every Java has " + MAC, e);
        }
    }

    private static String encoded(String text) {
        return ENCODER.encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
