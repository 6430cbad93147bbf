package io.mooring.server.edge.nacos.grpc;

/**
 * The CRC-32 of two texts behind each other from the CRC-32 of each, without looking at them again. A CRC is a remainder of
 * polynomials over GF(2), so putting a text of n bytes behind another one multiplies the first one's by x^(8n) modulo the
 * CRC's polynomial, and adds.
 *
 * <p>Bits are reflected as in the CRC itself: the highest one is the coefficient of x^0.
 */
final class Crc32Join {
    private static final int POLYNOMIAL = 0xedb88320;
    private static final int ONE = 1 << 31;
    private static final int X_TO_THE_8 = 1 << 23;

    private Crc32Join() {}

    /** What a text of that many bytes does to the CRC of what stands before it: x^(8 bytes). */
    static int shift(int bytes) {
        int result = ONE;
        int square = X_TO_THE_8;
        for (int rest = bytes; rest > 0; rest >>>= 1) {
            if ((rest & 1) != 0) {
                result = times(result, square);
            }
            square = times(square, square);
        }
        return result;
    }

    /** @param shift by the second text */
    static int join(int first, int second, int shift) {
        return times(first, shift) ^ second;
    }

    private static int times(int a, int b) {
        int product = 0;
        int power = b; // b times x^i
        for (int bit = ONE; bit != 0; bit >>>= 1) {
            if ((a & bit) != 0) {
                product ^= power;
            }
            power = (power & 1) == 0 ? power >>> 1 : power >>> 1 ^ POLYNOMIAL;
        }
        return product;
    }
}
