package io.mooring.simulation;

import io.mooring.model.ListedInstance;
import io.mooring.server.codec.ByteReader.MalformedException;
import io.mooring.server.replication.PeerReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** All that happened, as one number, and the last of it for people. */
final class Trace {
    private static final int KEPT = 150;
    private static final int SHOWN = 600;
    private static final byte[] NOTHING = {};

    /** {@code -Dtell=true}: everything is told as it happens, which is a lot. */
    private static final boolean TELLING = Boolean.getBoolean("tell");

    private final long origin;
    private final long[] times = new long[KEPT];
    private final String[] labels = new String[KEPT];
    private final byte[][] frames = new byte[KEPT][];
    private final List<List<ListedInstance>> lists = new ArrayList<>(Collections.nCopies(KEPT, List.of()));
    private long hash = 0xcbf29ce484222325L;
    private long events;

    Trace(long origin) {
        this.origin = origin;
    }

    void event(long at, String label) {
        frame(at, label, NOTHING);
    }

    /** Somebody shows a list. Written out only if somebody reads it. */
    void list(long at, String label, long number, long digest, List<ListedInstance> list) {
        note(at, label, NOTHING, list);
        mix(number);
        mix(digest);
    }

    void frame(long at, String label, byte[] bytes) {
        note(at, label, bytes, List.of());
    }

    private void note(long at, String label, byte[] bytes, List<ListedInstance> list) {
        int slot = (int) (events++ % KEPT);
        times[slot] = at - origin;
        labels[slot] = label;
        frames[slot] = bytes;
        lists.set(slot, list);
        if (TELLING) {
            System.out.print(line(slot));
        }
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
            out.append(line((int) (i % KEPT)));
        }
        return out.toString();
    }

    private String line(int slot) {
        String text = text(frames[slot]);
        StringBuilder out = new StringBuilder();
        out.append(String.format(Locale.ROOT, "%12.6f  %s", times[slot] / 1e9, labels[slot]));
        if (!text.isEmpty()) {
            out.append("  ").append(text, 0, Math.min(SHOWN, text.length()));
            out.append(text.length() > SHOWN ? "…" : "");
        }
        if (!lists.get(slot).isEmpty()) {
            out.append("  ").append(World.shown(lists.get(slot)));
        }
        return out.append('\n').toString();
    }

    /** Between processes and nodes texts go back and forth, between nodes something else. */
    private static String text(byte[] frame) {
        if (frame.length == 0 || frame[0] == '[' || frame[0] == '{') {
            return new String(frame, StandardCharsets.UTF_8);
        }
        try {
            return new PeerReader().read(frame).toString();
        } catch (MalformedException e) {
            return frame.length + " bytes: " + e.getMessage();
        }
    }
}
