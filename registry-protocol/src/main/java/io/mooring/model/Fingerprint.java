package io.mooring.model;

/**
 * The 64-bit fingerprint of a listed instance. A view's digest is the sum of its instances' fingerprints modulo 2^64,
 * so a change moves it in constant time and order does not matter.
 *
 * <p>FNV-1a (Fowler, Noll, Vo; 64 bit) over the fields, each text as its UTF-8 bytes behind their number (four bytes,
 * big-endian), then the finalizer of MurmurHash3 (Appleby) so that sums of similar instances do not meet. Not a
 * defence against forgers: whoever may register may also deregister. Spelled out for other languages in
 * {@code docs/protocol.md}.
 */
final class Fingerprint {
    private static final long OFFSET = 0xcbf29ce484222325L;
    private static final long PRIME = 0x100000001b3L;

    private Fingerprint() {}

    static long of(Instance instance, Standing standing) {
        long h = OFFSET;
        h = text(h, instance.service().group());
        h = text(h, instance.service().name());
        h = text(h, instance.cluster());
        h = text(h, instance.host());
        h = number(h, instance.port(), 4);
        h = number(h, Double.doubleToLongBits(instance.weight()), 8);
        h = number(h, instance.enabled() ? 1 : 0, 1);
        h = number(h, standing.code(), 1);
        Metadata metadata = instance.metadata();
        for (int i = 0; i < metadata.size(); i++) {
            h = text(h, metadata.keyAt(i));
            h = text(h, metadata.valueAt(i));
        }
        return finish(h);
    }

    private static long text(long h, String text) {
        h = number(h, utf8Length(text), 4);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                h = step(h, c);
            } else if (c < 0x800) {
                h = step(step(h, 0xc0 | c >> 6), 0x80 | c & 0x3f);
            } else if (Character.isHighSurrogate(c)) {
                int point = Character.toCodePoint(c, text.charAt(++i));
                h = step(step(h, 0xf0 | point >> 18), 0x80 | point >> 12 & 0x3f);
                h = step(step(h, 0x80 | point >> 6 & 0x3f), 0x80 | point & 0x3f);
            } else {
                h = step(step(step(h, 0xe0 | c >> 12), 0x80 | c >> 6 & 0x3f), 0x80 | c & 0x3f);
            }
        }
        return h;
    }

    private static int utf8Length(String text) {
        int bytes = text.length();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2; // a pair: 2 + 1 + 1 bytes
            }
        }
        return bytes;
    }

    private static long number(long h, long value, int bytes) {
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
            h = step(h, (int) (value >>> shift) & 0xff);
        }
        return h;
    }

    private static long step(long h, int octet) {
        return (h ^ octet) * PRIME;
    }

    private static long finish(long h) {
        h ^= h >>> 33;
        h *= 0xff51afd7ed558ccdL;
        h ^= h >>> 33;
        h *= 0xc4ceb9fe1a85ec53L;
        return h ^ h >>> 33;
    }
}
