package io.mooring.server.config;

import io.mooring.model.InvalidValueException;
import io.mooring.server.edge.nacos.Users;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the file of users again and again, and goes by what it says when it has said so twice: whoever writes it may be in the
 * midst of it. A file of no use changes nothing but the log.
 */
final class UsersFile implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(UsersFile.class);
    private static final Duration EVERY = Duration.ofSeconds(5);

    private final String file;
    private final Users users;
    private @Nullable ScheduledExecutorService thread;
    private byte @Nullable [] seen;
    private byte @Nullable [] refused;
    private boolean unreadable;

    /**
     * @param file if blank there is none, and nothing to do
     * @param users as the file had them a moment ago
     */
    UsersFile(String file, Users users) {
        this.file = file;
        this.users = users;
    }

    void start() {
        if (file.isBlank()) {
            return;
        }
        ScheduledExecutorService made = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread looking = new Thread(task, "mooring-users-file");
            looking.setDaemon(true);
            return looking;
        });
        thread = made;
        made.scheduleWithFixedDelay(this::look, EVERY.toMillis(), EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Reads it once; one thread at a time. */
    void look() {
        byte[] now;
        try {
            now = Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            if (!unreadable) {
                log.warn("mooring.nacos.users-file: {} cannot be read any more; users stay as they were.", file);
            }
            unreadable = true;
            return;
        }
        unreadable = false;
        boolean twice = Arrays.equals(now, seen);
        seen = now;
        if (twice && !Arrays.equals(now, refused)) {
            goBy(now);
        }
    }

    private void goBy(byte[] now) {
        try {
            if (users.goBy(now)) {
                log.info("mooring.nacos.users-file: {} has changed. All tokens have ended.", file);
            }
            refused = null;
        } catch (InvalidValueException e) {
            refused = now;
            log.warn("mooring.nacos.users-file: {}: {}. Users stay as they were.", file, e.getMessage());
        }
    }

    @Override
    public void close() {
        if (thread != null) {
            thread.shutdownNow();
        }
    }
}
