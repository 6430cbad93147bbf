package io.mooring.client;

import io.mooring.model.ServiceKey;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * File names: something to recognise, in lower-case letters, digits, dots and dashes, and a hash that makes them one to
 * one. No part of a name from outside can lead out of a directory, meet another in a case-insensitive file system, or
 * be a device.
 */
final class CacheNames {
    private static final int RECOGNISABLE = 40;

    private CacheNames() {}

    static String list(ServiceKey service) {
        // Lengths in front, so that no two keys make the same text.
        String whole = service.namespace().length() + ":" + service.namespace()
                + service.group().length() + ":" + service.group() + service.name();
        return "list-" + readable(service.name()) + "-" + hash(whole);
    }

    /** One per list of configured addresses: two clusters, used from one machine, must never meet in it. */
    static String peers(List<String> configured) {
        StringBuilder whole = new StringBuilder();
        configured.stream()
                .sorted()
                .distinct()
                .forEach(address -> whole.append(address).append(' '));
        return "peers-" + hash(whole.toString());
    }

    static String directory(String namespace) {
        return "ns-" + readable(namespace) + "-" + hash(namespace);
    }

    private static String readable(String text) {
        StringBuilder out = new StringBuilder(RECOGNISABLE);
        for (int i = 0; i < text.length() && i < RECOGNISABLE; i++) {
            char c = text.charAt(i);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            out.append(plain ? c : '-');
        }
        return out.toString().toLowerCase(Locale.ROOT);
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
