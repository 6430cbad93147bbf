package io.mooring.protocol;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Tells UTF-8 from what only looks like it: overlong forms, surrogates, points beyond U+10FFFF, cut sequences. */
final class Utf8 {
    private static final VarHandle EIGHT_BYTES =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long HIGH_BITS = 0x8080808080808080L;

    private Utf8() {}

    /** Where, from {@code offset}, the first sequence that is no UTF-8 starts; -1 if there is none. */
    static int firstBad(byte[] bytes, int offset, int length) {
        int end = offset + length;
        int at = offset;
        while (at < end) {
            if (bytes[at] >= 0) {
                at = end - at >= 8 && ((long) EIGHT_BYTES.get(bytes, at) & HIGH_BITS) == 0 ? at + 8 : at + 1;
                continue;
            }
            int size = sequence(bytes, at, end);
            if (size == 0) {
                return at - offset;
            }
            at += size;
        }
        return -1;
    }

    /** The length of the sequence of two bytes or more that starts there; 0 if it is none (RFC 3629, section 4). */
    private static int sequence(byte[] bytes, int at, int end) {
        int lead = bytes[at] & 0xff;
        int size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
        if (size == 0 || end - at < size) {
            return 0;
        }
        int second = bytes[at + 1] & 0xff;
        int least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        int most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        boolean fits = second >= least && second <= most;
        for (int i = 2; i < size; i++) {
            fits &= (bytes[at + i] & 0xc0) == 0x80;
        }
        return fits ? size : 0;
    }
}
