package io.mooring.simulation;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** All that happened, as one number, and the last of it for people. */
final class Trace {
    private static final int KEPT = 150;
    private static final int SHOWN = 600;
    private static final byte[] NOTHING = {};

    private final long origin;
    private final long[] times = new long[KEPT];
    private final String[] labels = new String[KEPT];
    private final byte[][] frames = new byte[KEPT][];
    private long hash = 0xcbf29ce484222325L;
    private long events;

    Trace(long origin) {
        this.origin = origin;
    }

    void event(long at, String label) {
        frame(at, label, NOTHING);
    }

    void frame(long at, String label, byte[] bytes) {
        int slot = (int) (events++ % KEPT);
        times[slot] = at - origin;
        labels[slot] = label;
        frames[slot] = bytes;
        mix(at - origin);
        for (int i = 0; i < label.length(); i++) {
            hash = (hash ^ label.charAt(i)) * 0x100000001b3L;
        }
        for (byte b : bytes) {
            hash = (hash ^ b) * 0x100000001b3L;
        }
    }

    private void mix(long value) {
        for (int shift = 0; shift < 64; shift += 16) {
            hash = (hash ^ (value >>> shift & 0xffff)) * 0x100000001b3L;
        }
    }

    long hash() {
        return hash;
    }

    long events() {
        return events;
    }

    String last() {
        StringBuilder out = new StringBuilder();
        for (long i = Math.max(0, events - KEPT); i < events; i++) {
            int slot = (int) (i % KEPT);
            String text = new String(frames[slot], StandardCharsets.UTF_8);
            out.append(String.format(Locale.ROOT, "%12.6f  %s", times[slot] / 1e9, labels[slot]));
            if (!text.isEmpty()) {
                out.append("  ").append(text, 0, Math.min(SHOWN, text.length()));
                out.append(text.length() > SHOWN ? "…" : "");
            }
            out.append('\n');
        }
        return out.toString();
    }
}
