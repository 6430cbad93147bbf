package io.mooring.server.web;

import io.mooring.model.InvalidValueException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;

/** {@code a=1&b=2} as query strings and forms have it, read strictly: the servlet's own reading passes over bad encodings. */
public final class UrlText {
    /** Pairs in one text. */
    public static final int MOST = 256;

    private UrlText() {}

    /**
     * Hands the decoded pairs over, in their order; a name without {@code =} has the empty value.
     *
     * @param what is read, for complaints: {@code query} or {@code form}
     * @return how many there were; when it is {@link #MOST} + 1, the rest was not read
     * @throws InvalidValueException when it cannot be decoded
     */
    public static int pairs(String what, String raw, BiConsumer<String, String> pair) {
        int count = 0;
        int at = 0;
        while (at <= raw.length()) {
            int end = raw.indexOf('&', at);
            end = end < 0 ? raw.length() : end;
            if (end > at) {
                if (++count > MOST) {
                    return count;
                }
                int equals = raw.indexOf('=', at);
                boolean bare = equals < 0 || equals > end;
                String name = decoded(what, raw.substring(at, bare ? end : equals));
                pair.accept(name, bare ? "" : decoded(what, raw.substring(equals + 1, end)));
            }
            at = end + 1;
        }
        return count;
    }

    private static String decoded(String what, String raw) {
        ByteBuffer bytes = ByteBuffer.allocate(raw.length() * 3);
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c == '%') {
                int high = i + 2 < raw.length() ? hex(raw.charAt(i + 1)) : -1;
                int low = i + 2 < raw.length() ? hex(raw.charAt(i + 2)) : -1;
                if (high < 0 || low < 0) {
                    throw new InvalidValueException(what, raw, "two hexadecimal digits behind %");
                }
                bytes.put((byte) (high << 4 | low));
                i += 2;
            } else if (c == '+') {
                bytes.put((byte) ' ');
            } else if (c < 0x80) {
                bytes.put((byte) c);
            } else {
                throw new InvalidValueException(what, raw, "characters beyond ASCII percent-encoded");
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidValueException(what, raw, "UTF-8");
        }
    }

    private static int hex(char c) {
        return c < 0x80 ? Character.digit(c, 16) : -1;
    }
}
