package io.mooring.simulation.real;

import java.time.Duration;

/**
 * How the proxy treats the bytes of one direction.
 *
 * @param delay for every piece
 * @param jitter up to so much more, drawn anew for every piece; pieces stay in order
 * @param blackHole nothing passes, not even an end or a reset, until it is over; what was sent meanwhile comes then, as TCP
 *     would send it again
 * @param bytesPerSecond at most; 0: as many as come
 * @param oneByte a byte at a time, a millisecond apart
 * @param cutAfter that many bytes of the connection in this direction, it is reset; negative: never
 */
record Conduct(
        Duration delay, Duration jitter, boolean blackHole, long bytesPerSecond, boolean oneByte, long cutAfter) {
    static final Conduct CLEAR = new Conduct(Duration.ZERO, Duration.ZERO, false, 0, false, -1);
    static final Conduct BLACK_HOLE = new Conduct(Duration.ZERO, Duration.ZERO, true, 0, false, -1);
    static final Conduct ONE_BYTE = new Conduct(Duration.ZERO, Duration.ZERO, false, 0, true, -1);

    Conduct {
        if (delay.isNegative() || jitter.isNegative()) {
            throw new IllegalArgumentException("delay, jitter: " + delay + ", " + jitter + " (expected: zero or more)");
        }
        if (bytesPerSecond < 0) {
            throw new IllegalArgumentException("bytesPerSecond: " + bytesPerSecond + " (expected: 0 or more)");
        }
    }

    static Conduct late(Duration delay, Duration jitter) {
        return new Conduct(delay, jitter, false, 0, false, -1);
    }

    static Conduct slow(long bytesPerSecond) {
        return new Conduct(Duration.ZERO, Duration.ZERO, false, bytesPerSecond, false, -1);
    }

    static Conduct cut(long afterBytes) {
        return new Conduct(Duration.ZERO, Duration.ZERO, false, 0, false, afterBytes);
    }
}
