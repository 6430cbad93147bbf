package io.mooring.server.clock;

import io.mooring.server.restore.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the {@link HybridClock} was, on disk, so that a restart does not go back. Confined to the event loop.
 *
 * <pre>
 * MOORING-CLOCK 1
 * milliseconds since 1970
 * </pre>
 */
public final class ClockFile {
    private static final Logger log = LoggerFactory.getLogger(ClockFile.class);
    private static final String FILE = "clock.txt";
    private static final String NEXT = "clock.txt.new";
    private static final String HEAD = "MOORING-CLOCK 1";
    private static final int MOST_BYTES = 100;

    /** How often it is written; after a restart the clock goes on this much later than what was written last. */
    public static final Duration EVERY = Duration.ofSeconds(30);

    private final HybridClock clock;
    private final Storage disk;

    /** Sets the clock to where an earlier life of this node may have been. */
    public ClockFile(HybridClock clock, Storage disk) throws IOException {
        this.clock = clock;
        this.disk = disk;
        if (!disk.names().contains(FILE)) {
            return;
        }
        String text;
        try (InputStream in = disk.read(FILE)) {
            text = new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8);
        }
        String[] lines = text.split("\n", -1);
        boolean fits = lines.length == 3 && lines[0].equals(HEAD) && lines[1].matches("\\d{1,13}");
        if (fits) {
            clock.heard(Long.parseLong(lines[1]) + 2 * EVERY.toMillis());
        } else {
            log.error("{} in the data directory cannot be used; going by the time of day", FILE);
        }
    }

    /** Writes down where the clock is. To be called every {@link #EVERY}. */
    public void write() {
        byte[] text = (HEAD + "\n" + clock.millis() + "\n").getBytes(StandardCharsets.UTF_8);
        disk.delete(NEXT);
        disk.append(NEXT, text, problem -> {
            if (problem.isEmpty()) { // a disk that cannot be written is reported by who needs it more
                disk.rename(NEXT, FILE, ignored -> {});
            }
        });
    }
}
