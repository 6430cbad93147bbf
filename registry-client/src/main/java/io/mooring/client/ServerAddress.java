package io.mooring.client;

import java.util.Optional;

/**
 * Where a registry node takes sessions.
 *
 * @param host an IP address, without brackets, or a name
 * @param port 1-65535
 */
record ServerAddress(String host, int port) {
    static final int DEFAULT_PORT = 9847;

    private static final String HOST_CHARACTERS = "._-:%";

    /** {@code host}, {@code host:port}, {@code [v6]} or {@code [v6]:port}; empty when it is none of these. */
    static Optional<ServerAddress> parse(String text) {
        String host = text;
        String port = "";
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            if (end < 0) {
                return Optional.empty();
            }
            host = text.substring(1, end);
            String rest = text.substring(end + 1);
            if (!rest.isEmpty() && !rest.startsWith(":")) {
                return Optional.empty();
            }
            port = rest.isEmpty() ? "" : rest.substring(1);
            if (rest.equals(":") || host.indexOf(':') < 0) {
                return Optional.empty();
            }
        } else if (text.indexOf(':') >= 0 && text.indexOf(':') == text.lastIndexOf(':')) {
            host = text.substring(0, text.indexOf(':'));
            port = text.substring(text.indexOf(':') + 1);
            if (port.isEmpty()) {
                return Optional.empty();
            }
        }
        if (host.isEmpty() || host.length() > 253 || !host.chars().allMatch(ServerAddress::fits)) {
            return Optional.empty();
        }
        String checkedHost = host;
        return port(port).map(number -> new ServerAddress(checkedHost, number));
    }

    private static boolean fits(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || HOST_CHARACTERS.indexOf(c) >= 0;
    }

    private static Optional<Integer> port(String text) {
        if (text.isEmpty()) {
            return Optional.of(DEFAULT_PORT);
        }
        if (text.length() > 5 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.empty();
        }
        int port = Integer.parseInt(text);
        return port >= 1 && port <= 65_535 ? Optional.of(port) : Optional.empty();
    }

    /** Whether the host needs no resolver. */
    boolean literal() {
        if (host.indexOf(':') >= 0) {
            return true;
        }
        String[] parts = host.split("\\.", -1);
        if (parts.length != 4) {
            return false;
        }
        for (String part : parts) {
            if (part.isEmpty()
                    || part.length() > 3
                    || !part.chars().allMatch(c -> c >= '0' && c <= '9')
                    || Integer.parseInt(part) > 255) {
                return false;
            }
        }
        return true;
    }

    /** {@code host:port}, with brackets around an IPv6 address. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
