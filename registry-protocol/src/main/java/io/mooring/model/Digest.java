package io.mooring.model;

/** The written form of a view's digest: 16 lower-case hexadecimal digits. */
public final class Digest {
    /** The digest of a view without instances. */
    public static final long EMPTY = 0;

    private Digest() {}

    public static String format(long digest) {
        char[] text = new char[16];
        for (int i = 15; i >= 0; i--) {
            text[i] = Character.forDigit((int) digest & 0xf, 16);
            digest >>>= 4;
        }
        return new String(text);
    }

    /** @throws InvalidValueException unless {@code text} is 16 lower-case hexadecimal digits */
    public static long parse(String field, String text) {
        long digest = 0;
        boolean fits = text.length() == 16;
        for (int i = 0; fits && i < 16; i++) {
            char c = text.charAt(i);
            int digit = c < 'a' ? c - '0' : c - 'a' + 10;
            fits = c >= '0' && c <= '9' || c >= 'a' && c <= 'f';
            digest = digest << 4 | digit;
        }
        if (!fits) {
            throw new InvalidValueException(field, text, "16 lower-case hexadecimal digits");
        }
        return digest;
    }

    /** The digest of that list: the sum of the fingerprints, modulo 2^64. */
    public static long of(Iterable<ListedInstance> instances) {
        long sum = EMPTY;
        for (ListedInstance listed : instances) {
            sum += listed.fingerprint();
        }
        return sum;
    }
}
