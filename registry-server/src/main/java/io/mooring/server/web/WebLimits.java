package io.mooring.server.web;

import io.mooring.model.InvalidValueException;
import java.time.Duration;

/**
 * What the HTTP port takes at most, whoever is asked for.
 *
 * @param senders requests whose body is being read, at the same time; fewer than there are threads
 * @param writes requests that wait for the core
 * @param largeAnswers answers of more than one buffer on their way at the same time
 * @param outgoingBytes of large answers and events that are on their way at the same time
 * @param loopWait how long a request waits for the core
 */
public record WebLimits(int senders, int writes, int largeAnswers, long outgoingBytes, Duration loopWait) {
    public static final WebLimits DEFAULTS = new WebLimits(8, 1_000, 256, 16L << 20, Duration.ofSeconds(5));

    /** @throws InvalidValueException when a count is not positive */
    public WebLimits {
        positive("senders", senders);
        positive("writes", writes);
        positive("largeAnswers", largeAnswers);
    }

    private static void positive(String field, int value) {
        if (value < 1) {
            throw new InvalidValueException(field, value, "at least 1");
        }
    }
}
