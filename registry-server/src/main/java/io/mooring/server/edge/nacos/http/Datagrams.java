package io.mooring.server.edge.nacos.http;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.mooring.model.ServiceView;
import io.mooring.server.clock.HybridClock;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * A list as a datagram: {@code {"type":"dom","data":"<the list as text>","lastRefTime":<number>}}. Made once for all who hear
 * of it at the same moment; the number says which one an ack is for. Confined to the I/O thread.
 */
final class Datagrams {
    /** From here on clients expect gzip. */
    static final int COMPRESSED_FROM = 1_024;
    /** The most that UDP over IPv4 carries. */
    static final int MOST = 65_507;

    /** JSON of this length does not fit, however well it is compressed; and the thread has others to serve. */
    private static final int MOST_TEXT = 2 << 20;

    private static final int SHARED = 64;
    /** For so long one datagram serves all: later ones must not look older than an answer that was given in between. */
    private static final long SHARED_MILLIS = 20;

    private final Lists lists;
    private final HybridClock clock;
    private final Map<String, Made> made = new LinkedHashMap<>(16, 0.75f, true);
    private long lastNumber;

    /**
     * One datagram.
     *
     * @param number of it, for its ack
     * @param bytes empty if the list is too long
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Datagram(long number, byte[] bytes) {}

    private record Made(ServiceView view, double threshold, long at, Datagram datagram) {}

    /** @param firstNumber such that no earlier start of the node has used the next ones a moment ago; below 2^52 */
    Datagrams(Lists lists, HybridClock clock, long firstNumber) {
        this.lists = lists;
        this.clock = clock;
        this.lastNumber = firstNumber;
    }

    Datagram of(ServiceView view, String clusters) {
        String key = view.service() + " " + clusters;
        long now = clock.millis();
        Made before = made.get(key);
        double threshold = lists.threshold(view.service());
        if (before != null
                && before.view == view
                && before.threshold == threshold
                && now - before.at <= SHARED_MILLIS) {
            return before.datagram;
        }
        Datagram datagram = new Datagram(++lastNumber, bytes(view, clusters, now));
        made.put(key, new Made(view, threshold, now, datagram));
        if (made.size() > SHARED) {
            made.remove(made.keySet().iterator().next());
        }
        return datagram;
    }

    private byte[] bytes(ServiceView view, String clusters, long now) {
        String text = lists.text(view, clusters, false, Instances.CACHE_MILLIS, now);
        if (text.length() > MOST_TEXT) {
            return new byte[0];
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream(text.length() + text.length() / 8 + 64);
        out.writeBytes("{\"type\":\"dom\",\"data\":\"".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(JsonStringEncoder.getInstance().quoteAsUTF8(text));
        out.writeBytes(("\",\"lastRefTime\":" + lastNumber + "}").getBytes(StandardCharsets.US_ASCII));
        byte[] plain = out.toByteArray();
        byte[] bytes = plain.length < COMPRESSED_FROM ? plain : gzip(plain);
        return bytes.length > MOST ? new byte[0] : bytes;
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(plain.length / 6 + 64);
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return out.toByteArray();
    }
}
