package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import java.time.Duration;

/**
 * What the REST interface takes at most.
 *
 * @param defaultTtl of a lease whose publisher asks for none
 * @param leastTtl shortest lease
 * @param mostTtl longest lease
 * @param senders requests whose body is being read, at the same time; fewer than there are threads
 * @param writes requests that wait for the core
 * @param watchers long polls at the same time
 * @param streams streams of events at the same time
 * @param largeAnswers answers of more than one buffer on their way at the same time
 * @param outgoingBytes of large answers and events that are on their way at the same time
 * @param loopWait how long a request waits for the core
 */
public record HttpLimits(
        Duration defaultTtl,
        Duration leastTtl,
        Duration mostTtl,
        int senders,
        int writes,
        int watchers,
        int streams,
        int largeAnswers,
        long outgoingBytes,
        Duration loopWait) {
    public static final HttpLimits DEFAULTS = new HttpLimits(
            Duration.ofSeconds(15),
            Duration.ofSeconds(1),
            Duration.ofHours(1),
            8,
            1_000,
            1_000,
            500,
            256,
            16L << 20,
            Duration.ofSeconds(5));

    /** @throws InvalidValueException when the ttl are not in order or a count is not positive */
    public HttpLimits {
        if (leastTtl.isNegative()
                || leastTtl.isZero()
                || leastTtl.compareTo(defaultTtl) > 0
                || defaultTtl.compareTo(mostTtl) > 0) {
            throw new InvalidValueException(
                    "ttl",
                    leastTtl + ", " + defaultTtl + ", " + mostTtl,
                    "least <= default <= most, and more than nothing");
        }
        positive("senders", senders);
        positive("writes", writes);
        positive("watchers", watchers);
        positive("streams", streams);
        positive("largeAnswers", largeAnswers);
    }

    private static void positive(String field, int value) {
        if (value < 1) {
            throw new InvalidValueException(field, value, "at least 1");
        }
    }
}
