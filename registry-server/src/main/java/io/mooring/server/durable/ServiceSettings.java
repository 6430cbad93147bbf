package io.mooring.server.durable;

import static java.util.Collections.unmodifiableMap;

import io.mooring.model.InvalidValueException;
import io.mooring.model.Metadata;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an operator has settled for a service. A service that has settings exists, though nobody may be registered.
 *
 * @param protectThreshold 0-1: with a share of healthy instances not above this, clients are told that all are healthy
 * @param metadata labels of the service
 * @param selector a text for clients, which this program does not read; at most {@value #LONGEST_SELECTOR} characters
 * @param clusters of those clusters that have some of their own, at most {@value #MOST_CLUSTERS}
 */
public record ServiceSettings(
        double protectThreshold, Metadata metadata, String selector, Map<String, ClusterSettings> clusters) {
    public static final int LONGEST_SELECTOR = 4_096;
    public static final int MOST_CLUSTERS = 64;

    /** What holds for a service for which nobody has settled anything. */
    public static final ServiceSettings DEFAULTS = new ServiceSettings(0, Metadata.empty(), "", Map.of());

    /** @throws InvalidValueException when a value breaks its rule */
    public ServiceSettings {
        if (!(protectThreshold >= 0 && protectThreshold <= 1)) { // written so that NaN fails
            throw new InvalidValueException("protectThreshold", protectThreshold, "0-1");
        }
        protectThreshold = protectThreshold + 0.0; // -0.0 and 0.0 are the same
        if (selector.length() > LONGEST_SELECTOR) {
            throw new InvalidValueException(
                    "selector", selector.length() + " characters", "at most " + LONGEST_SELECTOR + " characters");
        }
        if (clusters.size() > MOST_CLUSTERS) {
            throw new InvalidValueException("clusters", clusters.size(), "at most " + MOST_CLUSTERS);
        }
        clusters = unmodifiableMap(new TreeMap<>(clusters)); // same order, so same bytes, on every node
    }

    public ServiceSettings withProtectThreshold(double newThreshold) {
        return new ServiceSettings(newThreshold, metadata, selector, clusters);
    }

    public ServiceSettings withMetadata(Metadata newMetadata) {
        return new ServiceSettings(protectThreshold, newMetadata, selector, clusters);
    }

    public ServiceSettings withSelector(String newSelector) {
        return new ServiceSettings(protectThreshold, metadata, newSelector, clusters);
    }

    public ServiceSettings withCluster(String cluster, ClusterSettings of) {
        Map<String, ClusterSettings> all = new TreeMap<>(clusters);
        all.put(cluster, of);
        return new ServiceSettings(protectThreshold, metadata, selector, all);
    }

    /** How persistent instances of that cluster are checked, and its labels. */
    public ClusterSettings cluster(String cluster) {
        return clusters.getOrDefault(cluster, ClusterSettings.DEFAULTS);
    }

    /**
     * What is settled for one cluster of a service.
     *
     * @param check how its persistent instances are checked
     * @param path of a check by HTTP
     * @param headers of a check by HTTP, {@code name:value|name:value}
     * @param expectedCode that a check by HTTP is to be answered with, 100-599
     * @param port that is checked where not the instance's own is, 0-65535
     * @param ofInstance whether the instance's own port is checked
     * @param metadata labels of the cluster
     */
    public record ClusterSettings(
            Check check,
            String path,
            String headers,
            int expectedCode,
            int port,
            boolean ofInstance,
            Metadata metadata) {
        public static final int LONGEST_TEXT = 2_048;

        /** A connection to the instance's own port. */
        public static final ClusterSettings DEFAULTS =
                new ClusterSettings(Check.TCP, "", "", 200, 80, true, Metadata.empty());

        /** @throws InvalidValueException when a value breaks its rule */
        public ClusterSettings {
            if (path.length() > LONGEST_TEXT || headers.length() > LONGEST_TEXT) {
                throw new InvalidValueException(
                        "path or headers",
                        Math.max(path.length(), headers.length()) + " characters",
                        "at most " + LONGEST_TEXT + " characters");
            }
            if (expectedCode < 100 || expectedCode > 599) {
                throw new InvalidValueException("expectedCode", expectedCode, "100-599");
            }
            if (port < 0 || port > 65_535) {
                throw new InvalidValueException("port", port, "0-65535");
            }
        }
    }

    /** How a persistent instance is checked. */
    public enum Check {
        /** Somebody listens. */
        TCP,
        /** Somebody answers a request with the expected code. */
        HTTP,
        /** Not at all: it is as healthy as somebody says it is. */
        NONE
    }
}
