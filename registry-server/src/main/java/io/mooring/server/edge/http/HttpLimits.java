package io.mooring.server.edge.http;

import io.mooring.model.InvalidValueException;
import java.time.Duration;

/**
 * What the REST interface takes at most.
 *
 * @param defaultTtl of a lease whose publisher asks for none
 * @param leastTtl shortest lease
 * @param mostTtl longest lease
 * @param watchers long polls at the same time
 * @param streams streams of events at the same time
 */
public record HttpLimits(Duration defaultTtl, Duration leastTtl, Duration mostTtl, int watchers, int streams) {
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
        positive("watchers", watchers);
        positive("streams", streams);
    }

    private static void positive(String field, int value) {
        if (value < 1) {
            throw new InvalidValueException(field, value, "at least 1");
        }
    }
}
